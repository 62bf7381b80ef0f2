from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.core.types import FaceState, Landmarks
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.stabilizers.one_euro import OneEuro
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.geometry import Recentre
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.crop import transform
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import SquareDetector, SquareNetwork, frame

if TYPE_CHECKING:
    from steadymark.engine.core.types import Frame
    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Moves, Prediction


def make_tracker(config: TrackerConfig | None = None) -> tuple[Tracker, SquareDetector]:
    detector = SquareDetector()
    return Tracker(
        detector, SquareNetwork(), NoStabilizer(), load_schema("ibug68"), config
    ), detector


def test_a_face_is_detected_once_and_then_tracked_without_the_detector() -> None:
    tracker, detector = make_tracker()
    states = [tracker.track(frame(i, (100 + 3 * i, 100, 60))).faces[0].state for i in range(30)]
    assert states == [FaceState.DETECTED] + [FaceState.TRACKED] * 29
    assert detector.calls == 1


@pytest.mark.parametrize("rule", list(Recentre))
def test_landmarks_follow_a_moving_face_in_frame_pixels(rule: Recentre) -> None:
    tracker, _ = make_tracker(TrackerConfig(recentre=rule))
    for i in range(40):
        x, y, side = 80 + 4 * i, 120 + 20 * np.sin(i / 5), 60 + i / 2
        face = tracker.track(frame(i, (x, y, side))).faces[0]
        assert face.raw is not None
        centre = (face.raw.xy_px.max(0) + face.raw.xy_px.min(0)) / 2
        assert np.abs(centre - (x - 0.5, y - 0.5)).max() < 4


def test_a_leaving_face_is_lost_immediately_and_detected_when_it_returns() -> None:
    tracker, _ = make_tracker()
    visible = [True] * 5 + [False] * 5 + [True] * 5
    states = [
        tracker.track(frame(i, (100, 100, 60) if t else None)).faces[0].state
        for i, t in enumerate(visible)
    ]
    assert states[4:6] == [FaceState.TRACKED, FaceState.LOST]
    assert states[9:12] == [FaceState.LOST, FaceState.DETECTED, FaceState.TRACKED]


def test_a_returning_face_keeps_its_id_for_two_seconds() -> None:
    tracker, _ = make_tracker()
    tracker.track(frame(0, (100, 100, 60)))
    tracker.track(frame(1, None))
    assert tracker.track(frame(20, (120, 100, 60))).faces[0].face_id == 0
    tracker.track(frame(21, None))
    assert tracker.track(frame(100, None)).faces == ()
    assert tracker.track(frame(101, (100, 100, 60))).faces[0].face_id == 1


def test_known_faces_are_followed_from_their_landmarks_without_a_detection() -> None:
    tracker, detector = make_tracker()
    shape = load_schema("ibug68").mean_shape
    points = Landmarks((shape * 60 + (100, 100)).astype(np.float32), np.ones(68, np.float32))
    tracker.continue_with({7: points}, 0.36, next_id=9)
    results = [tracker.track(frame(10 + i, (102 + i, 100, 60))) for i in range(3)]
    assert [(f.face_id, f.state) for r in results for f in r.faces] == [(7, FaceState.TRACKED)] * 3
    assert [result.restarted for result in results] == [True, False, False]
    assert detector.calls == 0
    tracker.track(frame(13, None))
    assert tracker.track(frame(200, (200, 100, 60))).faces[0].face_id == 9


def test_a_frame_without_any_face_gives_no_faces() -> None:
    tracker, detector = make_tracker()
    assert tracker.track(frame(0, None)).faces == ()
    assert detector.calls == 4  # as it is, and turned by 90, 180 and 270 degrees
    assert tracker.track(frame(1, None)).faces == ()
    assert detector.calls == 5


def test_the_crop_does_not_move_while_the_face_is_still() -> None:
    tracker, _ = make_tracker()
    crops = [tracker.track(frame(i, (100 + (i % 2), 100, 60))).faces[0].crop for i in range(10)]
    assert len(set(crops[2:])) == 1


def test_raw_points_do_not_depend_on_the_stabilizer() -> None:
    plain, _ = make_tracker()
    smooth = Tracker(SquareDetector(), SquareNetwork(), OneEuro(), load_schema("ibug68"))
    for i in range(20):
        scene = frame(i, (100 + 5 * np.sin(i), 100, 60))
        a, b = plain.track(scene).faces[0], smooth.track(scene).faces[0]
        assert a.raw is not None
        assert b.raw is not None
        np.testing.assert_array_equal(a.raw.xy_px, b.raw.xy_px)


