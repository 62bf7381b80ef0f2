"""Video files: order, times, exact seeks and images."""

from __future__ import annotations

import contextlib
import gc
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos.video_corpus import (
    INTACT_VIDEOS,
    Recipe,
    bars,
    make,
    number_in,
    packet_ticks,
    remuxed,
)

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image


@pytest.fixture(scope="module", params=INTACT_VIDEOS, ids=lambda r: r.name)
def intact_video(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Recipe, Path]:
    recipe: Recipe = request.param
    return recipe, make(tmp_path_factory.mktemp("sound"), recipe)


def test_every_frame_is_read_once_in_order_with_its_time(intact_video: tuple[Recipe, Path]) -> None:
    recipe, path = intact_video
    source = VideoFile(path)
    frames = list(source.frames())
    assert [number_in(f.image) for f in frames] == list(range(len(recipe.times)))
    assert [f.index for f in frames] == list(range(len(recipe.times)))
    expected = (np.array(recipe.times) - recipe.times[0]) / (recipe.rate * recipe.unit)
    assert np.abs([f.pts_s for f in frames] - expected).max() <= 0.0051  # GIF: 10 ms ticks
    assert source.problems == ()
    assert source.info.frames == len(frames)


def test_a_seek_returns_exactly_the_requested_frame(intact_video: tuple[Recipe, Path]) -> None:
    recipe, path = intact_video
    source = VideoFile(path)
    frames = list(source.frames())
    for index in np.random.default_rng(3).integers(len(frames), size=8):
        single_frame = source.frame_at(int(index))
        assert single_frame.index == index
        assert single_frame.pts_s == frames[index].pts_s
        assert np.array_equal(single_frame.image, frames[index].image), recipe.name
    source.close()


def test_stepping_forward_does_not_seek_again(tmp_path: Path) -> None:
    source = VideoFile(make(tmp_path, Recipe("step.mp4", b_frames=2, gop=30)))
    assert [number_in(source.frame_at(i).image) for i in range(3, 12)] == list(range(3, 12))
    decoder = source._grabber._decoder
    assert decoder is not None
    assert decoder.seeks == 0


def test_reading_continues_after_a_seek(tmp_path: Path) -> None:
    source = VideoFile(make(tmp_path, Recipe("jump.mp4", b_frames=2)))
    numbers = []
    for frame in source.frames():
        numbers.append(number_in(frame.image))
        if numbers == [0, 1, 2]:
            source.seek(15)
        if numbers == [0, 1, 2, 15, 16]:
            source.seek(4)
        if len(numbers) == 7:
            source.seek(19)
    assert numbers == [0, 1, 2, 15, 16, 4, 5, 19]
    assert source.problems == ()
    source.seek(18)
    assert [f.index for f in source.frames()] == [18, 19]


def test_a_part_keeps_the_numbers_and_times_of_the_whole_video(tmp_path: Path) -> None:
    path = make(tmp_path, Recipe("part.mp4", b_frames=2))
    source = VideoFile(path, start_s=0.2, end_s=0.4)
    frames = list(source.frames())
    assert [f.index for f in frames] == [5, 6, 7, 8, 9]
    assert [number_in(f.image) for f in frames] == [5, 6, 7, 8, 9]
    assert frames[0].pts_s == pytest.approx(0.2)
    assert source.info.frames == 5
    assert source.problems == ()


@pytest.mark.parametrize(
    ("start_s", "end_s", "words"),
    [(9.0, None, "no frames"), (0.4, 0.2, "before the end"), (-1.0, None, "is not possible")],
)
def test_a_part_without_frames_is_refused(
    tmp_path: Path, start_s: float, end_s: float | None, words: str
) -> None:
    path = make(tmp_path, Recipe("part.mp4"))
    with pytest.raises(UsageError, match=words):
        VideoFile(path, start_s=start_s, end_s=end_s)


