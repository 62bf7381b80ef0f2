"""MediaPipe's detector as a face detector."""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.tracking.mediapipe_detection import MediapipeDetector


class MediapipeBackend:
    """Answers as MediaPipe's FaceDetector does: eye points relative to the image size."""

    def __init__(self, *faces: tuple[float, float, float, float, float]) -> None:
        self.faces = faces
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

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


def test_the_detector_of_mediapipe_is_closed_once_when_ours_is_closed_or_forgotten() -> None:
    for explicitly in (True, False):
        backend = MediapipeBackend()
        detector = MediapipeDetector("", threshold=0.5, backend=backend)
        if explicitly:
            detector.close()
        assert backend.closed == int(explicitly)
        del detector
        gc.collect()
        assert backend.closed == 1


_PROGRAM = """
import sys
import numpy as np
from steadymark.engine.tracking.settings import TrackSettings, open_detector
detector, _ = open_detector(TrackSettings(detector="mediapipe:" + sys.argv[1]))
print(len(detector.detect(np.zeros((240, 320, 3), np.uint8))), "faces")
"""


def test_a_program_with_the_real_package_ends_without_a_traceback() -> None:
    if importlib.util.find_spec("mediapipe") is None:
        pytest.skip("mediapipe is not installed: pip install 'steadymark[mediapipe]'")
    model = os.environ.get("STEADYMARK_MEDIAPIPE_MODEL", "")
    if not Path(model).is_file():
        pytest.skip("STEADYMARK_MEDIAPIPE_MODEL names no model file of MediaPipe's face detector")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, model], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "0 faces"), done.stderr
    assert "Traceback" not in done.stderr
