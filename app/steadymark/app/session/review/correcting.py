"""Correcting landmarks by hand: which ones are chosen and held, and what is kept of it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PySide6.QtCore import QObject, Signal

from steadymark.engine.review import edits
from steadymark.engine.review.project import Correction
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.app.session.review.review_store import ReviewStore
    from steadymark.engine.core.types import Frame, TrackedFace
    from steadymark.engine.review.project import Project
    from steadymark.models.face.schema import LandmarkSchema

DEFAULT_SPAN_S = 0.5
_DECIMALS = 3  # of coordinates, as in tables
_drags = itertools.count()  # each drag is undone by itself


class Scope(StrEnum):
    """What moves together with a landmark."""

    LANDMARK = "landmark"
    REGION = "region"
    FACE = "face"


class ChosenLandmark(NamedTuple):
    """The landmark that was clicked last: the number of its face, and its index."""

    face_id: int
    landmark: int


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """What is moved in a frame: landmarks of a face, and their (n, 2) places before."""

    face_id: int
    frame: int
    time_s: float
    landmarks: tuple[int, ...]
    xy_px: NDArray[np.float32]
    group: str


class Correcting(QObject):
    """Makes corrections of the open project. It lives in the GUI thread.

    Args:
        review: Holds the project.
        parent: The owner.

    Attributes:
        changed: Emitted when the project or the state of this object has changed.
        scope: What moves with a landmark.
        span_s: For how long before and after its frame a new correction fades out.
    """

    changed = Signal()

    def __init__(self, review: ReviewStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._review = review
        self._active = False
        self._chosen: ChosenLandmark | None = None
        self._held: _Held | None = None
        self._dragged = False
        self.scope, self.span_s = Scope.LANDMARK, DEFAULT_SPAN_S
        review.changed.connect(self._on_project_changed)

    @property
    def active(self) -> bool:
        """Whether landmarks can be moved."""
        return self._active

    @property
    def chosen(self) -> ChosenLandmark | None:
        """The landmark that arrow keys move."""
        return self._chosen

    @property
    def held(self) -> ChosenLandmark | None:
        """The landmark that the mouse holds."""
        return None if self._held is None else self._chosen

    @property
    def held_frame(self) -> int | None:
        """The frame in which the mouse holds a landmark."""
        return None if self._held is None else self._held.frame

    @property
    def why_not(self) -> UserText:
        """Why nothing can be corrected; empty if it can."""
        if self._review.project is None:
            return UserText("Open a recording first: corrections belong to a recording.")
        return self._review.why_read_only

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """The corrections of the open project."""
        project = self._review.project
        return () if project is None else project.corrections

    def set_active(self, active: bool) -> None:
        """Begin or stop moving landmarks."""
        if active != self._active and not (active and self.why_not):
            self._active = active
            self._chosen = self._held = None
        self.changed.emit()

    def set_scope(self, scope: Scope) -> None:
        """Choose what moves with a landmark."""
        self.scope = scope
        self.changed.emit()

    def adjacent(self, step: int, frame: int) -> int | None:
        """Return the next (1) or previous (-1) corrected frame, or None."""
        frames = {one.frame for one in self.corrections}
        if step > 0:
            return min((one for one in frames if one > frame), default=None)
        return max((one for one in frames if one < frame), default=None)

    def at(self, frame: int) -> tuple[Correction, ...]:
        """Return the corrections of a frame; that of the chosen face comes first."""
        face_id = None if self._chosen is None else self._chosen.face_id
        here = (one for one in self.corrections if one.frame == frame)
        return tuple(sorted(here, key=lambda one: (one.face_id != face_id, one.face_id)))

    # -- moving

    def choose(self, chosen: ChosenLandmark | None) -> None:
        """Choose the landmark that arrow keys move, or none."""
        if chosen != self._chosen:
            self._chosen = chosen
            self.changed.emit()

    def hold(
        self, face: TrackedFace, landmark: int, frame: Frame, schema: LandmarkSchema, scope: Scope
    ) -> None:
        """Take hold of a landmark and of what moves with it.

        Args:
            face: The face, as it is shown.
            landmark: Index of the landmark.
            frame: The frame that is shown.
            schema: The schema of the landmarks.
            scope: What moves with the landmark.
        """
        self._held = _held(face, landmark, frame, schema, scope, f"drag {next(_drags)}")
        self._dragged = False
        self._chosen = ChosenLandmark(face.face_id, landmark)
        self.changed.emit()

    def drag(self, by_px: tuple[float, float]) -> None:
        """Move what is held to this many frame pixels from where it was."""
        if self._held is not None:
            self._dragged = self._keep(self._held, by_px) or self._dragged

    def release(self) -> None:
        """Let go of what is held; it stays where it is."""
        if self._held is not None:
            self._held = None
            self.changed.emit()

    def give_up(self) -> bool:
        """Undo the drag, or choose no landmark; return whether there was one of them."""
        if self._held is not None:
            self._held = None
            if self._dragged:
                self._review.undo()
            self.changed.emit()
            return True
        if self._chosen is None:
            return False
        self.choose(None)
        return True

    def nudge(
        self, face: TrackedFace, frame: Frame, schema: LandmarkSchema, by_px: tuple[float, float]
    ) -> None:
        """Move the chosen landmark, and what moves with it, by this many frame pixels.

        Steps in a row are undone together.
        """
        if self._chosen is not None:
            landmark = self._chosen.landmark
            group = f"nudge {frame.index} {face.face_id} {landmark} {self.scope}"
            self._keep(_held(face, landmark, frame, schema, self.scope, group), by_px)

    def set_span(self, frame: int, span_s: float) -> None:
        """Give the corrections of a frame another span; new ones get it, too."""
        self.span_s = span_s
        here = [one for one in self.at(frame) if one.span_s != span_s]
        if not here:
            self.changed.emit()
            return

        def change(project: Project) -> Project:
            for one in here:
                project = edits.correct(project, replace(one, span_s=span_s))
            return project

        action = UserText("span of the correction of frame {frame}", frame=frame)
        self._review.edit(action, change, group=f"span {frame}")

    def remove(self, frame: int) -> bool:
        """Remove the corrections of a frame; return whether there were any."""
        here = self.at(frame)

        def change(project: Project) -> Project:
            for one in here:
                project = edits.remove_correction(project, one.face_id, one.frame)
            return project

        action = UserText("remove the correction of frame {frame}", frame=frame)
        return bool(here) and self._review.edit(action, change)

    def _keep(self, held: _Held, by_px: tuple[float, float]) -> bool:
        """Keep a correction; return whether the project was changed."""
        places = np.round(held.xy_px.astype(np.float64) + by_px, _DECIMALS).tolist()
        points = tuple((i, x, y) for i, (x, y) in zip(held.landmarks, places, strict=True))
        known = (one for one in self.corrections if one.frame == held.frame)
        span_s = next((one.span_s for one in known if one.face_id == held.face_id), self.span_s)
        made = Correction(held.face_id, held.frame, held.time_s, points, span_s)
        return self._review.edit(
            UserText("correct frame {frame}", frame=held.frame),
            lambda project: edits.correct(project, made),
            group=held.group,
        )

    def _on_project_changed(self) -> None:
        if self._active and self.why_not:
            self.set_active(False)
        else:
            self.changed.emit()


def landmarks_in(schema: LandmarkSchema, landmark: int, scope: Scope) -> tuple[int, ...]:
    """Return the landmarks that move together with a landmark, itself included."""
    if scope is Scope.FACE:
        return tuple(range(schema.count))
    return schema.part_of(landmark) if scope is Scope.REGION else (landmark,)


def _held(
    face: TrackedFace,
    landmark: int,
    frame: Frame,
    schema: LandmarkSchema,
    scope: Scope,
    group: str,
) -> _Held:
    assert face.stabilized is not None
    landmarks = landmarks_in(schema, landmark, scope)
    xy_px = face.stabilized.xy_px[list(landmarks)].copy()
    return _Held(face.face_id, frame.index, frame.pts_s, landmarks, xy_px, group)
