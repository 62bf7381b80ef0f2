"""The tracker's search in single images, measured as a face detector is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from steadymark.engine.core.types import Frame
from steadymark.engine.tracking.face_pass import MOST_FACES
from steadymark.engine.tracking.geometry import box_of_landmarks
from steadymark.engine.tracking.settings import make_tracker, open_models
from steadymark.models.face.crop import fit_crop

if TYPE_CHECKING:
    from steadymark.engine.core.types import FaceBox
    from steadymark.engine.tracking.settings import TrackSettings
    from steadymark.models.face.crop import Image


class TrackedFaces:
    """A `FaceDetector` whose boxes are the extents of the landmarks that the tracker finds.

    Each image is the first frame of a video: the detector's boxes, its doubtful ones, the thorough
    search and the landmark network's face score all take part.
    """

    def __init__(self, settings: TrackSettings) -> None:
        """Open the networks; for errors, see `open_models`."""
        tracker = replace(settings.tracker, max_faces=MOST_FACES)
        settings = replace(settings, tracker=tracker, stabilizer="none")
        models = open_models(settings)
        self._tracker, self._schema = make_tracker(models, settings), models.schema

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """Search an image.

        Args:
            image: (H, W, 3) uint8 BGR.

        Returns:
            Boxes in pixels of the image, the likeliest face first.
        """
        self._tracker.reset()
        boxes = []
        for face in self._tracker.track(Frame(image, 0, 0.0)).faces:
            if face.raw is not None:
                roll_deg = fit_crop(face.raw.xy_px, self._schema.mean_shape, margin=1).roll_deg
                boxes.append(box_of_landmarks(face.raw.xy_px, score=face.score, roll_deg=roll_deg))
        return tuple(sorted(boxes, key=lambda box: -box.score))
