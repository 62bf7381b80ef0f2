<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE">
<context>
    <name>AboutDialog</name>
    <message>
        <source>About Steadymark</source>
        <translation>Über Steadymark</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Ordner zeigen</translation>
    </message>
    <message>
        <source>Delete the kept results</source>
        <translation>Aufbewahrte Ergebnisse löschen</translation>
    </message>
    <message>
        <source>Finished tracking is kept in {folder} and shown again when the same recording is opened with the same settings: {used} of at most {most}. The oldest results are removed first.</source>
        <translation>Fertige Verfolgungen werden in {folder} aufbewahrt und wieder gezeigt, wenn dieselbe Aufnahme mit denselben Einstellungen geöffnet wird: {used} von höchstens {most}. Die ältesten Ergebnisse werden zuerst gelöscht.</translation>
    </message>
</context>
<context>
    <name>AddModelDialog</name>
    <message>
        <source>Add a model</source>
        <translation>Modell hinzufügen</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Running the network on the face of the demo clip…</source>
        <translation>Das Netz wird am Gesicht des Demovideos erprobt …</translation>
    </message>
    <message>
        <source>{name} has no model card. What you leave open here is read from the file, or found by trying.</source>
        <translation>{name} hat keine Modellkarte. Was hier offen bleibt, wird aus der Datei gelesen oder durch Probieren gefunden.</translation>
    </message>
    <message>
        <source>The program cannot find this out by itself:</source>
        <translation>Das können nur Sie wissen; nichts davon wird angenommen:</translation>
    </message>
    <message>
        <source>pixels</source>
        <translation>Pixel</translation>
    </message>
    <message>
        <source>0 … 1</source>
        <translation>0 … 1</translation>
    </message>
    <message>
        <source>−1 … 1</source>
        <translation>−1 … 1</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>Names of outputs</source>
        <translation>Namen der Ausgaben</translation>
    </message>
    <message>
        <source>Units</source>
        <translation>Einheit</translation>
    </message>
    <message>
        <source>Margin</source>
        <translation>Rand</translation>
    </message>
    <message>
        <source>Input size (pixels)</source>
        <translation>Eingabegröße, px</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>Farben</translation>
    </message>
    <message>
        <source>Value of white</source>
        <translation>Weiß ist</translation>
    </message>
    <message>
        <source>Mean</source>
        <translation>Mittelwert</translation>
    </message>
    <message>
        <source>Standard deviation</source>
        <translation>Standardabweichung</translation>
    </message>
    <message>
        <source>&apos;unknown&apos; if you do not know</source>
        <translation>„unknown“, wenn Sie es nicht wissen</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Licence of its weights</source>
        <translation>Lizenz der Gewichte</translation>
    </message>
    <message>
        <source>Trained on</source>
        <translation>Trainiert mit</translation>
    </message>
    <message>
        <source>find out automatically</source>
        <translation>herausfinden</translation>
    </message>
    <message>
        <source>found: {value}</source>
        <translation>gefunden: {value}</translation>
    </message>
    <message>
        <source>{count} landmarks; the error on the demo clip is {percent:.1f} % of the inter-ocular distance.</source>
        <translation>{count} Landmarken, im Demovideo {percent:.1f} % des Augenabstands neben der Wahrheit.</translation>
    </message>
    <message>
        <source>The face score is computed from its heatmaps.</source>
        <translation>Ob ein Gesicht da ist, wird an seinen Heatmaps erkannt.</translation>
    </message>
    <message>
        <source>The network gives no face score. The score is computed by running it twice, which takes twice the time.</source>
        <translation>Es sagt nicht, ob ein Gesicht da ist: Das wird durch zweimaliges Hinsehen erkannt, was doppelt so lange dauert.</translation>
    </message>
</context>
<context>
    <name>AnnotationController</name>
    <message>
        <source>Select an annotation first: click it in the timeline.</source>
        <translation>Wählen Sie zuerst eine Annotation: Klicken Sie sie in der Zeitleiste an.</translation>
    </message>
    <message>
        <source>There are no annotations yet.</source>
        <translation>Es gibt noch keine Annotationen.</translation>
    </message>
    <message>
        <source>Open a recording first: annotations belong to a recording.</source>
        <translation>Öffnen Sie zuerst eine Aufnahme: Annotationen gehören zu einer Aufnahme.</translation>
    </message>
    <message>
        <source>&amp;Undo: {action}</source>
        <translation>&amp;Rückgängig: {action}</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>There is nothing to undo.</source>
        <translation>Es gibt nichts rückgängig zu machen.</translation>
    </message>
    <message>
        <source>&amp;Redo: {action}</source>
        <translation>&amp;Wiederholen: {action}</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Wiederholen</translation>
    </message>
    <message>
        <source>There is nothing to redo.</source>
        <translation>Es gibt nichts zu wiederholen.</translation>
    </message>
    <message>
        <source>Import annotations</source>
        <translation>Annotationen importieren</translation>
    </message>
    <message>
        <source>Annotations ({kinds});;All files (*)</source>
        <translation>Annotationen ({kinds});;Alle Dateien (*)</translation>
    </message>
    <message numerus="yes">
        <source>%n annotation(s) were added from {name}.</source>
        <translation>
            <numerusform>Eine Annotation aus {name} wurde hinzugefügt.</numerusform>
            <numerusform>%n Annotationen aus {name} wurden hinzugefügt.</numerusform>
        </translation>
    </message>
    <message>
        <source>No person is called {names}, so these annotations have lanes of their own. Name the persons and import the file again to assign them.</source>
        <translation>Keine Person heißt {names}, deshalb haben diese Annotationen eigene Spuren. Benennen Sie die Personen und importieren Sie die Datei noch einmal, um sie zuzuordnen.</translation>
    </message>
    <message>
        <source>Export annotations</source>
        <translation>Annotationen exportieren</translation>
    </message>
    <message>
        <source>ELAN ({elan});;Table with tabs ({table})</source>
        <translation>ELAN ({elan});;Tabelle mit Tabulatoren ({table})</translation>
    </message>
    <message>
        <source>{name} was written.</source>
        <translation>{name} ist geschrieben.</translation>
    </message>
</context>
<context>
    <name>AnnotationDialog</name>
    <message>
        <source>Edit annotation</source>
        <translation>Annotation bearbeiten</translation>
    </message>
    <message>
        <source>A time such as 1:23.4 or 83s, or a frame such as f120</source>
        <translation>Eine Zeit wie 1:23.4 oder 83s oder ein Bild wie f120</translation>
    </message>
    <message>
        <source>&amp;Label</source>
        <translation>Be&amp;zeichnung</translation>
    </message>
    <message>
        <source>A short name, such as a category</source>
        <translation>Ein kurzer Name, etwa eine Kategorie</translation>
    </message>
    <message>
        <source>&amp;Note</source>
        <translation>&amp;Notiz</translation>
    </message>
    <message>
        <source>&amp;Starts at</source>
        <translation>&amp;Anfang</translation>
    </message>
    <message>
        <source>&amp;Ends at</source>
        <translation>&amp;Ende</translation>
    </message>
    <message>
        <source>&amp;Person</source>
        <translation>&amp;Person</translation>
    </message>
    <message>
        <source>L&amp;ane</source>
        <translation>&amp;Spur</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is not a position: enter a time such as 1:23.4 or 83s, or a frame such as f120</source>
        <translation>„{text}“ ist keine Stelle: Geben Sie eine Zeit wie 1:23.4 oder 83s oder ein Bild wie f120 ein</translation>
    </message>
    <message>
        <source>The end is before the start.</source>
        <translation>Das Ende liegt vor dem Anfang.</translation>
    </message>
</context>
<context>
    <name>CameraDialog</name>
    <message>
        <source>Open camera or stream</source>
        <translation>Kamera oder Stream öffnen</translation>
    </message>
    <message>
        <source>Search again</source>
        <translation>Erneut suchen</translation>
    </message>
    <message>
        <source>Preview</source>
        <translation>Vorschau</translation>
    </message>
    <message>
        <source>Searching for cameras…</source>
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
        <source>The address of a network camera: RTSP, RTMP, or MJPEG over HTTP, for example rtsp://user:password@192.168.0.10/stream. Passwords are not saved.</source>
        <translation>Die Adresse einer Netzwerkkamera: RTSP, RTMP oder MJPEG über HTTP, zum Beispiel rtsp://user:password@192.168.0.10/stream. Passwörter werden nicht gespeichert.</translation>
    </message>
    <message>
        <source>default of the camera</source>
        <translation>wie die Kamera es vorgibt</translation>
    </message>
    <message>
        <source>The address must begin with rtsp://, rtmp:// or http://</source>
        <translation>Eine Adresse beginnt mit rtsp://, rtmp:// oder http://</translation>
    </message>
    <message>
        <source>This camera is open already.</source>
        <translation>Diese wird gerade gezeigt.</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>Wird geöffnet …</translation>
    </message>
    <message>
        <source>No camera was found. Connect one and search again, or enter the address of a network camera.</source>
        <translation>Es wurde keine Kamera gefunden. Schließen Sie eine an und suchen Sie erneut, oder geben Sie die Adresse einer Netzwerkkamera an.</translation>
    </message>
    <message>
        <source>If a camera is connected, your user account may not have access to it: check that /dev/video0 exists, and join the group &apos;video&apos;.</source>
        <translation>Ist eine angeschlossen, fehlt Ihnen vielleicht der Zugriff: Sehen Sie nach, ob es /dev/video0 gibt, und treten Sie der Gruppe „video“ bei.</translation>
    </message>
    <message>
        <source>If a camera is connected, allow access to it in System Settings, Privacy &amp; Security.</source>
        <translation>Ist eine da, erlauben Sie die Kamera in den Systemeinstellungen unter Datenschutz &amp; Sicherheit.</translation>
    </message>
    <message>
        <source>If a camera is connected, allow access to it in Settings, Privacy.</source>
        <translation>Ist eine da, erlauben Sie die Kamera in den Einstellungen unter Datenschutz.</translation>
    </message>
</context>
<context>
    <name>CitationDialog</name>
    <message>
        <source>How to cite</source>
        <translation>Zitieren</translation>
    </message>
    <message>
        <source>Reference</source>
        <translation>Literaturangabe</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
</context>
<context>
    <name>CloseQuestions</name>
    <message>
        <source>Recording in progress</source>
        <translation>Aufnahme läuft</translation>
    </message>
    <message>
        <source>The live view is being recorded. Save the recording and quit?</source>
        <translation>Das Livebild wird aufgenommen. Die Aufnahme sichern und beenden?</translation>
    </message>
    <message>
        <source>Save and quit</source>
        <translation>Sichern und beenden</translation>
    </message>
    <message>
        <source>Continue recording</source>
        <translation>Weiter aufnehmen</translation>
    </message>
    <message>
        <source>Export in progress</source>
        <translation>Export läuft</translation>
    </message>
    <message>
        <source>An export is not finished. If it is cancelled, what was written is kept.</source>
        <translation>Ein Export ist noch nicht fertig. Wird er abgebrochen, so bleibt das bereits Geschriebene.</translation>
    </message>
    <message>
        <source>Wait, then quit</source>
        <translation>Warten, dann beenden</translation>
    </message>
    <message>
        <source>Cancel the export and quit</source>
        <translation>Export abbrechen und beenden</translation>
    </message>
    <message>
        <source>Do not quit</source>
        <translation>Nicht beenden</translation>
    </message>
    <message>
        <source>Steadymark quits when the export is finished.</source>
        <translation>Steadymark wird beendet, sobald der Export fertig ist.</translation>
    </message>
</context>
<context>
    <name>ComparisonController</name>
    <message>
        <source>Compare with a table of landmarks</source>
        <translation>Mit einer Tabelle von Landmarken vergleichen</translation>
    </message>
    <message>
        <source>Tables of landmarks ({kinds});;All files (*)</source>
        <translation>Tabellen von Landmarken ({kinds});;Alle Dateien (*)</translation>
    </message>
</context>
<context>
    <name>ComparisonTable</name>
    <message>
        <source>difference</source>
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
    <name>CorrectionBar</name>
    <message>
        <source>Correct landmarks</source>
        <translation>Landmarken korrigieren</translation>
    </message>
    <message>
        <source>Move</source>
        <translation>Bewegt wird</translation>
    </message>
    <message>
        <source>fades out over</source>
        <translation>klingt ab über</translation>
    </message>
    <message>
        <source>Previous</source>
        <translation>Vorige</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>Nächste</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Track from here</source>
        <translation>Ab hier neu verfolgen</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>the landmark</source>
        <translation>die Landmarke</translation>
    </message>
    <message>
        <source>its part of the face (Shift)</source>
        <translation>ihr Teil des Gesichts (Umschalt)</translation>
    </message>
    <message>
        <source>the whole face (Ctrl)</source>
        <translation>das ganze Gesicht (Strg)</translation>
    </message>
    <message>
        <source>What moves</source>
        <translation>Was bewegt wird</translation>
    </message>
    <message>
        <source> s</source>
        <translation> s</translation>
    </message>
    <message>
        <source>Span</source>
        <translation>Reichweite</translation>
    </message>
    <message>
        <source>For how long before and after its frame a correction fades out</source>
        <translation>Wie lange vor und nach ihrem Bild eine Korrektur abklingt</translation>
    </message>
</context>
<context>
    <name>CorrectionController</name>
    <message>
        <source>This frame is not corrected.</source>
        <translation>Dieses Bild ist nicht korrigiert.</translation>
    </message>
    <message>
        <source>There is no further corrected frame.</source>
        <translation>Es gibt kein weiteres korrigiertes Bild.</translation>
    </message>
    <message>
        <source>There is no tracked face in this frame.</source>
        <translation>In diesem Bild ist kein verfolgtes Gesicht.</translation>
    </message>
    <message>
        <source>No frame is corrected yet.</source>
        <translation>Noch ist kein Bild korrigiert.</translation>
    </message>
    <message>
        <source>Tracking again: {share}</source>
        <translation>Neue Verfolgung: {share}</translation>
    </message>
    <message>
        <source>Pause to move landmarks.</source>
        <translation>Halten Sie an, um Landmarken zu bewegen.</translation>
    </message>
    <message>
        <source>Drag a landmark. Shift drags its part of the face, Ctrl the whole face.</source>
        <translation>Ziehen Sie eine Landmarke. Umschalt zieht ihren Teil des Gesichts, Strg das ganze Gesicht.</translation>
    </message>
    <message>
        <source>{number} {name} of face {face}: arrow keys move it by 1 pixel, with Shift by 10, with Ctrl by 0.1. Esc lets it go.</source>
        <translation>{number} {name} von Gesicht {face}: Pfeiltasten bewegen sie um 1 Pixel, mit Umschalt um 10, mit Strg um 0,1. Esc lässt sie los.</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Stopp</translation>
    </message>
</context>
<context>
    <name>DetectorChoice</name>
    <message>
        <source>built-in</source>
        <translation>eingebaut</translation>
    </message>
    <message>
        <source>YuNet from a file…</source>
        <translation>YuNet aus einer Datei …</translation>
    </message>
    <message>
        <source>OpenCV&apos;s face detector, with a model file that you choose</source>
        <translation>Der Gesichtsdetektor von OpenCV, mit einer eigenen Modelldatei</translation>
    </message>
    <message>
        <source>Choose a YuNet model file</source>
        <translation>Modelldatei von YuNet wählen</translation>
    </message>
    <message>
        <source>ONNX models ({kinds})</source>
        <translation>ONNX-Modelle ({kinds})</translation>
    </message>
</context>
<context>
    <name>Docks</name>
    <message>
        <source>Plots</source>
        <translation>Diagramme</translation>
    </message>
    <message>
        <source>Statistics</source>
        <translation>Zahlen</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Review</source>
        <translation>Prüfung</translation>
    </message>
    <message>
        <source>People</source>
        <translation>Personen</translation>
    </message>
    <message>
        <source>Errors</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>3D face</source>
        <translation>3D-Gesicht</translation>
    </message>
</context>
<context>
    <name>ErrorCurves</name>
    <message>
        <source>Cumulative error curve</source>
        <translation>Summenkurve der Fehler</translation>
    </message>
    <message>
        <source>NRMSE, %</source>
        <translation>NRMSE, %</translation>
    </message>
    <message>
        <source>frames, %</source>
        <translation>Bilder, %</translation>
    </message>
    <message>
        <source>Share of the frames whose error is at most as large</source>
        <translation>Anteil der Bilder, deren Fehler höchstens so groß ist</translation>
    </message>
    <message>
        <source>From here on, a frame counts as failed</source>
        <translation>Ab hier gilt ein Bild als misslungen</translation>
    </message>
</context>
<context>
    <name>ErrorsController</name>
    <message>
        <source>&amp;This recording</source>
        <translation>&amp;Diese Aufnahme</translation>
    </message>
    <message>
        <source>&amp;Folder of videos with ground truth…</source>
        <translation>&amp;Ordner von Videos mit Referenz …</translation>
    </message>
    <message>
        <source>Finished videos of the &amp;queue</source>
        <translation>&amp;Fertige Videos der Warteschlange</translation>
    </message>
    <message>
        <source>A live view has no ground truth: record it and open the recording.</source>
        <translation>Ein Livebild hat keine Referenz: Nehmen Sie es auf, und öffnen Sie die Aufnahme.</translation>
    </message>
    <message>
        <source>No frame with ground truth was compared yet.</source>
        <translation>Noch ist kein Bild mit Referenz verglichen.</translation>
    </message>
    <message>
        <source>Load ground truth (menu File) to see in which frames and at which landmarks the errors are large.</source>
        <translation>Laden Sie eine Referenz (Menü Datei), um zu sehen, in welchen Bildern und an welchen Landmarken die Fehler groß sind.</translation>
    </message>
    <message>
        <source>Measuring {name} ({number} of {total}), {share}</source>
        <translation>Messe {name} ({number} von {total}), {share}</translation>
    </message>
    <message>
        <source>Folder of videos with ground truth</source>
        <translation>Ordner von Videos mit Referenz</translation>
    </message>
    <message>
        <source>queue</source>
        <translation>Warteschlange</translation>
    </message>
    <message numerus="yes">
        <source>{name}, %n video(s)</source>
        <translation>
            <numerusform>{name}, %n Video</numerusform>
            <numerusform>{name}, %n Videos</numerusform>
        </translation>
    </message>
    <message>
        <source>The errors are on the clipboard.</source>
        <translation>Die Fehler liegen in der Zwischenablage.</translation>
    </message>
    <message>
        <source>Save the errors</source>
        <translation>Fehler speichern</translation>
    </message>
</context>
<context>
    <name>ErrorsPanel</name>
    <message>
        <source>Errors</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copy all errors as a table with tabs, for a spreadsheet</source>
        <translation>Alle Fehler als Tabelle mit Tabulatoren kopieren, für eine Tabellenkalkulation</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>Speichern …</translation>
    </message>
    <message>
        <source>Save all errors as CSV, or the views as a picture</source>
        <translation>Alle Fehler als CSV speichern oder die Ansichten als Bild</translation>
    </message>
    <message>
        <source>Videos</source>
        <translation>Videos</translation>
    </message>
    <message>
        <source>Whose errors are shown</source>
        <translation>Wessen Fehler gezeigt werden</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>{name}: {count} frames compared, {missed} without a face</source>
        <translation>{name}: {count} Bilder verglichen, {missed} ohne Gesicht</translation>
    </message>
</context>
<context>
    <name>ExportMessages</name>
    <message>
        <source>Cancelled. What was written so far is in {name}.</source>
        <translation>Abgebrochen: Das bereits Geschriebene steht in {name}.</translation>
    </message>
    <message>
        <source>Cancelled: {name} was not written.</source>
        <translation>Abgebrochen: {name} ist nicht geschrieben.</translation>
    </message>
    <message>
        <source>{name} holds what has been tracked so far. Export again when tracking is finished.</source>
        <translation>{name} enthält, was bisher verfolgt ist. Exportieren Sie erneut, sobald alles verfolgt ist.</translation>
    </message>
    <message>
        <source>{name} was written.</source>
        <translation>{name} ist geschrieben.</translation>
    </message>
    <message>
        <source>It was tracked in {count} parts because of seeking; the tracker started anew at the beginning of each part. &apos;Track again from the beginning&apos; gives one uninterrupted run.</source>
        <translation>Wegen Sprüngen wurde in {count} Stücken verfolgt: Zu Beginn jedes Stücks war das Gedächtnis leer. „Von Anfang an neu verfolgen“ ergibt einen ununterbrochenen Durchlauf.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
</context>
<context>
    <name>ExportOptionsDialog</name>
    <message>
        <source>What is drawn into the video</source>
        <translation>Was ins Video gezeichnet wird</translation>
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
        <source>Apply the review: corrections, persons, exclusions</source>
        <translation>Prüfung anwenden: Korrekturen, Personen, Ausschlüsse</translation>
    </message>
    <message>
        <source>Only the looped region</source>
        <translation>Nur der wiederholte Bereich</translation>
    </message>
    <message>
        <source>As in the window</source>
        <translation>Wie im Fenster</translation>
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
        <source>Face boxes</source>
        <translation>Rahmen</translation>
    </message>
    <message>
        <source>Ids of the faces</source>
        <translation>Nummern der Gesichter</translation>
    </message>
    <message>
        <source>Time, frame number and number of faces</source>
        <translation>Zeit, Bildnummer und Zahl der Gesichter</translation>
    </message>
</context>
<context>
    <name>ExportsList</name>
    <message>
        <source>cannot write {path}: choose another folder or name</source>
        <translation>{path} kann nicht geschrieben werden: Wählen Sie einen anderen Ordner oder Namen</translation>
    </message>
</context>
<context>
    <name>ExpressionPresetBar</name>
    <message>
        <source>own settings</source>
        <translation>eigene Einstellungen</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Voreinstellung</translation>
    </message>
    <message>
        <source>Save, delete, import and export presets</source>
        <translation>Voreinstellungen speichern, löschen, importieren und exportieren</translation>
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
        <source>&amp;Import a file…</source>
        <translation>Datei &amp;importieren …</translation>
    </message>
    <message>
        <source>&amp;Export to a file…</source>
        <translation>In Datei &amp;exportieren …</translation>
    </message>
    <message>
        <source>Show the &amp;folder of presets</source>
        <translation>&amp;Ordner der Voreinstellungen zeigen</translation>
    </message>
    <message>
        <source>As measured</source>
        <translation>Wie gemessen</translation>
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
        <source>Expression settings ({kind})</source>
        <translation>Mimik-Einstellungen ({kind})</translation>
    </message>
    <message>
        <source>Import expressions</source>
        <translation>Mimik importieren</translation>
    </message>
    <message>
        <source>Export expressions</source>
        <translation>Mimik exportieren</translation>
    </message>
    <message>
        <source>The folder {folder} cannot be created: {why}</source>
        <translation>Der Ordner {folder} kann nicht angelegt werden: {why}</translation>
    </message>
</context>
<context>
    <name>ExpressionsDialog</name>
    <message>
        <source>Expressions</source>
        <translation>Mimik</translation>
    </message>
    <message>
        <source>Find a shape</source>
        <translation>Blendshape suchen</translation>
    </message>
    <message>
        <source>&amp;Mirrored</source>
        <translation>Ge&amp;spiegelt</translation>
    </message>
    <message>
        <source>Left and right are exchanged, as if the character were your mirror image.</source>
        <translation>Links und rechts sind vertauscht, als wäre die Figur Ihr Spiegelbild.</translation>
    </message>
    <message>
        <source>&amp;Neutral face now</source>
        <translation>Jetzt &amp;neutral</translation>
    </message>
    <message>
        <source>Take the face and the place of this moment as neutral: look into the camera with a relaxed face, and press this.</source>
        <translation>Gesicht und Ort dieses Moments als neutral übernehmen: mit entspanntem Gesicht in die Kamera schauen und hier drücken.</translation>
    </message>
    <message>
        <source>Upper bar: measured. Lower bar: sent, and in animations.</source>
        <translation>Oberer Balken: gemessen. Unterer Balken: gesendet und in Animationen.</translation>
    </message>
    <message>
        <source>Reset &amp;all</source>
        <translation>&amp;Alle zurücksetzen</translation>
    </message>
</context>
<context>
    <name>Face3dPanel</name>
    <message>
        <source>3D face</source>
        <translation>3D-Gesicht</translation>
    </message>
    <message>
        <source>Drag to look from the side; double-click to look from the camera again</source>
        <translation>Ziehen zeigt das Gesicht von der Seite, Doppelklick wieder von der Kamera aus</translation>
    </message>
    <message>
        <source>There is no picture yet: open a video or a camera.</source>
        <translation>Noch gibt es kein Bild: Öffnen Sie ein Video oder eine Kamera.</translation>
    </message>
    <message>
        <source>This frame is not tracked yet.</source>
        <translation>Dieses Bild ist noch nicht verfolgt.</translation>
    </message>
    <message>
        <source>No face in this frame.</source>
        <translation>Kein Gesicht in diesem Bild.</translation>
    </message>
    <message>
        <source>The 3D face needs iBUG&apos;s 68 landmarks, which this model does not find.</source>
        <translation>Das 3D-Gesicht braucht die 68 Landmarken von iBUG, die dieses Modell nicht findet.</translation>
    </message>
    <message>
        <source>The 3D face does not fit these landmarks.</source>
        <translation>Das 3D-Gesicht passt nicht zu diesen Landmarken.</translation>
    </message>
</context>
<context>
    <name>FaceDiagram</name>
    <message>
        <source>Mean error of each landmark</source>
        <translation>Mittlerer Fehler jeder Landmarke</translation>
    </message>
    <message>
        <source>{name}: the largest error is {error}, of {landmark}</source>
        <translation>{name}: Den größten Fehler, {error}, hat {landmark}</translation>
    </message>
</context>
<context>
    <name>FileController</name>
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
        <source>The comparison is not ready yet: export it when it is.</source>
        <translation>Der Vergleich ist noch nicht fertig: Exportieren Sie ihn danach.</translation>
    </message>
    <message>
        <source>Open a video, or a table or project of one</source>
        <translation>Video öffnen, oder seine Tabelle oder sein Projekt</translation>
    </message>
    <message>
        <source>Videos, tables and projects ({kinds});;All files (*)</source>
        <translation>Videos, Tabellen und Projekte ({kinds});;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Open folder of images</source>
        <translation>Ordner mit Bildern öffnen</translation>
    </message>
    <message>
        <source>Load ground truth: a table, or one of the .pts files of a folder</source>
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
        <source>The frame is on the clipboard.</source>
        <translation>Das Bild ist in der Zwischenablage.</translation>
    </message>
    <message>
        <source>Save the plots</source>
        <translation>Diagramme speichern</translation>
    </message>
    <message>
        <source>Write a report</source>
        <translation>Prüfbericht schreiben</translation>
    </message>
    <message>
        <source>Replace the file?</source>
        <translation>Datei ersetzen?</translation>
    </message>
    <message>
        <source>{name} exists already. Replace it?</source>
        <translation>{name} gibt es schon. Ersetzen?</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Ordner zeigen</translation>
    </message>
    <message>
        <source>The diagnostics are on the clipboard: paste them into your report.</source>
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
        <source>Use the settings</source>
        <translation>Wie in den Einstellungen</translation>
    </message>
    <message>
        <source>Use the parameters of the settings, and follow their changes</source>
        <translation>Die Parameter der Einstellungen verwenden und ihnen folgen</translation>
    </message>