def image_with_red_corner(size: tuple[int, int]) -> Image:
    """Return a dark image whose top left quarter is red."""
    image = np.full((size[1], size[0], 3), 30, np.uint8)
    image[: size[1] // 2, : size[0] // 2] = (0, 0, 220)
    return image


def position_of_red_corner(image: Image) -> str:
    """Return the position of the red quarter."""
    y, x = np.argwhere(image[..., 2] > 130).mean(0)
    return ("top" if y < image.shape[0] / 2 else "bottom") + (
        " left" if x < image.shape[1] / 2 else " right"
    )


@pytest.mark.parametrize("degrees", [90, 180, 270, -90, -270, 0])
def test_rotated_videos_are_read_upright(tmp_path: Path, degrees: int) -> None:
    recipe = Recipe("turned.mp4", frames=2, rotation=degrees)
    source = VideoFile(make(tmp_path, recipe, [image_with_red_corner((96, 64))] * 2))
    frame = next(source.frames())
    expected = np.rot90(
        image_with_red_corner((96, 64)), degrees // 90 % 4
    )  # numpy turns counterclockwise, too
    assert frame.image.shape == expected.shape
    assert (source.info.width, source.info.height) == (frame.width, frame.height)
    assert position_of_red_corner(frame.image) == position_of_red_corner(expected)


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(4, 3), (128, 64)), (Fraction(3, 4), (96, 85))]
)
def test_frames_are_scaled_to_square_pixels(
    tmp_path: Path, aspect: Fraction, size: tuple[int, int]
) -> None:
    source = VideoFile(make(tmp_path, Recipe("wide.mp4", frames=3, aspect=aspect)))
    frames = list(source.frames())
    assert {(f.width, f.height) for f in frames} == {size}
    assert [number_in(f.image) for f in frames] == [0, 1, 2]
    assert any("square" in note for note in source.info.notes)


@pytest.mark.parametrize(
    ("codec", "pixels", "name"),
    [
        ("ffv1", "bgr0", "tiny.mkv"),
        ("rawvideo", "bgr24", "tiny.avi"),
        ("png", "rgb24", "tiny.mov"),
        ("ffv1", "gray", "tiny.mkv"),
        ("ffv1", "yuv420p", "tiny.mkv"),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (2, 2)])
def test_tiny_videos_are_read(
    tmp_path: Path, codec: str, pixels: str, name: str, size: tuple[int, int]
) -> None:
    recipe = Recipe(name, codec, pixels, size[0], size[1], frames=3)
    grey = [np.full((size[1], size[0], 3), v, np.uint8) for v in (10, 120, 240)]
    frames = list(VideoFile(make(tmp_path, recipe, grey)).frames())
    assert [f.image.shape for f in frames] == [(size[1], size[0], 3)] * 3
    assert (
        np.abs([f.image.mean() - v for f, v in zip(frames, (10, 120, 240), strict=True)]).max() < 8
    )


@pytest.mark.parametrize(
    ("codec", "pixels"), [("png", "rgba"), ("qtrle", "argb"), ("prores_ks", "yuva444p10le")]
)
def test_transparent_frames_are_blended_with_black(tmp_path: Path, codec: str, pixels: str) -> None:
    image = np.full((64, 96, 4), 200, np.uint8)
    image[:, :48, 3], image[:, 48:, 3] = 0, 255
    frame = next(
        VideoFile(make(tmp_path, Recipe("a.mov", codec, pixels, frames=1), [image])).frames()
    )
    assert frame.image[:, :40].max() < 8
    assert frame.image[:, 56:].min() > 190


def test_frames_are_freed_without_the_garbage_collector(tmp_path: Path) -> None:
    """Reading the rotation from a frame must not keep the buffers of the decoder."""

    def living_frames() -> int:
        return sum(type(thing) is av.VideoFrame for thing in gc.get_objects())

    path = make(tmp_path, Recipe("turned.mp4", frames=20, rotation=90))
    gc.collect()
    before = living_frames()  # objects of earlier tests
    gc.disable()
    try:
        for _ in range(3):
            with contextlib.closing(VideoFile(path)) as source:
                for _ in source.frames():
                    pass
        del source
        leaked = living_frames() - before
    finally:
        gc.enable()
    assert leaked == 0


def test_8k_frames_are_read(tmp_path: Path) -> None:
    recipe = Recipe("large.mkv", "mjpeg", "yuvj420p", 7680, 4320, frames=1)
    frame = next(VideoFile(make(tmp_path, recipe, [bars(37, 7680, 4320)])).frames())
    assert (frame.width, frame.height) == (7680, 4320)
    assert number_in(frame.image) == 37


