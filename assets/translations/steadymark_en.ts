<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US">
<context>
    <name>AnnotationController</name>
    <message numerus="yes">
        <source>%n annotation(s) were added from {name}.</source>
        <translation>
            <numerusform>%n annotation was added from {name}.</numerusform>
            <numerusform>%n annotations were added from {name}.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ErrorsController</name>
    <message numerus="yes">
        <source>{name}, %n video(s)</source>
        <translation>
            <numerusform>{name}, %n video</numerusform>
            <numerusform>{name}, %n videos</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FileController</name>
    <message numerus="yes">
        <source>Steadymark ended unexpectedly. %n tracked frame(s) of {name} were saved.</source>
        <translation>
            <numerusform>Steadymark ended unexpectedly. %n tracked frame of {name} was saved.</numerusform>
            <numerusform>Steadymark ended unexpectedly. %n tracked frames of {name} were saved.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>LiveController</name>
    <message numerus="yes">
        <source>The recording was saved: {names} in {folder}, %n frame(s).</source>
        <translation>
            <numerusform>The recording was saved: {names} in {folder}, %n frame.</numerusform>
            <numerusform>The recording was saved: {names} in {folder}, %n frames.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) could not be written in time: use a smaller camera mode or a faster disk.</source>
        <translation>
            <numerusform>%n frame could not be written in time: use a smaller camera mode or a faster disk.</numerusform>
            <numerusform>%n frames could not be written in time: use a smaller camera mode or a faster disk.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PeopleModel</name>
    <message numerus="yes">
        <source>%n frame(s)</source>
        <translation>
            <numerusform>%n frame</numerusform>
            <numerusform>%n frames</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>two faces at once in %n frame(s), first in frame {frame}</source>
        <translation>
            <numerusform>two faces at once in %n frame, first in frame {frame}</numerusform>
            <numerusform>two faces at once in %n frames, first in frame {frame}</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PresetBar</name>
    <message numerus="yes">
        <source>%n face(s)</source>
        <translation>
            <numerusform>%n face</numerusform>
            <numerusform>%n faces</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>QueueList</name>
    <message numerus="yes">
        <source>%n warning(s)</source>
        <translation>
            <numerusform>%n warning</numerusform>
            <numerusform>%n warnings</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StatisticsPanel</name>
    <message numerus="yes">
        <source>{share} of %n frame(s)</source>
        <translation>
            <numerusform>{share} of %n frame</numerusform>
            <numerusform>{share} of %n frames</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>VerdictBox</name>
    <message numerus="yes">
        <source>{share} of %n frame(s)</source>
        <translation>
            <numerusform>{share} of %n frame</numerusform>
            <numerusform>{share} of %n frames</numerusform>
        </translation>
    </message>
</context>
</TS>
