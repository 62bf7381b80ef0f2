"""The panel that shows the 3D face of the shown frame, from the side that the user chooses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from steadymark.engine.core.types import EXPRESSIONS
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.face3d.face3d_picture import ShownFace, draw_face
from steadymark.engine.face3d.face_mesh import load_face_mesh
from steadymark.engine.gaze.eye_directions import eye_directions
from steadymark.models.face.schema import IBUG_ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from PySide6.QtGui import QMouseEvent, QPaintEvent

    from steadymark.app.session.people.face_names import FaceName
    from steadymark.engine.core.types import TrackedFace

    Floats = NDArray[np.float64]

_MOST_PX = 640  # longer side of the drawn picture; a larger panel shows it enlarged
_DEG_PER_POINT = 0.6  # by which dragging turns the face
_STEEPEST_DEG = 80.0  # from above or below
_MARGIN = 8
_FLIP = np.array([1.0, -1.0, -1.0])  # between the axes of `HeadPose` and those of the mesh


class Face3dPanel(QWidget):
    """Shows a turning 3D face, or why there is none. Nothing is drawn while it is hidden."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("3D face"))
        self.setToolTip(
            self.tr("Drag to look from the side; double-click to look from the camera again")
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self._faces: Sequence[TrackedFace] | None = None
        self._names: Mapping[int, FaceName] = {}
        self._chosen: int | None = None
        self._mirrored = self._has_frame = False
        self._yaw_deg = self._pitch_deg = 0.0
        self._dragged_from: QPointF | None = None

    def sizeHint(self) -> QSize:
        return QSize(300, 300)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 120)

    def set_faces(
        self,
        faces: Sequence[TrackedFace] | None,
        names: Mapping[int, FaceName],
        *,
        chosen: int | None,
        mirrored: bool,
        has_frame: bool = True,
    ) -> None:
        """Show the faces of the shown frame.

        Args:
            faces: The faces; None if the frame is not tracked yet, or if there is none.
            names: What they are called, by their numbers.
            chosen: Number of the face that the user has chosen; None for the first one.
            mirrored: Whether the video is shown mirrored.
            has_frame: Whether a frame is shown.
        """
        self._faces, self._names, self._has_frame = faces, names, has_frame
        self._chosen, self._mirrored = chosen, mirrored
        self.update()

    def look_from(self, *, yaw_deg: float, pitch_deg: float) -> None:
        """Look at the face from another side than the camera.

        Args:
            yaw_deg: How far to the right of the camera.
            pitch_deg: How far above it.
        """
        self._yaw_deg = math.remainder(yaw_deg, 360.0)
        self._pitch_deg = min(max(pitch_deg, -_STEEPEST_DEG), _STEEPEST_DEG)
        self.update()

    @property
    def shown(self) -> TrackedFace | None:
        """The chosen face, or the first one; None if it is not in the frame."""
        wanted = (
            face
            for face in self._faces or ()
            if face.stabilized is not None and self._chosen in (None, face.face_id)
        )
        return next(wanted, None)

    @property
    def notice(self) -> str:
        """Why no face is drawn; empty if one is."""
        face = self.shown
        if not self._has_frame:
            return self.tr("There is no picture yet: open a video or a camera.")
        if self._faces is None:
            return self.tr("This frame is not tracked yet.")
        if face is None:
            return self.tr("No face in this frame.")
        if face.attributes is not None and face.attributes.context.schema not in IBUG_ORDER:
            return self.tr("The 3D face needs iBUG's 68 landmarks, which this model does not find.")
        if face.pose is None:
            return self.tr("The 3D face does not fit these landmarks.")
        return ""

    # -- painting and the mouse

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        notice, face = self.notice, self.shown
        inside = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        if notice or face is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            words = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(inside, words, notice)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.rect(), self._picture(face))
        if len(self._faces or ()) > 1 and face.face_id in self._names:
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            painter.drawText(inside, Qt.AlignmentFlag.AlignTop, self._names[face.face_id].full)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._dragged_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged_from is None:
            return
        moved, self._dragged_from = event.position() - self._dragged_from, event.position()
        self.look_from(
            yaw_deg=self._yaw_deg - _DEG_PER_POINT * moved.x(),
            pitch_deg=self._pitch_deg + _DEG_PER_POINT * moved.y(),
        )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragged_from = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.look_from(yaw_deg=0.0, pitch_deg=0.0)

    def _picture(self, face: TrackedFace) -> QImage:
        """Draw a face with a known pose."""
        longer = max(1, self.width(), self.height())
        scale = min(self.devicePixelRatioF(), _MOST_PX / longer)
        width, height = (max(2, round(scale * side)) for side in (self.width(), self.height()))
        window = self.palette().color(QPalette.ColorRole.Window)
        colour = window.blue(), window.green(), window.red()
        drawn = draw_face(self._shown_face(face), width, height, colour)
        if self._mirrored:
            drawn = np.ascontiguousarray(drawn[:, ::-1])
        row_bytes = drawn.strides[0]
        image = QImage(drawn.data, width, height, row_bytes, QImage.Format.Format_BGR888)
        return image.copy()  # which does not refer to the array

    def _shown_face(self, face: TrackedFace) -> ShownFace:
        """Return what is drawn of a face with a known pose."""
        known, pose = face.attributes, face.pose
        assert known is not None
        assert pose is not None
        # What is not known, such as the gaze without pupils, is drawn as at rest.
        strengths = np.nan_to_num(known.values.get(EXPRESSIONS, (0.0,) * len(SHAPES)))
        return ShownFace(
            load_face_mesh().person(known.context.identity),
            strengths,
            self._view @ (pose.matrix * np.outer(_FLIP, _FLIP)),
            eye_directions(strengths[None])[0],
        )

    @property
    def _view(self) -> Floats:
        """The (3, 3) rotation from the camera's axes to those of the side that is looked from."""
        yaw = math.radians(self._yaw_deg if not self._mirrored else -self._yaw_deg)
        pitch = math.radians(self._pitch_deg)
        around_y = np.array(
            [
                [math.cos(yaw), 0.0, -math.sin(yaw)],
                [0.0, 1.0, 0.0],
                [math.sin(yaw), 0.0, math.cos(yaw)],
            ]
        )
        around_x = np.array(
            [
                [1.0, 0.0, 0.0],
                [0.0, math.cos(pitch), -math.sin(pitch)],
                [0.0, math.sin(pitch), math.cos(pitch)],
            ]
        )
        view: Floats = around_x @ around_y
        return view
