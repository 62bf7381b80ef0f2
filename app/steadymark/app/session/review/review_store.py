"""The project of the open recording, with undo. It is saved by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from steadymark.app.session.review.project_saver import ProjectLock, ProjectSaver
from steadymark.engine.core.errors import LandmarkFileError, UsageError
from steadymark.engine.review import edits
from steadymark.engine.review.find_reviewed import check_corrections
from steadymark.engine.review.history import History
from steadymark.engine.review.project import Project, VideoReference
from steadymark.engine.review.project_file import project_path, read_project, relative_path
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.engine.core.types import SourceInfo

WRITE_S = 2.0  # how long closing waits until the project is written


class ReviewStore(QObject):
    """The project of the open recording. It lives in the GUI thread.

    The file `NAME.steadymark` beside the recording appears with the first edit, and each edit is
    written to it. While another program has the project open, or if its file cannot be read, the
    project can be looked at and not edited, and the file is left as it is.

    Attributes:
        changed: Emitted when `project` or `history` has changed.
        message_posted: Emitted with a UserText for the user.
        history: The history of the project; None while no recording is open.
        path: The file of the project; None while no recording is open.
    """

    changed = Signal()
    message_posted = Signal(object)
    _saved = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history: History[Project] | None = None
        self.path: Path | None = None
        self._lock: ProjectLock | None = None
        self._saver: ProjectSaver | None = None
        self._read_only = UserText("")
        self._saved.connect(self._on_saved, Qt.ConnectionType.QueuedConnection)

    @property
    def project(self) -> Project | None:
        """The project as it is now; None while no recording is open."""
        return None if self.history is None else self.history.state

    @property
    def why_read_only(self) -> UserText:
        """Why the project cannot be edited; empty if it can."""
        return self._read_only

    def open(
        self, info: SourceInfo, path: Path | None = None, *, landmarks: int | None = None
    ) -> None:
        """Open the project of a recording, or begin one in memory.

        Args:
            info: The recording. Live sources have no project.
            path: The file of the project; None takes the one beside the recording.
            landmarks: The number of landmarks of a face. Corrections of others are told, and have
                no effect. None if it is unknown.
        """
        self.close()
        if info.live:
            return
        path, self._read_only = path or project_path(info.path), UserText("")
        project = Project(_reference(info, path.parent))
        if path.exists():
            project = self._read(path, project)
            self._tell_unknown_landmark(project, landmarks)
        self.path = path
        self._lock = ProjectLock(path)
        if self._lock.held_by_other:
            self._refuse_edits(
                UserText(
                    "{path} is open in another window or program: close it there to edit it here",
                    path=path.name,
                )
            )
        self.history = History(project)
        self.changed.emit()

    def close(self) -> bool:
        """Write what is not written yet, and close the project.

        Returns:
            Whether everything is written.
        """
        written = True
        if self._saver is not None:
            written = self._saver.close(WRITE_S)
        if self._lock is not None:
            self._lock.release()
        was_open = self.history is not None
        self.history = self.path = self._lock = self._saver = None
        if was_open:
            self.changed.emit()
        return written

    def edit(
        self, action: UserText, change: Callable[[Project], Project], *, group: str = ""
    ) -> bool:
        """Change the project.

        Args:
            action: What the user does, for the menus of undo and redo.
            change: Returns the next project; see `engine.review.edits`.
            group: Edits in a row with the same group are undone together, as while dragging.

        Returns:
            Whether the project was changed. Otherwise a message says why, unless nothing changed.
        """
        if self.history is None:
            return False
        if self._read_only:
            self.message_posted.emit(self._read_only)
            return False
        before = self.history.state
        try:
            self.history.do(action, change(before), group)
        except UsageError as error:
            self.message_posted.emit(error.sentence)
            return False
        return self._publish(before)

    def list_table(self, table: Path, *, first: bool) -> None:
        """List a table of the recording in the project. This is no step of undo.

        Nothing happens if the table does not lie in the project's folder or below it, so that no
        file appears beside a video whose tables are kept elsewhere, or if the project cannot be
        edited.

        Args:
            table: The table.
            first: Whether it is shown when the recording is opened without kept results.
        """
        if self.history is None or self.path is None or self._read_only:
            return
        folder, before = self.path.parent, self.history.state
        if table.absolute().is_relative_to(folder.absolute()):
            name = relative_path(table, folder)
            self.history.change_all(lambda one: edits.list_table(one, name, first=first))
            self._publish(before)

    def undo(self) -> bool:
        """Undo the last edit; return whether there was one."""
        return self._move(lambda history: history.undo())

    def redo(self) -> bool:
        """Do the edit that was undone last again; return whether there was one."""
        return self._move(lambda history: history.redo())

    def go_to(self, step: int) -> bool:
        """Go to a step of `history.actions`; return whether the project has changed."""
        return self._move(lambda history: history.go_to(step))

    def _move(self, move: Callable[[History[Project]], Project]) -> bool:
        if self.history is None or self._read_only:
            return False
        before = self.history.state
        move(self.history)
        return self._publish(before)

    def _publish(self, before: Project) -> bool:
        assert self.history is not None
        assert self.path is not None
        if self.history.state is before:
            return False
        if self._saver is None:
            self._saver = ProjectSaver(self.path, self._saved.emit)
        self._saver.save(self.history.state)
        self.changed.emit()
        return True

    def _read(self, path: Path, empty: Project) -> Project:
        """Return the project in a file, or an empty one that cannot be edited."""
        try:
            project = read_project(path)
        except LandmarkFileError as error:
            self._refuse_edits(error.sentence)
            return empty
        known, found = project.video, empty.video
        if known.size_bytes and found.size_bytes and known.size_bytes != found.size_bytes:
            self.message_posted.emit(
                UserText(
                    "{video} is not the file that {project} was made for: its annotations may be "
                    "at other times",
                    video=Path(found.path).name,
                    project=path.name,
                )
            )
        return replace(project, video=replace(known, path=found.path))

    def _tell_unknown_landmark(self, project: Project, landmarks: int | None) -> None:
        if landmarks is None:
            return
        try:
            check_corrections(project, landmarks)
        except LandmarkFileError as error:
            self.message_posted.emit(error.sentence)

    def _refuse_edits(self, why: UserText) -> None:
        self._read_only = why
        self.message_posted.emit(why)

    def _on_saved(self, fault: UserText | None) -> None:
        if fault is None:
            self.message_posted.emit(UserText("The project is saved again."))
        else:
            self.message_posted.emit(
                UserText("The project is not saved, and is kept in memory: {fault}", fault=fault)
            )


def _reference(info: SourceInfo, folder: Path) -> VideoReference:
    """Return what a project in a folder knows of its recording."""
    path = Path(info.path)
    try:
        size = path.stat().st_size if path.is_file() else 0
    except OSError:
        size = 0
    return VideoReference(
        relative_path(path, folder),
        size,
        frames=info.frames or 0,
        width=info.width,
        height=info.height,
    )
