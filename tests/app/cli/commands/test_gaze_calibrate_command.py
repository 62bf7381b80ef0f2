"""`steadymark gaze-calibrate`: a table and looked-at points become a calibration file."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

import steadymark as sm
from steadymark.app.cli import main as cli
from steadymark.engine.core.gaze import GazeCalibration
from steadymark.engine.core.types import FrameTime, TrackResult
from steadymark.engine.gaze.gaze_calibration import read_gaze_calibration, write_gaze_calibration
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.models.face.schema import IBUG68, load_schema
from support.fakes.fake_results import source_info
from support.gazing_faces import gazing_face, pose_at

if TYPE_CHECKING:
    from pathlib import Path


OFFSET_DEG = np.array([[5.0, -3.0], [-4.0, -3.0]])  # of the eyes' axes from the line of sight
SCREEN_MM = [(x, y, 0.0) for x in (-200.0, 0.0, 200.0) for y in (20.0, 150.0, 280.0)]


def make_table(path: Path, settings: dict[str, object] | None = None) -> None:
    """A table of a person who looks at each point for a second, 10 frames a second."""
    sink = NativeCsvSink(path, Header(settings=settings or {}), load_schema(IBUG68))
    sink.open(source_info(size=(640, 480)))
    for number, place in enumerate(SCREEN_MM):
        for index in range(10):
            pose = pose_at(yaw_deg=0.3 * index, pitch_deg=2.0)
            face = gazing_face(pose, place, OFFSET_DEG)
            frame = 10 * number + index
            sink.write(TrackResult(FrameTime(frame, frame / 10), (face,)))
    sink.close(complete=True)


def make_points(path: Path) -> None:
    """The points of the screen, and when they were looked at."""
    rows = [f"{i},{i + 0.95},{x},{y},{z}" for i, (x, y, z) in enumerate(SCREEN_MM)]
    path.write_text("\n".join(["start_s,end_s,x_mm,y_mm,z_mm", *rows]) + "\n")


def run(table: Path, points: Path, out: Path, *more: str) -> tuple[int, str]:
    """Run the command."""
    command = ["gaze-calibrate", str(table), "--looked-at", str(points), "--out", str(out), *more]
    result = CliRunner().invoke(cli.app, command)
    return result.exit_code, " ".join(result.output.split())


def test_a_made_offset_of_both_eyes_is_recovered_from_points_on_a_screen(tmp_path: Path) -> None:
    table, points, out = (tmp_path / name for name in ("a.csv", "points.csv", "anna.json"))
    make_table(table)
    make_points(points)
    code, text = run(table, points, out, "--name", "Anna")
    assert code == 0, text
    assert "9 points, mean error" in text
    assert "note:" not in text
    found = read_gaze_calibration(out)
    assert found.name == "Anna"
    assert np.array(found.offset_deg) == pytest.approx(OFFSET_DEG, abs=1.5)
    assert found.gain == pytest.approx((1, 1), abs=0.1)
    assert json.loads(out.read_text())["format"] == "steadymark-gaze-calibration"
    seconds = [sm.LookedAtPoint(i, i + 0.95, place) for i, place in enumerate(SCREEN_MM)]
    assert sm.read_csv(table).calibrate_gaze(seconds, name="Anna").calibration == found
    code, text = run(table, points, out)
    assert code == 2
    assert "is there already" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "must have the columns start_s, end_s, and either"),
        (
            "start_s,end_s,x_mm,y_mm,z_mm\n0,1,5,x,0\n",
            "line 2: 'x' in the column y_mm is no number",
        ),
        ("start_s,end_s,x_mm,y_mm,z_mm\n1,1,5,5,0\n", "line 2: end_s is not after start_s"),
        ("start_s,end_s,angle_x_deg,angle_y_deg\n0,1,5,5\n", "needs 3 points or more"),
        ("start_s,end_s,angle_x_deg,angle_y_deg\n", "has no points"),
    ],
)
def test_wrong_points_are_told_in_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    table, points = tmp_path / "a.csv", tmp_path / "points.csv"
    make_table(table)
    points.write_text(content)
    code, text = run(table, points, tmp_path / "out.json")
    assert code == 2
    assert message in text
    assert not (tmp_path / "out.json").exists()


def test_points_that_do_not_fit_the_gaze_are_told(tmp_path: Path) -> None:
    table, points, out = (tmp_path / name for name in ("a.csv", "points.csv", "anna.json"))
    make_table(table)
    rows = [f"{i},{i + 0.95},{-3 * x},{-y},{z}" for i, (x, y, z) in enumerate(SCREEN_MM)]
    points.write_text("\n".join(["start_s,end_s,x_mm,y_mm,z_mm", *rows]) + "\n")
    code, text = run(table, points, out)
    assert code == 0
    assert "the points do not fit the gaze: check the times and the axes in" in text


def test_a_table_without_gaze_or_with_a_calibration_is_refused(tmp_path: Path) -> None:
    table, points = tmp_path / "a.csv", tmp_path / "points.csv"
    make_table(table, {"gaze_calibration": asdict(GazeCalibration("Anna"))})
    make_points(points)
    code, text = run(table, points, tmp_path / "out.json")
    assert code == 2
    assert "was tracked with a gaze calibration" in text
    make_table(table)
    code, text = run(table, points, tmp_path / "out.json", "--face", "7")
    assert code == 2
    assert "no gaze of the face 7" in text


def test_tracking_with_a_file_that_is_no_calibration_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}")
    command = ["track", "clip.mp4", "--out", str(tmp_path), "--gaze-calibration", str(wrong)]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 2
    assert "is no gaze calibration" in " ".join(result.output.split())


def test_the_files_that_are_read_are_never_replaced(tmp_path: Path) -> None:
    table, points = tmp_path / "a.csv", tmp_path / "points.csv"
    make_table(table)
    make_points(points)
    for out in (table, points):
        before = out.read_bytes()
        code, text = run(table, points, out, "--overwrite")
        assert code == 2
        assert "is read for the calibration: choose another name" in text
        assert out.read_bytes() == before
    code, text = run(table, tmp_path / "none.csv", tmp_path / "out.json")
    assert code == 2
    assert "cannot be read (No such file or directory): check the name" in text


def test_a_calibration_without_pupils_is_refused(tmp_path: Path) -> None:
    write_gaze_calibration(tmp_path / "anna.json", GazeCalibration("Anna"))
    command = ["track", "clip.mp4", "--out", str(tmp_path), "--no-pupils"]
    command += ["--gaze-calibration", str(tmp_path / "anna.json")]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 2
    assert "--gaze-calibration needs pupils" in " ".join(result.output.split())


def test_a_video_in_the_place_of_its_table_is_told(tmp_path: Path) -> None:
    video, points = tmp_path / "anna.mp4", tmp_path / "points.csv"
    video.write_bytes(b"\0")
    points.write_text("start_s,end_s,x_mm,y_mm,z_mm\n1,2,0,0,0\n", encoding="utf-8")
    arguments = [str(video), "--looked-at", str(points), "--out", str(tmp_path / "anna.json")]
    result = CliRunner().invoke(cli.app, ["gaze-calibrate", *arguments])
    assert result.exit_code == 2
    assert "is no table: track the video first" in " ".join(result.output.split())
