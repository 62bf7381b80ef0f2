"""What the flow stabilizer remembers of faces, one and several, of any number of landmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.models.face.crop import Crop, transform
from steadymark.models.face.face_motion import EYES_OF_RADIUS, face_size
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
from support.videos.textured_images import FACE, face_in, moved_picture, painted, seen, similarity

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


def watched(seed: int, frames: int, schema: str = "ibug68", step: float = 0.7) -> list[FlowFrame]:
    """A picture that moves to the right, with a face whose raw landmarks are noisy."""
    rng, known = np.random.default_rng(seed), load_schema(schema)
    found = []
    for t in range(frames):
        motion = similarity(step * t, 0)
        true = transform(motion, face_in(FACE, known))
        raw = (true + rng.normal(0, NOISE_PX, true.shape)).astype(np.float32)
        crop = Crop(FACE.x + step * t, FACE.y, FACE.side, FACE.roll_deg)
        found.append(seen(moved_picture(painted(seed), motion), raw, crop))
    return found


def run(stabilizer: FlowStabilizer, frames: list[FlowFrame]) -> list[Points]:
    memory: FlowMemory | None = None
    given = []
    for each in frames:
        ((points, memory),) = stabilizer.step([each], scores(1, len(each.raw)), [memory])
        given.append(points)
    return given


def test_the_first_frame_of_a_face_gives_its_raw_landmarks(stabilizer: FlowStabilizer) -> None:
    first = watched(0, 1)[0]
    ((points, memory),) = stabilizer.step([first], scores(1), [None])
    np.testing.assert_array_equal(points, first.raw)
    np.testing.assert_array_equal(memory.kept, first.raw)


@pytest.mark.parametrize("schema", ["ibug68", "wflw98"])
def test_noise_is_taken_off_by_what_is_remembered(schema: str) -> None:
    known = load_schema(schema)
    stabilizer = FlowStabilizer(find_model(FLOW_CELL, "stabilizer"), known)
    frames = watched(1, 24, schema)
    points = run(stabilizer, frames)
    true = [transform(similarity(0.7 * t, 0), face_in(FACE, known)) for t in range(24)]
    errors = np.stack([p - t for p, t in zip(points, true, strict=True)])[8:]
    assert errors.shape == (16, known.count, 2)
    assert float(errors.std(0).mean()) < 0.5 * NOISE_PX  # raw: all of it
    assert float(np.abs(errors.mean((0, 1))).max()) < 0.3  # and it does not stay behind


def test_without_memory_nothing_is_taken_off(stabilizer: FlowStabilizer) -> None:
    for each in watched(1, 3):
        ((points, _),) = stabilizer.step([each], scores(1), [None])
        np.testing.assert_array_equal(points, each.raw)


def test_what_is_remembered_is_a_value_and_not_the_stabilizers(stabilizer: FlowStabilizer) -> None:
    frames = watched(2, 6)
    memory: FlowMemory | None = None
    for each in frames[:5]:
        ((_, memory),) = stabilizer.step([each], scores(1), [memory])
    first, again = (stabilizer.step([frames[5]], scores(1), [memory])[0] for _ in range(2))
    np.testing.assert_array_equal(first[0], again[0])
    for one, other in zip(first[1].state, again[1].state, strict=True):
        np.testing.assert_array_equal(one, other)


def test_several_faces_at_once_are_each_as_if_alone(stabilizer: FlowStabilizer) -> None:
    films = [watched(seed, 8, step=0.4 * seed) for seed in (1, 2, 3)]
    alone = [run(stabilizer, film) for film in films]
    late = 3  # the second face comes later
    memories: list[FlowMemory | None] = [None] * 3
    for t in range(8):
        there = [i for i in range(3) if i != 1 or t >= late]
        done = stabilizer.step(
            [films[i][t] for i in there], scores(len(there)), [memories[i] for i in there]
        )
        for i, (points, memory) in zip(there, done, strict=True):
            memories[i] = memory
            if i != 1:
                np.testing.assert_allclose(points, alone[i][t], atol=1e-3)
            elif t == late:
                np.testing.assert_array_equal(points, films[1][t].raw)
            else:
                from_here = run(stabilizer, films[1][late : t + 1])[-1]
                np.testing.assert_allclose(points, from_here, atol=1e-3)


def test_parts_of_a_face_are_told_by_its_schema() -> None:
    for schema in (SCHEMA, load_schema("wflw98")):
        parts = face_parts(schema)
        assert parts.shape == (schema.count, len(PARTS))
        mouth = np.flatnonzero(parts[:, PARTS.index("mouth")])
        assert set(mouth) == set(schema.regions["mouth"])
        assert parts.sum(1).max() == 1


def test_the_size_of_a_face_is_its_outer_eye_distance_whatever_its_turn() -> None:
    upright = (SCHEMA.mean_shape * 200).astype(np.float32)
    eyes = np.linalg.norm(upright[36] - upright[45])
    assert face_size(upright) == pytest.approx(eyes, rel=0.02)
    narrow = upright * np.array((0.4, 1.0), np.float32)
    assert face_size(narrow) > 1.5 * np.linalg.norm(narrow[36] - narrow[45])
    assert face_size(np.zeros((68, 2), np.float32)) > 0
    assert pytest.approx(1.62) == EYES_OF_RADIUS


def test_the_networks_own_crop_is_used_where_its_size_fits() -> None:
    image = np.zeros((300, 300, 3), np.uint8)
    part = np.random.default_rng(0).integers(0, 256, (FLOW_SIDE, FLOW_SIDE, 3), np.uint8)
    assert flow_frame_of(image, part, FACE, face_in()).picture.std() > 20
    small = flow_frame_of(image, part[:64, :64], FACE, face_in()).picture  # it is cut anew
    assert small.shape == (FLOW_SIDE, FLOW_SIDE)
    assert small.std() == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, -1e30])
def test_landmarks_that_are_no_numbers_harm_no_other_face(
    stabilizer: FlowStabilizer, value: float
) -> None:
    good, bad = watched(1, 3), watched(2, 3)
    bad[1].raw[5] = value
    memories: list[FlowMemory | None] = [None, None]
    alone = run(stabilizer, good)
    for t in range(3):
        done = stabilizer.step([good[t], bad[t]], scores(2), memories)
        memories = [memory for _, memory in done]
        np.testing.assert_allclose(done[0][0], alone[t], atol=1e-3)
