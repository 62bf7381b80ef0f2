<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE">
<context>
    <name>About</name>
    <message>
        <source>About Steadymark</source>
        <translation>Über Steadymark</translation>
    </message>
</context>
<context>
    <name>Analysis</name>
    <message>
        <source>The ground truth of {name} cannot be read: {why}</source>
        <translation>Die Referenz von {name} lässt sich nicht lesen: {why}</translation>
    </message>
</context>
<context>
    <name>CameraDialog</name>
    <message>
        <source>Open camera or stream</source>
        <translation>Kamera oder Stream öffnen</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>Erneut suchen</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <source>Looking for cameras…</source>
        <translation>Kameras werden gesucht …</translation>
    </message>
    <message>
        <source>Cameras</source>
        <translation>Kameras</translation>
    </message>
    <message>
        <source>Mode</source>
        <translation>Modus</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>&amp;Cameras</source>
        <translation>&amp;Kameras</translation>
    </message>
    <message>
        <source>&amp;Network</source>
        <translation>&amp;Netzwerk</translation>
    </message>
    <message>
        <source>The address of a network camera: RTSP, RTMP, or MJPEG over HTTP, for example rtsp://user:password@192.168.0.10/stream. Passwords are not remembered.</source>
        <translation>Die Adresse einer Netzwerkkamera: RTSP, RTMP oder MJPEG über HTTP, zum Beispiel rtsp://user:password@192.168.0.10/stream. Passwörter werden nicht gespeichert.</translation>
    </message>
    <message>
        <source>as the camera likes</source>
        <translation>wie die Kamera es vorgibt</translation>
    </message>
    <message>
        <source>An address begins with rtsp://, rtmp:// or http://</source>
        <translation>Eine Adresse beginnt mit rtsp://, rtmp:// oder http://</translation>
    </message>
    <message>
        <source>This one is watched now.</source>
        <translation>Diese wird gerade gezeigt.</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>Wird geöffnet …</translation>
    </message>
    <message>
        <source>No camera was found. Plug one in and look again, or give the address of a network camera.</source>
        <translation>Es wurde keine Kamera gefunden. Schließen Sie eine an und suchen Sie erneut, oder geben Sie die Adresse einer Netzwerkkamera an.</translation>
    </message>
    <message>
        <source>If one is plugged in, your user may not have access to it: see whether /dev/video0 exists, and join the group &apos;video&apos;.</source>
        <translation>Ist eine angeschlossen, fehlt Ihnen vielleicht der Zugriff: Sehen Sie nach, ob es /dev/video0 gibt, und treten Sie der Gruppe „video“ bei.</translation>
    </message>
    <message>
        <source>If there is one, allow the camera in System Settings, Privacy &amp; Security.</source>
        <translation>Ist eine da, erlauben Sie die Kamera in den Systemeinstellungen unter Datenschutz &amp; Sicherheit.</translation>
    </message>
    <message>
        <source>If there is one, allow the camera in Settings, Privacy.</source>
        <translation>Ist eine da, erlauben Sie die Kamera in den Einstellungen unter Datenschutz.</translation>
    </message>
</context>
<context>
    <name>Docks</name>
    <message>
        <source>Plots</source>
        <translation>Diagramme</translation>
    </message>
    <message>
        <source>Numbers</source>
        <translation>Zahlen</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
</context>
<context>
    <name>EmptyPage</name>
    <message>
        <source>Open video…</source>
        <translation>Video öffnen …</translation>
    </message>
    <message>
        <source>Open camera…</source>
        <translation>Kamera öffnen …</translation>
    </message>
    <message>
        <source>Try the demo clip</source>
        <translation>Beispielvideo ansehen</translation>
    </message>
    <message>
        <source>Opening {name}</source>
        <translation>{name} wird geöffnet</translation>
    </message>
    <message>
        <source>Its frames are counted and the networks are loaded.</source>
        <translation>Die Bilder werden gezählt und die Netze geladen.</translation>
    </message>
    <message>
        <source>The first picture is waited for and the networks are loaded.</source>
        <translation>Das erste Bild wird erwartet und die Netze werden geladen.</translation>
    </message>
    <message>
        <source>Drop a video here, or open a camera</source>
        <translation>Video hierher ziehen oder Kamera öffnen</translation>
    </message>
    <message>
        <source>Steadymark follows 68 landmarks on every face in it, shows how steady they are, and exports them. Nothing leaves this computer.</source>
        <translation>Steadymark verfolgt 68 Landmarken auf jedem Gesicht darin, zeigt, wie ruhig sie liegen, und exportiert sie. Nichts verlässt diesen Rechner.</translation>
    </message>
</context>
<context>
    <name>Exports</name>
    <message>
        <source>cannot write {path}: choose another folder or name</source>
        <translation>{path} kann nicht geschrieben werden: Wählen Sie einen anderen Ordner oder Namen</translation>
    </message>
</context>
<context>
    <name>FiguresTable</name>
    <message>
        <source>change</source>
        <translation>Änderung</translation>
    </message>
    <message>
        <source>raw</source>
        <translation>roh</translation>
    </message>
    <message>
        <source>stabilized</source>
        <translation>stabilisiert</translation>
    </message>
</context>
<context>
    <name>Files</name>
    <message>
        <source>Open &amp;recent</source>
        <translation>&amp;Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Clear this list</source>
        <translation>Liste leeren</translation>
    </message>
    <message numerus="yes">
        <source>Steadymark ended unexpectedly. %n tracked frame(s) of {name} were saved.</source>
        <translation>
            <numerusform>Steadymark wurde unerwartet beendet. %n verfolgtes Bild von {name} ist gesichert.</numerusform>
            <numerusform>Steadymark wurde unerwartet beendet. %n verfolgte Bilder von {name} sind gesichert.</numerusform>
        </translation>
    </message>
    <message>
        <source>Recover</source>
        <translation>Wiederherstellen</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>The comparison is not ready: export it then.</source>
        <translation>Der Vergleich ist noch nicht fertig: Exportieren Sie ihn danach.</translation>
    </message>
    <message>
        <source>Open video</source>
        <translation>Video öffnen</translation>
    </message>
    <message>
        <source>Videos ({kinds});;All files (*)</source>
        <translation>Videos ({kinds});;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Open folder of pictures</source>
        <translation>Ordner mit Bildern öffnen</translation>
    </message>
    <message>
        <source>Load ground truth: a table, or any of a folder&apos;s .pts files</source>
        <translation>Referenz laden: eine Tabelle oder eine beliebige .pts-Datei eines Ordners</translation>
    </message>
    <message>
        <source>Ground truth ({kinds});;All files (*)</source>
        <translation>Referenz ({kinds});;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Save this frame</source>
        <translation>Dieses Bild speichern</translation>
    </message>
    <message>
        <source>Save the plots</source>
        <translation>Diagramme speichern</translation>
    </message>
    <message>
        <source>Replace the file?</source>
        <translation>Datei ersetzen?</translation>
    </message>
    <message>
        <source>{name} is there already. Replace it?</source>
        <translation>{name} gibt es schon. Ersetzen?</translation>
    </message>
    <message>
        <source>Cancelled: what was written is in {name}.</source>
        <translation>Abgebrochen: Das bereits Geschriebene steht in {name}.</translation>
    </message>
    <message>
        <source>{name} holds what is tracked by now. Export again when all is tracked.</source>
        <translation>{name} enthält, was bisher verfolgt ist. Exportieren Sie erneut, sobald alles verfolgt ist.</translation>
    </message>
    <message>
        <source>{name} is written.</source>
        <translation>{name} ist geschrieben.</translation>
    </message>
    <message>
        <source>It was tracked in {count} goes, because of seeking: where each began, nothing was remembered. &apos;Track again from the beginning&apos; gives one uninterrupted run.</source>
        <translation>Wegen Sprüngen wurde in {count} Stücken verfolgt: Zu Beginn jedes Stücks war das Gedächtnis leer. „Von Anfang an neu verfolgen“ ergibt einen ununterbrochenen Durchlauf.</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Ordner zeigen</translation>
    </message>
    <message>
        <source>Diagnostics are on the clipboard: paste them into your report.</source>
        <translation>Die Diagnose liegt in der Zwischenablage: Fügen Sie sie in Ihren Bericht ein.</translation>
    </message>
    <message>
        <source>The log file is {path}</source>
        <translation>Die Protokolldatei ist {path}</translation>
    </message>