</context>
<context>
    <name>GazeController</name>
    <message>
        <source>Gaze calibrations ({kind})</source>
        <translation>Blickkalibrierungen ({kind})</translation>
    </message>
    <message>
        <source>Load a gaze calibration</source>
        <translation>Blickkalibrierung laden</translation>
    </message>
    <message>
        <source>Save the gaze calibration</source>
        <translation>Blickkalibrierung speichern</translation>
    </message>
    <message>
        <source>The size of the screen is unknown: measure and enter it.</source>
        <translation>Die Größe des Bildschirms ist unbekannt: Messen Sie sie, und geben Sie sie ein.</translation>
    </message>
    <message>
        <source>The view is recorded: stop the recording first.</source>
        <translation>Die Ansicht wird aufgenommen: Beenden Sie zuerst die Aufnahme.</translation>
    </message>
</context>
<context>
    <name>GazeDialog</name>
    <message>
        <source>Gaze calibration</source>
        <translation>Blickkalibrierung</translation>
    </message>
    <message>
        <source>&amp;Use this calibration</source>
        <translation>Kalibrierung &amp;verwenden</translation>
    </message>
    <message>
        <source>&amp;Load…</source>
        <translation>&amp;Laden …</translation>
    </message>
    <message>
        <source>&amp;Save…</source>
        <translation>&amp;Speichern …</translation>
    </message>
    <message>
        <source>R&amp;emove</source>
        <translation>&amp;Entfernen</translation>
    </message>
    <message>
        <source>S&amp;tart</source>
        <translation>S&amp;tarten</translation>
    </message>
    <message>
        <source>&amp;Calibrate</source>
        <translation>&amp;Kalibrieren</translation>
    </message>
    <message>
        <source>Mean error at the points: {before} before, {after} after.</source>
        <translation>Mittlerer Fehler an den Punkten: vorher {before}, nachher {after}.</translation>
    </message>
    <message>
        <source>{missed} of {count} points were missed.</source>
        <translation>{missed} von {count} Punkten fehlen.</translation>
    </message>
    <message>
        <source>The points do not fit the gaze: repeat the calibration.</source>
        <translation>Die Punkte passen nicht zum Blick: Wiederholen Sie die Kalibrierung.</translation>
    </message>
    <message>
        <source>the person before the camera</source>
        <translation>der Person vor der Kamera</translation>
    </message>
    <message>
        <source>The gaze of {who} is not calibrated.</source>
        <translation>Der Blick von {who} ist nicht kalibriert.</translation>
    </message>
    <message>
        <source>The gaze of {who} is corrected with the calibration &apos;{name}&apos;.</source>
        <translation>Der Blick von {who} wird mit der Kalibrierung „{name}“ berichtigt.</translation>
    </message>
    <message>
        <source>The gaze of {who} is corrected with a calibration.</source>
        <translation>Der Blick von {who} wird mit einer Kalibrierung berichtigt.</translation>
    </message>
</context>
<context>
    <name>HistoryMenu</name>
    <message>
        <source>Nothing done yet</source>
        <translation>Noch nichts getan</translation>
    </message>
</context>
<context>
    <name>LabelExports</name>
    <message>
        <source>Folder for pictures and .pts files</source>
        <translation>Ordner für Bilder und .pts-Dateien</translation>
    </message>
    <message>
        <source>Some of the pictures exist already, such as {name}. Replace them?</source>
        <translation>Einige der Bilder gibt es schon, zum Beispiel {name}. Ersetzen?</translation>
    </message>
    <message>
        <source>Replace pictures?</source>
        <translation>Bilder ersetzen?</translation>
    </message>
</context>
<context>
    <name>LaneDialog</name>
    <message>
        <source>Change lane</source>
        <translation>Spur ändern</translation>
    </message>
    <message>
        <source>Add lane</source>
        <translation>Spur hinzufügen</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>Blau</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>Orange</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <source>Pink</source>
        <translation>Rosa</translation>
    </message>
    <message>
        <source>Light blue</source>
        <translation>Hellblau</translation>
    </message>
    <message>
        <source>Vermilion</source>
        <translation>Zinnober</translation>
    </message>
    <message>
        <source>Yellow</source>
        <translation>Gelb</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>Rot</translation>
    </message>
    <message>
        <source>No key</source>
        <translation>Keine Taste</translation>
    </message>
    <message>
        <source>The key starts and ends an interval; with Shift, it marks an event. Keys of commands are not offered; Keyboard shortcuts in the menu Help changes those.</source>
        <translation>Die Taste beginnt und beendet ein Intervall; mit der Umschalttaste markiert sie ein Ereignis. Tasten von Befehlen stehen nicht zur Wahl; „Tastenkürzel“ im Menü Hilfe ändert sie.</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>&amp;Name</translation>
    </message>
    <message>
        <source>&amp;Colour</source>
        <translation>&amp;Farbe</translation>
    </message>
    <message>
        <source>&amp;Key</source>
        <translation>&amp;Taste</translation>
    </message>
    <message>
        <source>There is a lane called &apos;{name}&apos; already.</source>
        <translation>Es gibt schon eine Spur namens „{name}“.</translation>
    </message>
</context>
<context>
    <name>LaneRows</name>
    <message>
        <source>{lane}: drag to mark an interval</source>
        <translation>{lane}: ziehen, um ein Intervall zu markieren</translation>
    </message>
</context>
<context>
    <name>LaneScrollBar</name>
    <message>
        <source>Scroll the lanes</source>
        <translation>Durch die Spuren blättern</translation>
    </message>
</context>
<context>
    <name>LimitControls</name>
    <message>
        <source>Reset to defaults</source>
        <translation>Auf Vorgaben zurücksetzen</translation>
    </message>
</context>
<context>
    <name>LiveBar</name>
    <message>
        <source>Record</source>
        <translation>Aufnahme</translation>
    </message>
    <message>
        <source>Frames per second: shown / delivered by the camera</source>
        <translation>Bilder je Sekunde: gezeigt / von der Kamera geliefert</translation>
    </message>
    <message>
        <source>Latency from the arrival of a frame until it is painted with landmarks: the median, and the value that 95 % of the last 300 frames stayed below</source>
        <translation>Latenz von der Ankunft eines Bildes bis zur Anzeige mit Landmarken: Median, und was 95 % der letzten 300 Bilder nicht überschritten</translation>
    </message>
    <message>
        <source>Frames that were skipped because newer ones had arrived</source>
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
        <source>Stop recording</source>
        <translation>Aufnahme beenden</translation>
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
        <source>frames written: {frames}; not written in time: {count}</source>
        <translation>geschriebene Bilder: {frames}; nicht rechtzeitig geschrieben: {count}</translation>
    </message>
</context>
<context>
    <name>LiveController</name>
    <message>
        <source>Stop &amp;recording</source>
        <translation>&amp;Aufnahme beenden</translation>
    </message>
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
        <source>No frame arrived during the recording: no file was kept.</source>
        <translation>Während der Aufnahme kam kein Bild: Es wurde nichts behalten.</translation>
    </message>
    <message>
        <source> and </source>
        <translation> und </translation>
    </message>
    <message numerus="yes">
        <source>The recording was saved: {names} in {folder}, %n frame(s).</source>
        <translation>
            <numerusform>Die Aufnahme wurde gespeichert: {names} in {folder}, %n Bild.</numerusform>
            <numerusform>Die Aufnahme wurde gespeichert: {names} in {folder}, %n Bilder.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s) could not be written in time: use a smaller camera mode or a faster disk.</source>
        <translation>
            <numerusform>%n Bild konnte nicht rechtzeitig geschrieben werden: Wählen Sie einen kleineren Kameramodus oder eine schnellere Platte.</numerusform>
            <numerusform>%n Bilder konnten nicht rechtzeitig geschrieben werden: Wählen Sie einen kleineren Kameramodus oder eine schnellere Platte.</numerusform>
        </translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
</context>
<context>
    <name>LookedAtForm</name>
    <message>
        <source>Mark a loop in which the person looks at one point, or go to the middle of such a second, and add it. One look into the camera corrects the offsets of the eyes; three points or more also correct how far they turn.</source>
        <translation>Markieren Sie eine Schleife, in der die Person auf einen Punkt sieht, oder gehen Sie in die Mitte einer solchen Sekunde, und fügen Sie sie hinzu. Ein Blick in die Kamera berichtigt die Richtung der Augen; drei oder mehr Punkte berichtigen auch, wie weit sie sich drehen.</translation>
    </message>
    <message>
        <source>the camera</source>
        <translation>die Kamera</translation>
    </message>
    <message>
        <source>a place, in mm from the camera</source>
        <translation>ein Ort, in mm von der Kamera aus</translation>
    </message>
    <message>
        <source>Re&amp;move the point</source>
        <translation>Punkt &amp;entfernen</translation>
    </message>
    <message>
        <source>Points that the person looked at</source>
        <translation>Punkte, auf die die Person sah</translation>
    </message>
    <message>
        <source>&amp;Add the loop</source>
        <translation>Schleife &amp;hinzufügen</translation>
    </message>
    <message>
        <source>&amp;Add this second</source>
        <translation>Diese Sekunde &amp;hinzufügen</translation>
    </message>
    <message>
        <source>{start} to {end} s: {target}</source>
        <translation>{start} bis {end} s: {target}</translation>
    </message>
    <message>
        <source>{x}, {y}, {z} mm</source>
        <translation>{x}, {y}, {z} mm</translation>
    </message>
    <message>
        <source>right</source>
        <translation>rechts</translation>
    </message>
    <message>
        <source>To the right of the picture</source>
        <translation>Nach rechts im Bild</translation>
    </message>
    <message>
        <source>down</source>
        <translation>nach unten</translation>
    </message>
    <message>
        <source>Downwards</source>
        <translation>Nach unten</translation>
    </message>
    <message>
        <source>ahead</source>
        <translation>voraus</translation>
    </message>
    <message>
        <source>From the camera towards the person</source>
        <translation>Von der Kamera zur Person</translation>
    </message>
    <message>
        <source>&amp;Person</source>
        <translation>&amp;Person</translation>
    </message>
    <message>
        <source>Looks a&amp;t</source>
        <translation>Sieht &amp;auf</translation>
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
        <source>Continue &amp;tracking</source>
        <translation>Weiter &amp;verfolgen</translation>
    </message>
    <message>
        <source>Pause &amp;tracking</source>
        <translation>&amp;Verfolgung anhalten</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is not a position: enter a time such as 1:23.4 or 83s, or a frame number</source>
        <translation>„{text}“ ist keine Stelle: Geben Sie eine Zeit wie 1:23.4 oder 83s oder eine Bildnummer ein</translation>
    </message>
</context>
<context>
    <name>ManualWindow</name>
    <message>
        <source>Manual</source>
        <translation>Handbuch</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>The pages are in English.</source>
        <translation>Die Seiten sind auf Englisch.</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Search this page</source>
        <translation>Auf dieser Seite suchen</translation>
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
    <name>MoreFacesMessage</name>
    <message>
        <source>Track up to {count} faces from now on</source>
        <translation>Ab jetzt bis zu {count} Gesichter verfolgen</translation>
    </message>
</context>
<context>
    <name>MotionTables</name>
    <message>
        <source>How far the stabilizer moves the landmarks. A large distance means that the stabilized landmarks lag behind or that the raw ones are wrong.</source>
        <translation>Wie weit der Stabilisator die Landmarken verschiebt. Ein großer Abstand heißt, dass die stabilisierten Landmarken nachhinken oder die rohen falsch sind.</translation>
    </message>
    <message>
        <source>Where the face is at rest</source>
        <translation>Wo das Gesicht in Ruhe ist</translation>
    </message>
    <message>
        <source>Mean Allan variance of the landmarks of this region where the face is at rest. Lower is stiller.</source>
        <translation>Mittlere Allan-Varianz der Landmarken dieser Region, wo das Gesicht in Ruhe ist. Kleiner ist ruhiger.</translation>
    </message>
    <message>
        <source>MAV by region, at rest</source>
        <translation>MAV je Region, in Ruhe</translation>
    </message>
    <message>
        <source>There is nothing to measure yet.</source>
        <translation>Noch gibt es nichts zu messen.</translation>
    </message>
    <message>
        <source>Raw and stabilized landmarks lie {percent} of the eye distance apart ({pixels}).</source>
        <translation>Rohe und stabilisierte Landmarken liegen {percent} des Augenabstands auseinander ({pixels}).</translation>
    </message>
    <message>
        <source>The face is at rest in {share} of the frames that contain it.</source>
        <translation>Das Gesicht ist in {share} der Bilder, in denen es zu sehen ist, in Ruhe.</translation>
    </message>
    <message>
        <source>The face is never at rest for half a second. MAV and MCV are measured at rest, since they count real motion as jitter. Fast motion, above, tells the jitter of a moving face.</source>
        <translation>Das Gesicht ist nie eine halbe Sekunde lang in Ruhe. MAV und MCV werden in Ruhe gemessen, denn sie zählen wahre Bewegung als Jitter. Den Jitter eines bewegten Gesichts sagt oben die schnelle Bewegung.</translation>
    </message>
    <message>
        <source>MAV</source>
        <translation>MAV</translation>
    </message>
    <message>
        <source>Mean Allan variance, in (% of the eye distance)²: how far the landmarks jump from one frame to the next. Lower is stiller; 0 is a landmark that does not move. It is the measure of jitter.</source>
        <translation>Mittlere Allan-Varianz, in (% des Augenabstands)²: wie weit die Landmarken von einem Bild zum nächsten springen. Kleiner ist ruhiger; 0 heißt, dass sich nichts bewegt. Sie ist das Maß für Jitter.</translation>
    </message>
    <message>
        <source>MCV, %</source>
        <translation>MCV, %</translation>
    </message>
    <message>
        <source>Mean coefficient of variation: how unevenly the distances of a landmark from its mean position are spread, relative to their mean. It does not tell how large they are: pure jitter has about 52 %, a slow even drift about 58 %. So it may rise when a stabilizer removes the jitter and only a small slow drift is left. Read it together with MAV, and never alone.</source>
        <translation>Mittlerer Variationskoeffizient: wie ungleichmäßig die Abstände einer Landmarke von ihrer mittleren Lage sind, bezogen auf ihren Mittelwert. Wie groß sie sind, sagt er nicht: Reiner Jitter hat etwa 52 %, ein langsames gleichmäßiges Wandern etwa 58 %. Darum kann er steigen, wenn ein Stabilisator den Jitter entfernt und nur ein kleines langsames Wandern bleibt. Lesen Sie ihn zusammen mit MAV, nie allein.</translation>
    </message>
    <message>
        <source>motion, %</source>
        <translation>Beweg., %</translation>
    </message>
    <message>
        <source>Mean way of a landmark from one frame to the next, in % of the eye distance. At rest, lower is stiller.</source>
        <translation>Mittlerer Weg einer Landmarke von einem Bild zum nächsten, in % des Augenabstands. In Ruhe ist kleiner ruhiger.</translation>
    </message>
</context>
<context>
    <name>OwnModels</name>
    <message>
        <source>Another model is being checked: add this one afterwards.</source>
        <translation>Ein anderes Modell wird gerade geprüft: Fügen Sie dieses danach hinzu.</translation>
    </message>
    <message>
        <source>{name} is part of Steadymark and cannot be removed; you can remove models that you added.</source>
        <translation>{name} gehört zu Steadymark und bleibt: Nur eigene Modelle lassen sich entfernen.</translation>
    </message>
    <message>
        <source>{name} was removed from the list; its files were not deleted.</source>
        <translation>{name} ist von der Liste; die Dateien bleiben.</translation>
    </message>
    <message>
        <source>Add a model</source>
        <translation>Modell hinzufügen</translation>
    </message>
    <message>
        <source>Models ({kinds})</source>
        <translation>Modelle ({kinds})</translation>
    </message>
    <message>
        <source>{name} was added to the list of models.</source>
        <translation>{name} steht in der Liste der Modelle.</translation>
    </message>
</context>
<context>
    <name>PeopleController</name>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Merge</source>
        <translation>Zusammenfassen</translation>
    </message>
    <message>
        <source>Split here</source>
        <translation>Hier teilen</translation>
    </message>
    <message>
        <source>Swap from here</source>
        <translation>Ab hier tauschen</translation>
    </message>
    <message>
        <source>Neutral here</source>
        <translation>Hier neutral</translation>
    </message>
    <message>
        <source>{one} may be {other}: they look alike and are never seen together.</source>
        <translation>{one} könnte {other} sein: Beide sehen sich ähnlich und sind nie zusammen zu sehen.</translation>
    </message>
    <message>
        <source>A live view has no list of persons: record it and open the recording.</source>
        <translation>Eine Live-Ansicht hat keine Liste der Personen: Nehmen Sie sie auf und öffnen Sie die Aufnahme.</translation>
    </message>
    <message>
        <source>No face was found.</source>
        <translation>Es wurde kein Gesicht gefunden.</translation>
    </message>
    <message>
        <source>{name} has two faces in frame {frame}: undo the merge, or split the person there.</source>
        <translation>{name} hat in Bild {frame} zwei Gesichter: Machen Sie das Zusammenfassen rückgängig, oder teilen Sie die Person dort.</translation>
    </message>
    <message>
        <source>Select two or more persons in the list first</source>
        <translation>Wählen Sie zuerst zwei oder mehr Personen in der Liste</translation>
    </message>
    <message>
        <source>Possible when tracking is finished</source>
        <translation>Möglich, sobald die Verfolgung fertig ist</translation>
    </message>
    <message>
        <source>Select two persons in the list first</source>
        <translation>Wählen Sie zuerst zwei Personen in der Liste</translation>
    </message>
    <message>
        <source>Select one person in the list first.</source>
        <translation>Wählen Sie zuerst eine Person in der Liste.</translation>
    </message>
    <message>
        <source>The face of the next half second is neutral.</source>
        <translation>Das Gesicht der nächsten halben Sekunde gilt als neutral.</translation>
    </message>
    <message>
        <source>{name} is neutral in the half second from this frame on: shapes are relative to it.</source>
        <translation>{name} ist in der halben Sekunde ab diesem Bild neutral: Blendshapes beziehen sich darauf.</translation>
    </message>
    <message>
        <source>The neutral face is forgotten.</source>
        <translation>Die Wahl des neutralen Gesichts ist aufgehoben.</translation>
    </message>
</context>
<context>
    <name>PeopleModel</name>
    <message>
        <source>Person</source>
        <translation>Person</translation>
    </message>
    <message>
        <source>Faces</source>
        <translation>Gesichter</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message numerus="yes">
        <source>%n frame(s)</source>
        <translation>
            <numerusform>%n Bild</numerusform>
            <numerusform>%n Bilder</numerusform>
        </translation>
    </message>
    <message>
        <source>frames {first} to {last}</source>
        <translation>Bilder {first} bis {last}</translation>
    </message>
    <message>
        <source>neutral in frame {frame}</source>
        <translation>neutral in Bild {frame}</translation>
    </message>
    <message>
        <source>gaze is calibrated</source>
        <translation>Blick ist kalibriert</translation>
    </message>
    <message numerus="yes">
        <source>two faces at once in %n frame(s), first in frame {frame}</source>
        <translation>
            <numerusform>zwei Gesichter zugleich in %n Bild, zuerst in Bild {frame}</numerusform>
            <numerusform>zwei Gesichter zugleich in %n Bildern, zuerst in Bild {frame}</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PeoplePanel</name>
    <message>
        <source>People</source>
        <translation>Personen</translation>
    </message>
    <message>
        <source>Persons</source>
        <translation>Personen</translation>
    </message>
    <message>
        <source>Merge</source>
        <translation>Zusammenfassen</translation>
    </message>
    <message>
        <source>Make one person of both</source>
        <translation>Aus beiden eine Person machen</translation>
    </message>
    <message>
        <source>Different persons</source>
        <translation>Verschiedene Personen</translation>
    </message>
    <message>
        <source>Do not suggest these two again</source>
        <translation>Diese beiden nicht noch einmal vorschlagen</translation>
    </message>
</context>
<context>
    <name>PlaybackBar</name>
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
        <source>Enter a time: 83.4s, 1:23.4 or 1:02:03</source>
        <translation>Zeit eingeben: 83.4s, 1:23.4 oder 1:02:03</translation>
    </message>
    <message>
        <source>Enter a frame number, from 0</source>
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
        <source>Playback speed</source>
        <translation>Wiedergabegeschwindigkeit</translation>
    </message>
</context>
<context>
    <name>PlotStack</name>
    <message>
        <source>time, s</source>
        <translation>Zeit, s</translation>
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
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>NRMSE, %</source>
        <translation>NRMSE, %</translation>
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
        <source>raw</source>
        <translation>roh</translation>
    </message>
    <message>
        <source>stabilized</source>
        <translation>stabilisiert</translation>
    </message>
    <message>
        <source>Click to go there, turn the wheel to zoom, double-click to show everything.</source>
        <translation>Klick: dorthin gehen. Mausrad: vergrößern. Doppelklick: alles zeigen.</translation>
    </message>
    <message>
        <source>Bold where the face is at rest: the value is jitter. Faint: the value includes motion.</source>
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
        <source>The folder {folder} cannot be created: {why}</source>
        <translation>Der Ordner {folder} kann nicht angelegt werden: {why}</translation>
    </message>
</context>
<context>
    <name>QueueList</name>
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
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>With face</source>
        <translation>Mit Gesicht</translation>
    </message>
    <message>
        <source>Lost</source>
        <translation>Verloren</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>Konfidenz</translation>
    </message>
    <message>
        <source>Share of the processed frames with a face</source>
        <translation>Anteil der verarbeiteten Bilder mit Gesicht</translation>
    </message>
    <message>
        <source>How often no face was tracked: the number of spans of frames</source>
        <translation>Wie oft kein Gesicht verfolgt wurde: die Zahl der Abschnitte</translation>
    </message>
    <message>
        <source>Median score of the landmarks, from 0 to 1</source>
        <translation>Median der Konfidenz der Landmarken, von 0 bis 1</translation>
    </message>
    <message>
        <source>Open the result</source>
        <translation>Ergebnis öffnen</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Ordner zeigen</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Aus der Liste entfernen</translation>
    </message>
    <message>
        <source>not started</source>
        <translation>nicht begonnen</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>tracking</source>
        <translation>wird verfolgt</translation>
    </message>
    <message>
        <source>done</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>damaged</source>
        <translation>beschädigt</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>fehlgeschlagen</translation>
    </message>
    <message>
        <source>cancelled</source>
        <translation>abgebrochen</translation>
    </message>
    <message numerus="yes">
        <source>%n warning(s)</source>
        <translation>
            <numerusform>%n Warnung</numerusform>
            <numerusform>%n Warnungen</numerusform>
        </translation>
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
        <source>replace existing files</source>
        <translation>vorhandene Dateien ersetzen</translation>
    </message>
    <message>
        <source>&amp;Start</source>
        <translation>&amp;Beginnen</translation>
    </message>
    <message>
        <source>&amp;Cancel selected</source>
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
        <source>&amp;Report…</source>
        <translation>B&amp;ericht …</translation>
    </message>
    <message>
        <source>Write one page about all finished videos</source>
        <translation>Eine Seite über alle fertigen Videos schreiben</translation>
    </message>
    <message>
        <source>Add a folder of videos</source>
        <translation>Einen Ordner mit Videos hinzufügen</translation>
    </message>
    <message>
        <source>Videos</source>
        <translation>Videos</translation>
    </message>
    <message>
        <source>Table format</source>
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
        <source>At most the number of processor cores; a live view needs some of them.</source>
        <translation>So viele, wie dieser Rechner Kerne hat, oder weniger; ein Livebild braucht selbst einige davon.</translation>
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
        <source>Videos at a time</source>
        <translation>Videos gleichzeitig</translation>
    </message>
    <message>
        <source>Add &amp;videos…</source>
        <translation>&amp;Videos hinzufügen …</translation>
    </message>
    <message>
        <source>Add &amp;folder…</source>
        <translation>O&amp;rdner hinzufügen …</translation>
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
        <source>{waiting} waiting, {done} finished, {failed} failed.</source>
        <translation>{waiting} noch zu verfolgen, {done} fertig, {failed} fehlgeschlagen.</translation>
    </message>
    <message>
        <source>The videos are tracked with the settings of the main window, each from beginning to end, as &apos;steadymark track&apos; does it.</source>
        <translation>Sie werden mit den Einstellungen des Hauptfensters verfolgt, jedes von Anfang bis Ende, so wie „steadymark track“ es tut.</translation>
    </message>
</context>
<context>
    <name>RecentMenu</name>
    <message>
        <source>Open &amp;recent</source>
        <translation>&amp;Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Clear this list</source>
        <translation>Liste leeren</translation>
    </message>
</context>
<context>
    <name>ResponseCurve</name>
    <message>
        <source>Measured and sent strength</source>
        <translation>Gemessene und gesendete Stärke</translation>
    </message>
    <message>
        <source>To the right: the measured strength. Up: the one that is sent.</source>
        <translation>Nach rechts: die gemessene Stärke. Nach oben: die gesendete.</translation>
    </message>
</context>
<context>
    <name>ResultsOpener</name>
    <message>
        <source>The video of {name} was not found: put both into one folder, or choose the video when you open {name}.</source>
        <translation>Das Video zu {name} wurde nicht gefunden: Legen Sie beide in einen Ordner, oder wählen Sie das Video, wenn Sie {name} öffnen.</translation>
    </message>
    <message>
        <source>Choose the video of {name}</source>
        <translation>Video zu {name} wählen</translation>
    </message>
    <message>
        <source>Videos ({kinds});;All files (*)</source>
        <translation>Videos ({kinds});;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Track anew</source>
        <translation>Neu verfolgen</translation>
    </message>
</context>
<context>
    <name>ReviewController</name>
    <message>
        <source>Next</source>
        <translation>Nächste</translation>
    </message>
    <message>
        <source>Previous</source>
        <translation>Vorige</translation>
    </message>
    <message>
        <source>Accept</source>
        <translation>Annehmen</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>Ausschließen</translation>
    </message>
    <message>
        <source>A live view has no review: record it and open the recording.</source>
        <translation>Ein Livebild hat keine Prüfung: Nehmen Sie es auf und öffnen Sie die Aufnahme.</translation>
    </message>
    <message>
        <source>Tracking is not finished: these are the doubtful stretches so far.</source>
        <translation>Die Verfolgung ist nicht fertig: Dies sind die zweifelhaften Stellen bis jetzt.</translation>
    </message>
    <message>
        <source>Tracking is not finished: there is no doubtful stretch so far.</source>
        <translation>Die Verfolgung ist nicht fertig: Bis jetzt gibt es keine zweifelhafte Stelle.</translation>
    </message>
    <message>
        <source>No face was found, so there is nothing to review.</source>
        <translation>Es wurde kein Gesicht gefunden, darum gibt es nichts zu prüfen.</translation>
    </message>
    <message>
        <source>There is no doubtful stretch.</source>
        <translation>Es gibt keine zweifelhafte Stelle.</translation>
    </message>
    <message>
        <source>All doubtful stretches were looked at.</source>
        <translation>Alle zweifelhaften Stellen wurden angesehen.</translation>
    </message>
    <message>
        <source>Open again</source>
        <translation>Wieder öffnen</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>Einschließen</translation>
    </message>
    <message>
        <source>A longer interval excludes this stretch: change the interval in the timeline.</source>
        <translation>Ein längeres Intervall schließt diese Stelle aus: Ändern Sie das Intervall in der Zeitleiste.</translation>
    </message>
</context>
<context>
    <name>ReviewExports</name>
    <message>
        <source>Export doubtful stretches</source>
        <translation>Zweifelhafte Stellen exportieren</translation>
    </message>
    <message>
        <source>Export statistics of intervals</source>
        <translation>Statistik der Intervalle exportieren</translation>
    </message>
    <message>
        <source>Write a report</source>
        <translation>Prüfbericht schreiben</translation>
    </message>
