"""MediaPipe's face detector, an option that needs the extra 'mediapipe' and a model file."""

from __future__ import annotations

import ctypes
import math
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import FaceBox

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.models.face.crop import Image

EYE_SPAN = 1.65  # longer side of the landmarks' extent / outer-eye distance, for an average face
OUTER_EYE_RATIO = 1.45  # outer-eye distance / distance of MediaPipe's eye centres


def close_backend(backend: Any) -> None:
    """Close a detector or landmarker of MediaPipe, or let it live until the process has ended.

    When Python ends, MediaPipe can no longer close it. Its `__del__` would try, and fail with a
    traceback, if the object were not kept alive.
    """
    try:
        backend.close()
    except RuntimeError:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(backend))


class MediapipeDetector:
    """A `FaceDetector` with MediaPipe Tasks (BlazeFace); boxes follow from its two eye points."""

    def __init__(self, model_file: str, *, threshold: float, backend: Any = None) -> None:
        """Open the model file.

        Args:
            model_file: A model file of MediaPipe's face detector.
            threshold: Lowest score of a face.
            backend: A `FaceDetector` object of MediaPipe that is used instead of the model
                file.

        Raises:
            UsageError: The file or the package is missing, or MediaPipe refuses the file.
        """
        self._image_of: Callable[[Any], Any] = lambda rgb: rgb
        self._detector = backend or self._open(model_file, threshold)
        self._close = weakref.finalize(self, close_backend, self._detector)

    def close(self) -> None:
        """Close MediaPipe's detector; this also happens when the program ends."""
        self._close()

    def _open(self, model_file: str, threshold: float) -> Any:
        if not Path(model_file).is_file():
            raise UsageError(
                "there is no MediaPipe model file at '{model_file}': give one as "
                "mediapipe:FILE.tflite",
                model_file=model_file,
            )
        try:
            import mediapipe
            from mediapipe.tasks import python as tasks
            from mediapipe.tasks.python import vision
        except ImportError as error:
            raise UsageError(
                "MediaPipe is not installed: 'pip install steadymark[mediapipe]', "
                "or use the built-in detector"
            ) from error
        self._image_of = lambda rgb: mediapipe.Image(mediapipe.ImageFormat.SRGB, rgb)
        options = vision.FaceDetectorOptions(
            base_options=tasks.BaseOptions(model_asset_path=model_file),
            min_detection_confidence=threshold,
        )
        try:
            return vision.FaceDetector.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise UsageError(
                "MediaPipe cannot use '{model_file}': {error}", model_file=model_file, error=error
            ) from error

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """Detect faces.

        Args:
            image: (H, W, 3) uint8 BGR.

        Returns:
            Boxes of the extent of 68 landmarks, estimated from the eye centres, best first.
        """
        height, width = image.shape[:2]
        rgb = np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        found = self._detector.detect(self._image_of(rgb)).detections
        boxes = [self._box(d, width, height) for d in found if len(d.keypoints) >= 2]
        return tuple(sorted(boxes, key=lambda box: -box.score))

    @staticmethod
    def _box(detection: Any, width: int, height: int) -> FaceBox:
        right, left = (
            np.array((point.x * width - 0.5, point.y * height - 0.5))
            for point in detection.keypoints[:2]
        )
        across = left - right
        side = float(np.hypot(*across)) * OUTER_EYE_RATIO * EYE_SPAN
        roll = math.atan2(across[1], across[0])
        down = np.array((-math.sin(roll), math.cos(roll)))
        centre = (left + right) / 2 + 0.27 * side * down
        return FaceBox(
            float(centre[0]) - side / 2,
            float(centre[1]) - side / 2,
            side,
            side,
            float(detection.categories[0].score),
            math.degrees(roll),
        )