</context>
<context>
    <name>FilterParameters</name>
    <message>
        <source>As in the settings</source>
        <translation>Wie in den Einstellungen</translation>
    </message>
    <message>
        <source>Use the parameters of the settings, and follow them</source>
        <translation>Die Parameter der Einstellungen verwenden und ihnen folgen</translation>
    </message>
</context>
<context>
    <name>Keys</name>
    <message>
        <source>&apos;{key}&apos; is no key.</source>
        <translation>„{key}“ ist keine Taste.</translation>
    </message>
    <message>
        <source>{key} is needed to move among buttons and fields.</source>
        <translation>{key} wird gebraucht, um zwischen Schaltflächen und Feldern zu wechseln.</translation>
    </message>
    <message>
        <source>{key} opens the menu &apos;{menu}&apos;: choose another key.</source>
        <translation>{key} öffnet das Menü „{menu}“: Wählen Sie eine andere Taste.</translation>
    </message>
    <message>
        <source>{key} already means &apos;{command}&apos;: choose another key, or give that command another one first.</source>
        <translation>{key} bedeutet schon „{command}“: Wählen Sie eine andere Taste oder geben Sie jenem Befehl zuerst eine andere.</translation>
    </message>
</context>
<context>
    <name>KeysDialog</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Search for a command or a key</source>
        <translation>Befehl oder Taste suchen</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Befehl</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Commands and their keys</source>
        <translation>Befehle und ihre Tasten</translation>
    </message>
    <message>
        <source>New key</source>
        <translation>Neue Taste</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Übernehmen</translation>
    </message>
    <message>
        <source>Use too</source>
        <translation>Zusätzlich</translation>
    </message>
    <message>
        <source>No key</source>
        <translation>Keine Taste</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>Alle zurücksetzen</translation>
    </message>
    <message>
        <source>The command gets this key instead of those it has</source>
        <translation>Der Befehl bekommt diese Taste anstelle seiner bisherigen</translation>
    </message>
    <message>
        <source>The command keeps its keys and gets this one too</source>
        <translation>Der Befehl behält seine Tasten und bekommt diese dazu</translation>
    </message>
    <message>
        <source>The command is in the menus only</source>
        <translation>Der Befehl steht dann nur in den Menüs</translation>
    </message>
    <message>
        <source>The command gets back the keys it came with</source>
        <translation>Der Befehl bekommt seine ursprünglichen Tasten zurück</translation>
    </message>
</context>
<context>
    <name>Live</name>
    <message>
        <source>Butterworth looks at frames to come, which a live view has not: its points stay raw. Choose the One Euro filter or a network.</source>
        <translation>Butterworth braucht spätere Bilder, die es live nicht gibt: Die Punkte bleiben roh. Wählen Sie den One-Euro-Filter oder ein Netz.</translation>
    </message>
    <message>
        <source>The stream came to its end.</source>
        <translation>Der Stream ist zu Ende.</translation>
    </message>
</context>
<context>
    <name>LiveBar</name>
    <message>
        <source>Record</source>
        <translation>Aufnahme</translation>
    </message>
    <message>
        <source>Pictures a second: shown / given by the camera</source>
        <translation>Bilder je Sekunde: gezeigt / von der Kamera geliefert</translation>
    </message>
    <message>
        <source>Latency from the picture&apos;s arrival to its paint with landmarks: median, and what 95 % of the last 300 pictures stayed below</source>
        <translation>Latenz von der Ankunft eines Bildes bis zur Anzeige mit Landmarken: Median, und was 95 % der letzten 300 Bilder nicht überschritten</translation>
    </message>
    <message>
        <source>Pictures that were passed over because newer ones were there</source>
        <translation>Bilder, die übergangen wurden, weil neuere da waren</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
    <message>
        <source>Start again</source>
        <translation>Neustart</translation>
    </message>
    <message>
        <source>{shown} / {came} fps</source>
        <translation>{shown} / {came} fps</translation>
    </message>
    <message>
        <source>{median} ms (95 %: {p95})</source>
        <translation>{median} ms (95 %: {p95})</translation>
    </message>
    <message>
        <source>{count} dropped</source>
        <translation>{count} verpasst</translation>
    </message>
    <message>
        <source> ({count} lost)</source>
        <translation> ({count} verloren)</translation>
    </message>
    <message>
        <source>{frames} frames are written, {count} could not be in time</source>
        <translation>{frames} Bilder sind geschrieben, {count} nicht rechtzeitig</translation>
    </message>
</context>
<context>
    <name>LiveDesk</name>
    <message>
        <source>Folder for recordings</source>
        <translation>Ordner für Aufnahmen</translation>
    </message>
    <message>
        <source>Open a camera or stream first.</source>
        <translation>Öffnen Sie zuerst eine Kamera oder einen Stream.</translation>
    </message>
    <message>
        <source>The live view is stopped: start it again.</source>
        <translation>Das Livebild ist angehalten: Starten Sie es wieder.</translation>
    </message>
    <message>
        <source>Into {folder}</source>
        <translation>Nach {folder}</translation>
    </message>
    <message>
        <source>No picture came while recording: nothing is kept.</source>
        <translation>Während der Aufnahme kam kein Bild: Es wurde nichts behalten.</translation>
    </message>
    <message>
        <source> and </source>
        <translation> und </translation>
    </message>
    <message>
        <source>{names} are written, {frames} frames.</source>
        <translation>{names} sind geschrieben, {frames} Bilder.</translation>
    </message>
    <message>
        <source>{count} frames could not be written in time: a smaller mode, or a faster disk, helps.</source>
        <translation>{count} Bilder konnten nicht rechtzeitig geschrieben werden: Ein kleinerer Modus oder ein schnellerer Datenträger hilft.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>&amp;Play</source>
        <translation>&amp;Wiedergabe</translation>
    </message>
    <message>
        <source>&amp;Pause</source>
        <translation>&amp;Pause</translation>
    </message>
    <message>
        <source>Stop the &amp;camera</source>
        <translation>Kamera an&amp;halten</translation>
    </message>
    <message>
        <source>Start ag&amp;ain</source>
        <translation>&amp;Neu starten</translation>
    </message>
    <message>
        <source>&amp;Stop the live view</source>
        <translation>Livebild &amp;beenden</translation>
    </message>
    <message>
        <source>Go on &amp;tracking</source>
        <translation>Weiter &amp;verfolgen</translation>
    </message>
    <message>
        <source>Pause &amp;tracking</source>
        <translation>&amp;Verfolgung anhalten</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is no place: type a time as 1:23.4 or 83s, or a frame number</source>
        <translation>„{text}“ ist keine Stelle: Geben Sie eine Zeit wie 1:23.4 oder 83s oder eine Bildnummer ein</translation>
    </message>
    <message>
        <source>Export under way</source>
        <translation>Export läuft</translation>
    </message>
    <message>
        <source>An export is not done. Cancel it and quit? What is written stays.</source>
        <translation>Ein Export ist noch nicht fertig. Abbrechen und beenden? Das bereits Geschriebene bleibt.</translation>
    </message>
