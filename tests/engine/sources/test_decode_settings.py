"""Deinterlacing and rotation of video files, as the user asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.sources import open_source
from steadymark.engine.sources.frame_conversion import DecodeSettings
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos.odd_videos import encoded
from support.videos.video_corpus import Recipe, make, number_in

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image

DEINTERLACE = DecodeSettings(deinterlace=True)
_FIELDS = {"flags": "+ildct+ilme"}
_FRAMES = 24


def moving_bar(field: int) -> Image:
    """A white bar on black; it moves by four pixels per field."""
    image = np.zeros((64, 192, 3), np.uint8)
    image[:, 4 + 3 * field : 24 + 3 * field] = 255
    return image


def interlaced_video(folder: Path, name: str = "a.mkv", codec: str = "mpeg2video") -> Path:
    """A bar that moves between the two fields of each frame, so that its edges are combed."""
    pictures = []
    for number in range(_FRAMES):
        image = moving_bar(2 * number)
        image[1::2] = moving_bar(2 * number + 1)[1::2]
        pictures.append(image)
    extra = {**_FIELDS, "b": "8000k", "top": "1", "field_order": "tt"}
    recipe = Recipe(name, codec, width=192, frames=_FRAMES, extra=extra, b_frames=2)
    return make(folder, recipe, pictures)


def combing(image: Image) -> float:
    """The mean difference between neighbouring rows, less that between every other row."""
    grey = image.astype(float).mean(2)
    neighbours = np.abs(grey[1:-1] - grey[:-2]).mean()
    return float(neighbours - np.abs(grey[2:] - grey[:-2]).mean())


def test_deinterlacing_removes_combed_edges_and_keeps_every_frame(tmp_path: Path) -> None:
    path = interlaced_video(tmp_path)
    combed, joined = VideoFile(path), VideoFile(path, decoding=DEINTERLACE)
    before, after = list(combed.frames()), list(joined.frames())
    assert [f.index for f in after] == [f.index for f in before] == list(range(_FRAMES))
    assert [f.pts_s for f in after] == [f.pts_s for f in before]
    assert {f.image.shape for f in after} == {(64, 192, 3)}
    inner = slice(2, -2)
    assert np.mean([combing(f.image) for f in before[inner]]) > 5
    assert np.mean([combing(f.image) for f in after[inner]]) < 1


def test_a_frame_that_is_sought_is_the_one_of_the_iteration(tmp_path: Path) -> None:
    path = interlaced_video(tmp_path)
    source = VideoFile(path, decoding=DEINTERLACE)
    frames = list(source.frames())
    for index in (17, 8, 16, 9, 0, 23):
        assert np.array_equal(source.frame_at(index).image, frames[index].image), index
    part = VideoFile(path, start_s=8 / 25, end_s=12 / 25, decoding=DEINTERLACE)
    read = {f.index: f.image for f in part.frames()}
    assert list(read) == [8, 9, 10, 11]
    assert all(np.array_equal(image, frames[index].image) for index, image in read.items())


@pytest.mark.parametrize("name", ["h264.mp4", "raw.m2v", "odd.avi"])
def test_frames_of_other_videos_keep_their_numbers(tmp_path: Path, name: str) -> None:
    codec = {"raw.m2v": "mpeg2video", "odd.avi": "ffv1"}.get(name, "libx264")
    path = make(tmp_path, Recipe(name, codec, frames=20, b_frames=2 * (codec != "ffv1")))
    frames = list(VideoFile(path, decoding=DEINTERLACE).frames())
    assert [number_in(f.image) for f in frames] == list(range(20))


def test_a_note_tells_that_a_file_is_interlaced(tmp_path: Path) -> None:
    path = interlaced_video(tmp_path)
    assert any("it is interlaced" in note for note in VideoFile(path).info.notes)
    notes = VideoFile(path, decoding=DEINTERLACE).info.notes
    assert any("deinterlaced, as requested" in note for note in notes)
    assert not any("it is interlaced" in note for note in notes)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("of_file", [None, 90])
def test_a_rotation_replaces_that_of_the_file(
    tmp_path: Path, degrees: int, of_file: int | None
) -> None:
    path = encoded(Recipe("a.mp4", rotation=of_file, frames=6)).make(tmp_path)
    coded = next(VideoFile(encoded(Recipe("b.mp4", frames=6)).make(tmp_path)).frames()).image
    source = VideoFile(path, decoding=DecodeSettings(rotate_deg=degrees))
    turned = np.rot90(coded, -degrees // 90)
    assert (source.info.height, source.info.width) == turned.shape[:2]
    assert np.array_equal(
        source.frame_at(3).image,
        np.rot90(VideoFile(tmp_path / "b.mp4").frame_at(3).image, -degrees // 90),
    )
    assert any(f"rotated by {degrees}°" in note for note in source.info.notes)


def test_other_rotations_and_inputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="0, 90, 180 or 270 degrees, not by 45"):
        DecodeSettings(rotate_deg=45)
    for text in ("camera:0", "rtsp://127.0.0.1/"):
        with pytest.raises(UsageError, match="is not a video file"):
            open_source(text, decoding=DEINTERLACE)
