"""The demo clip: its ground truth is exact, and its parts are as described."""

from __future__ import annotations

import csv
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.models.face.schema import assets_root, load_schema
from tools.demo_clip import demo_motion as path
from tools.demo_clip import make_demo_clip
from tools.demo_clip.demo_expressions import Array, ExpressionWarp, bilinear

if TYPE_CHECKING:
    from pathlib import Path

CLIPS = assets_root() / "clips"
STRONG = (13, 154, 172, 178)  # frames with the strongest expressions


@pytest.fixture(scope="module")
def warp() -> ExpressionWarp:
    return ExpressionWarp(make_demo_clip.portrait_landmarks())


@pytest.fixture(scope="module")
def points(warp: ExpressionWarp) -> Array:
    return make_demo_clip.truth(warp, make_demo_clip.portrait_landmarks())


@pytest.fixture(scope="module")
def rows() -> Array:
    """Return the columns of the ground truth file, (frames, 3 + 136)."""
    with (CLIPS / "demo_truth.csv").open(newline="", encoding="utf-8") as stream:
        table = list(csv.reader(stream))
    header = ["frame", "timestamp_s", "visible"] + [f"{a}_{k}" for a in "xy" for k in range(68)]
    assert table[0] == header
    return np.array(table[1:], np.float64)


def test_the_ground_truth_has_a_row_for_each_frame_at_its_exact_time(rows: Array) -> None:
    with av.open(str(CLIPS / "demo.mp4")) as container:
        stream = container.streams.video[0]
        size = (stream.width, stream.height, stream.pix_fmt)
        assert stream.time_base is not None
        times = sorted(
            p.pts * stream.time_base for p in container.demux(stream) if p.pts is not None
        )
    assert size == (path.WIDTH, path.HEIGHT, "yuv420p")
    assert times == [Fraction(n, path.FPS) for n in range(path.FRAMES)]
    np.testing.assert_array_equal(rows[:, 0], np.arange(path.FRAMES))
    np.testing.assert_allclose(rows[:, 1], np.arange(path.FRAMES) / path.FPS, atol=1e-6)


def test_the_clip_is_at_most_2_mb() -> None:
    assert (CLIPS / "demo.mp4").stat().st_size <= 2_000_000


def test_writing_the_ground_truth_again_gives_the_same_file(
    points: Array, rows: Array, tmp_path: Path
) -> None:
    make_demo_clip.write_truth(tmp_path / "demo_truth.csv", points)
    rewritten = np.genfromtxt(tmp_path / "demo_truth.csv", delimiter=",", skip_header=1)
    np.testing.assert_allclose(rewritten, rows, atol=0.0011)  # half a unit of the last place, twice


