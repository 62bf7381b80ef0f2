"""The pupils of tracked faces."""

from __future__ import annotations

import contextlib
import math
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.core.pupils import Pupils
from steadymark.engine.core.types import FaceState, Frame
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.pupil_tracking import (
    JUMP,
    PupilMemory,
    PupilTracker,
    filtered_offset,
    open_pupil_tracker,
    visible_eyes,
)
from steadymark.engine.tracking.settings import (
    TrackSettings,
    make_tracker,
    open_models,
    plain_settings,
)
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.eye_crop import EYE_WIDTH, EYES, MARGIN
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime import zoo
from steadymark.models.runtime.pupil_network import PupilNetwork
from steadymark.models.runtime.zoo import find_model, weights_folder
from support.drawn_eyes import WIDTH, draw_eyes, face_points
from support.fakes.fake_engine import SquareDetector, SquareNetwork, frame
from tools.demo_clip.make_demo_clip import photograph

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from steadymark.models.face.crop import Image, Points

POINTS = face_points()


@pytest.fixture(scope="module")
def tracker() -> PupilTracker:
    return open_pupil_tracker()


@pytest.mark.parametrize("gaze", [(0.0, 0.0), (0.15, 0.02), (-0.15, -0.03)])
def test_the_pupils_of_drawn_eyes_are_found(
    tracker: PupilTracker, gaze: tuple[float, float]
) -> None:
    image, truth = draw_eyes(POINTS, gaze=gaze)
    [(pupils, _)] = tracker.find(image, [POINTS], [None], 0.0)
    errors = np.linalg.norm(pupils.xy_px - truth, axis=1) / WIDTH
    assert (errors < 0.06).all()
    assert (pupils.score > 0.9).all()


@pytest.mark.parametrize("closed", [(True, False), (False, True), (True, True)])
def test_the_pupil_of_a_closed_eye_is_not_a_number(
    tracker: PupilTracker, closed: tuple[bool, bool]
) -> None:
    image, _ = draw_eyes(POINTS, closed=closed)
    [(pupils, memory)] = tracker.find(image, [POINTS], [None], 0.0)
    for eye, is_closed in enumerate(closed):
        assert np.isnan(pupils.xy_px[eye]).all() == is_closed
        assert np.isnan(memory.offsets[eye]).all() == is_closed
        assert (pupils.score[eye] < tracker.card.threshold) == is_closed


def test_a_mirrored_face_has_mirrored_pupils(tracker: PupilTracker) -> None:
    image, _ = draw_eyes(POINTS, gaze=(0.1, 0.0))
    swapped = POINTS[load_schema("ibug68").mirror].copy()
    swapped[:, 0] = image.shape[1] - 1 - swapped[:, 0]
    [(pupils, _)] = tracker.find(image, [POINTS], [None], 0.0)
    mirrored_image = np.ascontiguousarray(image[:, ::-1])
    [(mirrored, _)] = tracker.find(mirrored_image, [swapped], [None], 0.0)
    expected = pupils.xy_px[::-1].copy()
    expected[:, 0] = image.shape[1] - 1 - expected[:, 0]
    np.testing.assert_allclose(mirrored.xy_px, expected, atol=0.01 * WIDTH)


def test_the_faces_of_a_frame_do_not_disturb_each_other(tracker: PupilTracker) -> None:
    image, _ = draw_eyes(POINTS, gaze=(0.05, 0.0))
    elsewhere = POINTS + np.float32(5)
    both = tracker.find(image, [elsewhere, POINTS], [None, None], 0.0)
    alone = tracker.find(image, [POINTS], [None], 0.0)
    np.testing.assert_allclose(both[1][0].xy_px, alone[0][0].xy_px, atol=1e-3)
    assert tracker.find(image, [], [], 0.0) == []