class HalfwayNetwork(SquareNetwork):
    """A recurrent network whose points are averaged with those of the previous frame."""

    def step(
        self, crops: Image, state: tuple[object, ...] | None = None, moved: Moves | None = None
    ) -> Prediction:
        prediction = super().step(crops)
        before = prediction.points if not state else np.asarray(state[0])
        halfway = ((prediction.points + before) / 2).astype(np.float32)
        return prediction._replace(points=halfway, state=(prediction.points,))


def test_a_recurrent_network_gives_raw_and_stabilized_points_and_restarts_after_loss() -> None:
    tracker = Tracker(SquareDetector(), HalfwayNetwork(), NoStabilizer(), load_schema("ibug68"))
    plain, _ = make_tracker()
    shifts: list[int | None] = []
    for i, x in enumerate((100, 100, 104, None, 180, 180)):
        scene = frame(i, None if x is None else (x, 100, 60))
        face, expected = tracker.track(scene).faces[0], plain.track(scene).faces[0]
        if face.raw is None or face.stabilized is None or expected.raw is None:
            shifts.append(None)
            continue
        np.testing.assert_allclose(face.raw.xy_px, expected.raw.xy_px, atol=0.1)
        shifts.append(round(float((face.raw.xy_px - face.stabilized.xy_px)[:, 0].mean())))
    assert shifts == [0, 0, 2, None, 0, 0]


@pytest.mark.parametrize("of_network", [True, False])
def test_switching_stabilization_changes_neither_boxes_nor_crops(*, of_network: bool) -> None:
    plain, _ = make_tracker()
    tracker = Tracker(
        SquareDetector(),
        HalfwayNetwork(),
        NoStabilizer(),
        load_schema("ibug68"),
        stabilized_by_network=of_network,
    )
    largest_lag = 0.0
    for i in range(20):
        scene = frame(i, (100 + 9 * i, 100 + i, 60 + i))
        face, expected = tracker.track(scene).faces[0], plain.track(scene).faces[0]
        assert (face.crop, face.box) == (expected.crop, expected.box)
        assert face.raw is not None
        assert face.stabilized is not None
        largest_lag = max(largest_lag, float(np.abs(face.raw.xy_px - face.stabilized.xy_px).max()))
    assert (largest_lag > 2) == of_network


class RecordingNetwork(SquareNetwork):
    """A recurrent network that records the motion of its crops."""

    def __init__(self) -> None:
        super().__init__()
        self.recorded: list[tuple[bool, Moves | None]] = []

    def step(
        self, crops: Image, state: tuple[object, ...] | None = None, moved: Moves | None = None
    ) -> Prediction:
        self.recorded.append((state is not None, moved))
        return super().step(crops)._replace(state=(0,))


def textured(scene: Frame, x: int) -> Frame:
    """Add texture to the green and red channels of a face at x; blue marks the face."""
    image = scene.image.copy()
    texture = np.random.default_rng(0).integers(0, 256, (20, 20, 2)).astype(np.uint8)
    image[70:130, x - 30 : x + 30, 1:] = cv2.resize(
        texture, (60, 60), interpolation=cv2.INTER_CUBIC
    )
    return replace(scene, image=image)


def test_a_recurrent_network_receives_the_motion_of_the_face() -> None:
    network = RecordingNetwork()
    tracker = Tracker(SquareDetector(), network, NoStabilizer(), load_schema("ibug68"))
    size, crops = network.card.crop, []
    for i, x in enumerate((100, 100, 103, 112, None, 180, 183)):
        network.recorded.clear()
        scene = frame(i, None) if x is None else textured(frame(i, (x, 100, 60)), x)
        face = tracker.track(scene).faces[0]
        crops.append(face.crop)
        last = crops[-2] if i else None
        if face.state is FaceState.DETECTED:  # two passes, both without memory of this face
            assert [has_state for has_state, _ in network.recorded[-2:]] == [False, False]
        elif face.crop is not None and last is not None and x is not None:
            has_state, moved = network.recorded[
                -1
            ]  # called again when the landmarks contradict flow
            assert has_state
            assert moved is not None
            corner = np.array([[x - 30.0, 70.0]])
            before = corner - (x - {1: 100, 2: 100, 3: 103, 6: 180}[i], 0)
            corner_in_crop = transform(face.crop.matrix_from_image(size), corner)
            expected = transform(last.matrix_from_image(size), before)
            np.testing.assert_allclose(transform(moved[0], corner_in_crop), expected, atol=0.7)
    assert len(set(crops)) >= 3


