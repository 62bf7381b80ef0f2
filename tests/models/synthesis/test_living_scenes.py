"""Living scenes: faces with expressions and exact ground truth, and realistic cameras."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from steadymark.models.face.crop import inverse, transform
from steadymark.models.face.schema import load_schema
from steadymark.models.synthesis.conditions.sensor_noise import (
    BRIGHTNESS,
    BY_BRIGHTNESS,
    COLOURS,
    NEIGHBOURS,
    SensorNoise,
    correlated_noise,
)
from steadymark.models.synthesis.conditions.video_compression import compressed
from steadymark.models.synthesis.faces.expression_curves import (
    LIDS,
    STEP_S,
    ExpressionCurves,
    expression_curves,
)
from steadymark.models.synthesis.faces.face_fit import MOVEMENTS, fit_face
from steadymark.models.synthesis.faces.face_model import choose_vertices, face_model_path
from steadymark.models.synthesis.faces.mesh_warp import backward_map
from steadymark.models.synthesis.faces.moving_face import MovingFace
from steadymark.models.synthesis.head_path import HeadPath, head_path_of_scene
from steadymark.models.synthesis.scene_camera import SceneCamera
from steadymark.models.synthesis.scenes import NOISE, SceneConfig, make_scene, rigid

SCHEMA = load_schema("ibug68")
POINTS = (SCHEMA.mean_shape * 170 + 160).astype(np.float32)
NAMES = list(MOVEMENTS)
QUIET = SceneConfig(8, 1, light=0, camera_noise=0, rolling=0, exposure=0, things=0, drops=0)
QUIET = replace(QUIET, codecs=("none",))


def random_photo() -> np.ndarray:
    """Return an image of soft blobs with varying colours."""
    rng = np.random.default_rng(3)
    small = rng.uniform(40, 210, (24, 24, 3)).astype(np.float32)
    big = cv2.resize(small, (320, 320), interpolation=cv2.INTER_CUBIC)
    return big.clip(0, 255).astype(np.uint8)


def constant_expression(
    turns: tuple[float, float] = (0, 0), /, **strengths: float
) -> ExpressionCurves:
    values = np.zeros((3, len(NAMES)))
    for name, value in strengths.items():
        values[:, NAMES.index(name)] = value
    return ExpressionCurves(values, np.tile(np.array(turns, float), (3, 1)))


def render(face: MovingFace, image: np.ndarray) -> np.ndarray:
    size = image.shape[1::-1]
    places = face.places(0)[face.mesh.triangles]
    x, y = backward_map(places, face.sources(0), size)
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_CUBIC))


EXPRESSIONS = [
    constant_expression(),
    constant_expression(jaw=0.4, funnel=0.3),
    constant_expression(smile_L=0.9, smile_R=0.8, brows_up=1),
    constant_expression(jaw_side=0.7, brows_down=1, pucker=0.5),
    constant_expression(lid_L=0.6, lid_R=0.6, teeth=0.5),
    constant_expression((14, 5), chin=0.5),
    constant_expression((-14, -8), jaw=0.3),
]


@pytest.mark.parametrize("curves", EXPRESSIONS)
def test_dots_drawn_at_landmarks_are_rendered_at_the_ground_truth(curves: ExpressionCurves) -> None:
    zoom = 4
    points = POINTS * zoom
    face = MovingFace(points, curves)
    ground_truth = face.landmarks(0)
    x, y = np.meshgrid(np.arange(320 * zoom), np.arange(320 * zoom))
    for first in range(7):  # images of ten dots that are far apart
        image = np.zeros(x.shape, np.float32)
        for at in points[first::7]:
            image = np.maximum(image, np.exp(-np.hypot(x - at[0], y - at[1]) / 4))
        dots = render(face, image.astype(np.float32))
        for k in range(first, 68, 7):
            # the brightest pixel, since skin is stretched asymmetrically
            left, top = np.rint(ground_truth[k]).astype(int) - 12
            near = dots[top : top + 25, left : left + 25]
            row, column = np.unravel_index(near.argmax(), near.shape)
            assert (
                np.hypot(left + column - ground_truth[k, 0], top + row - ground_truth[k, 1])
                < 0.3 * zoom
            ), k


def test_a_face_at_rest_is_rendered_as_the_photo() -> None:
    face = MovingFace(POINTS, constant_expression())
    np.testing.assert_allclose(face.landmarks(0), POINTS, atol=1e-4)
    difference = render(face, random_photo()).astype(int) - random_photo()
    assert np.abs(difference[2:-2, 2:-2]).max() <= 4


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("lid")])
def test_every_movement_moves_its_part_of_the_face(name: str) -> None:
    motion = MovingFace(POINTS, constant_expression(**{name: 0.5})).landmarks(0) - POINTS
    moved_part = {"b": slice(17, 27), "j": slice(5, 12)}.get(name[0], slice(48, 68))
    largest_motion = np.linalg.norm(motion[moved_part], axis=1).max()
    assert largest_motion > 2
    nose = np.linalg.norm(motion[27:31], axis=1).max()
    assert nose < 0.4 * largest_motion
    if name == "jaw":
        assert motion[8, 1] > 3
        assert motion[66, 1] - motion[62, 1] > 4
    if name == "brows_up":
        assert (motion[17:27, 1] < 0).all()


def test_a_blink_closes_the_lids_without_moving_the_eyeball() -> None:
    face = MovingFace(POINTS, constant_expression(lid_L=1, lid_R=1))
    ground_truth = face.landmarks(0)
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        gap = ground_truth[lower] - ground_truth[upper]
        assert 0 <= gap[1] < 0.1 * (POINTS[lower] - POINTS[upper])[1]
        assert ground_truth[upper, 1] - POINTS[upper, 1] > 3 * (
            POINTS[lower, 1] - ground_truth[lower, 1]
        )
    half = MovingFace(POINTS, constant_expression(lid_L=0.5, lid_R=0.5))
    image = np.zeros((320, 320), np.uint8)
    pupil = POINTS[36:42].mean(0) + np.array((0, 2))
    cv2.circle(image, (round(float(pupil[0])), round(float(pupil[1]))), 1, 255, -1)
    rows, columns = np.nonzero(render(half, image) > 100)
    assert np.hypot(columns.mean() - pupil[0], rows.mean() - pupil[1]) < 0.5


def test_turns_move_the_nose_further_than_the_jaw_and_hardly_fold_the_mesh() -> None:
    right = MovingFace(POINTS, constant_expression((15, 0)))
    motion = right.landmarks(0) - POINTS
    assert motion[30, 0] > motion[[0, 16], 0].max() + 8
    down = MovingFace(POINTS, constant_expression((0, 10))).landmarks(0) - POINTS
    assert down[30, 1] > 5
    strong = MovingFace(POINTS, constant_expression((80, 0)))
    assert strong.mesh.reversed_area(strong.places(0)) <= 0.006 * 170**2 + 1
    assert 12 < np.abs(strong.curves.turns_deg).max() < 80


def test_a_fit_matches_the_landmarks_and_finds_the_pose() -> None:
    face = fit_face(POINTS)
    np.testing.assert_allclose(face.rest[:68, :2], POINTS, atol=1e-6)
    assert face.rest[30, 2] < face.rest[[0, 16, 36, 45], 2].min() - 10  # the nose is nearest
    turned = fit_face(MovingFace(POINTS, constant_expression((14, 0))).landmarks(0))
    assert turned.rest[0, 2] - turned.rest[16, 2] < face.rest[0, 2] - face.rest[16, 2] - 15


def test_blinks_and_syllables_have_natural_speeds() -> None:
    closing, opening, syllables = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        curves = expression_curves(4, rng, strength=1, turns_deg=15)
        lid = curves.strengths[:, LIDS[0]]
        speed = np.diff(lid) / STEP_S
        if speed.max() > 5:
            closing.append((speed > 0.01).sum() * STEP_S / max(1, _peaks(lid)))
            opening.append((speed < -0.01).sum() * STEP_S / max(1, _peaks(lid)))
        jaw = curves.strengths[:, NAMES.index("jaw")]
        if jaw.max() > 0.1:
            syllables.append(_peaks(jaw) / 4)
        assert np.abs(curves.turns_deg[:, 0]).max() <= 15
        assert curves.strengths[:, :4].max() < 1.1
    assert np.mean(opening) > 1.3 * np.mean(closing)
    assert 0.03 < np.mean(closing) < 0.12
    assert 1.5 < np.mean(syllables) < 7


def _peaks(values: np.ndarray) -> int:
    inner = values[1:-1]
    return int(((inner > values[:-2]) & (inner >= values[2:]) & (inner > 0.03)).sum())


def test_a_scene_is_determined_by_seed_and_number() -> None:
    config = SceneConfig(6, 2, things=1, drops=1)
    first, repeated = (
        make_scene(random_photo(), POINTS, SCHEMA, 5, config=config) for _ in range(2)
    )
    np.testing.assert_array_equal(first.images, repeated.images)
    np.testing.assert_array_equal(first.truth, repeated.truth)
    np.testing.assert_array_equal(first.times_s, repeated.times_s)
    louder = make_scene(random_photo(), POINTS, SCHEMA, 5, config=replace(config, noise=4))
    np.testing.assert_array_equal(first.truth, louder.truth)
    other = make_scene(random_photo(), POINTS, SCHEMA, 6, config=config)
    assert not np.array_equal(first.truth, other.truth)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_rigid_scenes_equal_a_separate_implementation(number: int) -> None:
    image, noise, frames = random_photo(), 2, 5
    scene = make_scene(image, POINTS, SCHEMA, number, seed=2, config=rigid(frames, noise))
    fps = (25, 30, 60)[number % 3]
    rng = np.random.default_rng((2, number))
    path = head_path_of_scene((frames + 1) / fps, rng)
    zoom = rng.uniform(0.75, 1.0)
    amount, t = 0.04 * rng.random(), np.arange(frames) / fps
    wave = np.sin(2 * np.pi * rng.uniform(0.5, fps / 2) * t + rng.uniform(0, 6.3))
    gains = (1 + amount * wave).astype(np.float32)
    grain = np.random.default_rng((2, number, noise))
    eyes_px = zoom * np.linalg.norm(POINTS[36] - POINTS[45])

    def pose(at_s: float) -> np.ndarray:
        x, y, growth, roll = path.at(at_s)
        scale, angle = zoom * np.exp(growth), np.radians(roll)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        shift = 159.5 + eyes_px * np.array([x, y]) - turn @ POINTS.mean(0)
        return np.concatenate((turn, shift[:, None]), 1)

    images = []
    for frame in range(frames):
        t_s, open_s = (frame + 0.5) / fps, 0.5 / fps
        x, y, growth, roll = np.abs(path.at(t_s + open_s / 2) - path.at(t_s - open_s / 2))
        motion_px = eyes_px * max(x, y, 1.5 * growth, 1.5 * np.radians(roll))
        exposures = 1 if motion_px < 0.05 else min(15, 3 + 2 * int(motion_px / 2))
        accumulated = np.zeros((320, 320, 3), np.float32)
        for exposure in range(exposures):
            inverse_pose = inverse(pose(t_s + open_s * ((exposure + 0.5) / exposures - 0.5)))
            flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            accumulated += cv2.warpAffine(
                image, inverse_pose, (320, 320), flags=flags, borderMode=cv2.BORDER_REFLECT_101
            )
        accumulated = accumulated / np.float32(exposures) * gains[frame]
        accumulated += grain.standard_normal(accumulated.shape, np.float32) * NOISE[noise]
        images.append(np.rint(accumulated).clip(0, 255).astype(np.uint8))
        np.testing.assert_allclose(scene.truth[frame], transform(pose(t_s), POINTS), atol=1e-4)
    expected = compressed(images, fps, "none" if number < 3 else "h264-23")
    assert np.abs(scene.images.astype(int) - np.stack(expected)).mean() < 0.01
    assert scene.visible.all()
    np.testing.assert_allclose(scene.times_s, np.arange(frames) / fps)


def test_dropped_frames_only_leave_gaps() -> None:
    config = replace(QUIET, frames=40, expressions=0, turns_deg=0, fps=(25,), drops=1)
    scene = make_scene(random_photo(), POINTS, SCHEMA, 1, config=config)
    steps = np.diff(scene.places)
    assert len(scene.images) == len(scene.times_s) == 40
    assert steps.min() == 1
    assert 2 <= steps.max() <= 7
    np.testing.assert_allclose(np.diff(scene.times_s), steps / 25)
    whole = make_scene(random_photo(), POINTS, SCHEMA, 1, config=replace(config, drops=0))
    assert (np.diff(whole.places) == 1).all()


def test_occluders_hide_landmarks_where_they_are_drawn() -> None:
    config = replace(QUIET, frames=24, expressions=0, turns_deg=0)
    hidden = 0
    for number in range(6):
        clear = make_scene(random_photo(), POINTS, SCHEMA, number, config=config)
        scene = make_scene(random_photo(), POINTS, SCHEMA, number, config=replace(config, things=1))
        assert clear.visible.all()
        assert scene.thing in ("hand", "mug", "microphone")
        changed = np.abs(scene.images.astype(int) - clear.images).max(-1) > 12
        for frame, landmark in np.ndindex(*scene.visible.shape):
            x, y = np.rint(scene.truth[frame, landmark]).astype(int)
            if 2 < x < 317 and 2 < y < 317 and not scene.visible[frame, landmark]:
                hidden += 1
                assert changed[frame, y - 2 : y + 3, x - 2 : x + 3].any()
        outside = ~changed.any(0).all()
        assert outside
    assert hidden > 200


def test_a_rolling_shutter_skews_the_image_and_the_ground_truth() -> None:
    config = replace(QUIET, frames=30, expressions=0, turns_deg=0, fps=(25,))
    straight = make_scene(random_photo(), POINTS, SCHEMA, 0, config=config)
    rolled = make_scene(random_photo(), POINTS, SCHEMA, 0, config=replace(config, rolling=1))
    motion = np.diff(straight.truth[:, 30, 0])
    fast = int(np.abs(motion).argmax())
    lean = rolled.truth[fast] - straight.truth[fast]
    rows = straight.truth[fast, :, 1]
    slope = np.polyfit(rows, lean[:, 0], 1)[0]
    assert np.sign(slope) == np.sign(motion[fast])
    assert np.abs(lean).max() > 1


def test_a_fast_lid_has_motion_blur_around_its_ground_truth() -> None:
    strengths = np.zeros((20, len(NAMES)))
    strengths[:, LIDS] = np.linspace(0, 1, 20)[:, None]  # in 0.08 s
    face = MovingFace(POINTS, ExpressionCurves(strengths, np.zeros((20, 2))))
    path = HeadPath(np.zeros((99, 4)))
    camera = SceneCamera(random_photo(), POINTS, path, zoom=1.0, eyes=(36, 45), face=face)
    sharp, swept = camera.render_exposure(0.04, 0.0), camera.render_exposure(0.04, 0.04)
    x, y = np.rint(camera.truth(0.04)[37]).astype(int)
    lid = np.s_[y - 4 : y + 5, x - 3 : x + 4]
    chin = np.s_[260:300, 120:200]
    assert np.abs(swept[lid] - sharp[lid]).mean() > 1
    assert np.abs(swept[chin] - sharp[chin]).mean() < 0.3  # with fewer samples


def test_landmarks_that_are_turned_away_are_not_visible() -> None:
    face = MovingFace(POINTS, constant_expression())
    assert face.visible_landmarks(0).all()
    hidden = face.mesh.hidden_landmarks(face.mesh.places(np.zeros(len(NAMES)), 35, 0))
    assert hidden[9:17].sum() >= 3
    assert not hidden[:8].any()
    assert not hidden[36:42].any()


def test_expressions_need_68_landmarks() -> None:
    with pytest.raises(ValueError, match="68 landmarks"):
        make_scene(random_photo(), POINTS[:60], SCHEMA, 0)


def test_automatic_exposure_reduces_brightness_changes() -> None:
    config = replace(QUIET, frames=60, expressions=0, turns_deg=0, light=1, fps=(25,), noise=1)
    number = next(n for n in range(40) if _light_of(n, config) == "exposure-ramp")
    dark = make_scene(random_photo(), POINTS, SCHEMA, number, config=config)
    with_exposure = make_scene(
        random_photo(), POINTS, SCHEMA, number, config=replace(config, exposure=1)
    )

    def spread(images: np.ndarray) -> float:
        means = images.mean((1, 2, 3))
        return float(means.std() / means.mean())

    assert spread(with_exposure.images) < 0.8 * spread(dark.images)


def _light_of(number: int, config: SceneConfig) -> str:
    short = replace(config, frames=2)
    return make_scene(random_photo(), POINTS, SCHEMA, number, config=short).light


def test_noise_has_the_measured_spectrum_colours_and_brightness() -> None:
    rng = np.random.default_rng(0)
    noise_field = np.stack([correlated_noise(200, 240, rng) for _ in range(20)])
    assert noise_field.std() == pytest.approx(1, abs=0.02)
    for axis in (1, 2):
        for distance, known in enumerate(NEIGHBOURS, 1):
            near = np.take(noise_field, range(noise_field.shape[axis] - distance), axis)
            far = np.take(noise_field, range(distance, noise_field.shape[axis]), axis)
            assert (near * far).mean() == pytest.approx(known, abs=0.05)
    between = np.array(np.corrcoef(noise_field.reshape(-1, 3).T))
    assert between[0, 1] == pytest.approx(COLOURS, abs=0.03)
    noise = SensorNoise(5, 0.9, rng)
    ramp = np.tile(np.repeat(np.array(BRIGHTNESS, np.float32), 40)[None, :, None], (200, 1, 3))
    frames = np.stack([noise.add_to(ramp) - ramp for _ in range(60)])
    deviation = frames.reshape(60, 200, 8, 40, 3).std((0, 1, 3, 4))
    np.testing.assert_allclose(
        deviation / deviation.mean(), np.array(BY_BRIGHTNESS) / np.mean(BY_BRIGHTNESS), rtol=0.1
    )
    correlation = (frames[1:] * frames[:-1]).mean() / (frames**2).mean()
    assert correlation == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("codec", ["none", "h264-28", "mpeg4-6", "jpeg-60"])
def test_codecs_keep_the_image_and_lose_detail(codec: str) -> None:
    images = [random_photo() for _ in range(4)]
    difference = np.abs(np.stack(compressed(images, 25, codec)).astype(int) - np.stack(images))
    assert (difference.max() == 0) == (codec == "none")
    assert difference.mean() < 6
    with pytest.raises(ValueError, match="unknown codec 'vp8'"):
        compressed(images, 25, "vp8")


@pytest.mark.data
def test_the_rows_of_the_face_model_equal_those_of_its_source_file() -> None:
    root = os.environ.get("STEADYMARK_DATA")
    model = Path(root or "/nowhere") / "face3d" / "ict_face_model.npz"
    if not model.is_file():
        pytest.skip("STEADYMARK_DATA holds no face3d/ict_face_model.npz")
    with np.load(face_model_path()) as shipped_rows:
        for name, values in choose_vertices(model).items():
            np.testing.assert_array_equal(shipped_rows[name], values, err_msg=name)