</context>
<context>
    <name>ReviewPanel</name>
    <message>
        <source>Review</source>
        <translation>Prüfung</translation>
    </message>
    <message>
        <source>To do</source>
        <translation>Zu tun</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>Which stretches are listed</source>
        <translation>Welche Stellen aufgeführt sind</translation>
    </message>
    <message>
        <source>Worst first</source>
        <translation>Schlimmste zuerst</translation>
    </message>
    <message>
        <source>By time</source>
        <translation>Nach Zeit</translation>
    </message>
    <message>
        <source>Order of the stretches</source>
        <translation>Reihenfolge der Stellen</translation>
    </message>
    <message>
        <source>{done} of {all} looked at</source>
        <translation>{done} von {all} angesehen</translation>
    </message>
    <message>
        <source>Doubtful stretches</source>
        <translation>Zweifelhafte Stellen</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Grenzen</translation>
    </message>
    <message>
        <source>Show or hide from which value on a stretch is doubtful</source>
        <translation>Zeigen oder verbergen, ab welchem Wert eine Stelle zweifelhaft ist</translation>
    </message>
</context>
<context>
    <name>ScreenForm</name>
    <message>
        <source>Sit before the camera as you usually do. Points appear on the whole screen: look at each of them until the next one appears.</source>
        <translation>Setzen Sie sich wie gewohnt vor die Kamera. Auf dem ganzen Bildschirm erscheinen Punkte: Sehen Sie jeden an, bis der nächste erscheint.</translation>
    </message>
    <message>
        <source>Negative if the camera is below the upper edge</source>
        <translation>Negativ, wenn die Kamera unter dem oberen Rand ist</translation>
    </message>
    <message>
        <source>As you see it; negative if the camera is on the left</source>
        <translation>Von Ihnen aus gesehen; negativ, wenn die Kamera links ist</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>unbekannt</translation>
    </message>
    <message>
        <source>&amp;Width of the screen</source>
        <translation>&amp;Breite des Bildschirms</translation>
    </message>
    <message>
        <source>&amp;Height of the screen</source>
        <translation>&amp;Höhe des Bildschirms</translation>
    </message>
    <message>
        <source>Camera &amp;above its upper edge</source>
        <translation>Kamera &amp;über seinem oberen Rand</translation>
    </message>
    <message>
        <source>Camera &amp;right of its middle</source>
        <translation>Kamera &amp;rechts von seiner Mitte</translation>
    </message>
    <message>
        <source>&amp;Points</source>
        <translation>&amp;Punkte</translation>
    </message>
    <message>
        <source> mm</source>
        <translation> mm</translation>
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
        <source>These settings require tracking from the beginning: the present results will be discarded.</source>
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
        <source>{name} (recommended)</source>
        <translation>{name} (empfohlen)</translation>
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
        <source>It needs future frames, so it is applied when tracking is finished.</source>
        <translation>Er braucht auch spätere Bilder und wirkt daher erst, wenn alles verfolgt ist.</translation>
    </message>
    <message>
        <source>Stabilizer</source>
        <translation>Stabilisierung</translation>
    </message>
    <message>
        <source>Track again</source>
        <translation>Neu verfolgen</translation>
    </message>
    <message>
        <source>{name} (3D points)</source>
        <translation>{name} (3D-Punkte)</translation>
    </message>
    <message>
        <source>{name} ({ms} ms, {error} %)</source>
        <translation>{name} ({ms} ms, {error} %)</translation>
    </message>
    <message>
        <source>In brackets: CPU time of one face on the computer that measured it, and mean error on 300W common in % of the distance of the outer eye corners</source>
        <translation>In Klammern: Rechenzeit für ein Gesicht auf dem Computer, der sie gemessen hat, und mittlerer Fehler auf 300W common in % des Abstands der äußeren Augenwinkel</translation>
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
        <source>Requested</source>
        <translation>Gewünscht</translation>
    </message>
    <message>
        <source>How often the detector searches for more faces while fewer than the maximum are tracked; it searches for lost faces in every frame</source>
        <translation>Wie oft der Detektor nach weiteren Gesichtern sucht, solange weniger als höchstens erlaubt bekannt sind; verlorene sucht er sofort</translation>
    </message>
    <message>
        <source>Focal length of the camera in pixels; the distances of heads are computed from it</source>
        <translation>Der Kamera, in Pixeln: Daraus folgen die Abstände der Köpfe</translation>
    </message>
    <message>
        <source>Lowest detector score of a face</source>
        <translation>Ab diesem Wert des Detektors gilt etwas als Gesicht</translation>
    </message>
</context>
<context>
    <name>ShapeControls</name>
    <message>
        <source>&amp;Both sides</source>
        <translation>&amp;Beide Seiten</translation>
    </message>
    <message>
        <source>Give the left and the right shape the same settings</source>
        <translation>Linker und rechter Seite dieselben Einstellungen geben</translation>
    </message>
    <message>
        <source>&amp;Reset this shape</source>
        <translation>Diese &amp;zurücksetzen</translation>
    </message>
    <message>
        <source>measured {measured}, sent {sent}</source>
        <translation>gemessen {measured}, gesendet {sent}</translation>
    </message>
</context>
<context>
    <name>Shortcuts</name>
    <message>
        <source>&apos;{key}&apos; is not a key.</source>
        <translation>„{key}“ ist keine Taste.</translation>
    </message>
    <message>
        <source>{key} is needed to move between buttons and fields.</source>
        <translation>{key} wird gebraucht, um zwischen Schaltflächen und Feldern zu wechseln.</translation>
    </message>
    <message>
        <source>{key} opens the menu &apos;{menu}&apos;: choose another key.</source>
        <translation>{key} öffnet das Menü „{menu}“: Wählen Sie eine andere Taste.</translation>
    </message>
    <message>
        <source>{key} is the key of the lane &apos;{lane}&apos;: choose another key.</source>
        <translation>{key} ist die Taste der Spur „{lane}“: Wählen Sie eine andere Taste.</translation>
    </message>
    <message>
        <source>{key} is already used for &apos;{command}&apos;: choose another key, or assign another key to that command first.</source>
        <translation>{key} bedeutet schon „{command}“: Wählen Sie eine andere Taste oder geben Sie jenem Befehl zuerst eine andere.</translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
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
        <source>Commands and their shortcuts</source>
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
        <source>Also use</source>
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
        <source>Assign this key to the command instead of its present keys</source>
        <translation>Der Befehl bekommt diese Taste anstelle seiner bisherigen</translation>
    </message>
    <message>
        <source>Add this key to the present keys of the command</source>
        <translation>Der Befehl behält seine Tasten und bekommt diese dazu</translation>
    </message>
    <message>
        <source>The command has no key and is only in the menus</source>
        <translation>Der Befehl steht dann nur in den Menüs</translation>
    </message>
    <message>
        <source>Assign the default keys to the command</source>
        <translation>Der Befehl bekommt seine ursprünglichen Tasten zurück</translation>
    </message>
</context>
<context>
    <name>StartPage</name>
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
        <source>Recent recordings</source>
        <translation>Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>{path} is missing</source>
        <translation>{path} fehlt</translation>
    </message>
    <message>
        <source>Opening {name}</source>
        <translation>{name} wird geöffnet</translation>
    </message>
    <message>
        <source>Counting its frames and loading the networks.</source>
        <translation>Die Bilder werden gezählt und die Netze geladen.</translation>
    </message>
    <message>
        <source>Waiting for the first frame and loading the networks.</source>
        <translation>Das erste Bild wird erwartet und die Netze werden geladen.</translation>
    </message>
    <message>
        <source>Drop a video here, or open a camera</source>
        <translation>Video hierher ziehen oder Kamera öffnen</translation>
    </message>
    <message>
        <source>Steadymark tracks 68 landmarks on one face or on several, shows how stable they are, and exports them. Nothing leaves this computer.</source>
        <translation>Steadymark verfolgt 68 Landmarken auf einem oder mehreren Gesichtern, zeigt, wie stabil sie sind, und exportiert sie. Nichts verlässt diesen Computer.</translation>
    </message>
</context>
<context>
    <name>StatisticsPanel</name>
    <message>
        <source>Statistics</source>
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
        <source>Frames processed</source>
        <translation>Verarbeitete Bilder</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Einzelheiten</translation>
    </message>
    <message>
        <source>Show or hide comparisons, tables and figures</source>
        <translation>Vergleiche, Tabellen und Zahlen zeigen oder verbergen</translation>
    </message>
    <message>
        <source>no face in this frame</source>
        <translation>kein Gesicht in diesem Bild</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Time per frame</source>
        <translation>Zeit je Bild</translation>
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
        <source>no frame yet</source>
        <translation>noch kein Bild</translation>
    </message>
    <message>
        <source>no network is open</source>
        <translation>kein Netz ist geöffnet</translation>
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
        <source>not measured yet</source>
        <translation>noch nicht gemessen</translation>
    </message>
    <message>
        <source>{name} (tracks again)</source>
        <translation>{name} (verfolgt neu)</translation>
    </message>
    <message>
        <source>There is nothing to measure yet.</source>
        <translation>Noch gibt es nichts zu messen.</translation>
    </message>
    <message>
        <source>&lt;b&gt;Jitter or motion?&lt;/b&gt; These figures use only frames in which the face is at rest: in the second around a frame, the mean positions of the landmarks in its two halves lie less than 0.5 % of the inter-ocular distance apart, and the landmarks deviate from their mean by less than 3 %, for raw and stabilized points alike. What moves there is jitter. Elsewhere the values include motion, and the curves are faint.</source>
        <translation>&lt;b&gt;Jitter oder Bewegung?&lt;/b&gt; Diese Zahlen gelten nur, wo das Gesicht in Ruhe ist: In der Sekunde um ein Bild liegen die mittleren Orte der Landmarken in deren beiden Hälften weniger als 0,5 % des Abstands der äußeren Augenwinkel auseinander, und die Landmarken weichen um weniger als 3 % von ihrem Mittel ab, roh wie stabilisiert. Was sich dort bewegt, ist Jitter. Anderswo steckt Bewegung darin, und die Kurven sind blass.</translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Frames processed</source>
        <translation>Verarbeitete Bilder</translation>
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
        <source>Opening {name}…</source>
        <translation>{name} wird geöffnet …</translation>
    </message>
    <message>
        <source>These results were kept when the recording was closed. &apos;Track again from the beginning&apos; computes them anew.</source>
        <translation>Diese Ergebnisse wurden beim Schließen der Aufnahme aufbewahrt. „Von Anfang an neu verfolgen“ berechnet sie neu.</translation>
    </message>
    <message>
        <source>{rate} fps</source>
        <translation>{rate} fps</translation>
    </message>
    <message>
        <source>tracked on {device}</source>
        <translation>verfolgt auf {device}</translation>
    </message>
    <message>
        <source>Tracking, {percent} of the frames processed</source>
        <translation>Verfolgung, {percent} der Bilder verarbeitet</translation>
    </message>
    <message>
        <source>Results of {name}; not tracked here</source>
        <translation>Ergebnisse aus {name}; nicht hier verfolgt</translation>
    </message>
    <message>
        <source>All frames processed, {share} with a face</source>
        <translation>Alle Bilder verarbeitet, {share} mit Gesicht</translation>
    </message>
    <message>
        <source>All frames processed on {date}, {share} with a face</source>
        <translation>Alle Bilder verarbeitet am {date}, {share} mit Gesicht</translation>
    </message>
    <message>
        <source>zoom {percent}</source>
        <translation>Zoom {percent}</translation>
    </message>
    <message>
        <source>Tracking paused at {percent}</source>
        <translation>Verfolgung angehalten bei {percent}</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>Live</translation>
    </message>
    <message>
        <source>No frames arrive: reconnecting…</source>
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
    <name>StreamingDialog</name>
    <message>
        <source>Send to other programs</source>
        <translation>An andere Programme senden</translation>
    </message>
    <message>
        <source>Live results are sent immediately. Tracking never waits for a receiver: what cannot be sent in time is dropped and counted.</source>
        <translation>Was live verfolgt wird, wird sofort gesendet. Die Verfolgung wartet nie auf einen Empfänger: Was nicht rechtzeitig gesendet werden kann, entfällt und wird gezählt.</translation>
    </message>
    <message>
        <source>Take the face as neutral now</source>
        <translation>Gesicht jetzt als neutral übernehmen</translation>
    </message>
    <message>
        <source>Sent expressions are relative to the person&apos;s neutral face. It is found in quiet moments. To choose it, look into the camera with a relaxed face, and press this.</source>
        <translation>Gesendete Ausdrücke beziehen sich auf das neutrale Gesicht der Person. Es wird in ruhigen Momenten gefunden. Um es zu wählen, mit entspanntem Gesicht in die Kamera schauen und hier drücken.</translation>
    </message>
    <message>
        <source>127.0.0.1 is this computer. Other addresses send over the network, where others may read the data.</source>
        <translation>127.0.0.1 ist dieser Rechner. An andere Adressen wird über das Netz gesendet, wo jeder mitlesen kann.</translation>
    </message>
    <message>
        <source>{name}: state</source>
        <translation>{name}: Zustand</translation>
    </message>
</context>
<context>
    <name>StretchModel</name>
    <message>
        <source>Face</source>
        <translation>Gesicht</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Duration</source>
        <translation>Dauer</translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Warum</translation>
    </message>
    <message>
        <source>not looked at</source>
        <translation>nicht angesehen</translation>
    </message>
    <message>
        <source>accepted</source>
        <translation>angenommen</translation>
    </message>
    <message>
        <source>excluded</source>
        <translation>ausgeschlossen</translation>
    </message>
</context>
<context>
    <name>TableExportDialog</name>
    <message>
        <source>Export table</source>
        <translation>Tabelle exportieren</translation>
    </message>
    <message>
        <source>one for each face (long)</source>
        <translation>eine je Gesicht (lang)</translation>
    </message>
    <message>
        <source>one for each frame (wide)</source>
        <translation>eine je Bild (breit)</translation>
    </message>
    <message>
        <source>Apply the review: corrections, persons, exclusions</source>
        <translation>Prüfung anwenden: Korrekturen, Personen, Ausschlüsse</translation>
    </message>
    <message>
        <source>marked in a column</source>
        <translation>in einer Spalte markiert</translation>
    </message>
    <message>
        <source>left out</source>
        <translation>weggelassen</translation>
    </message>
    <message>
        <source>A file for each person, with the name in it</source>
        <translation>Eine Datei für jede Person, mit dem Namen darin</translation>
    </message>
    <message>
        <source>Only the looped region</source>
        <translation>Nur der wiederholte Bereich</translation>
    </message>
    <message>
        <source>Mark a loop first, with its start and end</source>
        <translation>Markieren Sie zuerst eine Schleife mit Anfang und Ende</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>Format</translation>
    </message>
    <message>
        <source>Rows</source>
        <translation>Zeilen</translation>
    </message>
    <message>
        <source>Excluded rows</source>
        <translation>Ausgeschlossene Zeilen</translation>
    </message>
</context>
<context>
    <name>TableExports</name>
    <message>
        <source>Export table</source>
        <translation>Tabelle exportieren</translation>
    </message>
</context>
<context>
    <name>TargetScreen</name>
    <message>
        <source>Gaze calibration</source>
        <translation>Blickkalibrierung</translation>
    </message>
    <message>
        <source>Look at the centre of the point until the next one appears. Esc cancels.</source>
        <translation>Sehen Sie in die Mitte des Punkts, bis der nächste erscheint. Esc bricht ab.</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} von {count}</translation>
    </message>
</context>
<context>
    <name>Timeline</name>
    <message>
        <source>Timeline</source>
        <translation>Zeitleiste</translation>
    </message>
    <message>
        <source>One row per face. Green: with the face. Orange: no face. Grey: not processed yet. Black: damaged. Above: jitter. Below: annotations</source>
        <translation>Eine Zeile je Gesicht. Grün: mit dem Gesicht. Orange: kein Gesicht. Grau: noch nicht verarbeitet. Schwarz: beschädigt. Darüber: Jitter. Darunter: Annotationen</translation>
    </message>
    <message>
        <source>not processed yet</source>
        <translation>noch nicht verarbeitet</translation>
    </message>
    <message>
        <source>with a face</source>
        <translation>mit Gesicht</translation>
    </message>
    <message>
        <source>not in the picture</source>
        <translation>nicht im Bild</translation>
    </message>
    <message>
        <source>no face</source>
        <translation>kein Gesicht</translation>
    </message>
    <message>
        <source>damaged, no image</source>
        <translation>beschädigt, kein Bild</translation>
    </message>
    <message>
        <source>face {number}: {state}</source>
        <translation>Gesicht {number}: {state}</translation>
    </message>
    <message>
        <source>{clock}, frame {frame}: {state}</source>
        <translation>{clock}, Bild {frame}: {state}</translation>
    </message>
    <message>
        <source>A cut, or tracking began anew here</source>
        <translation>Ein Schnitt, oder die Verfolgung begann hier neu</translation>
    </message>
    <message>
        <source>Landmarks were corrected by hand here</source>
        <translation>Hier wurden Landmarken von Hand korrigiert</translation>
    </message>
</context>
<context>
    <name>TruthTables</name>
    <message>
        <source>Mean distance from the ground truth, in % of the distance between the outer eye corners. Lower is more accurate.</source>
        <translation>Mittlerer Abstand von den wahren Punkten, in % des Abstands der äußeren Augenwinkel. Kleiner ist genauer.</translation>
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
        <source>FR8, %</source>
        <translation>FR8, %</translation>
    </message>
    <message>
        <source>Share of frames with an error of 8 % or more, or without a face. Lower is better.</source>
        <translation>Anteil der Bilder mit einem Fehler von 8 % oder mehr, oder ohne Gesicht. Kleiner ist besser.</translation>
    </message>
    <message>
        <source>MAV</source>
        <translation>MAV</translation>
    </message>
    <message>
        <source>Mean Allan variance of the error: how far it jumps from one frame to the next. Lower is stiller. Real motion does not count, since the ground truth makes it, too.</source>
        <translation>Mittlere Allan-Varianz des Fehlers: wie weit er von einem Bild zum nächsten springt. Kleiner ist ruhiger. Wahre Bewegung zählt nicht, denn die Referenz macht sie auch.</translation>
    </message>
    <message>
        <source>MCV, %</source>
        <translation>MCV, %</translation>
    </message>
    <message>
        <source>Mean coefficient of variation: how unevenly the error is spread over the frames. Lower is more even, not more accurate; NRMSE tells the accuracy.</source>
        <translation>Mittlerer Variationskoeffizient: wie ungleichmäßig der Fehler über die Bilder verteilt ist. Kleiner ist gleichmäßiger, nicht genauer; die Genauigkeit sagt NRMSE.</translation>
    </message>
    <message>
        <source>lag, frames</source>
        <translation>Verzug, Bilder</translation>
    </message>
    <message>
        <source>How many frames the landmarks are late. 0 is best; a filter that smooths strongly is late.</source>
        <translation>Um wie viele Bilder die Landmarken zu spät sind. 0 ist am besten; ein Filter, der stark glättet, ist spät.</translation>
    </message>
    <message>
        <source>NRMSE by region, %</source>
        <translation>NRMSE je Region, %</translation>
    </message>
    <message>
        <source>By frame and landmark</source>
        <translation>Nach Bild und Landmarke</translation>
    </message>
    <message>
        <source>Show the worst frames, and the error of each landmark</source>
        <translation>Die schlechtesten Bilder und den Fehler jeder Landmarke zeigen</translation>
    </message>
    <message>
        <source>Ground truth {name}: {count} of its {frames} frames compared, {missed} without a face. MAV is computed from the error, so that real motion does not count as jitter.</source>
        <translation>Referenz {name}: {count} ihrer {frames} Bilder verglichen, {missed} ohne Gesicht. MAV ist die des Fehlers, sodass wahre Bewegung kein Jitter ist.</translation>
    </message>
    <message>
        <source>The error is very large: are its landmarks numbered as iBUG&apos;s 68 landmarks are?</source>
        <translation>So weit daneben: Sind ihre Landmarken wie die 68 von iBUG nummeriert?</translation>
    </message>
</context>
<context>
    <name>VerdictBox</name>
    <message>
        <source>Frames with this face</source>
        <translation>Bilder mit diesem Gesicht</translation>
    </message>
    <message>
        <source>In how many of the frames processed so far this face was found. Near 100 % is good; fewer frames mean that the face was turned away, covered, small or dark.</source>
        <translation>In wie vielen der bisher verarbeiteten Bilder dieses Gesicht gefunden wurde. Nahe 100 % ist gut; weniger heißt, dass das Gesicht abgewandt, verdeckt, klein oder dunkel war.</translation>
    </message>
    <message>
        <source>Score of the landmarks</source>
        <translation>Konfidenz der Landmarken</translation>
    </message>
    <message>
        <source>How certain the network is of its landmarks, from 0 to 1; the median over all landmarks and frames. Above 0.8 is good, below 0.6 is doubtful.</source>
        <translation>Wie sicher sich das Netz seiner Landmarken ist, von 0 bis 1; der Median über alle Landmarken und Bilder. Über 0,8 ist gut, unter 0,6 zweifelhaft.</translation>
    </message>
    <message>
        <source>Fast motion</source>
        <translation>Schnelle Bewegung</translation>
    </message>
    <message>
        <source>How far the landmarks move faster than 5 times per second, in % of the distance between the outer eye corners, without and with the stabilizer. It can be measured while the face moves. Jitter is fast; heads mostly move more slowly. A smaller value with the stabilizer is jitter that was removed. Calm faces have less than 0.2 %; above 1 % the landmarks tremble, or the face moves very fast.</source>
        <translation>Wie weit sich die Landmarken schneller als fünfmal in der Sekunde bewegen, in % des Abstands der äußeren Augenwinkel, ohne und mit Stabilisator. Das lässt sich auch sagen, während sich das Gesicht bewegt. Jitter ist schnell; Köpfe bewegen sich meist langsamer. Ist der Wert mit Stabilisator kleiner, wurde Jitter entfernt. Ruhige Gesichter haben weniger als 0,2 %; über 1 % zittern die Landmarken, oder das Gesicht bewegt sich sehr schnell.</translation>
    </message>
    <message>
        <source>There is nothing to measure yet.</source>
        <translation>Noch gibt es nichts zu messen.</translation>
    </message>
    <message>
        <source>Verdict</source>
        <translation>Urteil</translation>
    </message>
    <message>
        <source>Good</source>
        <translation>Gut</translation>
    </message>
    <message>
        <source>Doubtful</source>
        <translation>Zweifelhaft</translation>
    </message>
    <message>
        <source>Lost</source>
        <translation>Verloren</translation>
    </message>
    <message numerus="yes">
        <source>{share} of %n frame(s)</source>
        <translation>
            <numerusform>{share} von %n Bild</numerusform>
            <numerusform>{share} von %n Bildern</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>VideoView</name>
    <message>
        <source>Video</source>
        <translation>Video</translation>
    </message>
    <message>
        <source>not processed yet</source>
        <translation>noch nicht verarbeitet</translation>
    </message>
    <message>
        <source>No frames arrive: reconnecting…</source>
        <translation>Keine Bilder: Verbindung wird neu aufgebaut …</translation>
    </message>
</context>
<context>
    <name>WindowOptions</name>
    <message>
        <source>Lan&amp;guage</source>
        <translation>&amp;Sprache</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>&amp;Farben</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
</context>
<context>
    <name>WorstFrames</name>
    <message>
        <source>Worst frames of</source>
        <translation>Schlechteste Bilder von</translation>
    </message>
    <message>
        <source>Worst frames, {name}</source>
        <translation>Schlechteste Bilder, {name}</translation>
    </message>
    <message>
        <source>Worst frames</source>
        <translation>Schlechteste Bilder</translation>
    </message>
</context>
<context>
    <name>WorstFramesModel</name>
    <message>
        <source>Video</source>
        <translation>Video</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Frame</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>{name}: NRMSE in % of the distance between the outer eye corners</source>
        <translation>{name}: NRMSE in % des Abstands der äußeren Augenwinkel</translation>
    </message>
    <message>
        <source>The face was not found in this frame</source>
        <translation>In diesem Bild wurde das Gesicht nicht gefunden</translation>
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
        <source>Facial landmarks that are accurate and stable.</source>
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
    <message>
        <source>corrected by hand</source>
        <translation>von Hand korrigiert</translation>
    </message>
    <message>
        <source>landmarks</source>
        <translation>Landmarken</translation>
    </message>
</context>
<context>
    <name>commands</name>
    <message>
        <source>&amp;Open video…</source>
        <translation>Video &amp;öffnen …</translation>
    </message>
    <message>
        <source>Open &amp;folder of images…</source>
        <translation>&amp;Ordner mit Bildern öffnen …</translation>
    </message>
    <message>
        <source>Export &amp;video with landmarks…</source>
        <translation>&amp;Video mit Landmarken exportieren …</translation>
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
        <source>Save this fra&amp;me as an image…</source>
        <translation>Dieses &amp;Bild speichern …</translation>
    </message>
    <message>
        <source>Copy t&amp;his frame</source>
        <translation>Die&amp;ses Bild kopieren</translation>
    </message>
    <message>
        <source>Save the &amp;plots as an image…</source>
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
        <source>One frame forward</source>
        <translation>Ein Bild vor</translation>
    </message>
    <message>
        <source>1 second back</source>
        <translation>1 Sekunde zurück</translation>
    </message>
    <message>
        <source>1 second forward</source>
        <translation>1 Sekunde vor</translation>
    </message>
    <message>
        <source>10 seconds back</source>
        <translation>10 Sekunden zurück</translation>
    </message>
    <message>
        <source>10 seconds forward</source>
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
        <source>Mark a &amp;loop: start, end, remove</source>
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
        <source>&amp;Remove the selected own model</source>
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
        <source>E&amp;xpressions…</source>
        <translation>&amp;Mimik …</translation>
    </message>
    <message>
        <source>&amp;Gaze calibration…</source>
        <translation>Bli&amp;ckkalibrierung …</translation>
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
        <source>Overlaid</source>
        <translation>Übereinander</translation>
    </message>
    <message>
        <source>Split by a movable line</source>
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
        <source>Landmark numbers</source>
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
        <source>Face boxes</source>
        <translation>Rahmen</translation>
    </message>
    <message>
        <source>Ids and scores of faces</source>
        <translation>Nummern und Konfidenz der Gesichter</translation>
    </message>
    <message>
        <source>Crop: the input of the network</source>
        <translation>Ausschnitt: was das Netz sieht</translation>
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
        <source>Fit to the window</source>
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
        <source>Thu&amp;mbnails in the timeline</source>
        <translation>Vorschau&amp;bilder in der Zeitleiste</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts…</source>
        <translation>&amp;Tastenkürzel …</translation>
    </message>
    <message>
        <source>&amp;Manual</source>
        <translation>&amp;Handbuch</translation>
    </message>
    <message>
        <source>&amp;Glossary</source>
        <translation>&amp;Glossar</translation>
    </message>
    <message>
        <source>&amp;How to cite…</source>
        <translation>&amp;Zitieren …</translation>
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
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Wiederholen</translation>
    </message>
    <message>
        <source>Select the &amp;previous annotation</source>
        <translation>&amp;Vorige Annotation auswählen</translation>
    </message>
    <message>
        <source>Select the &amp;next annotation</source>
        <translation>&amp;Nächste Annotation auswählen</translation>
    </message>
    <message>
        <source>&amp;Edit annotation…</source>
        <translation>Annotation &amp;bearbeiten …</translation>
    </message>
    <message>
        <source>&amp;Delete annotation</source>
        <translation>Annotation &amp;löschen</translation>
    </message>
    <message>
        <source>&amp;Start the annotation at this frame</source>
        <translation>Annotation mit diesem Bild &amp;anfangen</translation>
    </message>
    <message>
        <source>End the annotation at this &amp;frame</source>
        <translation>Annotation mit diesem Bild b&amp;eenden</translation>
    </message>
    <message>
        <source>Go to the start of the annotation</source>
        <translation>Zum Anfang der Annotation gehen</translation>
    </message>
    <message>
        <source>Go to the end of the annotation</source>
        <translation>Zum Ende der Annotation gehen</translation>
    </message>
    <message>
        <source>&amp;Loop the annotation</source>
        <translation>Annotation in &amp;Schleife abspielen</translation>
    </message>
    <message>
        <source>&amp;Add a lane…</source>
        <translation>Spur &amp;hinzufügen …</translation>
    </message>
    <message>
        <source>&amp;Import annotations…</source>
        <translation>Annotationen &amp;importieren …</translation>
    </message>
    <message>
        <source>E&amp;xport annotations…</source>
        <translation>Annotationen e&amp;xportieren …</translation>
    </message>
    <message>
        <source>&amp;Next doubtful stretch</source>
        <translation>&amp;Nächste zweifelhafte Stelle</translation>
    </message>
    <message>
        <source>&amp;Previous doubtful stretch</source>
        <translation>&amp;Vorige zweifelhafte Stelle</translation>
    </message>
    <message>
        <source>&amp;Accept the stretch, or open it again</source>
        <translation>Stelle &amp;annehmen oder wieder öffnen</translation>
    </message>
    <message>
        <source>E&amp;xclude the stretch, or include it again</source>
        <translation>Stelle a&amp;usschließen oder wieder einschließen</translation>
    </message>
    <message>
        <source>Export doubtful &amp;stretches…</source>
        <translation>Zweifelhafte S&amp;tellen exportieren …</translation>
    </message>
    <message>
        <source>Export &amp;table with options…</source>
        <translation>Tabelle &amp;mit Optionen exportieren …</translation>
    </message>
    <message>
        <source>R&amp;eport…</source>
        <translation>Prü&amp;fbericht …</translation>
    </message>
    <message>
        <source>Export statistics of &amp;intervals…</source>
        <translation>St&amp;atistik der Intervalle exportieren …</translation>
    </message>
    <message>
        <source>Name the pe&amp;rson</source>
        <translation>Person &amp;benennen</translation>
    </message>
    <message>
        <source>&amp;Merge the selected persons</source>
        <translation>Gewählte Personen &amp;zusammenfassen</translation>
    </message>
    <message>
        <source>New person from this &amp;frame on</source>
        <translation>Neue Person ab diesem B&amp;ild</translation>
    </message>
    <message>
        <source>S&amp;wap two persons from this frame on</source>
        <translation>Zwei Personen ab diesem Bild &amp;tauschen</translation>
    </message>
    <message>
        <source>Face is ne&amp;utral in this frame</source>
        <translation>&amp;Gesicht ist in diesem Bild neutral</translation>
    </message>
    <message>
        <source>&amp;Correct landmarks</source>
        <translation>Landmarken &amp;korrigieren</translation>
    </message>
    <message>
        <source>Go to the &amp;previous corrected frame</source>
        <translation>Zum v&amp;origen korrigierten Bild</translation>
    </message>
    <message>
        <source>Go to the &amp;next corrected frame</source>
        <translation>Zum &amp;nächsten korrigierten Bild</translation>
    </message>
    <message>
        <source>Re&amp;move the correction of this frame</source>
        <translation>Korrektur dieses Bildes &amp;entfernen</translation>
    </message>
    <message>
        <source>Track again from t&amp;his frame</source>
        <translation>Ab diesem &amp;Bild neu verfolgen</translation>
    </message>
    <message>
        <source>Save corrected frames as ground truth…</source>
        <translation>Korrigierte Bilder als Referenz speichern …</translation>
    </message>
    <message>
        <source>Save this frame as ground truth…</source>
        <translation>Dieses Bild als Referenz speichern …</translation>
    </message>
