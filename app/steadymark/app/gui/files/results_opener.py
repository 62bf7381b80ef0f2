"""Opens recordings, and tables and projects beside the video that they are about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from steadymark.engine.core.errors import LandmarkFileError
from steadymark.engine.review.find_reviewed import is_project, is_table, video_of
from steadymark.engine.sources.input_paths import VIDEO_SUFFIXES
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from steadymark.app.gui.messages import Messages
    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.session import Session


class ResultsOpener(QObject):
    """Opens what the user names: a recording, or results, which are not tracked again.

    Args:
        parent: The window over which dialogs open.
        session: Opens the recording.
        messages: Tell the user what is shown and what failed.
    """

    def __init__(self, parent: QWidget, *, session: Session, messages: Messages) -> None:
        super().__init__(parent)
        self._parent, self._session, self._messages = parent, session, messages
        session.recording.recording_opened.connect(self._tell_table)

    def open(self, path: str, video: str = "") -> None:
        """Open a recording, a table or a project.

        Args:
            path: The file, or a folder or pattern of pictures.
            video: The video of a table or a project; empty to look for it beside the file, and to
                ask if it is not there.
        """
        file = Path(path)
        table, project = is_table(file), is_project(file)
        if not (table or project):
            self._session.open(path)
            return
        try:
            found = video or video_of(file)
        except LandmarkFileError as error:
            self._messages.show_message(error.sentence)
            return
        if source := str(found or self._ask_video(file)):
            self._session.open(
                source, table=file if table else None, project=file if project else None
            )
        else:
            self._messages.show_message(
                self.tr(
                    "The video of {name} was not found: put both into one folder, or choose the "
                    "video when you open {name}."
                ).format(name=file.name)
            )

    def _ask_video(self, file: Path) -> str:
        """Ask for the video of a table or a project; return an empty text if the user cancels."""
        kinds = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
        path, _ = QFileDialog.getOpenFileName(
            self._parent,
            self.tr("Choose the video of {name}").format(name=file.name),
            str(file.parent),
            self.tr("Videos ({kinds});;All files (*)").format(kinds=kinds),
        )
        return path

    def _tell_table(self, recording: OpenRecording) -> None:
        if recording.table is not None:
            name = recording.table.path.name
            self._messages.show_message(
                UserText("Results of {table} are shown; they were not tracked here.", table=name),
                [(self.tr("Track anew"), self._session.recording.retrack)],
            )