</context>
<context>
    <name>Message</name>
    <message>
        <source>Dismiss</source>
        <translation>Schließen</translation>
    </message>
</context>
<context>
    <name>Numbers</name>
    <message>
        <source>Numbers</source>
        <translation>Zahlen</translation>
    </message>
    <message>
        <source>Face</source>
        <translation>Gesicht</translation>
    </message>
    <message>
        <source>Landmark</source>
        <translation>Landmarke</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleiche</translation>
    </message>
    <message>
        <source>with</source>
        <translation>mit</translation>
    </message>
    <message>
        <source>Head pose</source>
        <translation>Haltung</translation>
    </message>
    <message>
        <source>Position</source>
        <translation>Ort</translation>
    </message>
    <message>
        <source>Pitch (down), yaw (to the left of the picture) and roll (clockwise)</source>
        <translation>Nicken (abwärts), Drehen (zur linken Bildseite) und Neigen (im Uhrzeigersinn)</translation>
    </message>
    <message>
        <source>Millimetres from the camera&apos;s axis to the right and down, and from the camera; right only if the focal length is</source>
        <translation>Millimeter von der Achse der Kamera nach rechts und unten und von der Kamera weg; nur richtig, wenn es die Brennweite ist</translation>
    </message>
    <message>
        <source>Tracked</source>
        <translation>Verfolgt</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Time a frame</source>
        <translation>Zeit je Bild</translation>
    </message>
    <message>
        <source>The face is still in {share} of the frames it is in.</source>
        <translation>Das Gesicht ist in {share} der Bilder, in denen es zu sehen ist, in Ruhe.</translation>
    </message>
    <message>
        <source>The face is never still for half a second: no jitter can be told.</source>
        <translation>Das Gesicht ist nie eine halbe Sekunde lang in Ruhe: Über den Jitter lässt sich nichts sagen.</translation>
    </message>
    <message>
        <source>pitch</source>
        <translation>Nicken</translation>
    </message>
    <message>
        <source>yaw</source>
        <translation>Drehen</translation>
    </message>
    <message>
        <source>roll</source>
        <translation>Neigen</translation>
    </message>
    <message>
        <source>Tracking a second time with {name}: {share}</source>
        <translation>Zweite Verfolgung mit {name}: {share}</translation>
    </message>
    <message numerus="yes">
        <source>{share} of %n frame(s)</source>
        <translation>
            <numerusform>{share} von %n Bild</numerusform>
            <numerusform>{share} von %n Bildern</numerusform>
        </translation>
    </message>
    <message>
        <source>landmarks</source>
        <translation>Landmarken</translation>
    </message>
    <message>
        <source>detector</source>
        <translation>Detektor</translation>
    </message>
    <message>
        <source>{name} (tracks again)</source>
        <translation>{name} (verfolgt neu)</translation>
    </message>
    <message>
        <source>Where the face is still</source>
        <translation>Wo das Gesicht in Ruhe ist</translation>
    </message>
    <message>
        <source>MAV</source>
        <translation>MAV</translation>
    </message>
    <message>
        <source>Mean Allan variance, (% of the eye distance)²</source>
        <translation>Mittlere Allan-Varianz, (% des Augenabstands)²</translation>
    </message>
    <message>
        <source>MCV, %</source>
        <translation>MCV, %</translation>
    </message>
    <message>
        <source>Mean coefficient of variation: how unevenly points stray from their mean place, whatever the distance, which MAV and motion tell</source>
        <translation>Mittlerer Variationskoeffizient: wie ungleichmäßig die Punkte von ihrer mittleren Lage abweichen, gleich wie weit; das sagen MAV und Bewegung</translation>
    </message>
    <message>
        <source>Mean coefficient of variation</source>
        <translation>Mittlerer Variationskoeffizient</translation>
    </message>
    <message>
        <source>motion, %</source>
        <translation>Beweg., %</translation>
    </message>
    <message>
        <source>There is nothing to measure yet.</source>
        <translation>Noch gibt es nichts zu messen.</translation>
    </message>
    <message>
        <source>From frame to frame, % of the eye distance</source>
        <translation>Von Bild zu Bild, % des Augenabstands</translation>
    </message>
    <message>
        <source>Against the ground truth</source>
        <translation>Gegen die Referenz</translation>
    </message>
    <message>
        <source>NRMSE, %</source>
        <translation>NRMSE, %</translation>
    </message>
    <message>
        <source>Mean distance from the true points, % of the outer-eye distance</source>
        <translation>Mittlerer Abstand von den wahren Punkten, % des Abstands der äußeren Augenwinkel</translation>
    </message>
    <message>
        <source>FR8, %</source>
        <translation>FR8, %</translation>
    </message>
    <message>
        <source>Frames with 8 % or more, or no face</source>
        <translation>Bilder mit 8 % oder mehr oder ohne Gesicht</translation>
    </message>
    <message>
        <source>Mean Allan variance of the error</source>
        <translation>Mittlere Allan-Varianz des Fehlers</translation>
    </message>
    <message>
        <source>lag, frames</source>
        <translation>Verzug, Bilder</translation>
    </message>
    <message>
        <source>How late the points come</source>
        <translation>Wie verspätet die Punkte kommen</translation>
    </message>
    <message>
        <source>Mean Allan variance where the face is still</source>
        <translation>Mittlere Allan-Varianz, wo das Gesicht in Ruhe ist</translation>
    </message>
    <message>
        <source>MAV by region, where still</source>
        <translation>MAV je Region, in Ruhe</translation>
    </message>
    <message>
        <source>NRMSE by region, %</source>
        <translation>NRMSE je Region, %</translation>
    </message>
    <message>
        <source>Ground truth {name}: {count} of its {frames} frames compared, {missed} without a face. MAV is of the error, so that true motion is no jitter.</source>
        <translation>Referenz {name}: {count} ihrer {frames} Bilder verglichen, {missed} ohne Gesicht. MAV ist die des Fehlers, sodass wahre Bewegung kein Jitter ist.</translation>
    </message>
    <message>
        <source>So far off: are its landmarks numbered as iBUG&apos;s 68 are?</source>
        <translation>So weit daneben: Sind ihre Landmarken wie die 68 von iBUG nummeriert?</translation>
    </message>
    <message>
        <source>&lt;b&gt;Jitter or motion?&lt;/b&gt; These figures are taken only where the face is still: in the second around a frame, the landmarks&apos; mean places in its two halves lie less than 0.5 % of the outer-eye distance apart, and they stray from their mean by less than 3 %, for raw and stabilized points alike. There, what moves is jitter. Elsewhere motion is in it, and curves are faint.</source>
        <translation>&lt;b&gt;Jitter oder Bewegung?&lt;/b&gt; Diese Zahlen gelten nur, wo das Gesicht in Ruhe ist: In der Sekunde um ein Bild liegen die mittleren Orte der Landmarken in deren beiden Hälften weniger als 0,5 % des Abstands der äußeren Augenwinkel auseinander, und die Landmarken weichen um weniger als 3 % von ihrem Mittel ab, roh wie stabilisiert. Was sich dort bewegt, ist Jitter. Anderswo steckt Bewegung darin, und die Kurven sind blass.</translation>
    </message>
