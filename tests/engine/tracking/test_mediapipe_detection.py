from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.tracking.mediapipe_detection import MediapipeDetector


class MediapipeBackend:
    """Answers as MediaPipe's FaceDetector does: eye points relative to the image size."""

    def __init__(self, *faces: tuple[float, float, float, float, float]) -> None:
        self.faces = faces

    def detect(self, image: object) -> object:
        return SimpleNamespace(
            detections=[
                SimpleNamespace(
                    keypoints=[SimpleNamespace(x=a, y=b), SimpleNamespace(x=c, y=d)],
                    categories=[SimpleNamespace(score=score)],
                )
                for a, b, c, d, score in self.faces
            ]
        )


IMAGE = np.zeros((400, 800, 3), np.uint8)


def test_boxes_are_derived_from_the_eyes_and_sorted_by_score() -> None:
    backend = MediapipeBackend((0.4, 0.5, 0.5, 0.5, 0.6), (0.6, 0.5, 0.7, 0.5, 0.9))
    boxes = MediapipeDetector("", threshold=0.5, backend=backend).detect(IMAGE)
    assert [box.score for box in boxes] == [0.9, 0.6]
    first = boxes[1]
    assert first.left + first.width / 2 == pytest.approx(359.5, abs=1)
    assert first.top < 200 < first.top + first.height / 2


def test_the_roll_of_a_box_is_that_of_the_eyes() -> None:
    backend = MediapipeBackend((0.45, 0.4, 0.55, 0.6, 0.9))
    (box,) = MediapipeDetector("", threshold=0.5, backend=backend).detect(IMAGE)
    assert box.roll_deg == pytest.approx(45)


def test_a_missing_model_file_is_reported() -> None:
    with pytest.raises(UsageError, match=r"mediapipe:FILE\.tflite"):
        MediapipeDetector("nowhere.tflite", threshold=0.5)
