"""Writes the newest state of a project in the background."""

from __future__ import annotations

import os
from threading import Condition, Thread
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.file_lock import open_locked
from steadymark.engine.review.project_file import write_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.engine.review.project import Project
    from steadymark.models.user_text import UserText


class ProjectSaver:
    """Saves a project whenever it has changed; states that are replaced meanwhile are skipped.

    Args:
        path: The file of the project.
        on_error: Is called from the saving thread with a sentence if a state cannot be written,
            and with None when a state was written after an error.
    """

    def __init__(self, path: Path, on_error: Callable[[UserText | None], None]) -> None:
        self._path, self._on_error = path, on_error
        self._next: Project | None = None
        self._closed = False
        self._failed = False
        self._wake = Condition()
        self._thread = Thread(target=self._run, name="saving the project", daemon=True)
        self._thread.start()

    def save(self, project: Project) -> None:
        """Write this state soon."""
        with self._wake:
            self._next = project
            self._wake.notify()

    def close(self, wait_s: float) -> bool:
        """Write the newest state and end.

        Args:
            wait_s: How long to wait.

        Returns:
            Whether everything is written.
        """
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(wait_s)
        return not self._thread.is_alive() and not self._failed

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._next is not None)
                project, self._next = self._next, None
            if project is None:
                return
            try:
                write_project(self._path, project)
            except SinkError as error:
                self._failed = True
                self._on_error(error.sentence)
            else:
                if self._failed:
                    self._failed = False
                    self._on_error(None)


class ProjectLock:
    """Keeps other programs from changing a project, as long as this one has it open."""

    def __init__(self, project: Path) -> None:
        self._path = project.with_name(f".{project.name}.lock")
        self._handle: int | None = None
        self.held_by_other = False
        try:
            self._handle = open_locked(self._path)
            self.held_by_other = self._handle is None
        except OSError:
            pass  # the folder cannot be written: saving reports it

    def release(self) -> None:
        """Let other programs change the project."""
        if self._handle is None:
            return
        self._path.unlink(missing_ok=True)
        os.close(self._handle)
        self._handle = None