</context>
<context>
    <name>Options</name>
    <message>
        <source>Lan&amp;guage</source>
        <translation>&amp;Sprache</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
</context>
<context>
    <name>OwnModels</name>
    <message>
        <source>Another model is being checked: add this one afterwards.</source>
        <translation>Ein anderes Modell wird gerade geprüft: Fügen Sie dieses danach hinzu.</translation>
    </message>
    <message>
        <source>{name} comes with Steadymark and stays: only models of your own go.</source>
        <translation>{name} gehört zu Steadymark und bleibt: Nur eigene Modelle lassen sich entfernen.</translation>
    </message>
    <message>
        <source>{name} is off the list; its files stay.</source>
        <translation>{name} ist von der Liste; die Dateien bleiben.</translation>
    </message>
    <message>
        <source>Add a model</source>
        <translation>Modell hinzufügen</translation>
    </message>
    <message>
        <source>ONNX models with a model card ({kinds})</source>
        <translation>ONNX-Modelle mit Modellkarte ({kinds})</translation>
    </message>
    <message>
        <source>The model was not added: {fault}</source>
        <translation>Das Modell wurde nicht hinzugefügt: {fault}</translation>
    </message>
    <message>
        <source>{name} is in the list of models.</source>
        <translation>{name} steht in der Liste der Modelle.</translation>
    </message>
</context>
<context>
    <name>Plots</name>
    <message>
        <source>Plots</source>
        <translation>Diagramme</translation>
    </message>
    <message>
        <source>Jitter</source>
        <translation>Jitter</translation>
    </message>
    <message>
        <source>MAV, 1 s</source>
        <translation>MAV, 1 s</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>Konfidenz</translation>
    </message>
    <message>
        <source>score</source>
        <translation>Konfidenz</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>Tempo</translation>
    </message>
    <message>
        <source>speed, %/s</source>
        <translation>Geschw., %/s</translation>
    </message>
    <message>
        <source>Head pose</source>
        <translation>Haltung</translation>
    </message>
    <message>
        <source>angle, °</source>
        <translation>Winkel, °</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>NRMSE, %</source>
        <translation>NRMSE, %</translation>
    </message>
    <message>
        <source>x, y: {number} {name}</source>
        <translation>x, y: {number} {name}</translation>
    </message>
    <message>
        <source>Show or hide this curve</source>
        <translation>Diese Kurve zeigen oder verbergen</translation>
    </message>
    <message>
        <source>Region of the jitter curve</source>
        <translation>Region der Jitterkurve</translation>
    </message>
    <message>
        <source>The part of the face whose jitter is plotted</source>
        <translation>Der Teil des Gesichts, dessen Jitter gezeichnet wird</translation>
    </message>
    <message>
        <source>time, s</source>
        <translation>Zeit, s</translation>
    </message>
    <message>
        <source>raw</source>
        <translation>roh</translation>
    </message>
    <message>
        <source>stabilized</source>
        <translation>stabilisiert</translation>
    </message>
    <message>
        <source>pitch</source>
        <translation>Nicken</translation>
    </message>
    <message>
        <source>yaw</source>
        <translation>Drehen</translation>
    </message>
    <message>
        <source>roll</source>
        <translation>Neigen</translation>
    </message>
    <message>
        <source>Click: go there. Wheel: zoom. Double click: show all.</source>
        <translation>Klick: dorthin gehen. Mausrad: vergrößern. Doppelklick: alles zeigen.</translation>
    </message>
    <message>
        <source>Bold where the face is still: there it is jitter. Faint: motion is in it.</source>
        <translation>Kräftig, wo das Gesicht in Ruhe ist: Dort ist es Jitter. Blass: Es steckt Bewegung darin.</translation>
    </message>
</context>
<context>
    <name>PresetBar</name>
    <message>
        <source>own settings</source>
        <translation>eigene Einstellungen</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Voreinstellung</translation>
    </message>
    <message>
        <source>Save, delete and find presets</source>
        <translation>Voreinstellungen speichern, löschen und finden</translation>
    </message>
    <message>
        <source>&amp;Save as preset…</source>
        <translation>Als Voreinstellung &amp;speichern …</translation>
    </message>
    <message>
        <source>&amp;Delete this preset</source>
        <translation>Diese Voreinstellung &amp;löschen</translation>
    </message>
    <message>
        <source>Show the &amp;folder of presets</source>
        <translation>&amp;Ordner der Voreinstellungen zeigen</translation>
    </message>
    <message numerus="yes">
        <source>%n face(s)</source>
        <translation>
            <numerusform>%n Gesicht</numerusform>
            <numerusform>%n Gesichter</numerusform>
        </translation>
    </message>
    <message>
        <source>detector from {threshold}</source>
        <translation>Detektor ab {threshold}</translation>
    </message>
    <message>
        <source>Save as preset</source>
        <translation>Als Voreinstellung speichern</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>Name der Voreinstellung</translation>
    </message>
    <message>
        <source>The folder {folder} cannot be made: {why}</source>
        <translation>Der Ordner {folder} kann nicht angelegt werden: {why}</translation>
    </message>
</context>
<context>
    <name>QueueWindow</name>
    <message>
        <source>Track and export many videos</source>
        <translation>Viele Videos verfolgen und exportieren</translation>
    </message>
    <message>
        <source>and a video with landmarks</source>
        <translation>und ein Video mit Landmarken</translation>
    </message>
    <message>
        <source>replace files that are there</source>
        <translation>vorhandene Dateien ersetzen</translation>
    </message>
    <message>
        <source>&amp;Begin</source>
        <translation>&amp;Beginnen</translation>
    </message>
    <message>
        <source>&amp;Cancel chosen</source>
        <translation>&amp;Gewählte abbrechen</translation>
    </message>
    <message>
        <source>Cancel &amp;all</source>
        <translation>&amp;Alle abbrechen</translation>
    </message>
    <message>
        <source>&amp;Open folder</source>
        <translation>&amp;Ordner öffnen</translation>
    </message>
    <message>
        <source>C&amp;lear finished</source>
        <translation>&amp;Fertige entfernen</translation>
    </message>
    <message>
        <source>Videos</source>
        <translation>Videos</translation>
    </message>
    <message>
        <source>Video</source>
        <translation>Video</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Steadymark&apos;s table (CSV)</source>
        <translation>Tabelle von Steadymark (CSV)</translation>
    </message>
    <message>
        <source>table for OpenFace scripts (CSV)</source>
        <translation>Tabelle für OpenFace-Skripte (CSV)</translation>
    </message>
    <message>
        <source>Kind of table</source>
        <translation>Art der Tabelle</translation>
    </message>
    <message>
        <source>Folder of the results</source>
        <translation>Ordner der Ergebnisse</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen …</translation>
    </message>
    <message>
        <source>Write</source>
        <translation>Schreibe</translation>
    </message>
    <message>
        <source>to</source>
        <translation>nach</translation>
    </message>
    <message>
        <source>Add &amp;videos…</source>
        <translation>&amp;Videos hinzufügen …</translation>
    </message>
    <message>
        <source>Add videos</source>
        <translation>Videos hinzufügen</translation>
    </message>
    <message>
        <source>Videos ({kinds});;All files (*)</source>
        <translation>Videos ({kinds});;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>not begun</source>
        <translation>nicht begonnen</translation>
    </message>
    <message>
        <source>waits</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>is being tracked</source>
        <translation>wird verfolgt</translation>
    </message>
    <message>
        <source>cancelled: {names}</source>
        <translation>abgebrochen: {names}</translation>
    </message>
    <message>
        <source>{waiting} to be tracked, {done} done, {failed} failed.</source>
        <translation>{waiting} noch zu verfolgen, {done} fertig, {failed} fehlgeschlagen.</translation>
    </message>
    <message>
        <source>They are tracked with the settings of the main window, one after the other, each from its beginning to its end, as &apos;steadymark track&apos; does it.</source>
        <translation>Sie werden mit den Einstellungen des Hauptfensters verfolgt, nacheinander, jedes von Anfang bis Ende, so wie „steadymark track“ es tut.</translation>
    </message>
