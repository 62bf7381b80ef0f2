"""Small pictures of doubtful stretches for a report."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.core.errors import SourceError
from steadymark.engine.output.video.draw_style import STEADY_COLOUR, bgr
from steadymark.engine.output.video.drawing import draw_contours
from steadymark.engine.review.people.face_picture import face_picture
from steadymark.engine.sources import open_source
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.engine.review.doubtful_stretches import DoubtfulStretch
    from steadymark.engine.review.person_track import PersonTrack
    from steadymark.models.face.crop import Image

SIDE = 128  # pixels
_QUALITY = 80


def stretch_pictures(
    video: str,
    stretches: Sequence[DoubtfulStretch],
    tracks: Sequence[PersonTrack],
    schema: str,
    *,
    on_picture: Callable[[int], None] = lambda _: None,
) -> list[str]:
    """Return a picture of the middle frame of each stretch, as the source of an `img` element.

    Args:
        video: The video.
        stretches: The stretches.
        tracks: The faces.
        schema: Name of the landmark schema.
        on_picture: Called with the number of pictures that are done. It may raise to give up.

    Returns:
        One `data:` address for each stretch; empty where the frame cannot be read.

    Raises:
        SourceError: The video cannot be opened.
    """
    source = open_source(video)
    try:
        if not isinstance(source, VideoFile | ImageSequence):
            return [""] * len(stretches)
        by_id = {track.face_id: track for track in tracks}
        order = sorted(range(len(stretches)), key=lambda i: stretches[i].first)
        found = {}
        for i in order:
            found[i] = _picture(source, stretches[i], by_id, schema)
            on_picture(len(found))
    finally:
        source.close()
    return [found[i] for i in range(len(stretches))]


def _picture(
    source: VideoFile | ImageSequence,
    stretch: DoubtfulStretch,
    tracks: dict[int, PersonTrack],
    schema: str,
) -> str:
    track = tracks[stretch.face_id]
    inside = np.flatnonzero((track.frame >= stretch.first) & (track.frame <= stretch.last))
    middle = int(inside[len(inside) // 2])
    try:
        image = source.frame_at(int(track.frame[middle])).image.copy()
    except SourceError:
        return ""
    if not track.present[middle]:
        return _encoded(_whole(image))
    points = track.xy[middle].astype(np.float32)
    draw_contours(image, points, bgr(STEADY_COLOUR), float(np.ptp(points, axis=0).max()), schema)
    return _encoded(face_picture(image, points, SIDE))


def _whole(image: Image) -> Image:
    """Return the whole frame, made smaller."""
    scale = SIDE / max(image.shape[:2])
    size = [max(1, round(scale * side)) for side in (image.shape[1], image.shape[0])]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encoded(image: Image) -> str:
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    text = base64.b64encode(data.tobytes()).decode() if ok else ""
    return f"data:image/jpeg;base64,{text}" if text else ""
