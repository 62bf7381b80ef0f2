"""Several image files are one sequence, or independent pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.core.errors import SourceError
from steadymark.engine.core.image_order import ImageOrder
from steadymark.engine.sources import expand_inputs, open_source
from steadymark.engine.sources.image_arrangement import arrange, image_names
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.input_paths import common_start, input_name, shown_input

if TYPE_CHECKING:
    from pathlib import Path

INDEPENDENT, SEQUENCE = ImageOrder.INDEPENDENT, ImageOrder.SEQUENCE


def write_images(folder: Path, *names: str, sizes: tuple[tuple[int, int], ...] = ()) -> list[Path]:
    """Write grey images of 40×30 pixels, or of the given widths and heights."""
    files = [folder / name for name in names]
    for file, (width, height) in zip(files, sizes or ((40, 30),) * len(files), strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        data = cv2.imencode(file.suffix, np.full((height, width, 3), 90, np.uint8))[1]
        file.write_bytes(data.tobytes())
    return files


def opened(*texts: Path | str, images: ImageOrder | None = None) -> ImageSequence:
    (text,) = expand_inputs([str(each) for each in texts])
    source = open_source(text, images=images)
    assert isinstance(source, ImageSequence)
    return source


def times(source: ImageSequence) -> list[tuple[int, float]]:
    return [(frame.index, round(frame.pts_s, 3)) for frame in source.frames()]


@pytest.mark.parametrize("form", ["listed", "img_*.png", "img_%04d.png", "."])
def test_missing_numbers_leave_gaps_in_frame_numbers_and_times_in_every_form(
    tmp_path: Path, form: str
) -> None:
    files = write_images(tmp_path, *(f"img_{n:04d}.png" for n in (3, 4, 6, 9)))
    source = opened(*(files if form == "listed" else [tmp_path / form]))
    assert times(source) == [(0, 0.0), (1, 0.04), (3, 0.12), (6, 0.24)]
    assert source.info.image_names[3] == "img_0006.png"
    assert source.info.image_order is SEQUENCE
    gaps = [note for note in source.info.notes if "missing" in note]
    assert gaps == [
        "3 of 7 image numbers are missing after img_0004.png: frame numbers and times have gaps "
        "there"
    ]
    with pytest.raises(SourceError, match="no image for frame 2"):
        source.frame_at(2)


def test_a_part_of_the_images_of_a_folder_is_one_input_when_the_shell_lists_it(
    tmp_path: Path,
) -> None:
    files = write_images(tmp_path, *(f"img_{n}.png" for n in range(8, 12)), "other.png")
    (text,) = expand_inputs([str(file) for file in files[:3]])
    assert [frame.index for frame in open_source(text).frames()] == [0, 1, 2]
    assert input_name(text) == "img"
    assert "\n" not in shown_input(text)
    assert "3 images" in shown_input(text)


@pytest.mark.parametrize(
    ("names", "sizes", "words"),
    [
        (("anna.png", "bert.png"), (), "names do not differ in one number only"),
        (("a_1.png", "b_1.png"), (), "names do not differ in one number only"),
        (("s1_1.png", "s2_1.png", "s2_2.png"), (), "names do not differ in one number only"),
        (("p_1.png", "p_2.png"), ((40, 30), (30, 40)), "of different sizes"),
        (("p_1.jpg", "p_2.jpg"), ((40, 30), (41, 30)), "of different sizes"),
        (("p_1.bmp", "p_2.bmp"), ((40, 30), (40, 31)), "of different sizes"),
        (("on_20240101.png", "on_20250101.png"), (), "names do not differ in one number only"),
    ],
)
def test_images_that_are_no_sequence_are_independent_and_the_reason_is_told(
    tmp_path: Path, names: tuple[str, ...], sizes: tuple[tuple[int, int], ...], words: str
) -> None:
    source = opened(*write_images(tmp_path, *names, sizes=sizes))
    assert source.info.image_order is INDEPENDENT
    (note,) = source.info.notes
    assert words in note
    assert "--sequence" in note
    assert all(frame.independent for frame in source.frames())
    assert [frame.index for frame in source.frames()] == list(range(len(names)))


def test_the_user_can_decide_otherwise(tmp_path: Path) -> None:
    numbered = write_images(tmp_path / "a", "img_1.png", "img_3.png")
    named = write_images(tmp_path / "b", "anna.png", "bert.png")
    alone = opened(*numbered, images=INDEPENDENT)
    assert alone.info.image_order is INDEPENDENT
    assert times(alone) == [(0, 0.0), (1, 0.04)]
    together = opened(*named, images=SEQUENCE)
    assert together.info.image_order is SEQUENCE
    assert not any(frame.independent for frame in together.frames())


def test_images_alone_in_their_folders_are_one_input_whose_names_have_folders(
    tmp_path: Path,
) -> None:
    files = write_images(tmp_path, "A/face.png", "B/face.png")
    source = opened(*files)
    assert source.info.image_names == ("A/face.png", "B/face.png")
    assert source.info.image_order is INDEPENDENT
    assert image_names(files[:1]) == ("face.png",)


def test_several_folders_of_images_are_one_input_each(tmp_path: Path) -> None:
    names = [f"{folder}/img_{n}.png" for folder in "AB" for n in range(3)]
    files = write_images(tmp_path, *names)
    listed = expand_inputs([str(file) for file in files])
    assert listed == [str(tmp_path / "A" / "img_*.png"), str(tmp_path / "B" / "img_*.png")]
    assert expand_inputs([str(tmp_path / "*" / "img_*.png")]) == listed


@pytest.mark.parametrize(
    ("text", "name"),
    [("img_*.png", "img"), ("img_%04d.png", "img"), ("*.png", "set"), (".", "set")],
)
def test_an_input_of_images_is_named_after_its_files_or_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str
) -> None:
    write_images(tmp_path / "set", "img_0001.png", "img_0002.png")
    monkeypatch.chdir(tmp_path / "set")
    assert input_name(text) == name
    assert opened(text).info.name == name


@pytest.mark.parametrize(
    ("names", "start"),
    [
        (("img_01", "img_02"), "img_"),
        (("p9", "p10"), "p"),
        (("anna", "amy"), ""),
        (("face anna", "face amy"), "face "),
        (("s1", "s1b"), "s"),
        (("é_1", "é_2"), "é_"),
    ],
)
def test_names_have_in_common_what_ends_with_a_word_or_before_a_number(
    names: tuple[str, ...], start: str
) -> None:
    assert common_start(names) == start


def test_a_folder_whose_subfolders_hold_images_too_is_opened_without_them(tmp_path: Path) -> None:
    write_images(tmp_path, "img_1.png", "img_2.png", "below/img_3.png")
    assert len(expand_inputs([str(tmp_path)])) == 2
    assert [frame.index for frame in open_source(str(tmp_path)).frames()] == [0, 1]


def test_a_damaged_image_does_not_hide_that_the_others_have_one_size(tmp_path: Path) -> None:
    files = write_images(tmp_path, "a_1.jpg", "a_2.jpg", "a_3.jpg")
    files[1].write_bytes(files[1].read_bytes()[:5])
    assert arrange(files).order is SEQUENCE
    files[1].write_bytes(b"")
    assert arrange(files).order is SEQUENCE