</context>
<context>
    <name>SendDialog</name>
    <message>
        <source>Send to other programs</source>
        <translation>An andere Programme senden</translation>
    </message>
    <message>
        <source>What is tracked live is sent at once. Tracking never waits for a receiver: what cannot be sent in time is dropped and counted.</source>
        <translation>Was live verfolgt wird, wird sofort gesendet. Die Verfolgung wartet nie auf einen Empfänger: Was nicht rechtzeitig gesendet werden kann, entfällt und wird gezählt.</translation>
    </message>
    <message>
        <source>127.0.0.1 is this computer. Other addresses send over the network, where anybody may read along.</source>
        <translation>127.0.0.1 ist dieser Rechner. An andere Adressen wird über das Netz gesendet, wo jeder mitlesen kann.</translation>
    </message>
    <message>
        <source>name of the stream</source>
        <translation>Name des Stroms</translation>
    </message>
    <message>
        <source>host and port</source>
        <translation>Rechner und Port</translation>
    </message>
    <message>
        <source>{name}: state</source>
        <translation>{name}: Zustand</translation>
    </message>
</context>
<context>
    <name>Session</name>
    <message>
        <source>{fault}. &apos;Go on tracking&apos; passes over it.</source>
        <translation>{fault}. „Weiter verfolgen“ übergeht die Stelle.</translation>
    </message>
</context>
<context>
    <name>SettingsPanel</name>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>own threshold</source>
        <translation>eigener Schwellwert</translation>
    </message>
    <message>
        <source>every </source>
        <translation>alle </translation>
    </message>
    <message>
        <source> frames</source>
        <translation> Bilder</translation>
    </message>
    <message>
        <source>in every frame</source>
        <translation>in jedem Bild</translation>
    </message>
    <message>
        <source>These settings need tracking from the beginning: what is tracked now is dropped.</source>
        <translation>Diese Einstellungen erfordern Verfolgung von Anfang an: Das bisher Verfolgte wird verworfen.</translation>
    </message>
    <message>
        <source>Track again with these settings</source>
        <translation>Mit diesen Einstellungen neu verfolgen</translation>
    </message>
    <message>
        <source>Reset to defaults</source>
        <translation>Auf Vorgaben zurücksetzen</translation>
    </message>
    <message>
        <source>in use: {device}</source>
        <translation>benutzt wird: {device}</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>automatisch</translation>
    </message>
    <message>
        <source>One Euro filter</source>
        <translation>One-Euro-Filter</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Voreinstellung</translation>
    </message>
    <message>
        <source>Landmarks</source>
        <translation>Landmarken</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Add and remove models</source>
        <translation>Modelle hinzufügen und entfernen</translation>
    </message>
    <message>
        <source>{name} (own)</source>
        <translation>{name} (eigenes)</translation>
    </message>
    <message>
        <source>Cut-off at rest</source>
        <translation>Grenzfrequenz in Ruhe</translation>
    </message>
    <message>
        <source>Beta</source>
        <translation>Beta</translation>
    </message>
    <message>
        <source>Cut-off of the speed</source>
        <translation>Grenzfrequenz der Geschw.</translation>
    </message>
    <message>
        <source>Butterworth</source>
        <translation>Butterworth</translation>
    </message>
    <message>
        <source>Cut-off</source>
        <translation>Grenzfrequenz</translation>
    </message>
    <message>
        <source>It looks at frames to come, so it is applied when all is tracked.</source>
        <translation>Er braucht auch spätere Bilder und wirkt daher erst, wenn alles verfolgt ist.</translation>
    </message>
    <message>
        <source>Stabilizer</source>
        <translation>Stabilisierung</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>Verfahren</translation>
    </message>
    <message>
        <source>Faces</source>
        <translation>Gesichter</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>Höchstens</translation>
    </message>
    <message>
        <source>Detector</source>
        <translation>Detektor</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwellwert</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suche</translation>
    </message>
    <message>
        <source>Focal length</source>
        <translation>Brennweite</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Wanted</source>
        <translation>Gewünscht</translation>
    </message>
    <message>
        <source>How often the detector looks for further faces while fewer than the most are known; lost ones are looked for at once</source>
        <translation>Wie oft der Detektor nach weiteren Gesichtern sucht, solange weniger als höchstens erlaubt bekannt sind; verlorene sucht er sofort</translation>
    </message>
    <message>
        <source>Lower: stiller at rest, and later</source>
        <translation>Kleiner: ruhiger im Stillstand, aber mehr Verzug</translation>
    </message>
    <message>
        <source>Higher: less lag when the face moves</source>
        <translation>Größer: weniger Verzug, wenn das Gesicht sich bewegt</translation>
    </message>
    <message>
        <source>Of the camera, in pixels: distances of heads follow from it</source>
        <translation>Der Kamera, in Pixeln: Daraus folgen die Abstände der Köpfe</translation>
    </message>
    <message>
        <source>The detector&apos;s score from which something is a face</source>
        <translation>Ab diesem Wert des Detektors gilt etwas als Gesicht</translation>
    </message>
</context>
<context>
    <name>Status</name>
    <message>
        <source>Tracked</source>
        <translation>Verfolgt</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>Bereit</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>Wird geöffnet …</translation>
    </message>
    <message>
        <source>Tracking, {percent}</source>
        <translation>Verfolgung läuft, {percent}</translation>
    </message>
    <message>
        <source>Tracking paused at {percent}</source>
        <translation>Verfolgung angehalten bei {percent}</translation>
    </message>
    <message>
        <source>All frames tracked</source>
        <translation>Alle Bilder verfolgt</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>Live</translation>
    </message>
    <message>
        <source>No pictures: reconnecting…</source>
        <translation>Keine Bilder: Verbindung wird neu aufgebaut …</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>Tracking stopped at {percent}</source>
        <translation>Verfolgung abgebrochen bei {percent}</translation>
    </message>
</context>
<context>
    <name>Timeline</name>
    <message>
        <source>Timeline</source>
        <translation>Zeitleiste</translation>
    </message>
    <message>
        <source>Green is tracked, orange without a face, grey not tracked yet; above it, jitter</source>
        <translation>Grün ist verfolgt, orange ohne Gesicht, grau noch nicht verfolgt; darüber der Jitter</translation>
    </message>
    <message>
        <source>not tracked yet</source>
        <translation>noch nicht verfolgt</translation>
    </message>
    <message>
        <source>tracked</source>
        <translation>verfolgt</translation>
    </message>
    <message>
        <source>no face</source>
        <translation>kein Gesicht</translation>
    </message>
    <message>
        <source>damaged, no picture</source>
        <translation>beschädigt, kein Bild</translation>
    </message>
    <message>
        <source>{clock}, frame {frame}: {state}</source>
        <translation>{clock}, Bild {frame}: {state}</translation>
    </message>
