"""The memory of the flow stabilizer for one or several faces of any schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.models.face.crop import Crop, transform
from steadymark.models.face.face_motion import EYE_DISTANCE_PER_RADIUS, face_size
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_stabilizer import (
    FLOW_SIDE,
    PARTS,
    FlowMemory,
    FlowStabilizer,
    face_parts,
    flow_frame_of,
)
from steadymark.models.runtime.zoo import FLOW_CELL, find_model
from support.videos.textured_images import (
    FACE,
    face_in,
    flow_frame,
    random_texture,
    similarity,
    warped_image,
)

if TYPE_CHECKING:
    from steadymark.models.face.crop import Points
    from steadymark.models.face.landmark_flow import FlowFrame

SCHEMA = load_schema("ibug68")
NOISE_PX = 0.8


@pytest.fixture(scope="module")
def stabilizer() -> FlowStabilizer:
    return FlowStabilizer(find_model(FLOW_CELL, "stabilizer"), SCHEMA)


def scores(faces: int, landmarks: int = 68) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.full((faces, landmarks), 0.8, np.float32)


def moving_face_frames(
    seed: int, frames: int, schema: str = "ibug68", step: float = 0.7
) -> list[FlowFrame]:
    """Return frames of an image that moves to the right, with noisy raw landmarks."""
    rng, landmark_schema = np.random.default_rng(seed), load_schema(schema)
    found = []
    for t in range(frames):
        motion = similarity(step * t, 0)
        true = transform(motion, face_in(FACE, landmark_schema))
        raw = (true + rng.normal(0, NOISE_PX, true.shape)).astype(np.float32)
        crop = Crop(FACE.x + step * t, FACE.y, FACE.side, FACE.roll_deg)
        found.append(flow_frame(warped_image(random_texture(seed), motion), raw, crop))
    return found


def run(stabilizer: FlowStabilizer, frames: list[FlowFrame]) -> list[Points]:
    memory: FlowMemory | None = None
    stabilized = []
    for each in frames:
        ((points, memory),) = stabilizer.step([each], scores(1, len(each.raw)), [memory])
        stabilized.append(points)
    return stabilized


def test_the_first_frame_of_a_face_gives_its_raw_landmarks(stabilizer: FlowStabilizer) -> None:
    first = moving_face_frames(0, 1)[0]
    ((points, memory),) = stabilizer.step([first], scores(1), [None])
    np.testing.assert_array_equal(points, first.raw)
    np.testing.assert_array_equal(memory.kept, first.raw)


@pytest.mark.parametrize("schema", ["ibug68", "wflw98"])
def test_memory_reduces_the_noise(schema: str) -> None:
    landmark_schema = load_schema(schema)
    stabilizer = FlowStabilizer(find_model(FLOW_CELL, "stabilizer"), landmark_schema)
    frames = moving_face_frames(1, 24, schema)
    points = run(stabilizer, frames)
    true = [transform(similarity(0.7 * t, 0), face_in(FACE, landmark_schema)) for t in range(24)]
    errors = np.stack([p - t for p, t in zip(points, true, strict=True)])[8:]
    assert errors.shape == (16, landmark_schema.count, 2)
    assert float(errors.std(0).mean()) < 0.5 * NOISE_PX  # raw landmarks have all of it
    assert float(np.abs(errors.mean((0, 1))).max()) < 0.3  # the landmarks do not lag


def test_without_memory_the_raw_landmarks_are_returned(stabilizer: FlowStabilizer) -> None:
    for each in moving_face_frames(1, 3):
        ((points, _),) = stabilizer.step([each], scores(1), [None])
        np.testing.assert_array_equal(points, each.raw)


def test_memory_is_a_value_that_the_stabilizer_does_not_keep(stabilizer: FlowStabilizer) -> None:
    frames = moving_face_frames(2, 6)
    memory: FlowMemory | None = None
    for each in frames[:5]:
        ((_, memory),) = stabilizer.step([each], scores(1), [memory])
    first, second = (stabilizer.step([frames[5]], scores(1), [memory])[0] for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    for one, other in zip(first[1].state, second[1].state, strict=True):
        np.testing.assert_array_equal(one, other)


def test_several_faces_are_stabilized_independently(stabilizer: FlowStabilizer) -> None:
    videos = [moving_face_frames(seed, 8, step=0.4 * seed) for seed in (1, 2, 3)]
    alone = [run(stabilizer, video) for video in videos]
    start_frame = 3  # the second face appears later
    memories: list[FlowMemory | None] = [None] * 3
    for t in range(8):
        present = [i for i in range(3) if i != 1 or t >= start_frame]
        results = stabilizer.step(
            [videos[i][t] for i in present], scores(len(present)), [memories[i] for i in present]
        )
        for i, (points, memory) in zip(present, results, strict=True):
            memories[i] = memory
            if i != 1:
                np.testing.assert_allclose(points, alone[i][t], atol=1e-3)
            elif t == start_frame:
                np.testing.assert_array_equal(points, videos[1][t].raw)
            else:
                restarted = run(stabilizer, videos[1][start_frame : t + 1])[-1]
                np.testing.assert_allclose(points, restarted, atol=1e-3)


def test_the_parts_of_a_face_come_from_its_schema() -> None:
    for schema in (SCHEMA, load_schema("wflw98")):
        parts = face_parts(schema)
        assert parts.shape == (schema.count, len(PARTS))
        mouth = np.flatnonzero(parts[:, PARTS.index("mouth")])
        assert set(mouth) == set(schema.regions["mouth"])
        assert parts.sum(1).max() == 1


def test_the_size_of_a_face_is_its_outer_eye_distance_in_any_pose() -> None:
    upright = (SCHEMA.mean_shape * 200).astype(np.float32)
    eyes = np.linalg.norm(upright[36] - upright[45])
    assert face_size(upright) == pytest.approx(eyes, rel=0.02)
    narrow = upright * np.array((0.4, 1.0), np.float32)
    assert face_size(narrow) > 1.5 * np.linalg.norm(narrow[36] - narrow[45])
    assert face_size(np.zeros((68, 2), np.float32)) > 0
    assert pytest.approx(1.62) == EYE_DISTANCE_PER_RADIUS


def test_the_crop_of_the_network_is_used_when_its_size_fits() -> None:
    image = np.zeros((300, 300, 3), np.uint8)
    crop_image = np.random.default_rng(0).integers(0, 256, (FLOW_SIDE, FLOW_SIDE, 3), np.uint8)
    assert flow_frame_of(image, crop_image, FACE, face_in()).image.std() > 20
    small = flow_frame_of(
        image, crop_image[:64, :64], FACE, face_in()
    ).image  # cut again from the image
    assert small.shape == (FLOW_SIDE, FLOW_SIDE)
    assert small.std() == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, -1e30])
def test_invalid_landmarks_do_not_change_other_faces(
    stabilizer: FlowStabilizer, value: float
) -> None:
    good, bad = moving_face_frames(1, 3), moving_face_frames(2, 3)
    bad[1].raw[5] = value
    memories: list[FlowMemory | None] = [None, None]
    alone = run(stabilizer, good)
    for t in range(3):
        results = stabilizer.step([good[t], bad[t]], scores(2), memories)
        memories = [memory for _, memory in results]
        np.testing.assert_allclose(results[0][0], alone[t], atol=1e-3)
