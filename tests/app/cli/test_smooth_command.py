"""`steadymark smooth`: what it writes, prints and refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli import error_boundary
from steadymark.app.cli import main as cli
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

DEMO = assets_root() / "clips" / "demo.mp4"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr(error_boundary.out, "_width", 300)
    monkeypatch.setattr(error_boundary.err, "_width", 300)
    return lambda *arguments: CliRunner().invoke(cli.app, [str(a) for a in arguments])


def tracked(run: Callable[..., Result], out: Path, *options: str) -> Path:
    result = run("track", DEMO, "--out", out, "--end", "0.5", *options)
    assert result.exit_code == 0, result.output
    return out / "demo.csv"


@pytest.mark.parametrize("method", ["butterworth", "one-euro"])
def test_smoothing_a_table_equals_tracking_with_the_filter(
    run: Callable[..., Result], tmp_path: Path, method: str
) -> None:
    raw = tracked(run, tmp_path / "raw", "--stabilizer", "none")
    expected = read_landmarks(tracked(run, tmp_path / "direct", "--stabilizer", method))
    result = run("smooth", raw, "--method", method, "--size", "640x480")
    assert result.exit_code == 0, result.output
    path = raw.with_name(f"demo.{method}.csv")
    assert result.output.strip() == f"{path}: 15 frames, 1 face"
    assert check_csv(path) == ()
    smoothed = read_landmarks(path)
    np.testing.assert_allclose(
        smoothed.xy_px, expected.xy_px, atol=2e-3
    )  # a table's points are rounded
    np.testing.assert_allclose(smoothed.pose, expected.pose, atol=0.1)
    np.testing.assert_array_equal(smoothed.raw_xy_px, expected.raw_xy_px)
    assert smoothed.header["settings"] == expected.header["settings"]
    assert np.abs(smoothed.xy_px - smoothed.raw_xy_px).max() > 0.02


def test_without_the_image_size_poses_are_empty_and_a_note_says_why(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    raw = tracked(run, tmp_path)
    result = run("smooth", raw, "--out", tmp_path / "b.csv", "--cutoff", "2")
    assert result.exit_code == 0
    assert "note: head poses are left empty: say --size WIDTHxHEIGHT" in result.output
    assert np.isnan(read_landmarks(tmp_path / "b.csv").pose).all()
    assert check_csv(tmp_path / "b.csv") == ()


def test_an_openface_table_keeps_its_style(run: Callable[..., Result], tmp_path: Path) -> None:
    raw = tracked(run, tmp_path, "--csv", "openface")
    assert run("smooth", raw, "--out", tmp_path / "b.csv").exit_code == 0
    assert read_landmarks(tmp_path / "b.csv").style == "openface"
    assert run("smooth", raw, "--out", tmp_path / "c.csv", "--csv", "native").exit_code == 0
    with_size = tmp_path / "d.csv"
    assert run("smooth", raw, "--out", with_size, "--size", "640x480").exit_code == 0
    before, after = (np.genfromtxt(path, delimiter=",", names=True) for path in (raw, with_size))
    for name in ("X_30", "Z_30", "p_scale", "AU25_r"):
        np.testing.assert_allclose(after[name], before[name], rtol=0.02, atol=0.5)
    assert read_landmarks(tmp_path / "c.csv").style == "native"


def test_bad_input_gives_one_sentence_and_exit_code_2(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    table = tracked(run, tmp_path)
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    (tmp_path / "live_face1.csv").touch()
    for arguments, words in (
        (("missing.csv",), "cannot read missing.csv"),
        ((tmp_path / "bad.csv",), "neither a Steadymark file"),
        ((table, "--method", "flow"), "flow needs the pictures, and not only points"),
        ((table, "--method", "kalman"), "unknown method 'kalman'"),
        ((table, "--method", "one-euro", "--cutoff", "3"), "one-euro has no parameter 'cutoff_hz'"),
        ((table, "--cutoff", "0"), "cutoff_hz must be 1e-06 or more, not 0"),
        ((table, "--csv", "livelink"), "livelink needs head poses, which these landmarks do not"),
        ((table, "--csv", "bvh"), "say the size of the pictures (image_size, or --size WIDTHxHEI"),
        ((table, "--size", "big"), "'big' is no size: write --size 1280x720"),
        ((table, "--size", "0x4"), "image_size must be (width, height)"),
        ((table, "--csv", "excel"), "unknown table format 'excel'"),
        ((table, "--out", table), "is the table itself"),
        ((table, "--out", tmp_path / "bad.csv"), "is there already: add --overwrite"),
        (
            (table, "--out", tmp_path / "live.csv", "--csv", "livelink"),
            "live_face1.csv is there already: add --overwrite",
        ),
        ((table, "--out", tmp_path / "no" / "a.csv"), "the folder does not exist"),
    ):
        result = run("smooth", *arguments)
        assert result.exit_code == 2, result.output
        assert words in result.output
        assert len(result.output.strip().splitlines()) == 1, result.output
    assert run("smooth", table, "--out", tmp_path / "bad.csv", "--overwrite").exit_code == 0
