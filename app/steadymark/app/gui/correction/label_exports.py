"""Saves frames with their corrected landmarks as ground truth: pictures and .pts files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from steadymark.app.session.export import ExportSource
from steadymark.app.session.review.review_export import ReviewExport, labels_writer
from steadymark.engine.output.labelled_pictures import label_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QAction

    from steadymark.app.gui.files.exports_list import ExportsList
    from steadymark.app.session.session import Session


class LabelExports(QObject):
    """Saves corrected frames, or the shown frame, into a folder that the user chooses.

    Args:
        window: The window over which dialogs open.
        session: Holds the open recording, its results and its project.
        exports: Runs the exports.
    """

    def __init__(self, window: QWidget, *, session: Session, exports: ExportsList) -> None:
        super().__init__(window)
        self._window, self._session, self._exports = window, session, exports

    def connect_actions(self, actions: Mapping[str, QAction]) -> None:
        """Connect the commands after they were built or rebuilt."""
        for name, faces in (
            ("export_labels", self.corrected_faces),
            ("export_frame_label", self.shown_faces),
        ):
            actions[name].triggered.connect(lambda _=False, faces=faces: self._ask(faces()))

    def corrected_faces(self) -> list[tuple[int, int]]:
        """Return the frame and number of each face that was corrected."""
        project, results = self._session.review.project, self._session.recording.results
        if project is None or results is None:
            return []
        faces = {(one.frame, one.face_id) for one in project.corrections}
        return sorted(face for face in faces if self._is_tracked(*face))

    def shown_faces(self) -> list[tuple[int, int]]:
        """Return the shown frame and the number of each face in it."""
        frame, results = self._session.display.frame, self._session.recording.results
        faces = None if results is None else results.faces(frame)
        return [(frame, face.face_id) for face in faces or () if face.raw is not None]

    def _is_tracked(self, frame: int, face_id: int) -> bool:
        results = self._session.recording.results
        if results is None or not 0 <= frame < results.frames:
            return False
        faces = results.faces(frame) or ()
        return any(face.face_id == face_id and face.raw is not None for face in faces)

    def _ask(self, faces: Sequence[tuple[int, int]]) -> None:
        """Ask for the folder, and whether existing files are replaced."""
        recording, project = self._session.recording.current, self._session.review.project
        if recording is None or project is None:
            return
        video = recording.media.info.path
        chosen = QFileDialog.getExistingDirectory(
            self._window, self.tr("Folder for pictures and .pts files"), str(Path(video).parent)
        )
        paths = label_paths(faces, Path(chosen), Path(video).stem)
        if not chosen or not self._may_replace([path for path in paths if path.exists()]):
            return
        source = ExportSource(
            recording.media.info,
            recording.tracking.filtered_results,
            recording.models,
            recording.settings,
        )
        write = labels_writer(project, faces, video)
        self._exports.run(lambda on_change: ReviewExport(Path(chosen), source, write, on_change))

    def _may_replace(self, paths: Sequence[Path]) -> bool:
        if not paths:
            return True
        question = self.tr("Some of the pictures exist already, such as {name}. Replace them?")
        answer = QMessageBox.question(
            self._window, self.tr("Replace pictures?"), question.format(name=paths[0].name)
        )
        return answer is QMessageBox.StandardButton.Yes
