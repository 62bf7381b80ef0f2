from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.tracking.mediapipe_detection import MediapipeDetector


class MediapipeBackend:
    """Answers as MediaPipe's FaceDetector does: eye points relative to the picture."""

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


PICTURE = np.zeros((400, 800, 3), np.uint8)


def test_boxes_come_from_the_eyes_best_first() -> None:
    backend = MediapipeBackend((0.4, 0.5, 0.5, 0.5, 0.6), (0.6, 0.5, 0.7, 0.5, 0.9))
    boxes = MediapipeDetector("", threshold=0.5, backend=backend).detect(PICTURE)
    assert [box.score for box in boxes] == [0.9, 0.6]
    first = boxes[1]
    assert first.left + first.width / 2 == pytest.approx(359.5, abs=1)
    assert first.top < 200 < first.top + first.height / 2


def test_a_rolled_face_has_its_roll() -> None:
    backend = MediapipeBackend((0.45, 0.4, 0.55, 0.6, 0.9))
    (box,) = MediapipeDetector("", threshold=0.5, backend=backend).detect(PICTURE)
    assert box.roll_deg == pytest.approx(45)


def test_a_missing_model_file_is_told() -> None:
    with pytest.raises(UsageError, match=r"mediapipe:FILE\.tflite"):
        MediapipeDetector("nowhere.tflite", threshold=0.5)