def test_the_far_eye_of_a_profile_and_eyes_outside_the_frame_are_left_out() -> None:
    narrow = POINTS.copy()
    left = [42, 43, 44, 45, 46, 47]
    centre = narrow[left].mean(0)
    narrow[left, 0] = centre[0] + (narrow[left, 0] - centre[0]) * 0.3
    assert [eye for eye, _ in visible_eyes(narrow, 900, 900)] == [0]
    moved = POINTS - (POINTS[37, 0] + 10, 0)
    assert [eye for eye, _ in visible_eyes(moved, 900, 900)] == [1]
    tiny = POINTS * np.float32(0.02)
    assert visible_eyes(tiny, 900, 900) == []
    assert visible_eyes(np.full_like(POINTS, np.nan), 900, 900) == []


def test_the_filter_damps_noise_and_follows_a_saccade_at_once() -> None:
    rng = np.random.default_rng(0)
    noisy = 20 + rng.normal(0, 0.1, (200, 2))
    kept, course = noisy[0], []
    for each in noisy[1:]:
        kept = filtered_offset(each, kept, 1 / 30)
        course.append(kept)
    damped = np.diff(course, axis=0).std() / np.diff(noisy, axis=0).std()
    assert damped < 0.6
    aside = kept + np.array((JUMP * EYE_WIDTH / MARGIN * 1.01, 0))
    np.testing.assert_allclose(filtered_offset(aside, kept, 1 / 30), aside)


@pytest.mark.parametrize("gap_s", [-0.1, 0.0, 1.5])
def test_the_filter_restarts_after_a_gap(gap_s: float) -> None:
    np.testing.assert_array_equal(
        filtered_offset(np.ones(2), np.array((1.1, 1.0)), gap_s), np.ones(2)
    )
    np.testing.assert_array_equal(filtered_offset(np.ones(2), np.full(2, math.nan), 0.04), 1)


class RecordingTracker(PupilTracker):
    """Finds pupils at the origin, and notes the states that it is given."""

    given: ClassVar[list[PupilMemory | None]] = []

    def find(
        self,
        image: Image,
        faces: Sequence[Points],
        before: Sequence[PupilMemory | None],
        time_s: float,
    ) -> list[tuple[Pupils, PupilMemory]]:
        self.given.extend(before)
        pupils = Pupils(np.zeros((2, 2)), np.ones(2))
        return [(pupils, PupilMemory(time_s, np.ones((2, 2)))) for _ in faces]


def recorded(tracker: PupilTracker, frames: Sequence[Frame]) -> list[float | None]:
    """Return the times of the states that the frames of a square face get."""
    recording = RecordingTracker(tracker.card)
    recording.given.clear()
    square = Tracker(
        SquareDetector(),
        SquareNetwork(),
        NoStabilizer(),
        load_schema("ibug68"),
        pupil_tracker=recording,
    )
    for each in frames:
        for face in square.track(each).faces:
            if face.state is not FaceState.LOST:
                assert face.attributes is not None
                assert face.attributes.context.pupils is not None
    return [None if state is None else state.time_s for state in recording.given]


def test_the_state_of_the_pupils_is_kept_from_frame_to_frame(tracker: PupilTracker) -> None:
    frames = [frame(i, (100, 100, 60)) for i in range(3)]
    assert recorded(tracker, frames) == [None, frames[0].pts_s, frames[1].pts_s]


def test_the_state_of_the_pupils_is_reset_after_a_loss(tracker: PupilTracker) -> None:
    visible = (True, True, False, True, True)
    frames = [frame(i, (100, 100, 60) if shown else None) for i, shown in enumerate(visible)]
    assert recorded(tracker, frames) == [None, frames[0].pts_s, None, frames[3].pts_s]


def test_independent_images_get_no_state(tracker: PupilTracker) -> None:
    frames = [replace(frame(i, (100, 100, 60)), independent=True) for i in range(3)]
    assert recorded(tracker, frames) == [None] * 3


def test_without_a_pupil_tracker_there_are_no_pupils() -> None:
    square = Tracker(SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema("ibug68"))
    [face] = square.track(frame(0, (100, 100, 60))).faces
    assert face.attributes is not None
    assert face.attributes.context.pupils is None


