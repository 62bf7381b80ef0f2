"""MediaPipe's Face Landmarker as a landmark model."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from steadymark.engine.core.errors import SteadymarkError, UsageError
from steadymark.engine.tracking.mediapipe_landmarks import MediapipeLandmarks, mediapipe_card
from steadymark.engine.tracking.settings import TrackSettings, landmark_card
from steadymark.models.face.schema_conversion import to_ibug68

POINT_OF_OUTER_EYE, OUTER_EYE = 33, 36


class LandmarkerBackend:
    """Answers as MediaPipe's FaceLandmarker does: points relative to the size of the image."""

    def __init__(self, *, blind_from: int = 10) -> None:
        self.blind_from, self.calls, self.closed = blind_from, 0, 0

    def close(self) -> None:
        self.closed += 1

    def detect(self, image: np.ndarray) -> object:
        self.calls += 1
        if self.calls > self.blind_from:
            return SimpleNamespace(face_landmarks=[])
        self.last_colour = tuple(int(v) for v in image[0, 0])
        mesh = [SimpleNamespace(x=i / 1000, y=i / 500) for i in range(478)]
        return SimpleNamespace(face_landmarks=[mesh])


@pytest.fixture
def task_file(tmp_path: Path) -> Path:
    path = tmp_path / "face_landmarker.task"
    path.write_bytes(b"a model")
    return path


def test_the_points_of_the_mesh_become_those_of_ibug_in_pixels(task_file: Path) -> None:
    backend = LandmarkerBackend()
    model = MediapipeLandmarks(mediapipe_card(str(task_file)), backend=backend)
    crop = np.full((1, 384, 384, 3), (1, 2, 3), np.uint8)
    found = model.step(crop)
    assert found.points.shape == (1, 68, 2)
    expected = np.array((POINT_OF_OUTER_EYE / 1000, POINT_OF_OUTER_EYE / 500)) * 384 - 0.5
    np.testing.assert_allclose(found.points[0, OUTER_EYE], expected, atol=1e-3)
    assert backend.last_colour == (3, 2, 1)
    assert found.face.tolist() == [1]
    assert found.state == ()


def test_a_crop_without_a_face_has_score_0_and_finite_points(task_file: Path) -> None:
    backend = LandmarkerBackend(blind_from=1)
    model = MediapipeLandmarks(mediapipe_card(str(task_file)), backend=backend)
    found = model.step(np.zeros((2, 384, 384, 3), np.uint8))
    assert found.face.tolist() == [1, 0]
    assert found.scores[1].max() == 0
    assert np.isfinite(found.points).all()
    model.close()
    assert backend.closed == 1


def test_the_card_follows_from_the_file(task_file: Path) -> None:
    card = landmark_card(TrackSettings(model=f"mediapipe:{task_file}"))
    assert (card.name, card.schema, card.cell) == ("mediapipe-face_landmarker", "ibug68", "flow")
    task_file.write_bytes(b"another model")
    assert mediapipe_card(str(task_file)).sha256 != card.sha256


def test_a_missing_model_file_is_told() -> None:
    with pytest.raises(UsageError, match=r"give face_landmarker\.task as mediapipe:FILE\.task"):
        landmark_card(TrackSettings(model="mediapipe:nowhere.task"))


def test_a_stabilizer_that_needs_heatmaps_of_its_own_is_refused(task_file: Path) -> None:
    with pytest.raises(SteadymarkError, match="mediapipe-face_landmarker"):
        landmark_card(TrackSettings(model=f"mediapipe:{task_file}", stabilizer="convlstm"))


@pytest.mark.parametrize("name", ["mediapipe478", "openseeface66"])
def test_maps_of_other_trackers_name_each_landmark_once(name: str) -> None:
    count = int(name[-3:]) if name.startswith("mediapipe") else 66
    numbers = np.arange(count, dtype=np.float64)
    mapped = to_ibug68(np.stack((numbers, numbers), axis=-1), name)[:, 0]
    known = mapped[np.isfinite(mapped)]
    assert len(set(known.tolist())) == len(known)
    assert np.flatnonzero(np.isnan(mapped)).tolist() == ([48, 54] if count == 66 else [])
    with pytest.raises(ValueError, match="are not"):
        to_ibug68(np.zeros((10, 2)), name)


_PROGRAM = """
import sys
import numpy as np
from steadymark.engine.sources import open_source
from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models
from steadymark.models.face.schema import assets_root
from steadymark.engine.metrics.video_ground_truth import read_truth

clips = assets_root() / "clips"
truth = read_truth(clips / "demo_truth.csv")
settings = TrackSettings(model="mediapipe:" + sys.argv[1], device="cpu", stabilizer="none")
tracker = make_tracker(open_models(settings), settings)
for frame, points in zip(open_source(str(clips / "demo.mp4")).frames(), truth[:5]):
    (face,) = tracker.track(frame).faces
    errors = np.linalg.norm(face.raw.xy_px - points, axis=1)
    print(f"{100 * errors[17:].mean() / np.linalg.norm(points[36] - points[45]):.1f}")
"""


def test_the_real_package_finds_the_landmarks_of_the_demo_clip() -> None:
    if importlib.util.find_spec("mediapipe") is None:
        pytest.skip("mediapipe is not installed: pip install 'steadymark[mediapipe]'")
    model = os.environ.get("STEADYMARK_MEDIAPIPE_LANDMARKER", "")
    if not Path(model).is_file():
        pytest.skip("STEADYMARK_MEDIAPIPE_LANDMARKER names no face_landmarker.task")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, model], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    errors = [float(line) for line in done.stdout.split()]
    assert len(errors) == 5
    assert max(errors) < 5, errors
    assert "Traceback" not in done.stderr
