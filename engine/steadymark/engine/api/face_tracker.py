"""A tracker for a frame loop that the caller runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.api.face import Face, faces_of
from steadymark.engine.api.inputs import checked_image, checked_number
from steadymark.engine.core.types import Frame

if TYPE_CHECKING:
    from steadymark.engine.api.inputs import Image
    from steadymark.engine.tracking.tracker import Tracker


class FaceTracker:
    """Follows the faces of one video or camera; `FaceLandmarker.tracker` creates it.

    It keeps the position, the id and the stabilizer's state of each face. Use one tracker per
    video, or call `reset` between videos. Call it from one thread only.

    Example:
        >>> import steadymark as sm
        >>> tracker = sm.FaceLandmarker().tracker()
        >>> for frame in sm.read_frames(video, end_s=0.2):
        ...     faces = tracker.update(frame.image, timestamp_s=frame.timestamp_s)
        >>> faces[0].id
        0
    """

    def __init__(self, tracker: Tracker, schema: str) -> None:
        self._tracker, self._schema = tracker, schema
        self._next = 0

    def update(self, image: Image, *, timestamp_s: float) -> list[Face]:
        """Track one frame.

        Args:
            image: (H, W, 3) uint8 in BGR order.
            timestamp_s: The frame's time in seconds. Stabilizers depend on time, so pass the
                true time and not a frame count. The state of all faces is reset after half a second
                without a frame, at a scene cut, and if a time is not later than the previous one.

        Returns:
            The faces in the frame, sorted by id; lost faces are left out. A face that returns
            within 2.5 s keeps its id.

        Raises:
            UsageError: The image has another shape or type, or the time is not a finite number.
        """
        t_s = checked_number(timestamp_s, name="timestamp_s")
        frame = Frame(checked_image(image), self._next, t_s)
        self._next += 1
        return faces_of(self._tracker.track(frame).faces, self._schema)

    def reset(self) -> None:
        """Forget all faces before another video begins; ids start at 0 again."""
        self._tracker.reset()
        self._next = 0
