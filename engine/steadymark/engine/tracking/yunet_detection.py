"""OpenCV's YuNet detector, an option that needs a model file of the user."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import FaceBox
from steadymark.models.face.landmark_boxes import YUNET_TO_EXTENT, widen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image

LONGEST_SIDE = 640  # pixels; larger frames are resized to this
THRESHOLD = 0.8  # at this score, YuNet finds nearly all faces with hardly any false detections
_NMS_IOU, _MOST = 0.3, 5000
_COLUMNS = 15  # of a row: x, y, width, height, five points (right eye, left eye, …), score


class YuNetDetector:
    """A `FaceDetector` with `cv2.FaceDetectorYN` (Wu et al. 2023) and its boxes and eye points."""

    def __init__(
        self, model_file: str, *, threshold: float = THRESHOLD, backend: Any = None
    ) -> None:
        """Open the model file.

        Args:
            model_file: An ONNX file of YuNet.
            threshold: Lowest score of a face.
            backend: A `FaceDetectorYN` object that is used instead of the model file.

        Raises:
            UsageError: The file is missing, or it is not a YuNet model.
        """
        # `FaceDetectorYN` stores the image size, so only one thread at a time may use it
        self._busy = threading.Lock()
        self._net: Any = backend or _opened(model_file, threshold)

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        """Detect faces.

        Args:
            image: (H, W, 3) uint8 BGR.

        Returns:
            Boxes of the extent of 68 landmarks, best first.
        """
        height, width = image.shape[:2]
        if not height or not width:
            return ()
        scale = min(1.0, LONGEST_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if scale < 1:
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        with self._busy:
            rows = _rows(self._net, image)
        rows = rows[np.isfinite(rows).all(1)]
        per = np.array((width / size[0], height / size[1]), np.float32)
        return tuple(_box(row, per) for row in rows[np.argsort(-rows[:, -1], kind="stable")])


def _opened(model_file: str, threshold: float) -> Any:
    if not Path(model_file).is_file():
        raise UsageError(
            "there is no YuNet model file at '{model_file}': give one as yunet:FILE.onnx",
            model_file=model_file,
        )
    # OpenCV logs a warning when it opens the model
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        net = cv2.FaceDetectorYN.create(model_file, "", (320, 320), threshold, _NMS_IOU, _MOST)
        rows = _rows(net, np.zeros((64, 64, 3), np.uint8))
    except cv2.error as error:
        raise _unfit(model_file) from error
    finally:
        cv2.utils.logging.setLogLevel(level)
    if rows.shape[1:] != (_COLUMNS,):
        raise _unfit(model_file)
    return net


def _unfit(model_file: str) -> UsageError:
    return UsageError(
        "'{model_file}' is not a YuNet model that OpenCV can run: give a face_detection_yunet file",
        model_file=model_file,
    )


def _rows(net: Any, image: Image) -> NDArray[np.float32]:
    """Return (n, 15) detections; for the columns, see `_COLUMNS`."""
    net.setInputSize((image.shape[1], image.shape[0]))
    detections = net.detect(image)[1]
    return (
        np.zeros((0, _COLUMNS), np.float32)
        if detections is None
        else np.asarray(detections, np.float32)
    )


def _box(row: NDArray[np.float32], per: NDArray[np.float32]) -> FaceBox:
    corners = np.concatenate((row[:2], row[:2] + row[2:4]))
    left, top, right, bottom = (widen(corners, YUNET_TO_EXTENT) * np.tile(per, 2)).tolist()
    across = (row[6:8] - row[4:6]) * per
    roll_deg = math.degrees(math.atan2(float(across[1]), float(across[0])))
    return FaceBox(left, top, right - left, bottom - top, float(row[-1]), roll_deg)