</context>
<context>
    <name>dropping</name>
    <message>
        <source>{name} looks like ground truth: open its recording first, then drop it again.</source>
        <translation>{name} sieht nach einer Referenz aus: Öffnen Sie zuerst die Aufnahme, dann ziehen Sie sie hierher.</translation>
    </message>
    <message>
        <source>Track and export all {count}…</source>
        <translation>Alle {count} verfolgen und exportieren …</translation>
    </message>
    <message>
        <source>One recording is shown at a time: the first one was opened.</source>
        <translation>Es wird immer nur eine Aufnahme gezeigt: Die erste wurde geöffnet.</translation>
    </message>
    <message>
        <source>{name} is compared as ground truth.</source>
        <translation>{name} wird als Referenz verglichen.</translation>
    </message>
    <message>
        <source>Show its landmarks instead</source>
        <translation>Stattdessen die Landmarken zeigen</translation>
    </message>
</context>
<context>
    <name>errors</name>
    <message>
        <source>NRMSE, %</source>
        <translation>NRMSE, %</translation>
    </message>
    <message>
        <source>median, %</source>
        <translation>Median, %</translation>
    </message>
</context>
<context>
    <name>expressions</name>
    <message>
        <source>Eyes</source>
        <translation>Augen</translation>
    </message>
    <message>
        <source>Brows</source>
        <translation>Brauen</translation>
    </message>
    <message>
        <source>Jaw</source>
        <translation>Kiefer</translation>
    </message>
    <message>
        <source>Mouth</source>
        <translation>Mund</translation>
    </message>
    <message>
        <source>Cheeks and nose</source>
        <translation>Wangen und Nase</translation>
    </message>
    <message>
        <source>Tongue</source>
        <translation>Zunge</translation>
    </message>
    <message>
        <source>Expressions</source>
        <translation>Mimik</translation>
    </message>
    <message>
        <source>{name}: landmarks do not show it, so that it is 0</source>
        <translation>{name}: Landmarken zeigen es nicht, deshalb ist es 0</translation>
    </message>
</context>
<context>
    <name>first_hint</name>
    <message>
        <source>See what stabilization does: {raw} shows raw landmarks, {stabilized} stabilized ones, {both} both. &apos;Statistics&apos; measures how stable they are; {keys} lists all shortcuts.</source>
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
    <name>lanes</name>
    <message>
        <source>{key} is the key of &apos;{command}&apos;: choose another key for the lane.</source>
        <translation>{key} ist die Taste von „{command}“: Wählen Sie für die Spur eine andere Taste.</translation>
    </message>
    <message>
        <source>Everybody</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>Face {number}</source>
        <translation>Gesicht {number}</translation>
    </message>
    <message>
        <source>{name} (face {number})</source>
        <translation>{name} (Gesicht {number})</translation>
    </message>
    <message>
        <source>{start} to {end} ({length})</source>
        <translation>{start} bis {end} ({length})</translation>
    </message>
</context>
<context>
    <name>menus</name>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
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
        <source>&amp;Annotate</source>
        <translation>A&amp;nnotieren</translation>
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
        <source>&amp;Review</source>
        <translation>&amp;Prüfung</translation>
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
        <source>What is drawn over the image</source>
        <translation>Was über das Bild gezeichnet wird</translation>
    </message>
    <message>
        <source>Overlays</source>
        <translation>Einblendungen</translation>
    </message>
    <message>
        <source>Start the loop here</source>
        <translation>Schleife hier beginnen</translation>
    </message>
    <message>
        <source>End the loop here</source>
        <translation>Schleife hier beenden</translation>
    </message>
    <message>
        <source>Loop the shown part</source>
        <translation>Den sichtbaren Teil wiederholen</translation>
    </message>
    <message>
        <source>Remove the loop</source>
        <translation>Schleife entfernen</translation>
    </message>
    <message>
        <source>Show the whole recording</source>
        <translation>Die ganze Aufnahme zeigen</translation>
    </message>
    <message>
        <source>Copy the values as CSV</source>
        <translation>Werte als CSV kopieren</translation>
    </message>
    <message>
        <source>Copy the plots as an image</source>
        <translation>Diagramme als Bild kopieren</translation>
    </message>
    <message>
        <source>Copy the figures as text</source>
        <translation>Zahlen als Text kopieren</translation>
    </message>
    <message>
        <source>Copy the figures as CSV</source>
        <translation>Zahlen als CSV kopieren</translation>
    </message>
    <message>
        <source>Start or end an in&amp;terval</source>
        <translation>In&amp;tervall beginnen oder beenden</translation>
    </message>
    <message>
        <source>Mark an e&amp;vent</source>
        <translation>E&amp;reignis markieren</translation>
    </message>
    <message>
        <source>Lanes</source>
        <translation>Spuren</translation>
    </message>
    <message>
        <source>Name, colour and &amp;key of the lane…</source>
        <translation>Name, Farbe und &amp;Taste der Spur …</translation>
    </message>
    <message>
        <source>&amp;Remove the lane</source>
        <translation>Spur &amp;entfernen</translation>
    </message>
    <message>
        <source>This lane stays, since exports leave out what is in it.</source>
        <translation>Diese Spur bleibt, denn Exporte lassen aus, was in ihr ist.</translation>
    </message>
    <message>
        <source>End the &amp;interval here</source>
        <translation>&amp;Intervall hier beenden</translation>
    </message>
    <message>
        <source>Start an &amp;interval here</source>
        <translation>&amp;Intervall hier beginnen</translation>
    </message>
    <message>
        <source>Mark an e&amp;vent here</source>
        <translation>E&amp;reignis hier markieren</translation>
    </message>
    <message>
        <source>&amp;History</source>
        <translation>&amp;Verlauf</translation>
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
        <source>A table…</source>
        <translation>Eine Tabelle …</translation>
    </message>
</context>
<context>
    <name>presets</name>
    <message>
        <source>Most stable</source>
        <translation>Am ruhigsten</translation>
    </message>
    <message>
        <source>A network stabilizes the landmarks with almost no lag.</source>
        <translation>Ein Netz beruhigt die Punkte, fast ohne Verzug.</translation>
    </message>
    <message>
        <source>Raw, lowest latency</source>
        <translation>Roh, geringste Latenz</translation>
    </message>
    <message>
        <source>The landmarks of the network, unchanged, in half the time per face.</source>
        <translation>Die Punkte wie gefunden, in der halben Zeit je Gesicht.</translation>
    </message>
    <message>
        <source>Light filter</source>
        <translation>Leichter Filter</translation>
    </message>
    <message>
        <source>Stable at rest, and little lag when the face moves.</source>
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
        <source>Up to six faces, each stabilized by a network.</source>
        <translation>Bis zu sechs Gesichter, jedes von einem Netz beruhigt.</translation>
    </message>
</context>
<context>
    <name>sending</name>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
    <message>
        <source>starts with the live view</source>
        <translation>beginnt mit dem Livebild</translation>
    </message>
    <message>
        <source>opening…</source>
        <translation>wird geöffnet …</translation>
    </message>
    <message>
        <source>failed, see the message</source>
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
        <source>no receiver</source>
        <translation>dort hört niemand zu</translation>
    </message>
    <message>
        <source>{name}: no receiver</source>
        <translation>{name}: niemand hört zu</translation>
    </message>
    <message>
        <source>{rate}/s {name}</source>
        <translation>{rate}/s {name}</translation>
    </message>
