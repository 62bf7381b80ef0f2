"""The landmark under the mouse pointer."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF

from steadymark.app.gui.i18n.display_names import landmark_name
from steadymark.app.gui.i18n.local_numbers import number_text
from steadymark.app.session.people.face_names import FaceName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.app.gui.video.shown_frame import ShownFrame
    from steadymark.app.gui.video.viewport import Viewport
    from steadymark.engine.core.types import Landmarks, TrackedFace

HOVER_PX = 9.0  # maximum distance in view points
translate = QCoreApplication.translate


@dataclass(frozen=True, slots=True)
class HoveredLandmark:
    """A landmark's number, its position in the view, the text of its tooltip, and its face."""

    index: int
    position: QPointF
    text: str
    face_id: int


def nearest_landmark(
    shown: ShownFrame,
    names: Mapping[bool, str],
    viewport: Viewport,
    at: QPointF,
) -> HoveredLandmark | None:
    """Return the landmark nearest to a point, or None if none is near.

    Args:
        shown: The frame with its faces.
        names: The display names of the landmarks to search, raw (True) or stabilized (False).
        viewport: Maps frame pixels to view points.
        at: The point in the view.
    """
    best, least = None, HOVER_PX
    for face in shown.faces or ():
        for raw, name in names.items():
            landmarks = face.raw if raw else face.stabilized
            if landmarks is None:
                continue
            points = viewport.to_view(landmarks.xy_px)
            away = np.hypot(points[:, 0] - at.x(), points[:, 1] - at.y())
            index = int(np.argmin(away))
            if away[index] < least:
                least = float(away[index])
                tooltip = _tooltip(face, landmarks, index, name, shown)
                position = QPointF(*points[index])
                best = HoveredLandmark(index, position, tooltip, face.face_id)
    return best


def _tooltip(
    face: TrackedFace, landmarks: Landmarks, index: int, kind: str, shown: ShownFrame
) -> str:
    x, y = landmarks.xy_px[index]
    called = shown.names.get(face.face_id, FaceName(face.face_id, face.face_id))
    words = translate(
        "hovering", "<b>{number} {name}</b><br>x {x}, y {y}, {kind}<br>score {score}, face {face}"
    )
    return words.format(
        number=index,
        name=landmark_name(index, shown.schema),
        x=number_text(x, 2),
        y=number_text(y, 2),
        kind=kind,
        score=number_text(float(landmarks.score[index]), 2),
        face=escape(called.full.removeprefix("#")),
    )