def test_file_names_of_any_script_and_length_are_opened(tmp_path: Path) -> None:
    plain = make(tmp_path, Recipe("plain.mp4", frames=2))
    for name in ("лицо 顔 é.mp4", "a" * 200 + ".mp4", "10:30 100%d [x].mp4", "-i.mp4"):
        path = tmp_path / name
        path.write_bytes(plain.read_bytes())
        assert len(list(VideoFile(path).frames())) == 2


def test_times_that_run_backwards_are_clamped(tmp_path: Path) -> None:
    path = make(tmp_path, Recipe("plain.mkv", "mjpeg", "yuvj420p", frames=8))
    broken = remuxed(path, tmp_path / "back.mkv", [0, 1, 2, 7, 4, 5, 8, 9])
    source = VideoFile(broken)
    frames = list(source.frames())
    assert [number_in(f.image) for f in frames] == list(range(8))
    assert list(np.diff([f.pts_s for f in frames]) >= 0) == [True] * 7
    assert any("decrease" in note for note in source.info.notes)
    assert number_in(source.frame_at(5).image) == 5


def test_frames_with_equal_times_are_all_read(tmp_path: Path) -> None:
    path = make(tmp_path, Recipe("plain.mkv", "mjpeg", "yuvj420p", frames=8))
    source = VideoFile(remuxed(path, tmp_path / "same.mkv", [0, 1, 2, 2, 2, 5, 6, 7]))
    assert [number_in(f.image) for f in source.frames()] == list(range(8))
    assert [number_in(source.frame_at(i).image) for i in (4, 3, 2, 5)] == [4, 3, 2, 5]
    assert any("timestamp of the frame before" in note for note in source.info.notes)


def test_frames_with_contradictory_times_are_all_read(tmp_path: Path) -> None:
    recipe = Recipe("noise.mpg", "mpeg2video", b_frames=3, frames=30, gop=12)
    noise = np.random.default_rng(0).integers(0, 40, (30, 64, 96, 3), np.uint8)
    path = make(tmp_path, recipe, [bars(n) // 4 * 3 + noise[n] for n in range(30)])
    assert len(set(packet_ticks(path))) < 30
    source = VideoFile(path)
    frames = list(source.frames())
    assert [number_in(f.image) for f in frames] == list(range(30))
    assert np.diff([f.pts_s for f in frames]) == pytest.approx(0.04)
    assert number_in(source.frame_at(5).image) == 5
    assert any("contradict" in note for note in source.info.notes)


def test_times_before_zero_are_kept(tmp_path: Path) -> None:
    recipe = Recipe("below.mkv", "mjpeg", "yuvj420p", frames=8)
    source = VideoFile(remuxed(make(tmp_path, recipe), tmp_path / "b.mov", range(-3, 5)))
    frames = list(source.frames())
    assert [number_in(f.image) for f in frames][-5:] == [3, 4, 5, 6, 7]
    assert np.allclose(np.diff([f.pts_s for f in frames]), 0.04)


def test_uneven_times_equal_those_of_the_packets(tmp_path: Path) -> None:
    recipe = next(r for r in INTACT_VIDEOS if r.name == "uneven.mp4")
    path = make(tmp_path, replace(recipe, b_frames=2))
    ticks = np.array(packet_ticks(path))
    times = [f.pts_s for f in VideoFile(path).frames()]
    assert times == pytest.approx((ticks - ticks[0]) * times[-1] / (ticks[-1] - ticks[0]))
    assert times == pytest.approx(np.array(recipe.times) / 100)


def test_a_change_of_the_frame_size_is_reported(tmp_path: Path) -> None:
    small = make(tmp_path, Recipe("small.ts", "mpeg2video", frames=6))
    large = make(
        tmp_path,
        Recipe("large.ts", "mpeg2video", width=192, height=128, frames=6, ticks=range(6, 12)),
    )
    path = tmp_path / "both.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    source = VideoFile(path)
    sizes = [f.width for f in source.frames()]
    assert set(sizes) == {96, 192}
    assert any("changes from 96x64 to 192x128" in p for p in source.problems)