</context>
<context>
    <name>sentences</name>
    <message>
        <source>&apos;tracker.look_every&apos; must be from 1 to {most}</source>
        <translation>„tracker.look_every“ muss zwischen 1 und {most} liegen</translation>
    </message>
    <message>
        <source>&apos;tracker.max_faces&apos; must be from 1 to {most}</source>
        <translation>„tracker.max_faces“ muss zwischen 1 und {most} liegen</translation>
    </message>
    <message>
        <source>&apos;{key}&apos; is unknown, or its value is not valid</source>
        <translation>„{key}“ ist unbekannt oder hat einen unmöglichen Wert</translation>
    </message>
    <message>
        <source>&apos;{model_file}&apos; is not a YuNet model that OpenCV can run: give a face_detection_yunet file</source>
        <translation>„{model_file}“ ist kein YuNet-Modell, das OpenCV ausführen kann: Geben Sie eine face_detection_yunet-Datei an</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is the name of a shipped model: choose another name</source>
        <translation>„{name}“ gehört zu Steadymark: Nehmen Sie einen anderen Namen</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is the name of a shipped preset: choose another name.</source>
        <translation>„{name}“ gehört zum Programm: Wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is a {kind} model: only landmark models can be added</source>
        <translation>„{name}“ ist ein Modell der Art {kind}: Nur Landmarkenmodelle lassen sich hinzufügen</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is not a valid name for a model: use letters, digits, &apos;-&apos;, &apos;_&apos; and &apos;.&apos;</source>
        <translation>„{name}“ ist kein Name für ein Modell: Nehmen Sie Buchstaben, Ziffern, „-“, „_“ und „.“</translation>
    </message>
    <message>
        <source>&apos;{place}&apos; is not an address to send to: write HOST:PORT, for example {example}, with a port from 1 to 65535</source>
        <translation>An „{place}“ lässt sich nichts senden: Geben Sie RECHNER:PORT an, wie {example}, mit einem Port von 1 bis 65535</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; matches several cameras: choose one by its number; found: {known}</source>
        <translation>„{text}“ passt auf mehrere Kameras: Wählen Sie eine mit ihrer Nummer; gefunden: {known}</translation>
    </message>
    <message>
        <source>camera &apos;{text}&apos; was not found: choose one by its number; found: {known}</source>
        <translation>„{text}“ ist hier keine Kamera: Wählen Sie eine mit ihrer Nummer; gefunden: {known}</translation>
    </message>
    <message>
        <source>--landmarks lacks the outer eye corners {right} and {left}; every error is divided by their distance: say which landmarks of the ground truth they are</source>
        <translation>In --landmarks fehlen die äußeren Augenwinkel {right} und {left}, durch deren Abstand jeder Fehler geteilt wird: Geben Sie an, welche Landmarken der Referenz das sind</translation>
    </message>
    <message>
        <source>--landmarks names landmark {landmark}, but {name} has 0 to {last}</source>
        <translation>--landmarks nennt Landmarke {landmark}, aber {name} hat 0 bis {last}</translation>
    </message>
    <message>
        <source>--send sends each frame as soon as it is tracked</source>
        <translation>--send sendet jedes, sobald es kommt</translation>
    </message>
    <message>
        <source>--video draws each frame as soon as it is tracked</source>
        <translation>--video zeichnet jedes, sobald es kommt</translation>
    </message>
    <message>
        <source>1 damaged frame near {time} was kept as the decoder repaired it</source>
        <translation>1 beschädigtes Bild wurde repariert behalten, bei {time}</translation>
    </message>
    <message>
        <source>1 damaged frame was skipped near {time}</source>
        <translation>1 beschädigtes Bild wurde übersprungen, bei {time}</translation>
    </message>
    <message>
        <source>1 packet is damaged</source>
        <translation>1 Paket ist beschädigt</translation>
    </message>
    <message>
        <source>A low-pass filter of the landmarks, whose cut-off frequency rises with their speed.</source>
        <translation>Ein Tiefpass der Punkte, dessen Grenzfrequenz mit ihrer Geschwindigkeit steigt.</translation>
    </message>
    <message>
        <source>A low-pass filter without lag, which needs the whole recording.</source>
        <translation>Ein Tiefpass ohne Verzug, der die ganze Aufnahme braucht.</translation>
    </message>
    <message>
        <source>A preset&apos;s name has 1 to {most} characters.</source>
        <translation>Der Name einer Voreinstellung hat 1 bis {most} Zeichen.</translation>
    </message>
    <message>
        <source>CUDA was requested, but {why}: install NVIDIA&apos;s driver and &apos;pip install steadymark[cuda]&apos;, or use --device cpu</source>
        <translation>CUDA ist gewünscht, aber {why}: Installieren Sie den Treiber von NVIDIA und „pip install steadymark[cuda]“, oder wählen Sie als Gerät die CPU</translation>
    </message>
    <message>
        <source>Its landmarks hardly tell whether there is a face: tracking may continue after a face has left.</source>
        <translation>An seinen Punkten ist kaum zu erkennen, ob ein Gesicht da ist: Die Verfolgung geht vielleicht weiter, wo ein Gesicht verschwunden ist.</translation>
    </message>
    <message>
        <source>Its landmarks hardly follow the face: where the crop moves, they compensate {percent:.0f} % of the motion.</source>
        <translation>Seine Punkte folgen dem Gesicht kaum: Bewegt sich der Ausschnitt, gleichen sie {percent:.0f} % davon aus.</translation>
    </message>
    <message>
        <source>MediaPipe cannot use &apos;{model_file}&apos;: {error}</source>
        <translation>MediaPipe kann „{model_file}“ nicht benutzen: {error}</translation>
    </message>
    <message>
        <source>MediaPipe is not installed: &apos;pip install steadymark[mediapipe]&apos;, or use the built-in detector</source>
        <translation>MediaPipe ist nicht installiert: „pip install steadymark[mediapipe]“, oder wählen Sie den eingebauten Detektor</translation>
    </message>
    <message>
        <source>Its error on the demo clip is {percent:.1f} % of the inter-ocular distance ({usable:.0f} % are usable): check its output, schema, mean, std and colour order</source>
        <translation>Im Demovideo irrt es um {percent:.1f} % des Augenabstands (brauchbar sind {usable:.0f} %): Stimmen Ausgabe, Schema, Mittelwert, Standardabweichung und Farbreihenfolge?</translation>
    </message>
    <message>
        <source>The ground truth of {name} cannot be read: {why}</source>
        <translation>Die Referenz von {name} lässt sich nicht lesen: {why}</translation>
    </message>
    <message>
        <source>The model was not added: {fault}</source>
        <translation>Das Modell wurde nicht hinzugefügt: {fault}</translation>
    </message>
    <message>
        <source>The preset cannot be saved in {path}: {why}</source>
        <translation>Die Voreinstellung kann nicht in {path} abgelegt werden: {why}</translation>
    </message>
    <message>
        <source>The preset {path} cannot be deleted: {why}</source>
        <translation>Die Voreinstellung {path} kann nicht gelöscht werden: {why}</translation>
    </message>
    <message>
        <source>The stream has ended.</source>
        <translation>Der Stream ist zu Ende.</translation>
    </message>
    <message>
        <source>Tracking continues, but the results are not protected against a crash: {error}</source>
        <translation>Die Verfolgung geht weiter, wird aber nicht gegen Absturz gesichert: {error}</translation>
    </message>
    <message>
        <source>The results are not protected against a crash: {folder} cannot be written ({why})</source>
        <translation>Das Verfolgte wird nicht gegen Absturz gesichert: {folder} ist nicht beschreibbar ({why})</translation>
    </message>
    <message>
        <source>a frame rate of {fps} is not possible: give frames per second</source>
        <translation>Eine Bildrate von {fps} ergibt keinen Sinn: Geben Sie Bilder je Sekunde an</translation>
    </message>
    <message>
        <source>a live source has no future frames</source>
        <translation>eine Livequelle hat noch keine</translation>
    </message>
    <message>
        <source>a number is too long</source>
        <translation>eine Zahl ist zu lang</translation>
    </message>
    <message>
        <source>a start or end of {given} s is not possible: give seconds, 0 or more</source>
        <translation>Ein Anfang oder Ende bei {given} s ergibt keinen Sinn: Geben Sie Sekunden ab 0 an</translation>
    </message>
    <message>
        <source>about 1 frame seems to be missing at {time}</source>
        <translation>etwa 1 Bild scheint bei {time} zu fehlen</translation>
    </message>
    <message>
        <source>about {count} frames seem to be missing, the first ones at {time}</source>
        <translation>Es scheinen Bilder zu fehlen: etwa {count}, zuerst bei {time}</translation>
    </message>
    <message>
        <source>an OpenSeeFace packet has a &apos;success&apos; that is neither 0 nor 1</source>
        <translation>Ein Paket von OpenSeeFace hat ein „success“, das weder 0 noch 1 ist</translation>
    </message>
    <message>
        <source>an OpenSeeFace packet has a &apos;{name}&apos; that is no number</source>
        <translation>Ein Paket von OpenSeeFace hat ein „{name}“, das keine Zahl ist</translation>
    </message>
    <message>
        <source>an OpenSeeFace packet has {itemsize} bytes a face, not {given} bytes</source>
        <translation>Ein Paket von OpenSeeFace hat {itemsize} Byte je Gesicht, nicht {given} Byte</translation>
    </message>
    <message>
        <source>an image sequence needs at least one image</source>
        <translation>Eine Bildfolge braucht mindestens ein Bild</translation>
    </message>
    <message>
        <source>and {count} more places</source>
        <translation>weitere Stellen: {count}</translation>
    </message>
    <message>
        <source>requested {asked} at {fps:g} frames per second, the camera delivers {given}</source>
        <translation>Verlangt waren {asked} mit {fps:g} Bildern je Sekunde, die Kamera liefert {given}</translation>
    </message>
    <message>
        <source>requested {asked} at {fps:g} frames per second, the camera delivers {given} at {given_fps:g}</source>
        <translation>Verlangt waren {asked} mit {fps:g} Bildern je Sekunde, die Kamera liefert {given} mit {given_fps:g}</translation>
    </message>
    <message>
        <source>camera {device} cannot be opened: check that it is connected, that no other program uses it, and that this program may use cameras</source>
        <translation>Kamera {device} lässt sich nicht öffnen: Prüfen Sie, ob sie angeschlossen ist, ob kein anderes Programm sie benutzt und ob dieses Programm Kameras benutzen darf</translation>
    </message>
    <message>
        <source>camera {device} opens but delivers no frames: close other programs that use it, or disconnect it and connect it again</source>
        <translation>Kamera {device} lässt sich öffnen, liefert aber kein Bild: Schließen Sie andere Programme, die sie benutzen, oder stecken Sie sie aus und wieder ein</translation>
    </message>
    <message>
        <source>camera {number}</source>
        <translation>Kamera {number}</translation>
    </message>
    <message>
        <source>camera: needs a number or a name, for example camera:0</source>
        <translation>camera: braucht eine Nummer oder einen Namen, zum Beispiel camera:0</translation>
    </message>
    <message>
        <source>cameras cannot be listed ({fault})</source>
        <translation>Die Kameras lassen sich nicht auflisten ({fault})</translation>
    </message>
    <message>
        <source>cannot be opened ({reason}): check the address and the network</source>
        <translation>lässt sich nicht öffnen ({reason}): Prüfen Sie Adresse und Netzwerk</translation>
    </message>
    <message>
        <source>cannot read {path}: {error}</source>
        <translation>{path} lässt sich nicht lesen: {error}</translation>
    </message>
    <message>
        <source>cannot write {path}: it is not open</source>
        <translation>{path} kann nicht geschrieben werden: Die Datei ist nicht geöffnet</translation>
    </message>
    <message>
        <source>cannot write {path}: {reason}</source>
        <translation>{path} kann nicht geschrieben werden: {reason}</translation>
    </message>
    <message>
        <source>closing {path} failed: {error}</source>
        <translation>{path} konnte nicht abgeschlossen werden: {error}</translation>
    </message>
    <message>
        <source>column &apos;{name}&apos; is missing</source>
        <translation>Spalte „{name}“ fehlt</translation>
    </message>
    <message>
        <source>column &apos;{name}&apos; appears {count} times</source>
        <translation>Spalte „{name}“ ist {count}-mal da</translation>
    </message>
    <message>
        <source>column &apos;{name}&apos;: &apos;{given}&apos; is not a state ({states})</source>
        <translation>Spalte „{name}“: „{given}“ ist kein Zustand ({states})</translation>
    </message>
    <message>
        <source>column &apos;{name}&apos;: &apos;{given}&apos; is not a number</source>
        <translation>Spalte „{name}“: „{given}“ ist keine Zahl</translation>
    </message>
    <message>
        <source>does not answer in time: check the address and the network</source>
        <translation>antwortet nicht rechtzeitig: Prüfen Sie Adresse und Netzwerk</translation>
    </message>
    <message>
        <source>ending the tracking of {name} failed: {error}</source>
        <translation>Die Verfolgung von {name} konnte nicht beendet werden: {error}</translation>
    </message>
    <message>
        <source>exit code {code}</source>
        <translation>Rückgabewert {code}</translation>
    </message>
    <message>
        <source>file &apos;{file}&apos; lies outside the card&apos;s folder</source>
        <translation>die Datei „{file}“ liegt außerhalb des Ordners der Karte</translation>
    </message>
    <message>
        <source>files in {folder} that are neither videos nor images by their names: {shown}</source>
        <translation>Dateien in {folder}, die ihrem Namen nach weder Videos noch Bilder sind: {shown}</translation>
    </message>
    <message>
        <source>access denied: check user and password</source>
        <translation>verweigert den Zugriff: Prüfen Sie Benutzer und Passwort</translation>
    </message>
    <message>
        <source>frame {index} at {pts_s:.3f} s could not be tracked ({kind}: {error}); earlier results are kept</source>
        <translation>Bild {index} bei {pts_s:.3f} s konnte nicht verfolgt werden ({kind}: {error}); was davor kam, bleibt erhalten</translation>
    </message>
    <message>
        <source>frame {index} cannot be shown ({fault})</source>
        <translation>Bild {index} kann nicht gezeigt werden ({fault})</translation>
    </message>
    <message>
        <source>graphs are nested without end</source>
        <translation>endlos ineinander geschachtelte Graphen</translation>
    </message>
    <message>
        <source>there is nothing at this address: check the part after the host</source>
        <translation>hat unter dieser Adresse nichts: Prüfen Sie, was nach dem Rechnernamen steht</translation>
    </message>
    <message>
        <source>it is not known how its results were computed: tracked again</source>
        <translation>Wie die Ergebnisse entstanden sind, ist nicht bekannt: neu verfolgt</translation>
    </message>
    <message>
        <source>it ends at {time} instead of {end}: it may be truncated</source>
        <translation>Das Video endet bei {time} statt bei {end}: Vielleicht ist es abgeschnitten</translation>
    </message>
    <message>
        <source>it has no settings</source>
        <translation>die Einstellungen fehlen</translation>
    </message>
    <message>
        <source>it is truncated</source>
        <translation>der Inhalt ist abgeschnitten</translation>
    </message>
    <message>
        <source>it is larger than {most_mib} MiB</source>
        <translation>größer als {most_mib} MiB</translation>
    </message>
    <message>
        <source>it is not a results index</source>
        <translation>kein Verzeichnis von Ergebnissen</translation>
    </message>
    <message>
        <source>it is too large</source>
        <translation>zu groß</translation>
    </message>
    <message>
        <source>it lacks &apos;{name}&apos;: 1</source>
        <translation>es fehlt &apos;{name}&apos;: 1</translation>
    </message>
    <message>
        <source>{key} is {value:g}, which must be between 0 and {most:g}</source>
        <translation>für {key} steht dort {value:g}, es muss aber zwischen 0 und {most:g} liegen</translation>
    </message>
    <message>
        <source>tracking was interrupted before, and starts again from the beginning</source>
        <translation>wurde zuvor unterbrochen und wird von Anfang an neu verfolgt</translation>
    </message>
    <message>
        <source>its driver or libraries cannot be loaded</source>
        <translation>der Treiber oder die Bibliotheken lassen sich nicht laden</translation>
    </message>
    <message>
        <source>its face_score is {value}</source>
        <translation>sein face_score ist {value}</translation>
    </message>
    <message>
        <source>a file has the name of its folder: choose another folder</source>
        <translation>Der Ordner ist eine Datei: Wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>its high dynamic range ({name}) is mapped to 8 bits</source>
        <translation>der hohe Dynamikumfang ({name}) wird auf 8 Bit abgebildet</translation>
    </message>
    <message>
        <source>its name is missing or too long</source>
        <translation>der Name fehlt oder ist zu lang</translation>
    </message>
    <message>
        <source>killed by signal {number}</source>
        <translation>von Signal {number} beendet</translation>
    </message>
    <message>
        <source>line 1: this program reads format {format}, not format &apos;{version}&apos;: use a newer Steadymark</source>
        <translation>Zeile 1: Format „{version}“ ist nicht Format {format}: Lesen Sie die Datei mit einem neueren Steadymark</translation>
    </message>
    <message>
        <source>line 1: the file is empty or starts with an empty line</source>
        <translation>Zeile 1: Die Datei ist leer oder beginnt mit einer leeren Zeile</translation>
    </message>
    <message>
        <source>line 2: the header is not a JSON object</source>
        <translation>Zeile 2: Der Kopf ist kein JSON-Objekt</translation>
    </message>
    <message>
        <source>line {number}, {fault}</source>
        <translation>Zeile {number}, {fault}</translation>
    </message>
    <message>
        <source>line {number} is longer than any row can be</source>
        <translation>Zeile {number}: länger, als eine Zeile sein kann</translation>
    </message>
    <message>
        <source>line {number} has {count} fields, but there are {columns} columns</source>
        <translation>Zeile {number}: {count} Felder, aber {columns} Spalten</translation>
    </message>
    <message>
        <source>line {number}: {fault}</source>
        <translation>Zeile {number}: {fault}</translation>
    </message>
    <message>
        <source>margin must be between 0.5 and 5, not {margin:g}</source>
        <translation>Der Rand (margin) muss zwischen 0.5 und 5 liegen, nicht bei {margin:g}</translation>
    </message>
    <message>
        <source>max faces must be at least 1, not {max_faces}</source>
        <translation>Es muss mindestens 1 Gesicht sein, nicht {max_faces}</translation>
    </message>
    <message>
        <source>mean must be finite, not {mean}</source>
        <translation>Der Mittelwert (mean) muss endlich sein, nicht {mean}</translation>
    </message>
    <message>
        <source>there are no .pts files in {folder}: name the folder of a video&apos;s ground truth</source>
        <translation>In {folder} sind keine .pts-Dateien: Wählen Sie den Ordner mit der Referenz eines Videos</translation>
    </message>
    <message>
        <source>there is no MediaPipe model file at &apos;{model_file}&apos;: give one as mediapipe:FILE.tflite</source>
        <translation>Keine Modelldatei von MediaPipe unter „{model_file}“: Nennen Sie eine als mediapipe:DATEI.tflite</translation>
    </message>
    <message>
        <source>there is no YuNet model file at &apos;{model_file}&apos;: give one as yunet:FILE.onnx</source>
        <translation>Bei „{model_file}“ gibt es keine YuNet-Modelldatei: Geben Sie eine als yunet:FILE.onnx an</translation>
    </message>
    <message>
        <source>there is no input: give a video, a folder, a pattern, camera:0 or an address</source>
        <translation>Nichts angegeben: Nennen Sie ein Video, einen Ordner, ein Muster, camera:0 oder eine Adresse</translation>
    </message>
    <message>
        <source>no model</source>
        <translation>kein Modell</translation>
    </message>
    <message>
        <source>no permission to write there: choose another folder</source>
        <translation>Dort darf nicht geschrieben werden: Wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>there are no weights at {path} ({reason}): install Steadymark again, or restore the file</source>
        <translation>Keine Gewichte unter {path} ({reason}): Installieren Sie Steadymark neu oder legen Sie die Datei zurück</translation>
    </message>
    <message>
        <source>there was no receiver at the end</source>
        <translation>am Ende hat niemand zugehört</translation>
    </message>
    <message>
        <source>none</source>
        <translation>keine</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>nichts</translation>
    </message>
    <message>
        <source>nothing can be sent to {target} ({reason}): choose an address of this network</source>
        <translation>An {target} lässt sich nichts senden ({reason}): Wählen Sie eine Adresse dieses Netzes</translation>
    </message>
    <message>
        <source>nothing can be sent to {target}: the host &apos;{host}&apos; is unknown; check its name, or give its number (192.168.1.5)</source>
        <translation>An {target} lässt sich nichts senden: Der Rechner „{host}“ ist nicht bekannt; prüfen Sie seinen Namen oder geben Sie seine Nummer an (192.168.1.5)</translation>
    </message>
    <message>
        <source>nothing matches {path}: check the pattern and the folder</source>
        <translation>Auf {path} passt nichts: Prüfen Sie Muster und Ordner</translation>
    </message>
    <message>
        <source>opening failed ({fault})</source>
        <translation>Öffnen fehlgeschlagen ({fault})</translation>
    </message>
    <message>
        <source>the images have no timestamps: they are taken as one sequence with {fps:g} frames per second; if they show different people, track them with &apos;steadymark track --independent&apos;</source>
        <translation>die Bilder haben keine Zeitstempel: Sie gelten als eine Folge mit {fps:g} Bildern je Sekunde; zeigen sie verschiedene Personen, verfolgen Sie sie mit „steadymark track --independent“</translation>
    </message>
    <message>
        <source>pixels with the aspect ratio {aspect} are made square</source>
        <translation>Pixel von {aspect} werden quadratisch gemacht</translation>
    </message>
    <message>
        <source>reading {name} failed: {error}</source>
        <translation>{name} konnte nicht weiter gelesen werden: {error}</translation>
    </message>
    <message>
        <source>the connection was refused: check the port, and that the camera is running</source>
        <translation>lehnt die Verbindung ab: Prüfen Sie den Port und ob die Gegenseite läuft</translation>
    </message>
    <message>
        <source>rows are too short</source>
        <translation>Zeilen sind zu kurz</translation>
    </message>
    <message>
        <source>sending to {target} ended ({kind}: {error}); tracking continues</source>
        <translation>Das Senden an {target} ist abgebrochen ({kind}: {error}); die Verfolgung geht weiter</translation>
    </message>
    <message>
        <source>it sends no video: check the address</source>
        <translation>sendet kein Video: Prüfen Sie die Adresse</translation>
    </message>
    <message>
        <source>it was tracked with other settings or models: tracked again</source>
        <translation>Einstellungen oder Modelle sind andere als bei der letzten Verfolgung: neu verfolgt</translation>
    </message>
    <message>
        <source>std must be more than 0, not {std}</source>
        <translation>Die Standardabweichung (std) muss größer als 0 sein, nicht {std}</translation>
    </message>
    <message>
        <source>the installed LSL library is too old to stay on this computer: pip install --upgrade &apos;steadymark[network]&apos;</source>
        <translation>Die LSL-Bibliothek hier ist zu alt, um auf diesem Rechner zu bleiben: pip install --upgrade &apos;steadymark[network]&apos;</translation>
    </message>
    <message>
        <source>the camera cannot be opened ({fault})</source>
        <translation>Die Kamera lässt sich nicht öffnen ({fault})</translation>
    </message>
    <message>
        <source>the disk is full: free some space and record again</source>
        <translation>Der Datenträger ist voll: Schaffen Sie Platz und nehmen Sie erneut auf</translation>
    </message>
    <message>
        <source>the disk is read-only: choose another folder</source>
        <translation>Der Datenträger ist schreibgeschützt: Wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>the disk quota is used up: free some space and record again</source>
        <translation>Das Speicherkontingent ist erschöpft: Schaffen Sie Platz und nehmen Sie erneut auf</translation>
    </message>
    <message>
        <source>the export failed ({fault})</source>
        <translation>Der Export ist fehlgeschlagen ({fault})</translation>
    </message>
    <message>
        <source>the file has no timestamps: {fps:g} frames per second are assumed</source>
        <translation>Die Datei trägt keine Zeitstempel: {fps:g} Bilder je Sekunde werden angenommen</translation>
    </message>
    <message>
        <source>the file has changed since it was tracked: tracked again</source>
        <translation>Die Datei wurde seit der Verfolgung geändert: neu verfolgt</translation>
    </message>
    <message>
        <source>the focal length must be 1 pixel or more, not {focal_px:g}</source>
        <translation>Die Brennweite muss mindestens 1 Pixel sein, nicht {focal_px:g}</translation>
    </message>
    <message>
        <source>the folder does not exist: create it or choose another</source>
        <translation>Den Ordner gibt es nicht: Legen Sie ihn an oder wählen Sie einen anderen</translation>
    </message>
    <message>
        <source>the heatmaps cannot be computed ({fault})</source>
        <translation>Die Heatmaps sind nicht zu bekommen ({fault})</translation>
    </message>
    <message>
        <source>the input &apos;crops&apos; of {name} is {type} {shape}: its card says crop {side}, so it must be tensor(uint8) [n, 3, {side}, {side}] or [n, {side}, {side}, 3]</source>
        <translation>Der Eingang „crops“ von {name} ist {type} {shape}: Laut Karte ist crop {side}, also muss er tensor(uint8) [n, 3, {side}, {side}] oder [n, {side}, {side}, 3] sein</translation>
    </message>
    <message>
        <source>the input of the model is {type}: it must be float, float16 or uint8</source>
        <translation>Die Eingabe des Modells ist {type}: Sie muss float, float16 oder uint8 sein</translation>
    </message>
    <message>
        <source>the input of {name} is {side} pixels wide: it must be between {least} and {most}</source>
        <translation>Die Eingabe von {name} ist {side} Pixel breit: Es müssen zwischen {least} und {most} sein</translation>
    </message>
    <message>
        <source>the input of {name} is {type}: it must be float, float16 or uint8</source>
        <translation>Die Eingabe von {name} ist {type}: Sie muss float, float16 oder uint8 sein</translation>
    </message>
    <message>
        <source>the landmarks of &apos;{name}&apos; have the schema {schema}, whose mean shape is not known: models of {known} can track</source>
        <translation>Die Landmarken von „{name}“ sind die von {schema}, deren mittlere Form nicht bekannt ist: Verfolgt wird mit Modellen von {known}</translation>
    </message>
    <message>
        <source>the model &apos;{name}&apos; has no 1D heatmaps to show</source>
        <translation>Das Modell „{name}“ hat keine 1D-Heatmaps zum Zeigen</translation>
    </message>
    <message>
        <source>the model &apos;{name}&apos; is a {kind} model, but {wanted} is needed</source>
        <translation>Das Modell „{name}“ ist von der Art {kind}, gebraucht wird {wanted}</translation>
    </message>
    <message>
        <source>the model card of &apos;{name}&apos; says {field} {value:g}: it must be between {least:g} and {most:g}</source>
        <translation>In der Modellkarte von „{name}“ steht {field} {value:g}: Es muss zwischen {least:g} und {most:g} liegen</translation>
    </message>
    <message>
        <source>the model card {beside} belongs to {name}, not to {wanted}</source>
        <translation>Die Modellkarte {beside} gehört zu {name}, nicht zu {wanted}</translation>
    </message>
    <message>
        <source>the model card {path} cannot be read: {reason}</source>
        <translation>Die Modellkarte {path} lässt sich nicht lesen: {reason}</translation>
    </message>
    <message>
        <source>the model uses ONNX operators of version {found}: export it again with opset {oldest} or newer</source>
        <translation>Das Modell verwendet ONNX-Operatoren der Version {found}: Exportieren Sie es neu mit Opset {oldest} oder neuer</translation>
    </message>
    <message>
        <source>the name is too long: choose a shorter one</source>
        <translation>Der Name ist zu lang: Wählen Sie einen kürzeren</translation>
    </message>
    <message>
        <source>the name of an LSL stream has at most 200 letters, all printable</source>
        <translation>Der Name eines LSL-Stroms hat höchstens 200 Zeichen, alle druckbar</translation>
    </message>
    <message>
        <source>the name {start}… is too long ({count} bytes): a file name may have 255 bytes</source>
        <translation>Der Name {start}… ist zu lang ({count} Byte): Ein Dateiname darf 255 Byte haben</translation>
    </message>
    <message>
        <source>the output &apos;{name}&apos; of {model} is not finite</source>
        <translation>Der Ausgang „{name}“ von {model} ist nicht endlich</translation>
    </message>
    <message>
        <source>the output &apos;{name}&apos; of {model} is {dtype} {shape}: for two faces it must be float32 {wanted}</source>
        <translation>Der Ausgang „{name}“ von {model} ist {dtype} {shape}: Für zwei Gesichter muss er float32 {wanted} sein</translation>
    </message>
    <message>
        <source>the output folder {folder} cannot be created ({reason}): choose another one with --out</source>
        <translation>Der Ausgabeordner {folder} kann nicht angelegt werden ({reason}): Wählen Sie einen anderen</translation>
    </message>
    <message>
        <source>the camera delivers frames again at {time}</source>
        <translation>Das Bild kam bei {time} zurück</translation>
    </message>
    <message>
        <source>the frame size changes from {before} to {size} at {time}</source>
        <translation>Das Bild wechselt bei {time} von {before} zu {size}</translation>
    </message>
    <message>
        <source>the camera delivered no more frames at {time}</source>
        <translation>Das Bild ging bei {time} verloren</translation>
    </message>
    <message>
        <source>the frames are rotated upright, as the file says</source>
        <translation>Die Bilder werden aufrecht gedreht, wie die Datei es verlangt</translation>
    </message>
    <message>
        <source>the process that tracked {path} ended ({how}): the other files continue; try this one alone</source>
        <translation>der Prozess, der {path} verfolgte, ist abgebrochen ({how}): die anderen Dateien laufen weiter; diese allein noch einmal versuchen</translation>
    </message>
    <message>
        <source>the recording ended ({kind}: {error})</source>
        <translation>Die Aufnahme ist abgebrochen ({kind}: {error})</translation>
    </message>
    <message>
        <source>the recording ended because the frames are now {width}x{height} instead of {width_before}x{height_before}: record again</source>
        <translation>Die Aufnahme ist beendet, weil die Bilder jetzt {width}x{height} groß sind und vorher {width_before}x{height_before} waren: Nehmen Sie erneut auf</translation>
    </message>
    <message>
        <source>the recording ended because less than {least_mb} MB are left in {folder}: free some space and record again</source>
        <translation>Die Aufnahme ist beendet: In {folder} sind weniger als {least_mb} MB frei; schaffen Sie Platz und nehmen Sie erneut auf</translation>
    </message>
    <message>
        <source>the sound of {name} could not be copied to its end ({reason})</source>
        <translation>der Ton von {name} konnte nicht bis zum Ende kopiert werden ({reason})</translation>
    </message>
    <message>
        <source>the start, {start_s:g} s, must be before the end, {end_s:g} s</source>
        <translation>Der Anfang, {start_s:g} s, muss vor dem Ende, {end_s:g} s, liegen</translation>
    </message>
    <message>
        <source>the ground truth {path} has {given} frames, the video {frames}: they do not belong together</source>
        <translation>Die Referenz {path} hat {given} Bilder, das Video {frames}: Sie gehören nicht zusammen</translation>
    </message>
    <message>
        <source>the weights {path} are larger than {most_gib} GiB: such large models cannot be used</source>
        <translation>Die Gewichte {path} sind größer als {most_gib} GiB: Mit so großen Modellen lässt sich nicht verfolgen</translation>
    </message>
    <message>
        <source>the weights {path} were altered or damaged (SHA-256 {found}…, the model card says {wanted}…): install Steadymark again, or restore the file</source>
        <translation>Die Gewichte {path} wurden verändert oder beschädigt (SHA-256 {found}…, in der Modellkarte steht {wanted}…): Installieren Sie Steadymark neu oder legen Sie die Datei zurück</translation>
    </message>
    <message>
        <source>the {key} &apos;{value}&apos; is an unknown model: it is not a plain name</source>
        <translation>{key} „{value}“ ist ein unbekanntes Modell: Das ist kein einfacher Name</translation>
    </message>
    <message>
        <source>the {key} &apos;{value}&apos; is unknown: it is not a plain name</source>
        <translation>{key} „{value}“ ist unbekannt: Das ist kein einfacher Name</translation>
    </message>
    <message>
        <source>the {what} of the model is missing: give it, or &apos;{unknown}&apos; if you do not know it</source>
        <translation>Dem Modell fehlt die Angabe „{what}“: Machen Sie sie, oder schreiben Sie „{unknown}“, wenn Sie es nicht wissen</translation>
    </message>
    <message>
        <source>there are no landmark columns (x_0, y_0, …)</source>
        <translation>es gibt keine Spalten für Landmarken (x_0, y_0, …)</translation>
    </message>
    <message>
        <source>the images have numbers 0 to {last}: there is no image {index}</source>
        <translation>Es gibt die Bilder 0 bis {last}, nicht {index}</translation>
    </message>
    <message>
        <source>there is a folder of that name: choose another name</source>
        <translation>Es gibt einen Ordner dieses Namens: Wählen Sie einen anderen Namen</translation>
    </message>
    <message>
        <source>there is already a model &apos;{name}&apos;: choose another name</source>
        <translation>Es gibt schon ein Modell „{name}“: Nehmen Sie einen anderen Namen</translation>
    </message>
    <message>
        <source>All values of each face in each frame.</source>
        <translation>Alle Werte jedes Gesichts in jedem Bild.</translation>
    </message>
    <message>
        <source>Export {table}…</source>
        <translation>{table} exportieren …</translation>
    </message>
    <message>
        <source>Head and expression of the first face, by OSC, for avatars of the Virtual Motion Capture protocol.</source>
        <translation>Kopf und Mimik des ersten Gesichts per OSC, für Avatare des Virtual-Motion-Capture-Protokolls.</translation>
    </message>
    <message>
        <source>LSL</source>
        <translation>LSL</translation>
    </message>
    <message>
        <source>Landmarks and head pose of the first face, as a stream of the Lab Streaming Layer.</source>
        <translation>Landmarken und Kopfhaltung des ersten Gesichts als Strom des Lab Streaming Layer.</translation>
    </message>
    <message>
        <source>Landmarks, head pose and expression of every face, as OpenSeeFace&apos;s UDP packets, for VSeeFace, VTube Studio and others.</source>
        <translation>Landmarken, Kopfhaltung und Mimik jedes Gesichts als UDP-Pakete von OpenSeeFace, für VSeeFace, VTube Studio und andere.</translation>
    </message>
    <message>
        <source>OpenSeeFace</source>
        <translation>OpenSeeFace</translation>
    </message>
    <message>
        <source>Steadymark&apos;s table (CSV)</source>
        <translation>Tabelle von Steadymark (CSV)</translation>
    </message>
    <message>
        <source>The columns that scripts for OpenFace expect.</source>
        <translation>Die Spalten, die Skripte für OpenFace erwarten.</translation>
    </message>
    <message>
        <source>VMC</source>
        <translation>VMC</translation>
    </message>
    <message>
        <source>cannot send to &apos;{text}&apos;: write one of {names}, or where to: {examples}</source>
        <translation>An „{text}“ lässt sich nichts senden: Schreiben Sie eines von {names}, oder wohin: {examples}</translation>
    </message>
    <message>
        <source>host and port</source>
        <translation>Rechner und Port</translation>
    </message>
    <message>
        <source>name of the stream</source>
        <translation>Name des Stroms</translation>
    </message>
    <message>
        <source>table for OpenFace scripts (CSV)</source>
        <translation>Tabelle für OpenFace-Skripte (CSV)</translation>
    </message>
    <message>
        <source>the format {name} holds landmarks of {wanted}, and these are of {found}: choose --format native</source>
        <translation>Das Format {name} nimmt Landmarken von {wanted} auf, diese sind von {found}: Wählen Sie --format native</translation>
    </message>
    <message>
        <source>the plug-in {path} cannot be loaded ({kind}: {error}): correct it, or take it out of the environment variable {variable}</source>
        <translation>die Erweiterung {path} lässt sich nicht laden ({kind}: {error}): Berichtigen Sie sie, oder nehmen Sie sie aus der Umgebungsvariablen {variable}</translation>
    </message>
    <message>
        <source>there is no {cell} stabilizer for &apos;{name}&apos; (only for {known}): choose flow, none or one-euro, or train one with steadymark-train</source>
        <translation>Über „{name}“ gibt es keine Stabilisierung {cell} (nur über {known}): Wählen Sie Flow, keine oder One Euro, oder trainieren Sie eine mit steadymark-train</translation>
    </message>
    <message>
        <source>{parent} does not contain {name}: put it beside its card</source>
        <translation>In {parent} gibt es kein {name}: Legen Sie es neben seine Karte</translation>
    </message>
    <message>
        <source>this ONNX Runtime was built without CUDA</source>
        <translation>diese ONNX Runtime wurde ohne CUDA gebaut</translation>
    </message>
    <message>
        <source>this PyAV has no H.264 encoder (libx264): install the wheel from PyPI (pip install --force-reinstall av), or record CSV only</source>
        <translation>Dieses PyAV hat keinen H.264-Kodierer (libx264): Installieren Sie das Paket von PyPI (pip install --force-reinstall av), oder schreiben Sie nur CSV</translation>
    </message>
    <message>
        <source>the timestamps start again: frames are counted instead</source>
        <translation>Zeitstempel beginnen von vorn: Stattdessen werden Bilder gezählt</translation>
    </message>
    <message>
        <source>the timestamps contradict each other: frames are counted instead</source>
        <translation>Zeitstempel widersprechen sich: Stattdessen werden Bilder gezählt</translation>
    </message>
    <message>
        <source>the timestamps decrease in {count} places: the latest timestamp is kept there</source>
        <translation>Zeitstempel laufen rückwärts (Stellen: {count}): Dort bleibt der späteste stehen</translation>
    </message>
    <message>
        <source>the timestamps are times of arrival</source>
        <translation>Zeiten sind die der Ankunft</translation>
    </message>
    <message>
        <source>tracking cannot start ({fault})</source>
        <translation>Das Verfolgen kann nicht beginnen ({fault})</translation>
    </message>
    <message>
        <source>tracking stopped ({fault})</source>
        <translation>Verfolgung abgebrochen ({fault})</translation>
    </message>
    <message>
        <source>tracking stopped after {count} frames: {error}</source>
        <translation>Verfolgung nach {count} Bildern abgebrochen: {error}</translation>
    </message>
    <message>
        <source>tracking stopped: no output can be written any more</source>
        <translation>Verfolgung abgebrochen: Keine Ausgabe kann mehr geschrieben werden</translation>
    </message>
    <message>
        <source>unknown device &apos;{device}&apos;: choose one of {known}</source>
        <translation>Unbekanntes Gerät „{device}“: Zur Wahl stehen {known}</translation>
    </message>
    <message>
        <source>unknown model &apos;{name}&apos;: choose one of {known}, or name an .onnx file with its model card (.json) beside it</source>
        <translation>Unbekanntes Modell „{name}“: Zur Wahl stehen {known}, oder eine .onnx-Datei mit ihrer Modellkarte (.json) daneben</translation>
    </message>
    <message>
        <source>unknown schema &apos;{schema}&apos;: models of {known} can be added</source>
        <translation>Unbekanntes Schema „{schema}“: Modelle von {known} können hinzugefügt werden</translation>
    </message>
    <message>
        <source>A published ConvLSTM over the heatmaps of heatmap1d-lite.</source>
        <translation>Ein veröffentlichtes ConvLSTM über den Heatmaps von heatmap1d-lite.</translation>
    </message>
    <message>
        <source>A published recurrent cell over the heatmaps of heatmap1d-lite.</source>
        <translation>Eine veröffentlichte rekurrente Zelle über den Heatmaps von heatmap1d-lite.</translation>
    </message>
    <message>
        <source>Head axes</source>
        <translation>Achsen des Kopfs</translation>
    </message>
    <message>
        <source>Beta</source>
        <translation>Beta</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is not a list of landmarks: write 36,39,42-45, each once, or 36=27,39=29 where 27 and 29 are numbers of the ground truth</source>
        <translation>„{text}“ ist keine Liste von Landmarken: Schreiben Sie 36,39,42-45, jede einmal, oder 36=27,39=29, wobei 27 und 29 die Nummern der Referenz sind</translation>
    </message>
    <message>
        <source>&apos;{model_file}&apos; is too large for a model file</source>
        <translation>„{model_file}“ ist zu groß für eine Modelldatei</translation>
    </message>
    <message>
        <source>&apos;mirrored&apos; is neither true nor false</source>
        <translation>„mirrored“ ist weder true noch false</translation>
    </message>
    <message>
        <source>&apos;shapes&apos; is no object with the names of shapes</source>
        <translation>„shapes“ ist kein Objekt mit den Namen von Blendshapes</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; has an unknown &apos;{key}&apos;</source>
        <translation>„{name}“ hat ein unbekanntes „{key}“</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is no object with {known}</source>
        <translation>„{name}“ ist kein Objekt mit {known}</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; is unknown</source>
        <translation>„{name}“ ist unbekannt</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; must be a list</source>
        <translation>„{name}“ muss eine Liste sein</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; must be an object</source>
        <translation>„{name}“ muss ein Objekt sein</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; must be text, not {value}</source>
        <translation>„{name}“ muss Text sein, nicht {value}</translation>
    </message>
    <message>
        <source>&apos;{name}&apos; must hold objects, not {value}</source>
        <translation>„{name}“ muss Objekte enthalten, nicht {value}</translation>
    </message>
    <message>
        <source>&apos;{name}&apos;: &apos;{field}&apos; cannot be {value}</source>
        <translation>„{name}“: „{field}“ kann nicht {value} sein</translation>
    </message>
    <message>
        <source>&apos;{name}&apos;: {fault}</source>
        <translation>„{name}“: {fault}</translation>
    </message>
    <message>
        <source>&apos;{name}&apos;: {reason}</source>
        <translation>„{name}“: {reason}</translation>
    </message>
    <message>
        <source>&apos;{part}&apos; is no option of this target: write one of {examples}</source>
        <translation>„{part}“ ist keine Option dieses Ziels: Schreiben Sie eine von {examples}</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is neither a file nor a preset of expressions, and there are no presets: name a file, or save a preset in the window with Live &gt; Expressions</source>
        <translation>„{text}“ ist weder eine Datei noch eine Voreinstellung der Mimik, und es gibt keine Voreinstellungen: Nennen Sie eine Datei, oder speichern Sie im Fenster unter Live &gt; Mimik eine Voreinstellung</translation>
    </message>
    <message>
        <source>&apos;{text}&apos; is neither a file nor a preset of expressions: choose one of {known}</source>
        <translation>„{text}“ ist weder eine Datei noch eine Voreinstellung der Mimik: Zur Wahl stehen {known}</translation>
    </message>
    <message>
        <source>1 frame has no timestamp: it is placed between its neighbours</source>
        <translation>1 Bild hat keinen Zeitstempel: Es wird zwischen seine Nachbarn gelegt</translation>
    </message>
    <message>
        <source>1 frame has the timestamp of the frame before it</source>
        <translation>1 Bild hat den Zeitstempel des Bildes davor</translation>
    </message>
    <message>
        <source>1 image in {folder} is beside videos: name it to track it</source>
        <translation>1 Bild in {folder} liegt neben Videos: Nennen Sie es, um es zu verfolgen</translation>
    </message>
    <message>
        <source>1 packet was sent to {target}</source>
        <translation>1 Paket wurde an {target} gesendet</translation>
    </message>
    <message>
        <source>1 was dropped</source>
        <translation>1 wurde ausgelassen</translation>
    </message>
    <message>
        <source>A face that is missing for longer, between two frames with it.</source>
        <translation>Ein Gesicht, das länger fehlt, zwischen zwei Bildern mit ihm.</translation>
    </message>
    <message>
        <source>ARKit (perfect sync)</source>
        <translation>ARKit (Perfect Sync)</translation>
    </message>
    <message>
        <source>Accept a stretch</source>
        <translation>Stelle annehmen</translation>
    </message>
    <message>
        <source>Action units</source>
        <translation>Action Units</translation>
    </message>
    <message>
        <source>Butterworth</source>
        <translation>Butterworth</translation>
    </message>
    <message>
        <source>Butterworth, no lag</source>
        <translation>Butterworth, ohne Verzug</translation>
    </message>
    <message>
        <source>Change the limits of doubtful stretches</source>
        <translation>Grenzen zweifelhafter Stellen ändern</translation>
    </message>
    <message>
        <source>ConvLSTM</source>
        <translation>ConvLSTM</translation>
    </message>
    <message>
        <source>Curve</source>
        <translation>Kurve</translation>
    </message>
    <message>
        <source>Cut-off</source>
        <translation>Grenzfrequenz</translation>
    </message>
    <message>
        <source>Cut-off at rest</source>
        <translation>Grenzfrequenz in Ruhe</translation>
    </message>
    <message>
        <source>Cut-off frequency at rest: lower is stiller, and later.</source>
        <translation>Grenzfrequenz in Ruhe: Kleiner ist ruhiger, aber mit mehr Verzug.</translation>
    </message>
    <message>
        <source>Cut-off frequency of the low-pass filter of the speed.</source>
        <translation>Grenzfrequenz des Tiefpasses der Geschwindigkeit.</translation>
    </message>
    <message>
        <source>Cut-off frequency: lower is stiller, but fast motion is lost.</source>
        <translation>Grenzfrequenz: Kleiner ist ruhiger, aber schnelle Bewegung geht verloren.</translation>
    </message>
    <message>
        <source>Cut-off of the speed</source>
        <translation>Grenzfrequenz der Geschw.</translation>
    </message>
    <message>
        <source>Dead zone</source>
        <translation>Totzone</translation>
    </message>
    <message>
        <source>Direction of an eye</source>
        <translation>Richtung eines Auges</translation>
    </message>
    <message>
        <source>Exclude a stretch</source>
        <translation>Stelle ausschließen</translation>
    </message>
    <message>
        <source>Exponent: above 1, weak expressions become weaker; below 1, stronger.</source>
        <translation>Exponent: Über 1 wird schwache Mimik schwächer, unter 1 stärker.</translation>
    </message>
    <message>
        <source>Expressions</source>
        <translation>Mimik</translation>
    </message>
    <message>
        <source>Expressions and head rotation for Unreal, Blender and Maya, a file per face.</source>
        <translation>Mimik und Kopfdrehung für Unreal, Blender und Maya, je Gesicht eine Datei.</translation>
    </message>
    <message>
        <source>Expressions and head rotation of the first face, as the Live Link Face app sends them, for Unreal and add-ons of Blender.</source>
        <translation>Mimik und Kopfdrehung des ersten Gesichts, wie die App Live Link Face sie sendet, für Unreal und Add-ons von Blender.</translation>
    </message>
    <message>
        <source>Factor of the strength. Results above 1 are 1.</source>
        <translation>Faktor der Stärke. Ergebnisse über 1 werden 1.</translation>
    </message>
    <message>
        <source>Frames are being tracked again: wait until it is done.</source>
        <translation>Bilder werden gerade neu verfolgt: Warten Sie, bis das fertig ist.</translation>
    </message>
    <message>
        <source>Frames in which another face covers more of this one, so that the two may exchange their numbers.</source>
        <translation>Bilder, in denen ein anderes Gesicht mehr von diesem verdeckt, sodass beide ihre Nummern tauschen können.</translation>
    </message>
    <message>
        <source>Frames in which more landmarks have a score below 0.6.</source>
        <translation>Bilder, in denen mehr Landmarken eine Konfidenz unter 0,6 haben.</translation>
    </message>
    <message>
        <source>Frames in which the landmarks jump further from the frame before, in % of the eye distance, while they move little before and after.</source>
        <translation>Bilder, in denen die Landmarken gegenüber dem Bild davor weiter springen, in % des Augenabstands, während sie sich vorher und nachher wenig bewegen.</translation>
    </message>
    <message>
        <source>Frames in which the median score of the landmarks is lower.</source>
        <translation>Bilder, in denen der Median der Konfidenz der Landmarken kleiner ist.</translation>
    </message>
    <message>
        <source>Frames in which the stabilizer moves the landmarks further, in % of the eye distance.</source>
        <translation>Bilder, in denen der Stabilisator die Landmarken weiter verschiebt, in % des Augenabstands.</translation>
    </message>
    <message>
        <source>Frames in which the yaw or the pitch of the head is larger.</source>
        <translation>Bilder, in denen der Kopf weiter gedreht oder genickt ist.</translation>
    </message>
    <message>
        <source>Frames {first} to {last} are as they were: {fault}</source>
        <translation>Die Bilder {first} bis {last} sind, wie sie waren: {fault}</translation>
    </message>
    <message>
        <source>Frames {first} to {last} are tracked again. Until then, they are as they were.</source>
        <translation>Die Bilder {first} bis {last} werden neu verfolgt. Bis dahin sind sie, wie sie waren.</translation>
    </message>
    <message>
        <source>Gain</source>
        <translation>Verstärkung</translation>
    </message>
    <message>
        <source>Gaze</source>
        <translation>Blick</translation>
    </message>
    <message>
        <source>Head pose</source>
        <translation>Haltung</translation>
    </message>
    <message>
        <source>Head turned by more than</source>
        <translation>Kopf gedreht um mehr als</translation>
    </message>
    <message>
        <source>Hidden landmarks above</source>
        <translation>Verdeckte Landmarken über</translation>
    </message>
    <message>
        <source>How fast the cut-off frequency rises with speed: higher means less lag when the face moves.</source>
        <translation>Wie schnell die Grenzfrequenz mit der Geschwindigkeit steigt: Größer heißt weniger Verzug, wenn das Gesicht sich bewegt.</translation>
    </message>
    <message>
        <source>How the movement of the head is sent.</source>
        <translation>Wie die Bewegung des Kopfes gesendet wird.</translation>
    </message>
    <message>
        <source>Include a stretch again</source>
        <translation>Stelle wieder einschließen</translation>
    </message>
    <message>
        <source>Jump of more than</source>
        <translation>Sprung um mehr als</translation>
    </message>
    <message>
        <source>Live Link Face</source>
        <translation>Live Link Face</translation>
    </message>
    <message>
        <source>Mean of both eyes; both angles are 0 if the eyes look into the camera</source>
        <translation>Mittel beider Augen; beide Winkel sind 0, wenn die Augen in die Kamera schauen</translation>
    </message>
    <message>
        <source>MediaPipe is not installed: &apos;pip install steadymark[mediapipe]&apos;, or use another model</source>
        <translation>MediaPipe ist nicht installiert: „pip install steadymark[mediapipe]“, oder nehmen Sie ein anderes Modell</translation>
    </message>
    <message>
        <source>Millimetres to the right, down and away from the camera; exact only if the focal length is correct</source>
        <translation>Millimeter von der Achse der Kamera nach rechts und unten und von der Kamera weg; nur richtig, wenn es die Brennweite ist</translation>
    </message>
    <message>
        <source>Missing for more than</source>
        <translation>Fehlt länger als</translation>
    </message>
    <message>
        <source>Names of the blend shapes that the avatar has.</source>
        <translation>Namen der Blendshapes, die der Avatar hat.</translation>
    </message>
    <message>
        <source>No face is seen: sit before the camera</source>
        <translation>Kein Gesicht ist zu sehen: Setzen Sie sich vor die Kamera</translation>
    </message>
    <message>
        <source>No face was found in {name} (1 frame).</source>
        <translation>In {name} wurde kein Gesicht gefunden (1 Bild).</translation>
    </message>
    <message>
        <source>No face was found in {name} ({count} frames).</source>
        <translation>In {name} wurde kein Gesicht gefunden ({count} Bilder).</translation>
    </message>
    <message>
        <source>One Euro</source>
        <translation>One Euro</translation>
    </message>
    <message>
        <source>One Euro filter</source>
        <translation>One-Euro-Filter</translation>
    </message>
    <message>
        <source>Open a recording first.</source>
        <translation>Öffnen Sie zuerst eine Aufnahme.</translation>
    </message>
    <message>
        <source>Open a recording first: corrections belong to a recording.</source>
        <translation>Öffnen Sie zuerst eine Aufnahme: Korrekturen gehören zu einer Aufnahme.</translation>
    </message>
    <message>
        <source>Open a stretch again</source>
        <translation>Stelle wieder öffnen</translation>
    </message>
    <message>
        <source>Optical flow moves the known landmarks of any model, and a small recurrent network weighs them against those that the model finds.</source>
        <translation>Optischer Fluss bewegt die bekannten Punkte jedes Modells, und ein kleines rekurrentes Netz wägt sie gegen die ab, die das Modell findet.</translation>
    </message>
    <message>
        <source>Order</source>
        <translation>Ordnung</translation>
    </message>
    <message>
        <source>Order of the filter: higher cuts off more sharply.</source>
        <translation>Ordnung des Filters: Größer trennt schärfer.</translation>
    </message>
    <message>
        <source>Overlap of two faces above</source>
        <translation>Überlappung zweier Gesichter über</translation>
    </message>
    <message>
        <source>Parquet needs pyarrow, which is not installed: pip install pyarrow, or name a file that ends in .csv</source>
        <translation>Parquet braucht pyarrow, das nicht installiert ist: pip install pyarrow, oder nennen Sie eine Datei, die auf .csv endet</translation>
    </message>
    <message>
        <source>Pause of the video above</source>
        <translation>Pause des Videos über</translation>
    </message>
    <message>
        <source>Pitch (down), yaw (to the left of the picture) and roll (clockwise)</source>
        <translation>Nicken (abwärts), Drehen (zur linken Bildseite) und Neigen (im Uhrzeigersinn)</translation>
    </message>
    <message>
        <source>Places at which frames of the video are missing, since they are damaged or were not recorded.</source>
        <translation>Stellen, an denen Bilder des Videos fehlen, weil sie beschädigt sind oder nicht aufgenommen wurden.</translation>
    </message>
    <message>
        <source>Position</source>
        <translation>Ort</translation>
    </message>
    <message>
        <source>Pupil</source>
        <translation>Pupille</translation>
    </message>
    <message>
        <source>Pupils</source>
        <translation>Pupillen</translation>
    </message>
    <message>
        <source>Raw and stabilized apart by more than</source>
        <translation>Roh und stabilisiert auseinander um mehr als</translation>
    </message>
    <message>
        <source>Results of {table} are shown; they were not tracked here.</source>
        <translation>Ergebnisse aus {table} werden gezeigt; sie wurden nicht hier verfolgt.</translation>
    </message>
    <message>
        <source>Score below</source>
        <translation>Konfidenz unter</translation>
    </message>
    <message>
        <source>Score of the pupil</source>
        <translation>Konfidenz der Pupille</translation>
    </message>
    <message>
        <source>Several faces are seen: only one person can be calibrated</source>
        <translation>Mehrere Gesichter sind zu sehen: Nur eine Person kann kalibriert werden</translation>
    </message>
    <message>
        <source>Shapes</source>
        <translation>Blendshapes</translation>
    </message>
    <message>
        <source>Some faces of {table} lie outside the picture of {video} ({width} × {height} pixels): the table may be of another video.</source>
        <translation>Einige Gesichter aus {table} liegen außerhalb des Bildes von {video} ({width} × {height} Pixel): Die Tabelle kann zu einem anderen Video gehören.</translation>
    </message>
    <message>
        <source>Strengths up to this one become 0, and the others begin there.</source>
        <translation>Stärken bis zu dieser werden 0, und die übrigen beginnen dort.</translation>
    </message>
    <message>
        <source>The centres of the pupils; right and left are the person&apos;s</source>
        <translation>Die Mitten der Pupillen; rechts und links von der Person aus</translation>
    </message>
    <message>
        <source>The eyes are not seen: look at the point with open eyes</source>
        <translation>Die Augen sind nicht zu sehen: Sehen Sie mit offenen Augen auf den Punkt</translation>
    </message>
    <message>
        <source>The face is never followed for half a second.</source>
        <translation>Das Gesicht wird nie eine halbe Sekunde lang verfolgt.</translation>
    </message>
    <message>
        <source>The gaze is not steady yet: keep looking at the point</source>
        <translation>Der Blick ist noch nicht ruhig: Sehen Sie weiter auf den Punkt</translation>
    </message>
    <message>
        <source>The landmarks stay as the model finds them.</source>
        <translation>Die Punkte bleiben, wie das Modell sie findet.</translation>
    </message>
    <message>
        <source>The model&apos;s own stabilizer if it has one, otherwise flow.</source>
        <translation>Die eigene Stabilisierung des Modells, wenn es eine hat, sonst Flow.</translation>
    </message>
    <message>
        <source>The project is not saved, and is kept in memory: {fault}</source>
        <translation>Das Projekt ist nicht gespeichert und bleibt im Arbeitsspeicher: {fault}</translation>
    </message>
    <message>
        <source>The project is saved again.</source>
        <translation>Das Projekt wird wieder gespeichert.</translation>
    </message>
    <message>
        <source>The strongest action units of FACS, with intensities from 0 to 5</source>
        <translation>Die stärksten Action Units von FACS, mit Intensitäten von 0 bis 5</translation>
    </message>
    <message>
        <source>The strongest of ARKit&apos;s 52 face shapes, from 0 to 1</source>
        <translation>Die stärksten der 52 Gesichtsformen von ARKit, von 0 bis 1</translation>
    </message>
    <message>
        <source>The table of the project cannot be used, so the video is tracked: {fault}</source>
        <translation>Die Tabelle des Projekts kann nicht verwendet werden, deshalb wird das Video verfolgt: {fault}</translation>
    </message>
    <message>
        <source>The times of {table} and {video} differ by {apart:.2f} s: the table may be of another video.</source>
        <translation>Die Zeiten von {table} und {video} weichen um {apart:.2f} s voneinander ab: Die Tabelle kann zu einem anderen Video gehören.</translation>
    </message>
    <message>
        <source>The video has {fps:.3g} frames per second; {least:.0f} are needed.</source>
        <translation>Das Video hat {fps:.3g} Bilder je Sekunde; nötig sind {least:.0f}.</translation>
    </message>
    <message>
        <source>There is no frame to track after this one.</source>
        <translation>Nach diesem Bild gibt es keines zu verfolgen.</translation>
    </message>
    <message>
        <source>There is no tracked face in this frame.</source>
        <translation>In diesem Bild ist kein verfolgtes Gesicht.</translation>
    </message>
    <message>
        <source>These images are tracked independently of each other.</source>
        <translation>Diese Bilder werden unabhängig voneinander verfolgt.</translation>
    </message>
    <message>
        <source>VRM (eyelids and vowels)</source>
        <translation>VRM (Lider und Vokale)</translation>
    </message>
    <message>
        <source>Wait until all frames are processed.</source>
        <translation>Warten Sie, bis alle Bilder verarbeitet sind.</translation>
    </message>
    <message>
        <source>a calibration needs {fewest} points or more at which the gaze is known, not {count}: look at more points, with both eyes visible</source>
        <translation>Eine Kalibrierung braucht mindestens {fewest} Punkte, an denen der Blick bekannt ist, nicht {count}: Schauen Sie auf mehr Punkte, mit beiden Augen im Bild</translation>
    </message>
    <message>
        <source>a lane needs a name</source>
        <translation>eine Spur braucht einen Namen</translation>
    </message>
    <message>
        <source>a number is too large</source>
        <translation>eine Zahl ist zu groß</translation>
    </message>
    <message>
        <source>a row cannot be read as numbers</source>
        <translation>eine Zeile lässt sich nicht als Zahlen lesen</translation>
    </message>
    <message>
        <source>a video is rotated by 0, 90, 180 or 270 degrees, not by {given}</source>
        <translation>ein Video wird um 0, 90, 180 oder 270 Grad gedreht, nicht um {given}</translation>
    </message>
    <message>
        <source>add the lane &apos;{lane}&apos;</source>
        <translation>Spur „{lane}“ hinzufügen</translation>
    </message>
    <message>
        <source>an annotation from {start:g} s to {end:g} s is not possible: it must end after it starts</source>
        <translation>eine Annotation von {start:g} s bis {end:g} s ist nicht möglich: Sie muss nach ihrem Anfang enden</translation>
    </message>
    <message>
        <source>and 1 more place</source>
        <translation>und an 1 weiteren Stelle</translation>
    </message>
    <message>
        <source>angle, °</source>
        <translation>Winkel, °</translation>
    </message>
    <message>
        <source>animation for Live Link Face (CSV)</source>
        <translation>Animation für Live Link Face (CSV)</translation>
    </message>
    <message>
        <source>another face overlaps by {percent:.0f} %</source>
        <translation>ein anderes Gesicht überlappt um {percent:.0f} %</translation>
    </message>
    <message>
        <source>another person is called {name} already: merge the two, or choose another name</source>
        <translation>eine andere Person heißt schon {name}: Vereinen Sie beide, oder wählen Sie einen anderen Namen</translation>
    </message>
    <message>
        <source>as a virtual tracker</source>
        <translation>als virtueller Tracker</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>automatisch</translation>
    </message>
    <message>
        <source>blink</source>
        <translation>Blinzeln</translation>
    </message>
    <message>
        <source>brow lowerer</source>
        <translation>Brauen senken</translation>
    </message>
    <message>
        <source>calibrate the gaze</source>
        <translation>Blick kalibrieren</translation>
    </message>
    <message>
        <source>cannot read the annotations in {path}: {error}</source>
        <translation>die Annotationen in {path} sind nicht lesbar: {error}</translation>
    </message>
    <message>
        <source>change in &apos;{lane}&apos;</source>
        <translation>Änderung in „{lane}“</translation>
    </message>
    <message>
        <source>change the lane &apos;{lane}&apos;</source>
        <translation>Spur „{lane}“ ändern</translation>
    </message>
    <message>
        <source>cheek raiser</source>
        <translation>Wangen heben</translation>
    </message>
    <message>
        <source>chin raiser</source>
        <translation>Kinn heben</translation>
    </message>
    <message>
        <source>choose the neutral face</source>
        <translation>Neutrales Gesicht wählen</translation>
    </message>
    <message>
        <source>correct frame {frame}</source>
        <translation>Bild {frame} korrigieren</translation>
    </message>
    <message>
        <source>delete in &apos;{lane}&apos;</source>
        <translation>Löschen in „{lane}“</translation>
    </message>
    <message>
        <source>delete the lane &apos;{lane}&apos;</source>
        <translation>Spur „{lane}“ entfernen</translation>
    </message>
    <message>
        <source>dimpler</source>
        <translation>Grübchen</translation>
    </message>
    <message>
        <source>doubtful stretches cannot be found ({fault})</source>
        <translation>Zweifelhafte Stellen lassen sich nicht finden ({fault})</translation>
    </message>
    <message>
        <source>down</source>
        <translation>nach unten</translation>
    </message>
    <message>
        <source>downwards</source>
        <translation>nach unten</translation>
    </message>
    <message>
        <source>event in &apos;{lane}&apos;</source>
        <translation>Ereignis in „{lane}“</translation>
    </message>
    <message>
        <source>exclude</source>
        <translation>ausschließen</translation>
    </message>
    <message>
        <source>expression</source>
        <translation>Mimik</translation>
    </message>
    <message>
        <source>face not found</source>
        <translation>Gesicht nicht gefunden</translation>
    </message>
    <message>
        <source>flow</source>
        <translation>Flow</translation>
    </message>
    <message>
        <source>forget the neutral face</source>
        <translation>Wahl des neutralen Gesichts aufheben</translation>
    </message>
    <message>
        <source>frame {frame} cannot be read any more</source>
        <translation>Bild {frame} lässt sich nicht mehr lesen</translation>
    </message>
    <message>
        <source>frames are missing for {seconds:.2f} s</source>
        <translation>{seconds:.2f} s lang fehlen Bilder</translation>
    </message>
    <message>
        <source>frames missing</source>
        <translation>Bilder fehlen</translation>
    </message>
    <message>
        <source>gaze, °</source>
        <translation>Blick, °</translation>
    </message>
    <message>
        <source>head turned by {degrees:.0f}°</source>
        <translation>Kopf um {degrees:.0f}° gedreht</translation>
    </message>
    <message>
        <source>head turned far</source>
        <translation>Kopf weit gedreht</translation>
    </message>
    <message>
        <source>hidden landmarks</source>
        <translation>verdeckte Landmarken</translation>
    </message>
    <message>
        <source>identity uncertain</source>
        <translation>Identität unsicher</translation>
    </message>
    <message>
        <source>import {file}</source>
        <translation>{file} importieren</translation>
    </message>
    <message>
        <source>inner brow raiser</source>
        <translation>innere Brauen heben</translation>
    </message>
    <message>
        <source>intensity</source>
        <translation>Intensität</translation>
    </message>
    <message>
        <source>interval in &apos;{lane}&apos;</source>
        <translation>Intervall in „{lane}“</translation>
    </message>
    <message>
        <source>it has no name</source>
        <translation>sie hat keinen Namen</translation>
    </message>
    <message>
        <source>it is cut off: how much is missing is not known</source>
        <translation>sie ist abgeschnitten: wie viel fehlt, ist nicht bekannt</translation>
    </message>
    <message>
        <source>it is cut off: it ends at {time} instead of {end} ({percent:.1f} %)</source>
        <translation>sie ist abgeschnitten: sie endet bei {time} statt bei {end} ({percent:.1f} %)</translation>
    </message>
    <message>
        <source>it is cut off: {there} of its {count} frames are there ({percent:.1f} %)</source>
        <translation>sie ist abgeschnitten: {there} ihrer {count} Bilder sind vorhanden ({percent:.1f} %)</translation>
    </message>
    <message>
        <source>it is interlaced: --deinterlace avoids combed edges where faces move</source>
        <translation>sie besteht aus Halbbildern: --deinterlace vermeidet Kammkanten, wo sich Gesichter bewegen</translation>
    </message>
    <message>
        <source>it is not a file of ELAN</source>
        <translation>sie ist keine Datei von ELAN</translation>
    </message>
    <message>
        <source>it is not a table with tabs</source>
        <translation>sie ist keine Tabelle mit Tabulatoren</translation>
    </message>
    <message>
        <source>it is not text in UTF-8</source>
        <translation>sie ist kein Text in UTF-8</translation>
    </message>
    <message>
        <source>it sends single images: {rate:g} are asked for per second</source>
        <translation>sie sendet einzelne Bilder: {rate:g} werden je Sekunde abgefragt</translation>
    </message>
    <message>
        <source>its name is not valid</source>
        <translation>sein Name ist nicht gültig</translation>
    </message>
    <message>
        <source>its point_scores are {value}</source>
        <translation>seine point_scores sind {value}</translation>
    </message>
    <message>
        <source>its rows are not numbers</source>
        <translation>seine Zeilen sind keine Zahlen</translation>
    </message>
    <message>
        <source>jaw</source>
        <translation>Kiefer</translation>
    </message>
    <message>
        <source>jaw drop</source>
        <translation>Kiefer gesenkt</translation>
    </message>
    <message>
        <source>jump</source>
        <translation>Sprung</translation>
    </message>
    <message>
        <source>jump by {percent:.0f} % of the eye distance</source>
        <translation>Sprung um {percent:.0f} % des Augenabstands</translation>
    </message>
    <message>
        <source>left</source>
        <translation>links</translation>
    </message>
    <message>
        <source>left eyelid</source>
        <translation>linkes Lid</translation>
    </message>
    <message>
        <source>lid tightener</source>
        <translation>Lider anspannen</translation>
    </message>
    <message>
        <source>line 1: neither a Steadymark file (&apos;{magic} {format}&apos;) nor the names of its columns (&apos;frame,face_id,timestamp_s,…&apos;) or of OpenFace&apos;s (&apos;frame, face_id, timestamp, …&apos;): save the table as CSV with the names of its columns in the first line</source>
        <translation>Zeile 1: weder eine Steadymark-Datei (&apos;{magic} {format}&apos;) noch ihre Spaltennamen (&apos;frame,face_id,timestamp_s,…&apos;) noch die von OpenFace (&apos;frame, face_id, timestamp, …&apos;): speichern Sie die Tabelle als CSV mit den Spaltennamen in der ersten Zeile</translation>
    </message>
    <message>
        <source>line 1: the file is not UTF-8: save it as &apos;CSV UTF-8&apos;</source>
        <translation>Zeile 1: die Datei ist nicht UTF-8: speichern Sie sie als &apos;CSV UTF-8&apos;</translation>
    </message>
    <message>
        <source>line 2: the header is not &apos;# &apos; and JSON</source>
        <translation>Zeile 2: Der Kopf ist nicht „# “ und JSON</translation>
    </message>
    <message>
        <source>line {line}</source>
        <translation>Zeile {line}</translation>
    </message>
    <message>
        <source>line {line}: it is not a file of ELAN</source>
        <translation>Zeile {line}: Sie ist keine Datei von ELAN</translation>
    </message>
    <message>
        <source>line {number} has 1 field, but there are {columns} columns</source>
        <translation>Zeile {number} hat 1 Feld, es gibt aber {columns} Spalten</translation>
    </message>
    <message>
        <source>line {number}, &apos;{given}&apos; is not a number</source>
        <translation>Zeile {number}, „{given}“ ist keine Zahl</translation>
    </message>
    <message>
        <source>lip corner depressor</source>
        <translation>Mundwinkel senken</translation>
    </message>
    <message>
        <source>lip corner puller</source>
        <translation>Mundwinkel heben</translation>
    </message>
    <message>
        <source>lip stretcher</source>
        <translation>Lippen strecken</translation>
    </message>
    <message>
        <source>lip suck</source>
        <translation>Lippen einziehen</translation>
    </message>
    <message>
        <source>lip tightener</source>
        <translation>Lippen anspannen</translation>
    </message>
    <message>
        <source>lips part</source>
        <translation>Lippen öffnen</translation>
    </message>
    <message>
        <source>low score</source>
        <translation>kleine Konfidenz</translation>
    </message>
    <message>
        <source>merge persons</source>
        <translation>Personen zusammenfassen</translation>
    </message>
    <message>
        <source>most landmarks are guesses (median score {score:.2f})</source>
        <translation>die meisten Landmarken sind geraten (mittlere Konfidenz {score:.2f})</translation>
    </message>
    <message>
        <source>moves the avatar</source>
        <translation>bewegt den Avatar</translation>
    </message>
    <message>
        <source>name the person</source>
        <translation>Person benennen</translation>
    </message>
    <message>
        <source>neutral</source>
        <translation>neutral</translation>
    </message>
    <message>
        <source>no action unit</source>
        <translation>keine Action Unit</translation>
    </message>
    <message>
        <source>no face attribute is drawn as &apos;{name}&apos;: choose one of {known}</source>
        <translation>Kein Gesichtsmerkmal wird als „{name}“ gezeichnet: Zur Wahl stehen {known}</translation>
    </message>
    <message>
        <source>no frame has been processed yet</source>
        <translation>noch ist kein Bild verarbeitet</translation>
    </message>
    <message>
        <source>no gaze is known at the points: choose moments in which the eyes are open and visible</source>
        <translation>an den Punkten ist kein Blick bekannt: Wählen Sie Augenblicke, in denen die Augen offen und sichtbar sind</translation>
    </message>
    <message>
        <source>no recording is open: open the recording of the person</source>
        <translation>keine Aufnahme ist geöffnet: Öffnen Sie die Aufnahme der Person</translation>
    </message>
    <message>
        <source>none of the finished videos of the queue has ground truth beside it</source>
        <translation>neben keinem der fertigen Videos der Warteschlange liegt eine Referenz</translation>
    </message>
    <message>
        <source>nose wrinkler</source>
        <translation>Nase rümpfen</translation>
    </message>
    <message>
        <source>not found for {seconds:.2f} s</source>
        <translation>{seconds:.2f} s lang nicht gefunden</translation>
    </message>
    <message>
        <source>not sent</source>
        <translation>nicht gesendet</translation>
    </message>
    <message>
        <source>nothing can be exported: the table has no rows</source>
        <translation>es kann nichts exportiert werden: Die Tabelle hat keine Zeilen</translation>
    </message>
    <message>
        <source>nothing is left to export: everything is excluded or outside the part</source>
        <translation>Es bleibt nichts zu exportieren: Alles ist ausgeschlossen oder liegt außerhalb des Bereichs</translation>
    </message>
    <message>
        <source>nothing is left to export: no face was found</source>
        <translation>Es gibt nichts zu exportieren: Es wurde kein Gesicht gefunden</translation>
    </message>
    <message>
        <source>outer brow raiser</source>
        <translation>äußere Brauen heben</translation>
    </message>
    <message>
        <source>people cannot be listed ({fault})</source>
        <translation>Die Personen können nicht aufgelistet werden ({fault})</translation>
    </message>
    <message>
        <source>person {name} has two faces in a frame: undo the merge, or export one row for each face</source>
        <translation>Person {name} hat in einem Bild zwei Gesichter: Machen Sie das Zusammenführen rückgängig oder exportieren Sie eine Zeile je Gesicht</translation>
    </message>
    <message>
        <source>person {number} cannot be merged with itself</source>
        <translation>Person {number} kann nicht mit sich selbst vereint werden</translation>
    </message>
    <message>
        <source>person {number} cannot be split at frame {frame}: choose a later frame</source>
        <translation>Person {number} kann bei Bild {frame} nicht geteilt werden: Wählen Sie ein späteres Bild</translation>
    </message>
    <message>
        <source>persons {one} and {other} cannot be exchanged from frame {first} on</source>
        <translation>die Personen {one} und {other} können ab Bild {first} nicht getauscht werden</translation>
    </message>
    <message>
        <source>pitch</source>
        <translation>Nicken</translation>
    </message>
    <message>
        <source>raw and stabilized apart</source>
        <translation>roh und stabil entfernt</translation>
    </message>
    <message>
        <source>raw and stabilized landmarks lie {percent:.1f} % of the eye distance apart</source>
        <translation>rohe und stabilisierte Landmarken liegen {percent:.1f} % des Augenabstands auseinander</translation>
    </message>
    <message>
        <source>raw and stabilized {percent:.1f} % apart</source>
        <translation>roh und stabilisiert {percent:.1f} % auseinander</translation>
    </message>
    <message>
        <source>refinement</source>
        <translation>Verfeinerung</translation>
    </message>
    <message>
        <source>remove the correction of frame {frame}</source>
        <translation>Korrektur von Bild {frame} entfernen</translation>
    </message>
    <message>
        <source>remove the gaze calibration</source>
        <translation>Blickkalibrierung entfernen</translation>
    </message>
    <message>
        <source>right</source>
        <translation>rechts</translation>
    </message>
    <message>
        <source>roll</source>
        <translation>Neigen</translation>
    </message>
    <message>
        <source>score {value:.2f}</source>
        <translation>Konfidenz {value:.2f}</translation>
    </message>
    <message>
        <source>sideways</source>
        <translation>seitlich</translation>
    </message>
    <message>
        <source>smile</source>
        <translation>Lächeln</translation>
    </message>
    <message>
        <source>span of the correction of frame {frame}</source>
        <translation>Reichweite der Korrektur von Bild {frame}</translation>
    </message>
    <message>
        <source>split the person</source>
        <translation>Person teilen</translation>
    </message>
    <message>
        <source>swap two persons</source>
        <translation>Zwei Personen tauschen</translation>
    </message>
    <message>
        <source>temporal refinement</source>
        <translation>zeitliche Verfeinerung</translation>
    </message>
    <message>
        <source>the data are no packet of Live Link Face with a face</source>
        <translation>Die Daten sind kein Paket von Live Link Face mit einem Gesicht</translation>
    </message>
    <message>
        <source>the drawing &apos;{name}&apos; has the name of another command</source>
        <translation>Die Zeichnung „{name}“ heißt wie ein anderer Befehl</translation>
    </message>
    <message>
        <source>the face attribute &apos;{name}&apos; cannot be computed ({kind}: {error})</source>
        <translation>Das Gesichtsmerkmal „{name}“ lässt sich nicht berechnen ({kind}: {error})</translation>
    </message>
    <message>
        <source>the face attributes &apos;{entry}&apos; and &apos;{other}&apos; share the name &apos;{name}&apos;</source>
        <translation>Die Gesichtsmerkmale „{entry}“ und „{other}“ haben beide den Namen „{name}“</translation>
    </message>
    <message>
        <source>the face is found and its landmarks are certain; jitter is not known</source>
        <translation>das Gesicht ist gefunden, seine Landmarken sind sicher; der Jitter ist nicht bekannt</translation>
    </message>
    <message>
        <source>the face is found, and its landmarks are certain and steady</source>
        <translation>das Gesicht ist gefunden, seine Landmarken sind sicher und ruhig</translation>
    </message>
    <message>
        <source>the file was cut off</source>
        <translation>die Datei ist abgeschnitten</translation>
    </message>
    <message>
        <source>the first line lacks {columns}</source>
        <translation>in der ersten Zeile fehlt {columns}</translation>
    </message>
    <message>
        <source>the folder of presets {folder} cannot be created: {reason}</source>
        <translation>Der Ordner der Voreinstellungen {folder} kann nicht angelegt werden: {reason}</translation>
    </message>
    <message>
        <source>the follower &apos;{follower}&apos; has landmarks of {theirs}, but &apos;{name}&apos; those of {ours}: name another follower in the model card</source>
        <translation>Das Folgemodell „{follower}“ hat Landmarken von {theirs}, „{name}“ aber die von {ours}: Nennen Sie in der Modellkarte ein anderes Folgemodell</translation>
    </message>
    <message>
        <source>the images are deinterlaced, as requested</source>
        <translation>die Halbbilder werden wie gewünscht zusammengesetzt</translation>
    </message>
    <message>
        <source>the images are rotated by {degrees}°, as requested</source>
        <translation>die Bilder werden wie gewünscht um {degrees}° gedreht</translation>
    </message>
    <message>
        <source>the key {key} belongs to the lane &apos;{name}&apos;</source>
        <translation>die Taste {key} gehört zur Spur „{name}“</translation>
    </message>
    <message>
        <source>the landmarks are uncertain (median score {score:.2f})</source>
        <translation>die Landmarken sind unsicher (mittlere Konfidenz {score:.2f})</translation>
    </message>
    <message>
        <source>the lane &apos;exclude&apos; cannot be removed: remove its intervals instead</source>
        <translation>die Spur „ausschließen“ kann nicht entfernt werden: Entfernen Sie stattdessen ihre Intervalle</translation>
    </message>
    <message>
        <source>the lane &apos;exclude&apos; keeps its name: exports leave out what is in it</source>
        <translation>die Spur „ausschließen“ behält ihren Namen: Exporte lassen aus, was in ihr ist</translation>
    </message>
    <message>
        <source>the lanes must have different names, and one must be &apos;exclude&apos;</source>
        <translation>die Spuren müssen verschiedene Namen haben, und eine muss „exclude“ heißen</translation>
    </message>
    <message>
        <source>the model card of {path} has typical scores of {given} landmarks, but the network has {count}: fit its scores again with &apos;steadymark-train calibrate-scores&apos;</source>
        <translation>Die Modellkarte von {path} enthält typische Konfidenzen von {given} Landmarken, aber das Netz hat {count}: Passen Sie seine Konfidenzen mit „steadymark-train calibrate-scores“ neu an</translation>
    </message>
    <message>
        <source>the name of expression settings has 1 to {most} printable characters</source>
        <translation>Der Name von Mimik-Einstellungen hat 1 bis {most} druckbare Zeichen</translation>
    </message>
    <message>
        <source>the points need a correction that no person has (offset {offset:.0f}°, gain {gain:.2f}): check their times, and the signs and axes of their places</source>
        <translation>Die Punkte brauchen eine Korrektur, die kein Mensch hat (Versatz {offset:.0f}°, Faktor {gain:.2f}): Prüfen Sie ihre Zeiten sowie Vorzeichen und Achsen ihrer Orte</translation>
    </message>
    <message>
        <source>the preset {path} cannot be deleted: {reason}</source>
        <translation>Die Voreinstellung {path} kann nicht gelöscht werden: {reason}</translation>
    </message>
    <message>
        <source>the project of {video} was made for a video of {made} pixels, and this one has {found}: put the project beside the video that it belongs to</source>
        <translation>Das Projekt zu {video} wurde für ein Video mit {made} Pixeln gemacht, dieses hat {found}: Legen Sie das Projekt neben das Video, zu dem es gehört</translation>
    </message>
    <message>
        <source>the pupils cannot be found (--no-pupils tracks without them): {fault}</source>
        <translation>Die Pupillen können nicht gefunden werden (--no-pupils verfolgt ohne sie): {fault}</translation>
    </message>
    <message>
        <source>the results of {path} would have the name of the file of a further face in {other}: track them into different folders</source>
        <translation>Die Ergebnisse von {path} hätten den Namen der Datei eines weiteren Gesichts in {other}: Verfolgen Sie sie in verschiedene Ordner</translation>
    </message>
    <message>
        <source>the stabilized landmarks tremble or the face moves very fast ({percent:.1f} % of the eye distance, faster than 5 Hz)</source>
        <translation>die stabilisierten Landmarken zittern, oder das Gesicht bewegt sich sehr schnell ({percent:.1f} % des Augenabstands, schneller als 5 Hz)</translation>
    </message>
    <message>
        <source>the standard input is a pipe, and a video is read several times: write it into a file and track the file</source>
        <translation>die Standardeingabe ist eine Pipe, und ein Video wird mehrmals gelesen: schreiben Sie es in eine Datei und verfolgen Sie die Datei</translation>
    </message>
    <message>
        <source>the table has no gaze of the face {face_id}</source>
        <translation>Die Tabelle enthält keinen Blick von Gesicht {face_id}</translation>
    </message>
    <message>
        <source>the table has no gaze: track the video with this version, with its eyes visible</source>
        <translation>Die Tabelle enthält keinen Blick: Verfolgen Sie das Video mit dieser Version, mit sichtbaren Augen</translation>
    </message>
    <message>
        <source>the table has {count} landmarks, and it is not known which of them are the eye corners: track with a model whose schema is one of {known}</source>
        <translation>Die Tabelle hat {count} Landmarken, und es ist nicht bekannt, welche davon die Augenwinkel sind: Verfolgen Sie mit einem Modell, dessen Schema eines von diesen ist: {known}</translation>
    </message>
    <message>
        <source>the table was tracked with a gaze calibration: track the video again without one</source>
        <translation>Die Tabelle wurde mit einer Blick-Kalibrierung verfolgt: Verfolgen Sie das Video noch einmal ohne</translation>
    </message>
    <message>
        <source>the timestamps decrease in 1 place: the latest timestamp is kept there</source>
        <translation>die Zeitstempel nehmen an 1 Stelle ab: Dort gilt der späteste weiter</translation>
    </message>
    <message>
        <source>the {key} of &apos;{name}&apos; is no number</source>
        <translation>{key} von „{name}“ ist keine Zahl</translation>
    </message>
    <message>
        <source>there is no shape &apos;{name}&apos;</source>
        <translation>es gibt keine Blendshape „{name}“</translation>
    </message>
    <message>
        <source>to the left of the picture</source>
        <translation>nach links im Bild</translation>
    </message>
    <message>
        <source>to the right of the picture</source>
        <translation>nach rechts im Bild</translation>
    </message>
    <message>
        <source>upper lid raiser</source>
        <translation>Oberlider heben</translation>
    </message>
    <message>
        <source>upper lip raiser</source>
        <translation>Oberlippe heben</translation>
    </message>
    <message>
        <source>{found} settings for {wanted} shapes</source>
        <translation>{found} Einstellungen für {wanted} Blendshapes</translation>
    </message>
    <message>
        <source>{name} has no face in this frame</source>
        <translation>{name} hat in diesem Bild kein Gesicht</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}): check the name of the file of looked-at points</source>
        <translation>{path} kann nicht gelesen werden ({reason}): Prüfen Sie den Namen der Datei mit den angeblickten Punkten</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}): check the name of the gaze calibration</source>
        <translation>{path} lässt sich nicht lesen ({reason}): Prüfen Sie den Namen der Blick-Kalibrierung</translation>
    </message>
    <message>
        <source>{path} cannot be read: it must be a CSV file in UTF-8</source>
        <translation>{path} lässt sich nicht lesen: Es muss eine CSV-Datei in UTF-8 sein</translation>
    </message>
    <message>
        <source>{path} has no points</source>
        <translation>{path} enthält keine Punkte</translation>
    </message>
    <message>
        <source>{path} holds no expression settings ({reason}): correct it, or choose another file</source>
        <translation>{path} enthält keine Mimik-Einstellungen ({reason}): Berichtigen Sie die Datei, oder wählen Sie eine andere</translation>
    </message>
    <message>
        <source>{path} is no gaze calibration: make one with &apos;steadymark gaze-calibrate&apos;</source>
        <translation>{path} ist keine Blick-Kalibrierung: Erstellen Sie eine mit „steadymark gaze-calibrate“</translation>
    </message>
    <message>
        <source>{path} is not a pupil network: install Steadymark again, or restore the file</source>
        <translation>{path} ist kein Netz für Pupillen: Installieren Sie Steadymark neu, oder stellen Sie die Datei wieder her</translation>
    </message>
    <message>
        <source>{path} must have the columns start_s, end_s, and either x_mm, y_mm, z_mm or angle_x_deg, angle_y_deg</source>
        <translation>{path} braucht die Spalten start_s, end_s und entweder x_mm, y_mm, z_mm oder angle_x_deg, angle_y_deg</translation>
    </message>
    <message>
        <source>{path}, line {line}: &apos;{value}&apos; in the column {name} is no number</source>
        <translation>{path}, Zeile {line}: „{value}“ in der Spalte {name} ist keine Zahl</translation>
    </message>
    <message>
        <source>{path}, line {line}: end_s is not after start_s</source>
        <translation>{path}, Zeile {line}: end_s liegt nicht nach start_s</translation>
    </message>
    <message>
        <source>{side} not seen</source>
        <translation>{side} nicht zu sehen</translation>
    </message>
    <message>
        <source>{side} {x:.1f}, {y:.1f} px</source>
        <translation>{side} {x:.1f}; {y:.1f} px</translation>
    </message>
    <message>
        <source>{video} is not the file that {table} was made of: the landmarks may lie beside the face.</source>
        <translation>{video} ist nicht die Datei, aus der {table} entstand: Die Landmarken können neben dem Gesicht liegen.</translation>
    </message>
    <message>
        <source>the {kind} &apos;{name}&apos; is registered twice</source>
        <translation>{kind} „{name}“ ist doppelt angemeldet</translation>
    </message>
    <message>
        <source>there is a lane called &apos;{name}&apos; already</source>
        <translation>es gibt schon eine Spur namens „{name}“</translation>
    </message>
    <message>
        <source>there is no MediaPipe model file at &apos;{model_file}&apos;: give face_landmarker.task as mediapipe:FILE.task</source>
        <translation>unter „{model_file}“ gibt es keine MediaPipe-Modelldatei: geben Sie face_landmarker.task als mediapipe:DATEI.task an</translation>
    </message>
    <message>
        <source>there is no annotation {number}</source>
        <translation>es gibt keine Annotation {number}</translation>
    </message>
    <message>
        <source>there is no doubt called &apos;{name}&apos;: choose of {known}</source>
        <translation>es gibt keinen Zweifel namens „{name}“: Zur Wahl stehen {known}</translation>
    </message>
    <message>
        <source>there is no image for frame {index}</source>
        <translation>Für Bild {index} gibt es keine Bilddatei</translation>
    </message>
    <message>
        <source>there is no lane called &apos;{name}&apos;: there are {known}</source>
        <translation>es gibt keine Spur namens „{name}“: Es gibt {known}</translation>
    </message>
    <message>
        <source>tracking stopped after 1 frame: {error}</source>
        <translation>die Verfolgung endete nach 1 Bild: {error}</translation>
    </message>
    <message>
        <source>two annotations have the same number</source>
        <translation>zwei Annotationen haben dieselbe Nummer</translation>
    </message>
    <message>
        <source>unknown {kind} &apos;{name}&apos;: choose one of {known}</source>
        <translation>{kind} „{name}“ ist unbekannt: Wählen Sie {known}</translation>
    </message>
    <message>
        <source>uses a protocol that the installed FFmpeg lacks: use rtsp:// or http://</source>
        <translation>verwendet ein Protokoll, das dem installierten FFmpeg fehlt: verwenden Sie rtsp:// oder http://</translation>
    </message>
    <message>
        <source>{element} lacks {name}</source>
        <translation>in {element} fehlt {name}</translation>
    </message>
    <message>
        <source>{one} and {other} are not merged, because both are in frame {frame}: a person has one face</source>
        <translation>{one} und {other} werden nicht zusammengefasst, weil beide in Bild {frame} sind: Eine Person hat ein Gesicht</translation>
    </message>
    <message>
        <source>{path} is there already: choose another name, or delete it</source>
        <translation>{path} gibt es schon: Wählen Sie einen anderen Namen, oder löschen Sie die Datei</translation>
    </message>
    <message>
        <source>{place}: &apos;{text}&apos; is not a time</source>
        <translation>{place}: „{text}“ ist keine Zeit</translation>
    </message>
    <message>
        <source>{video} is not a recording: its frames cannot be read</source>
        <translation>{video} ist keine Aufnahme: Ihre Bilder lassen sich nicht lesen</translation>
    </message>
    <message>
        <source>{video} is not the file that {project} was made for: its annotations may be at other times</source>
        <translation>{video} ist nicht die Datei, für die {project} gemacht wurde: Die Annotationen können zu anderen Zeiten gehören</translation>
    </message>
    <message>
        <source>it requires a user and a password: http://user:password@host/…</source>
        <translation>verlangt Benutzer und Passwort: http://user:password@host/…</translation>
    </message>
    <message>
        <source>was there enough memory?</source>
        <translation>war genug Speicher da?</translation>
    </message>
    <message>
        <source>its video was drawn in another or unknown way: tracked again</source>
        <translation>was in das Video gezeichnet wurde, ist anders oder nicht bekannt: neu verfolgt</translation>
    </message>
    <message>
        <source>the tracked results of {source} do not fit this file: it has changed since; track it again</source>
        <translation>Was von {source} verfolgt wurde, passt nicht mehr zu dieser Datei: Sie wurde seither geändert; verfolgen Sie sie neu</translation>
    </message>
    <message>
        <source>wire type {number}</source>
        <translation>Wire-Typ {number}</translation>
    </message>
    <message>
        <source>writing {path} failed: {error}</source>
        <translation>{path} konnte nicht weiter geschrieben werden: {error}</translation>
    </message>
    <message>
        <source>yaw</source>
        <translation>Drehen</translation>
    </message>
    <message>
        <source>{count} damaged frames near {time} were kept as the decoder repaired them</source>
        <translation>{count} beschädigte Bilder wurden repariert behalten, bei {time}</translation>
    </message>
    <message>
        <source>{count} damaged frames were skipped near {time}</source>
        <translation>{count} beschädigte Bilder wurden übersprungen, bei {time}</translation>
    </message>
    <message>
        <source>{count} frames have no timestamp: they are placed between their neighbours</source>
        <translation>Bilder ohne Zeitstempel: {count}; sie liegen nun zwischen ihren Nachbarn</translation>
    </message>
    <message>
        <source>{count} frames have the timestamp of the frame before them</source>
        <translation>Bilder mit dem Zeitstempel des Bildes davor: {count}</translation>
    </message>
    <message>
        <source>{count} images in {folder} are beside videos: name them to track them</source>
        <translation>{count} Bilder in {folder} liegen neben Videos: nennen Sie sie einzeln, um sie zu verfolgen</translation>
    </message>
    <message>
        <source>{count} packets are damaged</source>
        <translation>Beschädigte Pakete: {count}</translation>
    </message>
    <message>
        <source>{fault}. &apos;Continue tracking&apos; skips it.</source>
        <translation>{fault}. „Weiter verfolgen“ übergeht die Stelle.</translation>
    </message>
    <message>
        <source>{file} has {given} points, not {count}</source>
        <translation>{file} hat {given} Punkte, nicht {count}</translation>
    </message>
    <message>
        <source>{file}: its name does not end in a frame number that no other file has</source>
        <translation>{file}: Der Name endet nicht auf eine eigene Bildnummer</translation>
    </message>
    <message>
        <source>{first}; {other}</source>
        <translation>{first}; {other}</translation>
    </message>
    <message>
        <source>{folder} contains no videos or images: choose another folder</source>
        <translation>In {folder} sind weder Videos noch Bilder: Wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>{folder} cannot be read ({reason}): allow access to it</source>
        <translation>{folder} darf nicht gelesen werden ({reason}): Erlauben Sie es</translation>
    </message>
    <message>
        <source>{key} &apos;{value}&apos; is a file, not a name</source>
        <translation>{key} „{value}“ ist eine Datei, kein Name</translation>
    </message>
    <message>
        <source>{kind} needs the package {package}, which cannot be imported ({error}): pip install &apos;{wanted}&apos;</source>
        <translation>{kind} braucht das Paket {package}, das sich nicht laden lässt ({error}): pip install &apos;{wanted}&apos;</translation>
    </message>
    <message>
        <source>{mode} is not a camera mode: write for example 1280x720@30</source>
        <translation>{mode} ist kein Kameramodus: Schreiben Sie zum Beispiel 1280x720@30</translation>
    </message>
    <message>
        <source>{name} cannot be read and was skipped</source>
        <translation>{name} lässt sich nicht lesen und wurde übersprungen</translation>
    </message>
    <message>
        <source>{name} covers no frame that has ground truth: there is nothing to compare</source>
        <translation>{name} enthält kein Bild, zu dem es eine Referenz gibt: Es gibt nichts zu vergleichen</translation>
    </message>
    <message>
        <source>{name} fails when it runs: {reason}</source>
        <translation>{name} bricht ab, wenn es läuft: {reason}</translation>
    </message>
    <message>
        <source>{name} returns landmarks that are not finite</source>
        <translation>{name} liefert Punkte, die nicht endlich sind</translation>
    </message>
    <message>
        <source>{name} returns {outputs}: none of them holds {kinds} of {counts} landmarks</source>
        <translation>{name} liefert {outputs}: Nichts davon enthält {kinds} von {counts} Landmarken</translation>
    </message>
    <message>
        <source>{name} has no frames in the requested part: its frames lie from {first_s:.3f} s to {last_s:.3f} s</source>
        <translation>{name} hat im gewünschten Teil keine Bilder: Sie liegen zwischen {first_s:.3f} s und {last_s:.3f} s</translation>
    </message>
    <message>
        <source>{name} has no model card: put {card} beside it, or make a model of it with &apos;steadymark add-model&apos;</source>
        <translation>{name} hat keine Modellkarte: Legen Sie {card} daneben, oder machen Sie daraus mit &apos;steadymark add-model&apos; ein Modell</translation>
    </message>
    <message>
        <source>{name} has no output &apos;{output}&apos;: its outputs are {known}</source>
        <translation>{name} hat keine Ausgabe „{output}“: Es liefert {known}</translation>
    </message>
    <message>
        <source>{name} has {count} landmarks, {schema} has {wanted}: say with --landmarks which ones correspond, for example 36=27,45=32</source>
        <translation>{name} hat {count} Landmarken, {schema} hat {wanted}: Geben Sie mit --landmarks an, welche dieselben sind, zum Beispiel 36=27,45=32</translation>
    </message>
    <message>
        <source>{name} has {count} numbers: write one, or three (one per channel)</source>
        <translation>{name} hat {count} Zahlen: Schreiben Sie eine oder drei (eine je Kanal)</translation>
    </message>
    <message>
        <source>{name} has {end} frames, the video has {frames}: it belongs to another video</source>
        <translation>{name} hat {end} Bilder, das Video {frames}: Die Tabelle gehört zu einem anderen</translation>
    </message>
    <message>
        <source>{name} has {given} landmarks: only tables with the {count} landmarks of {schema} can be scored</source>
        <translation>{name} hat {given} Landmarken: Nur Tabellen mit den {count} von {schema} lassen sich bewerten</translation>
    </message>
    <message>
        <source>{name} holds no rows: there is nothing to compare</source>
        <translation>{name} enthält keine Zeilen: Es gibt nichts zu vergleichen</translation>
    </message>
    <message>
        <source>{name} is &apos;{text}&apos;: choose one of {known}</source>
        <translation>{name} ist „{text}“: Wählen Sie aus {known}</translation>
    </message>
    <message>
        <source>{name} is &apos;{text}&apos;: write a number</source>
        <translation>{name} ist „{text}“: Schreiben Sie eine Zahl</translation>
    </message>
    <message>
        <source>{name} is &apos;{text}&apos;: write a number, or three: 0.5,0.5,0.5</source>
        <translation>{name} ist „{text}“: Schreiben Sie eine Zahl oder drei: 0.5,0.5,0.5</translation>
    </message>
    <message>
        <source>{name} is not an ONNX model: choose a file that ends in .onnx</source>
        <translation>{name} ist kein ONNX-Modell: Wählen Sie eine Datei, die auf .onnx endet</translation>
    </message>
    <message>
        <source>{name} needs future frames, and {what}: choose flow or one-euro</source>
        <translation>{name} braucht spätere Bilder, und {what}: Wählen Sie Flow oder One Euro</translation>
    </message>
    <message>
        <source>{name} looks at frames to come, which a live view has not: its points stay raw. Choose the One Euro filter or a network.</source>
        <translation>{name} braucht spätere Bilder, die es live nicht gibt: Die Punkte bleiben roh. Wählen Sie den One-Euro-Filter oder ein Netz.</translation>
    </message>
    <message>
        <source>{name} takes longer than {most_s} s to run: use a smaller model, or fewer faces</source>
        <translation>{name} rechnet länger als {most_s} s: ein kleineres Modell verwenden oder weniger Gesichter</translation>
    </message>
    <message>
        <source>{name} needs more than {most_gib} GiB of memory to run: use a smaller model, or fewer faces</source>
        <translation>{name} braucht beim Laufen mehr als {most_gib} GiB Speicher: Wählen Sie ein kleineres Modell oder weniger Gesichter</translation>
    </message>
    <message>
        <source>the videos cannot be compared ({fault})</source>
        <translation>die Videos lassen sich nicht vergleichen ({fault})</translation>
    </message>
    <message>
        <source>there is no face to save: correct landmarks in a frame with a face first</source>
        <translation>es gibt kein Gesicht zu speichern: Korrigieren Sie zuerst Landmarken in einem Bild mit einem Gesicht</translation>
    </message>
    <message>
        <source>{count} images of different sizes are tracked independently: &apos;steadymark track --sequence&apos; tracks them as one sequence</source>
        <translation>{count} Bilder verschiedener Größe werden einzeln verfolgt: „steadymark track --sequence“ verfolgt sie als eine Folge</translation>
    </message>
    <message>
        <source>{count} images whose names do not differ in one number only are tracked independently: &apos;steadymark track --sequence&apos; tracks them as one sequence</source>
        <translation>{count} Bilder, deren Namen sich nicht nur in einer Zahl unterscheiden, werden einzeln verfolgt: „steadymark track --sequence“ verfolgt sie als eine Folge</translation>
    </message>
    <message>
        <source>{count} packets were sent to {target}</source>
        <translation>{count} Pakete wurden an {target} gesendet</translation>
    </message>
    <message>
        <source>{count} were dropped</source>
        <translation>{count} wurden ausgelassen</translation>
    </message>
    <message>
        <source>{folder} holds no video with ground truth beside it: NAME_truth.csv, or a folder annot with .pts files</source>
        <translation>{folder} enthält kein Video, neben dem eine Referenz liegt: NAME_truth.csv oder ein Ordner annot mit .pts-Dateien</translation>
    </message>
    <message>
        <source>{label} {degrees:+.1f}°</source>
        <translation>{label} {degrees:+.1f}°</translation>
    </message>
    <message>
        <source>{missing} of {count} image numbers are missing after {name}: frame numbers and times have gaps there</source>
        <translation>{missing} von {count} Bildnummern fehlen nach {name}: Bildnummern und Zeiten haben dort Lücken</translation>
    </message>
    <message>
        <source>{name} cannot be split at this frame: go to the first frame of the new person</source>
        <translation>{name} kann bei diesem Bild nicht geteilt werden: Gehen Sie zum ersten Bild der neuen Person</translation>
    </message>
    <message>
        <source>{name} has the landmarks of {theirs}, the model those of {ours}, and no map between the two is known: say with --landmarks which ones correspond, for example 36=27,45=32</source>
        <translation>{name} hat die Landmarken von {theirs}, das Modell die von {ours}, und zwischen beiden ist keine Zuordnung bekannt: Geben Sie mit --landmarks an, welche einander entsprechen, zum Beispiel 36=27,45=32</translation>
    </message>
    <message>
        <source>{name} has {count} landmarks, the schema {schema} has {wanted}: say another one with --schema</source>
        <translation>{name} hat {count} Landmarken, das Schema {schema} hat {wanted}: Geben Sie mit --schema ein anderes an</translation>
    </message>
    <message>
        <source>{name} takes images of any size: say with input-size which size it was trained on</source>
        <translation>{name} nimmt Bilder jeder Größe: Geben Sie die Eingabegröße (input-size) an, mit der es trainiert wurde</translation>
    </message>
    <message>
        <source>{name} takes images of {channels} channels: it must take {wanted} (colour; use layout nhwc if the channels come last)</source>
        <translation>{name} nimmt Bilder mit {channels} Kanälen: Es müssen {wanted} sein (Farbe; layout nhwc, wenn sie zuletzt kommen)</translation>
    </message>
    <message>
        <source>{name} takes images of {found} × {found} pixels, not {given} × {given}</source>
        <translation>{name} nimmt Bilder von {found} × {found} Pixeln, nicht von {given} × {given}</translation>
    </message>
    <message>
        <source>{name} takes images of {shape}: crops of faces are square</source>
        <translation>{name} nimmt Bilder von {shape}: Gesichtsausschnitte sind quadratisch</translation>
    </message>
    <message>
        <source>{name} takes {inputs}: it must take one image (n, 3, F, F) or (n, F, F, 3)</source>
        <translation>{name} nimmt {inputs}: Es muss ein Bild (n, 3, F, F) oder (n, F, F, 3) nehmen</translation>
    </message>
    <message>
        <source>{owner} has no parameter &apos;{name}&apos;: choose one of {known}</source>
        <translation>{owner} hat keinen Parameter „{name}“: Wählen Sie {known}</translation>
    </message>
    <message>
        <source>{owner}&apos;s {name} must be a whole number, not {value:g}</source>
        <translation>{name} von {owner} muss eine ganze Zahl sein, nicht {value:g}</translation>
    </message>
    <message>
        <source>{owner}&apos;s {name} must be {first:g}, {second:g}, {third:g} and so on, not {value:g}</source>
        <translation>{name} von {owner} muss {first:g}, {second:g}, {third:g} und so weiter sein, nicht {value:g}</translation>
    </message>
    <message>
        <source>{owner}&apos;s {name} must be {range_text}, not {value:g}</source>
        <translation>{name} von {owner} muss {range_text} sein, nicht {value:g}</translation>
    </message>
    <message>
        <source>{path!r} cannot be opened: {error}</source>
        <translation>{path!r} lässt sich nicht öffnen: {error}</translation>
    </message>
    <message>
        <source>{path!r} has a name that is not valid text: rename the file</source>
        <translation>{path!r} hat einen Namen, der kein Text ist: Benennen Sie die Datei um</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}): check it</source>
        <translation>{path} lässt sich nicht lesen ({reason}): Prüfen Sie die Datei</translation>
    </message>
    <message>
        <source>{path} cannot be read: choose another one</source>
        <translation>{path} lässt sich nicht lesen: Wählen Sie ein anderes</translation>
    </message>
    <message>
        <source>{path} cannot be read: {reason}</source>
        <translation>{path} kann nicht gelesen werden: {reason}</translation>
    </message>
    <message>
        <source>{path} cannot be run: it is not an ONNX file ({error})</source>
        <translation>{path} lässt sich nicht ausführen: Es ist keine ONNX-Datei ({error})</translation>
    </message>
    <message>
        <source>{path} cannot be run: {reason}</source>
        <translation>{path} lässt sich nicht ausführen: {reason}</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}</source>
        <translation>{path} kann nicht geschrieben werden: {reason}</translation>
    </message>
    <message>
        <source>{path} could not be tracked ({kind}: {error})</source>
        <translation>{path} konnte nicht verfolgt werden ({kind}: {error})</translation>
    </message>
    <message>
        <source>{path} could not be completed in time</source>
        <translation>{path} konnte nicht rechtzeitig zu Ende geschrieben werden</translation>
    </message>
    <message>
        <source>{path} does not exist: check the name and the folder</source>
        <translation>{path} gibt es nicht: Prüfen Sie Namen und Ordner</translation>
    </message>
    <message>
        <source>{path} exists already</source>
        <translation>{path} gibt es schon</translation>
    </message>
    <message>
        <source>{path} exists already: use --overwrite to replace it, or --resume to keep it and go on with the other files</source>
        <translation>{path} gibt es schon: Mit --overwrite wird es ersetzt, mit --resume behalten und mit den anderen Dateien fortgefahren</translation>
    </message>
    <message>
        <source>{path} matches no video: check the pattern</source>
        <translation>Auf {path} passt kein Video: Prüfen Sie das Muster</translation>
    </message>
    <message>
        <source>{path} has frames 0 to {last}, not {index}</source>
        <translation>{path} hat die Bilder 0 bis {last}, nicht {index}</translation>
    </message>
    <message>
        <source>{path} has several faces in a frame: ground truth must have one face</source>
        <translation>{path} hat mehrere Gesichter in einem Bild: Eine Referenz ist von einem Gesicht</translation>
    </message>
    <message>
        <source>{path} has {count} numbers in a row: landmarks need an even number (x and y)</source>
        <translation>{path} hat {count} Zahlen je Zeile: x und y bilden Paare</translation>
    </message>
    <message>
        <source>{path} has {given} landmarks: the window compares all {count} landmarks of {name}; &apos;steadymark evaluate --landmarks&apos; also compares some of them</source>
        <translation>{path} hat {given} Landmarken: Das Fenster vergleicht alle {count} von {name}, „steadymark evaluate --landmarks“ auch einige</translation>
    </message>
    <message>
        <source>{path} contains no frames, it is truncated or empty: copy it again</source>
        <translation>{path} enthält keine Bilder, ist abgeschnitten oder leer: Kopieren Sie die Datei erneut</translation>
    </message>
    <message>
        <source>{path} contains no images: choose a file with a video track</source>
        <translation>{path} enthält keine Bilder: Wählen Sie eine Datei mit Videospur</translation>
    </message>
    <message>
        <source>{path} contains no points</source>
        <translation>{path} enthält keine Punkte</translation>
    </message>
    <message>
        <source>{path} contains no rows</source>
        <translation>{path} enthält keine Zeilen</translation>
    </message>
    <message>
        <source>{path} contains sound but no images: choose a file with a video track</source>
        <translation>{path} enthält Ton, aber keine Bilder: Wählen Sie eine Datei mit Videospur</translation>
    </message>
    <message>
        <source>{path} has 1 number in a row: landmarks need an even number (x and y)</source>
        <translation>{path} hat 1 Zahl in einer Zeile: Landmarken brauchen eine gerade Anzahl (x und y)</translation>
    </message>
    <message>
        <source>{path} has 1 row, of frame {last}: check its frame numbers</source>
        <translation>{path} hat 1 Zeile, von Bild {last}: Prüfen Sie die Bildnummern</translation>
    </message>
    <message>
        <source>{path} has {count} rows, the last of frame {last}: check its frame numbers</source>
        <translation>{path} hat {count} Zeilen, die letzte von Bild {last}: Prüfen Sie die Bildnummern</translation>
    </message>
    <message>
        <source>{path} is a folder: give a video file in it</source>
        <translation>{path} ist ein Ordner: Wählen Sie eine Videodatei darin</translation>
    </message>
    <message>
        <source>{path} is a link to nothing</source>
        <translation>{path} ist eine Verknüpfung ohne Ziel</translation>
    </message>
    <message>
        <source>{path} is a list that names other files: open the video itself</source>
        <translation>{path} ist eine Liste, die andere Dateien nennt: Öffnen Sie das Video selbst</translation>
    </message>
    <message>
        <source>{path} is being written by another program: wait until it has ended, or choose another folder</source>
        <translation>{path} wird gerade von einem anderen Programm geschrieben: warten, bis es fertig ist, oder einen anderen Ordner wählen</translation>
    </message>
    <message>
        <source>{path} has a codec that cannot be decoded: convert it to H.264 in MP4</source>
        <translation>{path} ist so kodiert, dass es sich hier nicht dekodieren lässt: Wandeln Sie es in H.264 in MP4 um</translation>
    </message>
    <message>
        <source>{path} is empty (0 bytes): copy or record it again</source>
        <translation>{path} ist leer (0 Byte): Kopieren Sie die Datei erneut oder nehmen Sie sie neu auf</translation>
    </message>
    <message>
        <source>{path} is incomplete: its index (moov) is missing, for example because a recording or a copy was interrupted; copy it again or repair it</source>
        <translation>{path} ist unvollständig: Das Inhaltsverzeichnis (moov) fehlt, wie wenn eine Aufnahme oder Kopie abbricht; kopieren Sie die Datei erneut oder reparieren Sie sie</translation>
    </message>
    <message>
        <source>{path} is not a landmark model: it lacks {names}</source>
        <translation>{path} ist kein Landmarkenmodell: Es fehlt {names}</translation>
    </message>
    <message>
        <source>{path} is not a landmark model: its crops are {crops}</source>
        <translation>{path} ist kein Landmarkenmodell: Seine Ausschnitte (crops) sind {crops}</translation>
    </message>
    <message>
        <source>{path} is not a landmark model: its {name} is {sides}</source>
        <translation>{path} ist kein Landmarkenmodell: {name} ist {sides}</translation>
    </message>
    <message>
        <source>{path} is not a preset ({fault}): correct it, or delete it from its folder</source>
        <translation>{path} ist keine Voreinstellung ({fault}): Bessern Sie sie aus oder löschen Sie sie aus ihrem Ordner</translation>
    </message>
    <message>
        <source>{path} is not a table of ground truth ({error})</source>
        <translation>{path} ist keine Tabelle wahrer Landmarken ({error})</translation>
    </message>
    <message>
        <source>{path} is not a Steadymark model card (it is nested too deeply)</source>
        <translation>{path} ist keine Modellkarte von Steadymark (zu tief geschachtelt)</translation>
    </message>
    <message>
        <source>{path} is not a Steadymark model card ({error})</source>
        <translation>{path} ist keine Modellkarte von Steadymark ({error})</translation>
    </message>
    <message>
        <source>{path} is not a video that can be read: check that it plays, or convert it to MP4</source>
        <translation>{path} ist kein lesbares Video: Prüfen Sie, ob es sich abspielen lässt, oder wandeln Sie es in MP4 um</translation>
    </message>
    <message>
        <source>{path} exists, and no index says that it was tracked: use --overwrite to replace it, or choose another folder</source>
        <translation>{path} ist schon da, und nichts sagt, dass es eine Verfolgung war: mit --overwrite ersetzen oder einen anderen Ordner wählen</translation>
    </message>
    <message>
        <source>a result would have the name of the input {path} and replace it: choose another folder for the results</source>
        <translation>{path} selbst würde durch ein Ergebnis dieses Namens ersetzt: einen anderen Ordner für die Ergebnisse wählen</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}): ask for permission or copy it</source>
        <translation>{path} darf nicht gelesen werden ({reason}): Lassen Sie sich die Berechtigung geben oder kopieren Sie die Datei</translation>
    </message>
    <message>
        <source>{path} cannot be read: ask for permission or copy it</source>
        <translation>{path} darf nicht gelesen werden: Lassen Sie sich die Berechtigung geben oder kopieren Sie die Datei</translation>
    </message>
    <message>
        <source>{path} says that its frames are {width}x{height}, more than {millions} million pixels: convert it to smaller ones</source>
        <translation>{path} gibt Bilder von {width}x{height} an, mehr als {millions} Millionen Pixel: Wandeln Sie es in kleinere um</translation>
    </message>
    <message>
        <source>{path} reads data from other files, which its model card cannot verify: save it as one file (onnx.save, save_as_external_data=False)</source>
        <translation>{path} holt Daten aus anderen Dateien, für die seine Modellkarte nicht bürgen kann: Speichern Sie es als eine Datei (onnx.save, save_as_external_data=False)</translation>
    </message>
    <message>
        <source>{path} was closed: open it again</source>
        <translation>{path} wurde geschlossen: Öffnen Sie es erneut</translation>
    </message>
    <message>
        <source>{path}, line 1: column &apos;{column}&apos; is missing</source>
        <translation>{path}, Zeile 1: Spalte „{column}“ fehlt</translation>
    </message>
    <message>
        <source>{path}, row {row} below the columns, column &apos;{name}&apos;: {value:g} is not a whole number from {least}</source>
        <translation>{path}, Zeile {row} unter den Spaltennamen, Spalte „{name}“: {value:g} ist keine ganze Zahl ab {least}</translation>
    </message>
    <message>
        <source>{path}, {fault}</source>
        <translation>{path}, {fault}</translation>
    </message>
    <message>
        <source>{path}: column &apos;frame&apos; must hold each number from 0 once</source>
        <translation>{path}: Spalte „frame“ muss jede Zahl ab 0 einmal enthalten</translation>
    </message>
    <message>
        <source>{path}: frame {number} ({name}) cannot be converted to an image: convert the file to H.264 in MP4</source>
        <translation>{path}: Bild {number} ({name}) lässt sich nicht in ein Bild umwandeln: Wandeln Sie die Datei in H.264 in MP4 um</translation>
    </message>
    <message>
        <source>{path}: frame {number} at {time} is damaged: choose another one</source>
        <translation>{path}: Bild {number} bei {time} ist beschädigt: Wählen Sie ein anderes</translation>
    </message>
    <message>
        <source>{path}: no frame can be decoded, the file is damaged or truncated: copy it again</source>
        <translation>{path}: Kein Bild lässt sich dekodieren, die Datei ist beschädigt oder abgeschnitten: Kopieren Sie sie erneut</translation>
    </message>
    <message>
        <source>{path}: {count} lines contain &apos;{brace}&apos; instead of one</source>
        <translation>{path}: {count} Zeilen mit „{brace}“ statt einer</translation>
    </message>
    <message>
        <source>{path}: it has {count} points instead of {wanted}</source>
        <translation>{path}: {count} Punkte, erwartet sind {wanted}</translation>
    </message>
    <message>
        <source>the gaze calibration of the person {person} is not possible: its values are wrong</source>
        <translation>die Blickkalibrierung der Person {person} ist nicht möglich: Ihre Werte sind falsch</translation>
    </message>
    <message>
        <source>the project corrects landmark {landmark} of face {face} in frame {frame}, and the landmarks are 0 to {last}: remove this correction</source>
        <translation>das Projekt berichtigt Landmarke {landmark} des Gesichts {face} in Bild {frame}, und die Landmarken sind 0 bis {last}: Entfernen Sie diese Berichtigung</translation>
    </message>
    <message>
        <source>there are also {files}, of an earlier run or another video: delete what you do not need</source>
        <translation>es gibt auch {files}, von einem früheren Lauf oder einem anderen Video: Löschen Sie, was Sie nicht brauchen</translation>
    </message>
    <message>
        <source>upwards</source>
        <translation>nach oben</translation>
    </message>
    <message>
        <source>{degrees:.1f}° {direction}</source>
        <translation>{degrees:.1f}° {direction}</translation>
    </message>
    <message>
        <source>{name} moves in the half second from {time:.2f} s on ({shape} changes by {change:.2f}): choose a moment in which the face is at rest</source>
        <translation>{name} bewegt sich in der halben Sekunde ab {time:.2f} s ({shape} ändert sich um {change:.2f}): Wählen Sie einen Augenblick, in dem das Gesicht ruht</translation>
    </message>
    <message>
        <source>{path} has no table of landmarks beside it: track it first (steadymark track {path} --out {folder}), or name the table</source>
        <translation>Neben {path} liegt keine Tabelle von Landmarken: Verfolgen Sie es zuerst (steadymark track {path} --out {folder}), oder nennen Sie die Tabelle</translation>
    </message>
    <message>
        <source>{path} is a device and not a file: a camera is opened as camera:{path}</source>
        <translation>{path} ist ein Gerät und keine Datei: eine Kamera wird als camera:{path} geöffnet</translation>
    </message>
    <message>
        <source>{path} is a link that leads to no file: name the file itself, or correct the link</source>
        <translation>{path} ist eine Verknüpfung, die zu keiner Datei führt: Geben Sie die Datei selbst an, oder berichtigen Sie die Verknüpfung</translation>
    </message>
    <message>
        <source>{path} is a pipe, and a video is read several times: write it into a file, for example by &apos;cat {path} &gt; video.mp4&apos;, and track the file</source>
        <translation>{path} ist eine Pipe, und ein Video wird mehrmals gelesen: schreiben Sie es in eine Datei, zum Beispiel mit &apos;cat {path} &gt; video.mp4&apos;, und verfolgen Sie die Datei</translation>
    </message>
    <message>
        <source>{path} is a video with the name of an image: rename it, for example to .mp4</source>
        <translation>{path} ist ein Video mit dem Namen eines Bildes: Benennen Sie es um, zum Beispiel in .mp4</translation>
    </message>
    <message>
        <source>{path} is not JSON ({error}): restore it from a copy, or delete it to begin a new project</source>
        <translation>{path} ist kein JSON ({error}): Stellen Sie die Datei aus einer Kopie wieder her, oder löschen Sie sie, um ein neues Projekt zu beginnen</translation>
    </message>
    <message>
        <source>{path} is not a project of Steadymark: it lacks &apos;{magic}&apos;</source>
        <translation>{path} ist kein Projekt von Steadymark: Es fehlt „{magic}“</translation>
    </message>
    <message>
        <source>{path} is open in another window or program: close it there to edit it here</source>
        <translation>{path} ist in einem anderen Fenster oder Programm offen: Schließen Sie es dort, um es hier zu bearbeiten</translation>
    </message>
    <message>
        <source>{path} is there already: choose to replace it, or another folder</source>
        <translation>{path} gibt es schon: Lassen Sie es ersetzen, oder wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>{path} lacks the output {name} that its model card needs: fit its scores again with &apos;steadymark-train calibrate-scores&apos;</source>
        <translation>{path} fehlt der Ausgang {name}, den seine Modellkarte braucht: Passen Sie seine Konfidenzen mit „steadymark-train calibrate-scores“ neu an</translation>
    </message>
    <message>
        <source>{path} was written by a newer version ({version}): update Steadymark to open it</source>
        <translation>{path} wurde von einer neueren Version ({version}) geschrieben: Aktualisieren Sie Steadymark, um es zu öffnen</translation>
    </message>
    <message>
        <source>{path}: {error}</source>
        <translation>{path}: {error}</translation>
    </message>
    <message>
        <source>{path}: {fault}</source>
        <translation>{path}: {fault}</translation>
    </message>
    <message>
        <source>{path}: {why}, but the list of results must be written to a file of that name: move it away, or choose another folder</source>
        <translation>{path}: {why}, und in einer Datei dieses Namens werden Ergebnisse verzeichnet: Verschieben Sie sie oder wählen Sie einen anderen Ordner</translation>
    </message>
    <message>
        <source>{percent:.0f} % of the landmarks hidden</source>
        <translation>{percent:.0f} % der Landmarken verdeckt</translation>
    </message>
    <message>
        <source>{shown} answers but sends no frames: check the camera</source>
        <translation>{shown} antwortet, sendet aber keine Bilder: Prüfen Sie die Kamera</translation>
    </message>
    <message>
        <source>{shown}: none of the images can be read: check the files</source>
        <translation>{shown}: Keines der Bilder lässt sich lesen: Prüfen Sie die Dateien</translation>
    </message>
    <message>
        <source>{source} is live: give a recorded video with --data</source>
        <translation>{source} ist live: Nennen Sie mit --data ein aufgenommenes Video</translation>
    </message>
    <message>
        <source>{start}… cannot be the name of a file: shorten or correct it</source>
        <translation>{start}… kann kein Dateiname sein: Kürzen oder berichtigen Sie ihn</translation>
    </message>
    <message>
        <source>{table} cannot be read ({fault})</source>
        <translation>{table} kann nicht gelesen werden ({fault})</translation>
    </message>
    <message>
        <source>{table} does not fit {video}: it begins at frame {first}, and the video has {frames} frames</source>
        <translation>{table} passt nicht zu {video}: Die Tabelle beginnt bei Bild {first}, und das Video hat {frames} Bilder</translation>
    </message>
    <message>
        <source>{table} does not fit {video}: its faces lie outside the picture of {width} × {height} pixels</source>
        <translation>{table} passt nicht zu {video}: Ihre Gesichter liegen außerhalb des Bildes von {width} × {height} Pixeln</translation>
    </message>
    <message>
        <source>{table} has more faces than a video can show: check its column &apos;face_id&apos;</source>
        <translation>{table} hat mehr Gesichter, als ein Video zeigen kann: Prüfen Sie die Spalte „face_id“</translation>
    </message>
    <message>
        <source>{table} has more frames than {video}: those after frame {last} are not shown.</source>
        <translation>{table} hat mehr Bilder als {video}: Die nach Bild {last} werden nicht gezeigt.</translation>
    </message>
    <message>
        <source>{table} has no rows: there is nothing to show</source>
        <translation>{table} hat keine Zeilen: Es gibt nichts zu zeigen</translation>
    </message>
    <message>
        <source>{table} has other landmarks ({found}) than what is shown ({shown}): they cannot be compared</source>
        <translation>{table} hat andere Landmarken ({found}), als gezeigt werden ({shown}): Sie können nicht verglichen werden</translation>
    </message>
    <message>
        <source>{table} has {count} landmarks, and it is not known which ones: the window shows {known}</source>
        <translation>{table} hat {count} Landmarken, und es ist nicht bekannt, welche: Das Fenster zeigt {known}</translation>
    </message>
    <message>
        <source>{table}: its video was not found, so that the report shows no pictures</source>
        <translation>{table}: Das Video dazu wurde nicht gefunden, darum zeigt der Bericht keine Bilder</translation>
    </message>
    <message>
        <source>{target} takes iBUG&apos;s 68 landmarks, and this model has {count}: choose another model</source>
        <translation>{target} nimmt die 68 Landmarken von iBUG, und dieses Modell hat {count}: Wählen Sie ein anderes Modell</translation>
    </message>
    <message>
        <source>{text} contains {count} videos: open one of them</source>
        <translation>In {text} sind {count} Videos: Öffnen Sie eines davon</translation>
    </message>
    <message>
        <source>{text} is live: a start and an end can only be given for files</source>
        <translation>{text} ist live: Anfang und Ende gibt es nur bei Dateien</translation>
    </message>
    <message>
        <source>{text} is live: track it with &apos;steadymark track {text}&apos;</source>
        <translation>{text} ist live: Verfolgen Sie es mit „steadymark track {text}“</translation>
    </message>
    <message>
        <source>{text} is not a recording: open a video file or a folder of images</source>
        <translation>{text} ist keine Aufnahme: Öffnen Sie eine Videodatei oder einen Ordner mit Bildern</translation>
    </message>
    <message>
        <source>{text} is not a camera: a camera mode cannot be given for it</source>
        <translation>{text} ist keine Kamera: Ein Kameramodus passt nicht dazu</translation>
    </message>
    <message>
        <source>{path}, line {number}: &apos;{text}&apos; is not a point: write x and y in pixels</source>
        <translation>{path}, Zeile {number}: „{text}“ ist kein Punkt: Schreiben Sie x und y in Pixeln</translation>
    </message>
    <message>
        <source>{path}: it has 1 point instead of {wanted}</source>
        <translation>{path}: 1 Punkt statt {wanted}</translation>
    </message>
    <message>
        <source>{percent:.0f} % of the frames lack the face</source>
        <translation>in {percent:.0f} % der Bilder fehlt das Gesicht</translation>
    </message>
    <message>
        <source>{seen} faces were seen in {name}, and 1 of them is tracked.</source>
        <translation>In {name} wurden {seen} Gesichter gesehen, 1 davon wird verfolgt.</translation>
    </message>
    <message>
        <source>{seen} faces were seen in {name}, and {count} of them are tracked.</source>
        <translation>In {name} wurden {seen} Gesichter gesehen, {count} davon werden verfolgt.</translation>
    </message>
    <message>
        <source>{sentence} Try a lower threshold or another detector in the settings under Faces, or a video in which the face is upright, larger and sharper.</source>
        <translation>{sentence} Versuchen Sie in den Einstellungen unter Gesichter einen kleineren Schwellwert oder einen anderen Detektor, oder ein Video, in dem das Gesicht aufrecht, größer und schärfer ist.</translation>
    </message>
    <message>
        <source>{text} is not a video file: --deinterlace and --rotate need one</source>
        <translation>{text} ist keine Videodatei: --deinterlace und --rotate gelten nur für Videodateien</translation>
    </message>
    <message>
        <source>{truth} has no face that lies wholly in the image: there is nothing to compare</source>
        <translation>{truth} hat kein Gesicht, das ganz im Bild ist: nichts zu vergleichen</translation>
    </message>
    <message>
        <source>{url} is a recording and no live stream: download it, for example by &apos;ffmpeg -i ADDRESS -c copy FILE.mp4&apos;, and track the file</source>
        <translation>{url} ist eine Aufnahme und kein Livestream: laden Sie sie herunter, zum Beispiel mit &apos;ffmpeg -i ADDRESS -c copy FILE.mp4&apos;, und verfolgen Sie die Datei</translation>
    </message>
    <message>
        <source>{url} sends no frames: check the address</source>
        <translation>{url} sendet keine Bilder: Prüfen Sie die Adresse</translation>
    </message>
    <message>
        <source>{url}: {scheme}:// is not supported: use rtsp://, rtmp:// or http://</source>
        <translation>{url}: {scheme}:// ist hier nicht bekannt: Nehmen Sie rtsp://, rtmp:// oder http://</translation>
    </message>
    <message>
        <source>{url}: {why}</source>
        <translation>{url}: {why}</translation>
    </message>
    <message>
        <source>{values} values for {columns} columns</source>
        <translation>{values} Werte für {columns} Spalten</translation>
    </message>
</context>
<context>
    <name>start</name>
    <message>
        <source>An unexpected error occurred ({fault}). The tracked results are kept. Help &gt; Copy diagnostics tells more: please report it.</source>
        <translation>Etwas Unerwartetes ist geschehen ({fault}). Das Verfolgte bleibt erhalten. Hilfe &gt; Diagnose kopieren sagt mehr: Bitte melden Sie es.</translation>
    </message>
</context>
<context>
    <name>time_left</name>
    <message>
        <source>about {seconds} s left</source>
        <translation>noch etwa {seconds} s</translation>
    </message>
    <message>
        <source>about {minutes} min left</source>
        <translation>noch etwa {minutes} min</translation>
    </message>
    <message>
        <source>about {hours} h {minutes} min left</source>
        <translation>noch etwa {hours} h {minutes} min</translation>
    </message>
</context>
<context>
    <name>wiring</name>
    <message>
        <source>A live view shows only the newest frame: to do this, record it and open the recording.</source>
        <translation>Ein Livebild zeigt nur das neueste Bild: Nehmen Sie es dafür auf und öffnen Sie die Aufnahme.</translation>
    </message>
</context>
</TS>