</context>
<context>
    <name>Transport</name>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>frame</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Type a time: 83.4s, 1:23.4 or 1:02:03</source>
        <translation>Zeit eingeben: 83.4s, 1:23.4 oder 1:02:03</translation>
    </message>
    <message>
        <source>Type a frame number, from 0</source>
        <translation>Bildnummer eingeben, ab 0</translation>
    </message>
    <message>
        <source>of {clock}</source>
        <translation>von {clock}</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>Tempo</translation>
    </message>
    <message>
        <source>Speed of playing</source>
        <translation>Wiedergabegeschwindigkeit</translation>
    </message>
</context>
<context>
    <name>VideoView</name>
    <message>
        <source>Video</source>
        <translation>Video</translation>
    </message>
    <message>
        <source>No pictures: reconnecting…</source>
        <translation>Keine Bilder: Verbindung wird neu aufgebaut …</translation>
    </message>
    <message>
        <source>not tracked yet</source>
        <translation>noch nicht verfolgt</translation>
    </message>
</context>
<context>
    <name>_Line</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Exporting {name}</source>
        <translation>{name} wird exportiert</translation>
    </message>
</context>
<context>
    <name>about</name>
    <message>
        <source>Facial landmarks that are right and still.</source>
        <translation>Gesichtslandmarken, die stimmen und stillhalten.</translation>
    </message>
    <message>
        <source>The program is under the MIT licence.</source>
        <translation>Das Programm steht unter der MIT-Lizenz.</translation>
    </message>
    <message>
        <source>Made with</source>
        <translation>Gemacht mit</translation>
    </message>
    <message>
        <source>Networks</source>
        <translation>Netze</translation>
    </message>
</context>
<context>
    <name>colour_key</name>
    <message>
        <source>score</source>
        <translation>Konfidenz</translation>
    </message>
    <message>
        <source>speed, % of the face/s</source>
        <translation>Tempo, % des Gesichts/s</translation>
    </message>
</context>
<context>
    <name>commands</name>
    <message>
        <source>&amp;Open video…</source>
        <translation>Video &amp;öffnen …</translation>
    </message>
    <message>
        <source>Open &amp;folder of pictures…</source>
        <translation>&amp;Ordner mit Bildern öffnen …</translation>
    </message>
    <message>
        <source>Export &amp;table (CSV)…</source>
        <translation>&amp;Tabelle exportieren (CSV) …</translation>
    </message>
    <message>
        <source>Export &amp;video with landmarks…</source>
        <translation>&amp;Video mit Landmarken exportieren …</translation>
    </message>
    <message>
        <source>Export table for OpenFace &amp;scripts…</source>
        <translation>Tabelle für Open&amp;Face-Skripte exportieren …</translation>
    </message>
    <message>
        <source>Open &amp;camera or stream…</source>
        <translation>&amp;Kamera oder Stream öffnen …</translation>
    </message>
    <message>
        <source>Load &amp;ground truth…</source>
        <translation>&amp;Referenz laden …</translation>
    </message>
    <message>
        <source>Remove groun&amp;d truth</source>
        <translation>Refere&amp;nz entfernen</translation>
    </message>
    <message>
        <source>C&amp;lose recording</source>
        <translation>Aufnahme s&amp;chließen</translation>
    </message>
    <message>
        <source>Export video of &amp;both, side by side…</source>
        <translation>Video von beiden nebeneinander e&amp;xportieren …</translation>
    </message>
    <message>
        <source>Track and export m&amp;any videos…</source>
        <translation>V&amp;iele Videos verfolgen und exportieren …</translation>
    </message>
    <message>
        <source>Save this fra&amp;me as a picture…</source>
        <translation>Dieses &amp;Bild speichern …</translation>
    </message>
    <message>
        <source>Save the &amp;plots as a picture…</source>
        <translation>&amp;Diagramme als Bild speichern …</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>B&amp;eenden</translation>
    </message>
    <message>
        <source>&amp;Play</source>
        <translation>&amp;Wiedergabe</translation>
    </message>
    <message>
        <source>&amp;Stop, back to the beginning</source>
        <translation>&amp;Stopp, zurück zum Anfang</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>Ein Bild zurück</translation>
    </message>
    <message>
        <source>One frame on</source>
        <translation>Ein Bild vor</translation>
    </message>
    <message>
        <source>1 second back</source>
        <translation>1 Sekunde zurück</translation>
    </message>
    <message>
        <source>1 second on</source>
        <translation>1 Sekunde vor</translation>
    </message>
    <message>
        <source>10 seconds back</source>
        <translation>10 Sekunden zurück</translation>
    </message>
    <message>
        <source>10 seconds on</source>
        <translation>10 Sekunden vor</translation>
    </message>
    <message>
        <source>First frame</source>
        <translation>Erstes Bild</translation>
    </message>
    <message>
        <source>Last frame</source>
        <translation>Letztes Bild</translation>
    </message>
    <message>
        <source>&amp;Go to time or frame</source>
        <translation>&amp;Gehe zu Zeit oder Bild</translation>
    </message>
    <message>
        <source>Slower</source>
        <translation>Langsamer</translation>
    </message>
    <message>
        <source>Faster</source>
        <translation>Schneller</translation>
    </message>
    <message>
        <source>Mark a region to &amp;loop: begin, end, none</source>
        <translation>Schleife &amp;markieren: Anfang, Ende, keine</translation>
    </message>
    <message>
        <source>Pause &amp;tracking</source>
        <translation>&amp;Verfolgung anhalten</translation>
    </message>
    <message>
        <source>Track &amp;again from the beginning</source>
        <translation>Von Anfang an &amp;neu verfolgen</translation>
    </message>
    <message>
        <source>Add a &amp;model…</source>
        <translation>&amp;Modell hinzufügen …</translation>
    </message>
    <message>
        <source>&amp;Remove the chosen model of your own</source>
        <translation>Gewähltes eigenes Modell &amp;entfernen</translation>
    </message>
    <message>
        <source>&amp;Record video and table</source>
        <translation>Video und Tabelle &amp;aufnehmen</translation>
    </message>
    <message>
        <source>&amp;Draw landmarks into recordings</source>
        <translation>&amp;Landmarken in Aufnahmen zeichnen</translation>
    </message>
    <message>
        <source>&amp;Folder for recordings…</source>
        <translation>&amp;Ordner für Aufnahmen …</translation>
    </message>
    <message>
        <source>&amp;Send to other programs…</source>
        <translation>An andere &amp;Programme senden …</translation>
    </message>
    <message>
        <source>&amp;Mirrored view</source>
        <translation>Ge&amp;spiegelte Ansicht</translation>
    </message>
    <message>
        <source>No landmarks</source>
        <translation>Keine Landmarken</translation>
    </message>
    <message>
        <source>Raw landmarks</source>
        <translation>Rohe Landmarken</translation>
    </message>
    <message>
        <source>Stabilized landmarks</source>
        <translation>Stabilisierte Landmarken</translation>
    </message>
    <message>
        <source>Both, compared</source>
        <translation>Beide im Vergleich</translation>
    </message>
    <message>
        <source>Over each other</source>
        <translation>Übereinander</translation>
    </message>
    <message>
        <source>Divided by a line to drag</source>
        <translation>Geteilt durch eine ziehbare Linie</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Nebeneinander</translation>
    </message>
    <message>
        <source>Move the dividing line left</source>
        <translation>Teilungslinie nach links</translation>
    </message>
    <message>
        <source>Move the dividing line right</source>
        <translation>Teilungslinie nach rechts</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>Punkte</translation>
    </message>
    <message>
        <source>Contours</source>
        <translation>Konturen</translation>
    </message>
    <message>
        <source>Numbers of the points</source>
        <translation>Nummern der Punkte</translation>
    </message>
    <message>
        <source>Points coloured by score</source>
        <translation>Punkte nach Konfidenz gefärbt</translation>
    </message>
    <message>
        <source>Trails of the last second, coloured by speed</source>
        <translation>Spuren der letzten Sekunde, nach Geschwindigkeit gefärbt</translation>
    </message>
    <message>
        <source>Boxes</source>
        <translation>Rahmen</translation>
    </message>
    <message>
        <source>Ids and scores of faces</source>
        <translation>Nummern und Konfidenz der Gesichter</translation>
    </message>
    <message>
        <source>Crop: what the network sees</source>
        <translation>Ausschnitt: was das Netz sieht</translation>
    </message>
    <message>
        <source>Axes of the head</source>
        <translation>Achsen des Kopfs</translation>
    </message>
    <message>
        <source>&amp;Heatmaps along the crop&apos;s edges</source>
        <translation>&amp;Heatmaps an den Rändern des Ausschnitts</translation>
    </message>
    <message>
        <source>&amp;Ground truth</source>
        <translation>&amp;Referenz</translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation>Vergrößern</translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation>Verkleinern</translation>
    </message>
    <message>
        <source>Fit the picture</source>
        <translation>Bild einpassen</translation>
    </message>
    <message>
        <source>Actual size, 1:1</source>
        <translation>Originalgröße, 1:1</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Vollbild</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts…</source>
        <translation>&amp;Tastenkürzel …</translation>
    </message>
    <message>
        <source>&amp;About Steadymark</source>
        <translation>Ü&amp;ber Steadymark</translation>
    </message>
    <message>
        <source>&amp;Copy diagnostics</source>
        <translation>&amp;Diagnose kopieren</translation>
    </message>
    <message>
        <source>Show the &amp;log file</source>
        <translation>&amp;Protokolldatei zeigen</translation>
    </message>
    <message>
        <source>Dismiss messages</source>
        <translation>Meldungen schließen</translation>
    </message>