@pytest.mark.parametrize(
    ("times_s", "cut", "kept"),
    [
        ((0.0, 0.04, 0.08), False, True),
        ((0.0, 0.04, 0.54), False, True),
        ((0.0, 0.04, 0.60), False, False),
        ((0.0, 0.04, 0.04), False, False),
        ((0.0, 0.04, 0.01), False, False),
        ((0.0, 0.04, 0.08), True, False),
    ],
)
def test_memory_is_dropped_at_a_pause_a_step_back_and_a_cut(
    times_s: tuple[float, ...], *, cut: bool, kept: bool
) -> None:
    network, stabilizer = RecordingNetwork(), OneEuro()
    tracker = Tracker(SquareDetector(), network, stabilizer, load_schema("ibug68"))
    for i, t_s in enumerate(times_s):
        scene = replace(frame(i, (100, 100, 60)), pts_s=t_s)
        if cut and i == 2:
            texture = (95 * np.random.default_rng(4).integers(0, 2, (18, 32, 1))).astype(np.uint8)
            background = cv2.resize(texture, (320, 240), interpolation=cv2.INTER_NEAREST)
            image = np.where(scene.image > 0, scene.image, background[..., None])
            scene = replace(scene, image=image)
        tracker.track(scene)
    assert network.recorded[-1][0] == kept


class CountingNetwork(SquareNetwork):
    """Counts its calls, with crops of its own size."""

    def __init__(self, size: int, margin: float) -> None:
        super().__init__()
        self.card = replace(self.card, crop=size, margin=margin)
        self.calls = 0

    def step(
        self, crops: Image, state: tuple[object, ...] | None = None, moved: Moves | None = None
    ) -> Prediction:
        assert crops.shape[1] == self.card.crop
        self.calls += 1
        return super().step(crops, state)


def test_one_network_aligns_a_detected_face_and_another_tracks_it() -> None:
    first, follower = CountingNetwork(64, 1.4), CountingNetwork(48, 1.6)
    tracker = Tracker(
        SquareDetector(), first, NoStabilizer(), load_schema("ibug68"), follower=follower
    )
    for i in range(10):
        face = tracker.track(frame(i, (100 + 2 * i, 100, 60))).faces[0]
        assert face.raw is not None
        centre = (face.raw.xy_px.max(0) + face.raw.xy_px.min(0)) / 2
        assert np.abs(centre - (99.5 + 2 * i, 99.5)).max() < 4
    assert first.calls == 1
    assert follower.calls == TrackerConfig().passes - 1 + 9
    with pytest.raises(ValueError, match="two passes"):
        Tracker(
            SquareDetector(),
            first,
            NoStabilizer(),
            load_schema("ibug68"),
            TrackerConfig(passes=1),
            follower=follower,
        )


def test_reset_forgets_faces() -> None:
    tracker, detector = make_tracker()
    tracker.track(frame(0, (100, 100, 60)))
    tracker.reset()
    assert tracker.track(frame(0, (100, 100, 60))).faces[0].state is FaceState.DETECTED
    assert detector.calls == 2


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 4000)])
def test_images_of_any_size_can_be_tracked(size: tuple[int, int]) -> None:
    from steadymark.engine.core.types import Frame

    tracker, _ = make_tracker()
    image = np.full((*size, 3), 200, np.uint8)
    tracker.track(Frame(image, 0, 0.0))
    tracker.track(Frame(image, 1, 0.04))


def test_the_distance_of_a_pose_is_proportional_to_the_focal_length() -> None:
    near, _ = make_tracker()
    far = Tracker(
        SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema("ibug68"), focal_px=1000.0
    )
    scene = frame(0, (160, 120, 60))
    (near_face,), (far_face,) = near.track(scene).faces, far.track(scene).faces
    assert near_face.pose is not None
    assert far_face.pose is not None
    assert near_face.pose.camera.focal == 250  # the default of OpenFace at 320×240
    assert far_face.pose.position_mm[2] == pytest.approx(
        4 * near_face.pose.position_mm[2], rel=0.05
    )
    assert near.track(frame(1, None)).faces[0].pose is None


def test_the_faces_of_the_half_second_after_a_request_are_neutral() -> None:
    tracker, _ = make_tracker()
    tracks = [tracker.track(frame(i, (100, 100, 60))) for i in range(10)]
    tracker.stabilization.choose_neutral()
    at_rest = []
    for i in range(10, 60):
        tracks.append(tracker.track(frame(i, (100, 100, 60))))
        (memory,) = tracker.stabilization._memories.values()
        assert memory.identity is not None
        at_rest.append(memory.identity.at_rest)
    assert at_rest[0]
    since_s = [t.frame.pts_s - tracks[10].frame.pts_s for t in tracks[10:]]
    learned_again = since_s[at_rest.index(False)]
    assert 0.5 <= learned_again <= 1.1
