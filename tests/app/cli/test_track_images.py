"""`steadymark track` with image files: sequences, and pictures that are tracked alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import pytest
from typer.testing import Result

import steadymark as sm
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.types import FaceState
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.fakes.fake_engine import square_image

if TYPE_CHECKING:
    from pathlib import Path

Run = Callable[..., Result]


def write_squares(folder: Path, *names: str, width: int = 320) -> list[Path]:
    """Write images of a square that moves by one pixel from each to the next."""
    folder.mkdir(exist_ok=True)
    files = [folder / name for name in names]
    for i, file in enumerate(files):
        data = cv2.imencode(file.suffix, square_image((100 + i, 100, 60), width=width + i))[1]
        file.write_bytes(data.tobytes())
    return files


def numbered(folder: Path, *numbers: int) -> list[Path]:
    """Write images of one size whose names have these numbers."""
    folder.mkdir(exist_ok=True)
    files = [folder / f"img_{number:04d}.png" for number in numbers]
    for i, file in enumerate(files):
        data = cv2.imencode(".png", square_image((100 + i, 100, 60)))[1]
        file.write_bytes(data.tobytes())
    return files


def test_a_list_from_the_shell_and_a_pattern_give_the_same_table(run: Run, tmp_path: Path) -> None:
    files = numbered(tmp_path / "in", 1, 2, 5)
    tables = []
    for name, inputs in (("list", files), ("glob", [tmp_path / "in" / "img_*.png"])):
        result = run("track", *inputs, "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert "2 of 5 image numbers are missing after img_0002.png" in result.output
        tables.append(tmp_path / name / "img.csv")
    assert tables[0].read_bytes() == tables[1].read_bytes()
    table = read_landmarks(tables[0])
    assert table.frame.tolist() == [0, 1, 4]
    assert table.timestamp_s.tolist() == [0.0, 0.04, 0.16]
    assert table.image.tolist() == [file.name for file in files]
    assert table.state.tolist() == [FaceState.DETECTED, FaceState.TRACKED, FaceState.TRACKED]
    assert check_csv(tables[0]) == ()


def test_portraits_are_tracked_alone_in_one_table_that_names_them(run: Run, tmp_path: Path) -> None:
    files = write_squares(tmp_path / "in", "anna.png", "bert, B.png", 'c "x".png')
    result = run("track", *files, "--out", tmp_path / "out", "--stabilizer", "one-euro")
    assert result.exit_code == 0, result.output
    assert "3 images whose names do not differ in one number only" in result.output
    table = read_landmarks(tmp_path / "out" / "in.csv")
    assert table.image.tolist() == [file.name for file in files]
    assert table.face_id.tolist() == [0, 0, 0]
    assert set(table.state) == {FaceState.DETECTED}
    assert (table.xy_px == table.raw_xy_px).all()
    settings = table.header["settings"]
    assert isinstance(settings, dict)
    assert (settings["images"], settings["stabilizer"]) == ("independent", "none")
    assert check_csv(tmp_path / "out" / "in.csv") == ()


def test_each_portrait_gives_what_it_gives_without_the_others(run: Run, tmp_path: Path) -> None:
    files = write_squares(tmp_path / "in", "anna.png", "bert.png")
    run("track", *files, "--out", tmp_path / "both")
    run("track", files[1], "--out", tmp_path / "alone", "--stabilizer", "none")
    both = read_landmarks(tmp_path / "both" / "in.csv")
    alone = read_landmarks(tmp_path / "alone" / "bert.csv")
    assert (both.xy_px[1] == alone.xy_px[0]).all()
    assert both.score[1] == alone.score[0]


def test_independent_and_sequence_overrule_the_names(run: Run, tmp_path: Path) -> None:
    files = numbered(tmp_path / "a", 1, 3)
    run("track", *files, "--out", tmp_path / "out", "--independent")
    table = read_landmarks(tmp_path / "out" / "img.csv")
    assert table.frame.tolist() == [0, 1]
    assert set(table.state) == {FaceState.DETECTED}
    again = run("track", *files, "--out", tmp_path / "out", "--resume")
    assert "tracked with other settings" in again.output
    assert read_landmarks(tmp_path / "out" / "img.csv").frame.tolist() == [0, 2]
    named = write_squares(tmp_path / "b", "anna.png", "bert.png")
    run("track", *named, "--out", tmp_path / "out", "--sequence")
    table = read_landmarks(tmp_path / "out" / "b.csv")
    assert table.state.tolist() == [FaceState.DETECTED, FaceState.TRACKED]


def test_results_of_a_long_list_are_found_again(run: Run, tmp_path: Path) -> None:
    files = numbered(tmp_path / "in", *range(1, 30))[:-1]
    run("track", *files, "--out", tmp_path / "out")
    assert "done before" in run("track", *files, "--out", tmp_path / "out", "--resume").output
    index = (tmp_path / "out" / "index.csv").read_text(encoding="utf-8")
    assert "(28 images, " in index
    assert len(index.splitlines()) == 2


def test_python_reads_and_writes_the_names_of_the_images(run: Run, tmp_path: Path) -> None:
    files = write_squares(tmp_path / "in", "anna.png", "bert, B.png")
    run("track", *files, "--out", tmp_path / "out")
    result = sm.read_csv(tmp_path / "out" / "in.csv")
    assert result.image_names == ("anna.png", "bert, B.png")
    assert result.to_pandas()["image"].tolist() == ["anna.png", "bert, B.png"]
    result.to_csv(tmp_path / "again.csv")
    assert read_landmarks(tmp_path / "again.csv").image.tolist() == ["anna.png", "bert, B.png"]
    result.to_csv(tmp_path / "openface.csv", style="openface")
    assert "image" not in (tmp_path / "openface.csv").read_text().splitlines()[0]
    with pytest.raises(UsageError, match="independent images"):
        result.smooth()


def test_a_table_that_pandas_saved_keeps_the_names_of_the_images(run: Run, tmp_path: Path) -> None:
    files = write_squares(tmp_path / "in", "anna.png", "bert, B.png")
    run("track", *files, "--out", tmp_path / "out")
    saved = tmp_path / "saved.csv"
    sm.read_csv(tmp_path / "out" / "in.csv").to_pandas().to_csv(saved)
    assert read_landmarks(saved).image.tolist() == ["anna.png", "bert, B.png"]
    for separator in (";", "\t"):
        frame = sm.read_csv(tmp_path / "out" / "in.csv").to_pandas()
        frame.to_csv(saved, sep=separator, decimal=",", index=False)
        assert read_landmarks(saved).image.tolist() == ["anna.png", "bert, B.png"]
        assert check_csv(saved) == ()