</context>
<context>
    <name>dropping</name>
    <message>
        <source>{name} looks like ground truth: open its recording first, then drop it.</source>
        <translation>{name} sieht nach einer Referenz aus: Öffnen Sie zuerst die Aufnahme, dann ziehen Sie sie hierher.</translation>
    </message>
    <message>
        <source>Track and export all {count}…</source>
        <translation>Alle {count} verfolgen und exportieren …</translation>
    </message>
    <message>
        <source>One recording is shown at a time: the first was opened.</source>
        <translation>Es wird immer nur eine Aufnahme gezeigt: Die erste wurde geöffnet.</translation>
    </message>
</context>
<context>
    <name>first_hint</name>
    <message>
        <source>See what stabilization does: {raw} shows raw landmarks, {stabilized} stabilized ones, {both} both. Numbers tell how still they are; {keys} lists all keys.</source>
        <translation>Sehen Sie, was die Stabilisierung bewirkt: {raw} zeigt rohe Landmarken, {stabilized} stabilisierte, {both} beide. Die Zahlen sagen, wie ruhig sie liegen; {keys} nennt alle Tasten.</translation>
    </message>
</context>
<context>
    <name>hovering</name>
    <message>
        <source>&lt;b&gt;{number} {name}&lt;/b&gt;&lt;br&gt;x {x}, y {y}, {kind}&lt;br&gt;score {score}, face {face}</source>
        <translation>&lt;b&gt;{number} {name}&lt;/b&gt;&lt;br&gt;x {x}, y {y}, {kind}&lt;br&gt;Konfidenz {score}, Gesicht {face}</translation>
    </message>
</context>
<context>
    <name>menus</name>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Playback</source>
        <translation>&amp;Wiedergabe</translation>
    </message>
    <message>
        <source>&amp;Tracking</source>
        <translation>&amp;Verfolgung</translation>
    </message>
    <message>
        <source>L&amp;ive</source>
        <translation>L&amp;ive</translation>
    </message>
    <message>
        <source>&amp;Landmarks</source>
        <translation>&amp;Landmarken</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>Toolbar</source>
        <translation>Werkzeugleiste</translation>
    </message>
    <message>
        <source>Landmarks</source>
        <translation>Landmarken</translation>
    </message>
    <message>
        <source>What is drawn over the picture</source>
        <translation>Was über das Bild gezeichnet wird</translation>
    </message>
</context>
<context>
    <name>names</name>
    <message>
        <source>jaw</source>
        <translation>Kiefer</translation>
    </message>
    <message>
        <source>right brow</source>
        <translation>rechte Braue</translation>
    </message>
    <message>
        <source>left brow</source>
        <translation>linke Braue</translation>
    </message>
    <message>
        <source>nose bridge</source>
        <translation>Nasenrücken</translation>
    </message>
    <message>
        <source>nose base</source>
        <translation>Nasenbasis</translation>
    </message>
    <message>
        <source>right eye</source>
        <translation>rechtes Auge</translation>
    </message>
    <message>
        <source>left eye</source>
        <translation>linkes Auge</translation>
    </message>
    <message>
        <source>outer lip</source>
        <translation>äußere Lippe</translation>
    </message>
    <message>
        <source>inner lip</source>
        <translation>innere Lippe</translation>
    </message>
    <message>
        <source>chin</source>
        <translation>Kinn</translation>
    </message>
    <message>
        <source>nose tip</source>
        <translation>Nasenspitze</translation>
    </message>
    <message>
        <source>below the nose</source>
        <translation>unter der Nase</translation>
    </message>
    <message>
        <source>right eye, outer corner</source>
        <translation>rechtes Auge, äußerer Winkel</translation>
    </message>
    <message>
        <source>right eye, inner corner</source>
        <translation>rechtes Auge, innerer Winkel</translation>
    </message>
    <message>
        <source>left eye, inner corner</source>
        <translation>linkes Auge, innerer Winkel</translation>
    </message>
    <message>
        <source>left eye, outer corner</source>
        <translation>linkes Auge, äußerer Winkel</translation>
    </message>
    <message>
        <source>right corner of the mouth</source>
        <translation>rechter Mundwinkel</translation>
    </message>
    <message>
        <source>left corner of the mouth</source>
        <translation>linker Mundwinkel</translation>
    </message>
    <message>
        <source>whole face</source>
        <translation>Gesicht</translation>
    </message>
    <message>
        <source>contour</source>
        <translation>Kontur</translation>
    </message>
    <message>
        <source>brows</source>
        <translation>Brauen</translation>
    </message>
    <message>
        <source>nose</source>
        <translation>Nase</translation>
    </message>
    <message>
        <source>eyes</source>
        <translation>Augen</translation>
    </message>
    <message>
        <source>mouth</source>
        <translation>Mund</translation>
    </message>
    <message>
        <source>raw</source>
        <translation>roh</translation>
    </message>
    <message>
        <source>stabilized</source>
        <translation>stabilisiert</translation>
    </message>
    <message>
        <source>One Euro</source>
        <translation>One Euro</translation>
    </message>
    <message>
        <source>Butterworth</source>
        <translation>Butterworth</translation>
    </message>
    <message>
        <source>refinement</source>
        <translation>Verfeinerung</translation>
    </message>
    <message>
        <source>ConvLSTM</source>
        <translation>ConvLSTM</translation>
    </message>