def test_frames_are_the_same_for_the_same_seed(warp: ExpressionWarp) -> None:
    canvas = np.full((1472, 1472, 3), 90, np.uint8)
    a, b = (make_demo_clip.Renderer(canvas, warp).render_frame(60, seed=1) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert (a != make_demo_clip.Renderer(canvas, warp).render_frame(60, seed=2)).any()


def test_the_face_does_not_move_in_the_still_part(rows: Array) -> None:
    first, end = path.PARTS["still"]
    assert (end - first) / path.FPS >= 2
    assert (rows[first:end, 3:] == rows[first, 3:]).all()
    assert all(len(path.exposure_times(n)) == 1 for n in range(first + 1, end))


def test_no_part_of_the_face_is_visible_after_its_exit(rows: Array, points: Array) -> None:
    out = slice(*path.PARTS["out"])
    assert not rows[out, 2].any()
    assert np.isnan(rows[out, 3:]).all()
    assert not path.within(points[out]).any()
    outline = np.array([[x, y] for x in (150.0, 305.0) for y in (10.0, 190.0)])  # hair to chin
    for n in range(*path.PARTS["out"]):
        matrix = path.pose_at(n).matrix()
        assert ((outline @ matrix[:, :2].T + matrix[:, 2])[:, 0] < 0).all()


def test_the_face_leaves_once_and_comes_back(rows: Array) -> None:
    changes = np.flatnonzero(np.diff(rows[:, 2]))
    (exit_first, exit_end), (back_first, back_end) = path.PARTS["exit"], path.PARTS["return"]
    assert len(changes) == 2
    assert exit_first <= changes[0] < exit_end
    assert back_first <= changes[1] < back_end
    assert np.isfinite(rows[rows[:, 2] == 1]).all()


def test_the_parts_follow_each_other_from_first_to_last_frame() -> None:
    ends = [0] + [end for _, end in path.PARTS.values()]
    assert [first for first, _ in path.PARTS.values()] == ends[:-1]
    assert ends[-1] == path.FRAMES


@pytest.mark.parametrize("frame", STRONG)
def test_the_inverse_warp_inverts_the_forward_warp(warp: ExpressionWarp, frame: int) -> None:
    weights = path.weights_at(frame)
    x, y = np.meshgrid(np.linspace(175, 275, 60), np.linspace(80, 185, 60))
    start = np.concatenate(
        (np.stack((x, y), -1).reshape(-1, 2), make_demo_clip.portrait_landmarks())
    )
    forward = warp.forward(weights, start)
    back = forward + bilinear(warp.inverse(weights), warp.origin, forward)
    assert np.linalg.norm(back - start, axis=-1).max() < 0.05


@pytest.mark.parametrize("frame", [148, 200, 222])
def test_pixels_move_with_the_ground_truth(warp: ExpressionWarp, points: Array, frame: int) -> None:
    marked = (8, 14, 30, 45, 54)
    x, y = np.meshgrid(np.arange(512), np.arange(512))
    brightness = np.zeros((512, 512))
    for px, py in make_demo_clip.portrait_landmarks()[list(marked)]:
        brightness += np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 1.2**2))
    canvas = make_demo_clip.backdrop(np.repeat(brightness[..., None] * 250, 3, -1).astype(np.uint8))
    picture = make_demo_clip.Renderer(canvas, warp).render_frame(frame, seed=0).astype(np.float64)
    bright = (picture.mean(-1) - 12).clip(0)
    for px, py in points[frame, list(marked)]:
        cx, cy = round(px), round(py)
        patch = bright[cy - 14 : cy + 15, cx - 14 : cx + 15]
        v, u = np.mgrid[cy - 14 : cy + 15, cx - 14 : cx + 15]
        centre = np.array([(patch * u).sum(), (patch * v).sum()]) / patch.sum()
        assert (
            np.abs(centre - (px, py)).max() < 0.35
        )  # the spot is stretched: its mean is not exact


def test_landmarks_are_ordered_as_on_a_face(points: Array) -> None:
    schema = load_schema("ibug68")
    for xy in points[[0, 75, 148, 178, 276]]:
        centre = {name: xy[list(indices)].mean(0) for name, indices in schema.regions.items()}
        heights = [centre[name][1] for name in ("brows", "eyes", "nose", "mouth")]
        assert heights == sorted(heights)
        assert (xy[17:, 0] > xy[:17, 0].min()).all()
        assert (xy[17:, 0] < xy[:17, 0].max()).all()
        assert (xy[17:, 1] < xy[8, 1]).all()
        assert xy[37, 1] < xy[41, 1]
        assert xy[44, 1] < xy[46, 1]
        assert xy[62, 1] < xy[66, 1]


def test_the_annotation_is_nearly_its_own_mirror_image() -> None:
    schema = load_schema("ibug68")
    xy = make_demo_clip.portrait_landmarks()
    mirrored = (xy * (-1, 1))[schema.mirror]
    a, b = xy - xy.mean(0), mirrored - mirrored.mean(0)
    u, _, vt = np.linalg.svd(b.T @ a)
    distance_px = np.linalg.norm(b @ u @ vt - a, axis=1)
    eyes_px = np.linalg.norm(xy[schema.eyes[0]] - xy[schema.eyes[1]])
    assert distance_px.mean() < 0.06 * eyes_px
    assert distance_px.max() < 0.15 * eyes_px
