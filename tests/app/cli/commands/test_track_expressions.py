"""`--expressions` and `--mirror` change what is animated and sent, and never the table."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import platformdirs
import pytest

from steadymark.app.session.expressions.expression_presets import ExpressionPresets
from steadymark.engine.expressions.expression_files import NamedExpressions, write_expressions
from steadymark.engine.expressions.expression_settings import ExpressionSettings, ShapeSettings
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    Run = Callable[..., Result]

SILENT = ExpressionSettings((ShapeSettings(0.0),) * 52)


def _rows(path: Path) -> np.ndarray:
    """The numbers of a Live Link file, without the timecode."""
    rows = list(csv.reader(path.read_text().splitlines()))
    return np.array([[float(value) for value in row[1:]] for row in rows[1:]])


@pytest.fixture
def settings_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config" / "steadymark"
    )
    return tmp_path / "config" / "steadymark"


def test_a_preset_changes_the_animation(run: Run, tmp_path: Path, settings_folder: Path) -> None:
    video = square_video(tmp_path / "a.mp4")
    ExpressionPresets(settings_folder / "expressions").save("Silent", SILENT)
    for name, options in (("plain", []), ("silent", ["--expressions", "silent"])):
        done = run("track", video, "--out", tmp_path / name, "--csv", "livelink", *options)
        assert done.exit_code == 0, done.output
    plain, silent = (_rows(tmp_path / name / "a.csv") for name in ("plain", "silent"))
    assert 61 in plain[:, 0]
    assert plain[:, 1:53].max() > 0.1
    assert not silent[:, 1:53].any()
    np.testing.assert_array_equal(silent[:, 53:], plain[:, 53:])


def test_a_mirrored_animation_exchanges_left_and_right(run: Run, tmp_path: Path) -> None:
    video = square_video(tmp_path / "a.mp4")
    for name, options in (("plain", []), ("mirrored", ["--mirror"])):
        done = run("track", video, "--out", tmp_path / name, "--format", "livelink", *options)
        assert done.exit_code == 0, done.output
    plain, mirrored = (_rows(tmp_path / name / "a.csv") for name in ("plain", "mirrored"))
    np.testing.assert_array_equal(mirrored[:, 1:8], plain[:, 8:15])  # the eyes
    np.testing.assert_allclose(mirrored[:, 53], -plain[:, 53], atol=1e-7)  # the yaw
    np.testing.assert_allclose(mirrored[:, 54], plain[:, 54], atol=1e-7)  # the pitch


def test_tables_hold_what_is_measured(run: Run, tmp_path: Path) -> None:
    video = square_video(tmp_path / "a.mp4")
    path = tmp_path / "silent.json"
    write_expressions(path, NamedExpressions("silent", SILENT))
    for name, options in (("one", []), ("two", ["--expressions", path, "--mirror"])):
        done = run("track", video, "--out", tmp_path / name, *options)
        assert done.exit_code == 0
        said = " ".join(done.output.split())
        assert ("--mirror change nothing here" in said) is bool(options)
        assert ("add --send, or --format bvh, gltf or livelink" in said) is bool(options)
    one, two = ((tmp_path / name / "a.csv").read_bytes() for name in ("one", "two"))
    assert one == two


def test_resume_makes_an_animation_again_if_its_settings_are_others(
    run: Run, tmp_path: Path
) -> None:
    video, out = square_video(tmp_path / "a.mp4"), tmp_path / "out"
    command = ("track", video, "--out", out, "--csv", "livelink")
    assert run(*command).exit_code == 0
    before = (out / "a.csv").read_bytes()
    again = run(*command, "--resume")
    assert again.exit_code == 0
    assert (out / "a.csv").read_bytes() == before
    assert "tracked with other settings" not in again.output
    mirrored = run(*command, "--resume", "--mirror")
    assert mirrored.exit_code == 0
    assert "tracked with other settings" in mirrored.output
    assert (out / "a.csv").read_bytes() != before


@pytest.mark.parametrize("command", ["track", "live"])
def test_an_unknown_preset_is_one_sentence(
    run: Run, tmp_path: Path, settings_folder: Path, command: str
) -> None:
    (settings_folder / "expressions").mkdir(parents=True)
    arguments = ("a.mp4", "--out", tmp_path) if command == "track" else ("camera:0",)
    done = run(command, *arguments, "--expressions", "nobody")
    assert done.exit_code == 2
    assert "'nobody' is neither a file nor a preset of expressions" in done.output
    assert "Traceback" not in done.output


def test_files_of_further_faces_are_not_replaced_without_asking(run: Run, tmp_path: Path) -> None:
    video, other = square_video(tmp_path / "a.mp4"), tmp_path / "a_face1.csv"
    other.write_text("of another video")
    command = ("track", video, "--out", tmp_path, "--csv", "livelink")
    done = run(*command)
    assert done.exit_code == 2
    assert "a_face1.csv exists already: use --overwrite" in done.output.replace("\n", "")
    assert not (tmp_path / "a.csv").exists()
    assert other.read_text() == "of another video"
    done = run(*command, "--overwrite")
    assert done.exit_code == 0
    assert "there are also a_face1.csv, of an earlier run or another video" in " ".join(
        done.output.split()
    )