def test_a_real_face_has_pupils_between_its_lids() -> None:
    pytest.importorskip("skimage", reason="the portrait is one of scikit-image's")
    settings = TrackSettings()
    square = make_tracker(open_models(settings), settings)
    [face] = square.track(Frame(photograph(), 0, 0.0)).faces
    assert face.attributes is not None
    assert face.stabilized is not None
    pupils = face.attributes.context.pupils
    assert pupils is not None
    for eye, landmarks in enumerate(EYES):
        lids = face.stabilized.xy_px[list(landmarks)]
        middle, width = lids.mean(0), np.hypot(*(lids[3] - lids[0]))
        assert np.hypot(*(pupils.xy_px[eye] - middle)) < 0.2 * width


@pytest.mark.data
def test_the_pupils_of_a_still_face_move_no_more_than_half_as_much_again_as_its_eye_corners(
    data: Path,
) -> None:
    settings = TrackSettings()
    tracker = make_tracker(open_models(settings), settings)
    corners, pupils = [], []
    with contextlib.closing(VideoFile(data / "clips" / "still_evm_face.mp4")) as clip:
        for index in range(60):
            [face] = tracker.track(clip.frame_at(index)).faces
            assert face.stabilized is not None
            assert face.attributes is not None
            assert face.attributes.context.pupils is not None
            corners.append(face.stabilized.xy_px[[36, 39, 42, 45]])
            pupils.append(face.attributes.context.pupils.xy_px)
    width = float(np.hypot(*(corners[0][1] - corners[0][0])))
    of_corners, of_pupils = (
        100 * float(np.linalg.norm(np.diff(places, axis=0), axis=2).mean()) / width
        for places in (np.array(corners), np.array(pupils))
    )
    assert of_pupils < 1.5 * of_corners + 0.02


def test_settings_without_pupils_open_no_network_and_are_told_apart() -> None:
    assert plain_settings(TrackSettings())["pupils"] is True
    assert plain_settings(TrackSettings(pupils=False))["pupils"] is False
    with_pupils = open_models(TrackSettings())
    without = open_models(TrackSettings(pupils=False))
    assert "pupils" in [card.name for card in with_pupils.cards]
    assert "pupils" not in [card.name for card in without.cards]
    assert without.pupil_tracker is None
    tracker = make_tracker(with_pupils, TrackSettings(pupils=False))
    assert tracker.stabilization.pupil_tracker is None


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "pupils.onnx").unlink(), "there are no weights at .*pupils.onnx"),
        (lambda folder: (folder / "pupils.onnx").write_bytes(b"x"), "were altered or damaged"),
        (lambda folder: (folder / "pupils.json").unlink(), "unknown model 'pupils'"),
    ],
)
def test_a_missing_or_broken_model_is_told_in_a_sentence(
    damage: Callable[[Path], object],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for suffix in (".json", ".onnx"):
        shutil.copy(weights_folder() / f"pupils{suffix}", tmp_path)
    monkeypatch.setattr(zoo, "weights_folder", lambda: tmp_path)
    assert open_pupil_tracker().card.path.parent == tmp_path
    damage(tmp_path)
    with pytest.raises(SteadymarkError, match=sentence):
        open_pupil_tracker()


def test_another_network_under_this_name_is_told_in_a_sentence(tracker: PupilTracker) -> None:
    other = find_model("face_net", "face_detector")
    with pytest.raises(SteadymarkError, match="is not a pupil network"):
        PupilNetwork(other)


@pytest.mark.parametrize("there", ["pupils.json", "pupils.onnx"])
def test_a_missing_file_says_how_to_track_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    shutil.copy(weights_folder() / there, tmp_path)
    monkeypatch.setattr(zoo, "weights_folder", lambda: tmp_path)
    with pytest.raises(SteadymarkError, match="--no-pupils tracks without them"):
        open_pupil_tracker()
