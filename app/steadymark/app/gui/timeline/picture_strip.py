"""The thumbnails along the timeline: which frames they are of, and their painting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, QPalette

from steadymark.app.gui.timeline.timeline_layout import PICTURE_PX

if TYPE_CHECKING:
    from steadymark.app.gui.timeline.timeline_layout import TimelineLayout
    from steadymark.app.gui.timeline.visible_frames import VisibleFrames
    from steadymark.app.session.recording.thumbnails import Thumbnails

_NARROWEST_PX = 24.0


def thumbnail_frames(width: float, aspect: float, shown: VisibleFrames) -> list[range]:
    """Return the ranges of frames that have a thumbnail, from left to right.

    The ranges depend only on the zoom, so that panning uses the same pictures again.

    Args:
        width: The width of all frames that are shown, in pixels.
        aspect: The width of a picture divided by its height.
        shown: The part of the recording that is shown.
    """
    if not shown.count:
        return []
    least = max(PICTURE_PX * aspect, _NARROWEST_PX) / width * shown.span
    step = _round_up(least)
    first = int(shown.first) // step
    last = min(math.ceil(shown.first + shown.span), shown.count)
    return [
        range(place * step, min((place + 1) * step, shown.count))
        for place in range(first, math.ceil(last / step))
    ]


def paint_pictures(
    painter: QPainter,
    layout: TimelineLayout,
    shown: VisibleFrames,
    thumbnails: Thumbnails,
    palette: QPalette,
) -> list[range]:
    """Paint the thumbnails that are there.

    Returns:
        The ranges of frames of all thumbnails, also of those that are not there yet.
    """
    place = layout.pictures
    frames = thumbnail_frames(place.width(), thumbnails.aspect, shown)
    painter.fillRect(place, palette.color(QPalette.ColorRole.Base))
    painter.setClipRect(place)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    for one in frames:
        picture = thumbnails.picture(one)
        if picture is None:
            continue
        left, right = layout.x_of(one.start, shown), layout.x_of(one.stop, shown)
        high, wide = picture.shape[:2]
        width = min(place.height() * wide / high, right - left - 1)
        source = width / place.height() * high  # a cut-out of the middle
        cut = QRectF((wide - source) / 2, 0, source, high)
        image = QImage(picture.data, wide, high, picture.strides[0], QImage.Format.Format_BGR888)
        middle = (left + right) / 2
        painter.drawImage(
            QRectF(middle - width / 2, place.top(), width, place.height()), image, cut
        )
    return frames


def _round_up(frames: float) -> int:
    """Return the next number of the form 2ⁿ or 3·2ⁿ."""
    power: int = 2 ** math.ceil(math.log2(max(frames, 1.0)))
    smaller = 3 * power // 4
    return smaller if power >= 4 and smaller >= frames else power