</context>
<context>
    <name>presets</name>
    <message>
        <source>Stillest</source>
        <translation>Am ruhigsten</translation>
    </message>
    <message>
        <source>A network steadies the points, with hardly any lag.</source>
        <translation>Ein Netz beruhigt die Punkte, fast ohne Verzug.</translation>
    </message>
    <message>
        <source>Raw, lowest latency</source>
        <translation>Roh, geringste Latenz</translation>
    </message>
    <message>
        <source>The points as found, in half the time a face.</source>
        <translation>Die Punkte wie gefunden, in der halben Zeit je Gesicht.</translation>
    </message>
    <message>
        <source>Light filter</source>
        <translation>Leichter Filter</translation>
    </message>
    <message>
        <source>Still at rest, and soon there when the face moves.</source>
        <translation>Ruhig im Stillstand und schnell zur Stelle, wenn das Gesicht sich bewegt.</translation>
    </message>
    <message>
        <source>Smooth recording</source>
        <translation>Glatte Aufnahme</translation>
    </message>
    <message>
        <source>A filter without lag that needs the whole recording.</source>
        <translation>Ein Filter ohne Verzug, der die ganze Aufnahme braucht.</translation>
    </message>
    <message>
        <source>Several faces</source>
        <translation>Mehrere Gesichter</translation>
    </message>
    <message>
        <source>Up to six faces, each steadied by a network.</source>
        <translation>Bis zu sechs Gesichter, jedes von einem Netz beruhigt.</translation>
    </message>
    <message>
        <source>A preset&apos;s name has 1 to {most} characters.</source>
        <translation>Der Name einer Voreinstellung hat 1 bis {most} Zeichen.</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; comes with the program: choose another name.</source>
        <translation>„{name}“ gehört zum Programm: Wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
        <source>The preset cannot be kept in {path}: {why}</source>
        <translation>Die Voreinstellung kann nicht in {path} abgelegt werden: {why}</translation>
    </message>
    <message>
        <source>The preset {path} cannot be deleted: {why}</source>
        <translation>Die Voreinstellung {path} kann nicht gelöscht werden: {why}</translation>
    </message>
    <message>
        <source>{path} is no preset ({fault}): mend it, or delete it from its folder</source>
        <translation>{path} ist keine Voreinstellung ({fault}): Bessern Sie sie aus oder löschen Sie sie aus ihrem Ordner</translation>
    </message>
</context>
<context>
    <name>sending</name>
    <message>
        <source>Landmarks, head pose and expression of every face, as OpenSeeFace&apos;s UDP packets: for VSeeFace, VTube Studio and others</source>
        <translation>Landmarken, Kopfhaltung und Mimik jedes Gesichts als UDP-Pakete von OpenSeeFace: für VSeeFace, VTube Studio und andere</translation>
    </message>
    <message>
        <source>Head and expression of the first face, by OSC, for avatars of the Virtual Motion Capture protocol</source>
        <translation>Kopf und Mimik des ersten Gesichts per OSC, für Avatare des Virtual-Motion-Capture-Protokolls</translation>
    </message>
    <message>
        <source>Landmarks and head pose of the first face, as a stream of the Lab Streaming Layer</source>
        <translation>Landmarken und Kopfhaltung des ersten Gesichts als Strom des Lab Streaming Layer</translation>
    </message>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
    <message>
        <source>begins with the live view</source>
        <translation>beginnt mit dem Livebild</translation>
    </message>
    <message>
        <source>opening…</source>
        <translation>wird geöffnet …</translation>
    </message>
    <message>
        <source>not possible, see the message</source>
        <translation>nicht möglich, siehe Meldung</translation>
    </message>
    <message>
        <source>{rate} packets/s</source>
        <translation>{rate} Pakete/s</translation>
    </message>
    <message>
        <source>{count} dropped</source>
        <translation>{count} verpasst</translation>
    </message>
    <message>
        <source>nobody listens there</source>
        <translation>dort hört niemand zu</translation>
    </message>
    <message>
        <source>{name}: nobody listens</source>
        <translation>{name}: niemand hört zu</translation>
    </message>
    <message>
        <source>{rate}/s {name}</source>
        <translation>{rate}/s {name}</translation>
    </message>
</context>
<context>
    <name>session</name>
    <message>
        <source>opening failed ({fault})</source>
        <translation>Öffnen fehlgeschlagen ({fault})</translation>
    </message>
    <message>
        <source>the export failed ({fault})</source>
        <translation>Der Export ist fehlgeschlagen ({fault})</translation>
    </message>
    <message>
        <source>What is tracked is not saved against a crash: {folder} cannot be written ({why})</source>
        <translation>Das Verfolgte wird nicht gegen Absturz gesichert: {folder} ist nicht beschreibbar ({why})</translation>
    </message>
    <message>
        <source>frame {index} cannot be shown ({fault})</source>
        <translation>Bild {index} kann nicht gezeigt werden ({fault})</translation>
    </message>
    <message>
        <source>Tracking goes on, but is not saved against a crash: {error}</source>
        <translation>Die Verfolgung geht weiter, wird aber nicht gegen Absturz gesichert: {error}</translation>
    </message>
    <message>
        <source>what was tracked of {source} does not fit this file any more: it was changed since; track it again</source>
        <translation>Was von {source} verfolgt wurde, passt nicht mehr zu dieser Datei: Sie wurde seither geändert; verfolgen Sie sie neu</translation>
    </message>
    <message>
        <source>tracking stopped ({fault})</source>
        <translation>Verfolgung abgebrochen ({fault})</translation>
    </message>
    <message>
        <source>cameras cannot be listed ({fault})</source>
        <translation>Die Kameras lassen sich nicht auflisten ({fault})</translation>
    </message>
    <message>
        <source>the camera cannot be opened ({fault})</source>
        <translation>Die Kamera lässt sich nicht öffnen ({fault})</translation>
    </message>
    <message>
        <source>the heatmaps cannot be had ({fault})</source>
        <translation>Die Heatmaps sind nicht zu bekommen ({fault})</translation>
    </message>
    <message>
        <source>tracking cannot begin ({fault})</source>
        <translation>Das Verfolgen kann nicht beginnen ({fault})</translation>
    </message>
</context>
<context>
    <name>stabilizers</name>
    <message>
        <source>automatic</source>
        <translation>automatisch</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>temporal refinement</source>
        <translation>zeitliche Verfeinerung</translation>
    </message>
    <message>
        <source>ConvLSTM</source>
        <translation>ConvLSTM</translation>
    </message>
    <message>
        <source>One Euro filter</source>
        <translation>One-Euro-Filter</translation>
    </message>
    <message>
        <source>Butterworth, no lag</source>
        <translation>Butterworth, ohne Verzug</translation>
    </message>
</context>
<context>
    <name>start</name>
    <message>
        <source>Something unexpected happened ({fault}). What is tracked is kept. Help &gt; Copy diagnostics says more: please report it.</source>
        <translation>Etwas Unerwartetes ist geschehen ({fault}). Das Verfolgte bleibt erhalten. Hilfe &gt; Diagnose kopieren sagt mehr: Bitte melden Sie es.</translation>
    </message>
</context>
<context>
    <name>wiring</name>
    <message>
        <source>A live view shows the newest picture only: for this, record it and open the recording.</source>
        <translation>Ein Livebild zeigt nur das neueste Bild: Nehmen Sie es dafür auf und öffnen Sie die Aufnahme.</translation>
    </message>
</context>
</TS>
