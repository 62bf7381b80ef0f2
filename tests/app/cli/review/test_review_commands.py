"""`steadymark review`, `export` and `report`: the quality control of tracked videos."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli.test_spans_command import tracked
from steadymark.app.cli import error_boundary
from steadymark.app.cli import main as cli
from steadymark.engine.core.types import FrameTime, TrackResult
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.read_table import read_table
from steadymark.engine.review import edits
from steadymark.engine.review.project import Correction, Project, VideoReference
from steadymark.engine.review.project_file import write_project
from steadymark.models.datasets.detect_format import open_dataset
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points, source_info, tracked_face
from support.videos.square_video import square_video


def test_a_lost_face_is_printed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_boundary.out, "_width", 200)
    native, openface = tracked(tmp_path)
    table, report = tmp_path / "review.csv", tmp_path / "review.json"
    arguments = ["review", str(native), str(openface), "--csv", str(table), "--json", str(report)]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    lost = [row for row in rows if "missing" in row["doubts"].split()]
    assert [(r["file"], r["first_frame"], r["last_frame"]) for r in lost] == [
        (str(native), "10", "13"),
        (str(openface), "10", "13"),
    ]
    assert "not found for 0.20 s" in result.output
    assert [row["start_s"] for row in json.loads(report.read_text())][:1] == [
        float(rows[0]["start_s"])
    ]


def test_a_limit_removes_a_stretch(tmp_path: Path) -> None:
    native, _ = tracked(tmp_path)
    result = CliRunner().invoke(
        cli.app, ["review", str(native), "--missing", "1", "--without", "damaged"]
    )
    assert result.exit_code == 0, result.output
    assert "not found" not in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--face", "7"], "has no face 7: it has 0, 1"),
        (["--without", "blur"], "no doubt called 'blur'"),
        (["--score", "3"], "score must be from 0 to 1"),
        (["--csv", "no/folder/review.csv"], "cannot write"),
    ],
)
def test_bad_input_is_told_in_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    native, _ = tracked(tmp_path)
    result = CliRunner().invoke(cli.app, ["review", str(native), *arguments])
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_a_table_of_an_unknown_schema_is_refused(tmp_path: Path) -> None:
    points = [f"{axis}_{i}" for axis in "xy" for i in range(7)]
    names = ["frame", "face_id", "timestamp", "confidence", "success", *points]
    row = ["1", "0", "0.0", "0.9", "1", *["10"] * 14]
    file = tmp_path / "seven.csv"
    file.write_text(",".join(names) + "\n" + ",".join(row) + "\n")
    result = CliRunner().invoke(cli.app, ["review", str(file)])
    assert result.exit_code == 2
    assert "7 landmarks" in " ".join(result.output.split())


@pytest.fixture
def reviewed_file(tmp_path: Path) -> Path:
    """A table with a project in which a gap is excluded and another person has a name."""
    table, _ = tracked(tmp_path)
    project = edits.name_person(Project(VideoReference("native.mp4")), 1, "Ada L")
    project = edits.exclude(project, 0.3, 0.6)
    project = edits.correct(project, Correction(1, 8, 0.32, ((30, 50.0, 60.0),), span_s=0.1))
    write_project(table.with_name("native.steadymark"), project)
    return table


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli.app, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_project_beside_the_table_decides_what_is_open(reviewed_file: Path) -> None:
    assert "excluded" in run("review", reviewed_file)
    assert "not found for" not in run("review", reviewed_file, "--open")
    assert "excluded" in run("review", reviewed_file.with_suffix(".steadymark"))


def test_a_table_in_a_folder_beside_the_video_has_the_same_project(reviewed_file: Path) -> None:
    folder = reviewed_file.parent / "results"
    folder.mkdir()
    reviewed_file.rename(folder / reviewed_file.name)
    assert "excluded" in run("review", folder / reviewed_file.name)


def test_only_a_whole_table_of_a_whole_video_tells_that_its_ends_are_missing(
    tmp_path: Path,
) -> None:
    source = NativeCsvSink(tmp_path / "a.csv", Header(source_frames=50), load_schema("ibug68"))
    source.open(source_info())
    for index in range(3, 40):
        face = tracked_face(0, points=face_points(100.0))
        source.write(TrackResult(FrameTime(index, index / 25), (face,)))
    source.close(complete=True)
    stretches = tmp_path / "doubts.csv"
    off = "--without", "low_score", "--without", "hidden"
    run("review", tmp_path / "a.csv", "--csv", stretches, *off)
    rows = list(csv.DictReader(stretches.read_text(encoding="utf-8").splitlines()))
    found = [row["first_frame"] for row in rows if "damaged" in row["doubts"]]
    assert sorted(found) == ["3", "39"]
    partial = (tmp_path / "a.csv").rename(tmp_path / "a.partial.csv")
    assert "frames are missing" not in run("review", partial)


def test_an_export_applies_the_project(reviewed_file: Path, tmp_path: Path) -> None:
    statistics, elan = tmp_path / "statistics.csv", tmp_path / "notes.eaf"
    run(
        "export",
        reviewed_file,
        "--drop-excluded",
        "--statistics",
        statistics,
        "--annotations",
        elan,
    )
    table = read_table(tmp_path / "native.reviewed.csv")
    assert table.timestamp_s.max() > 0.6
    assert not ((table.timestamp_s >= 0.3) & (table.timestamp_s <= 0.6)).any()
    assert "Ada L" in statistics.read_text(encoding="utf-8")
    assert "TIER" in elan.read_text(encoding="utf-8")


def test_names_are_printed_beside_faces_and_files(tmp_path: Path) -> None:
    table, _ = tracked(tmp_path)
    project = edits.name_person(Project(VideoReference("native.mp4")), 0, "Ada L")
    write_project(table.with_name("native.steadymark"), project)
    written = tmp_path / "review.csv"
    assert "0 Ada L" in run("review", table, "--csv", written)
    (row,) = csv.DictReader(written.read_text(encoding="utf-8").splitlines())
    assert (row["face_id"], row["name"]) == ("0", "Ada L")
    assert "rows (Ada L)" in run("export", table)


def test_corrected_frames_are_saved_as_a_data_set(reviewed_file: Path, tmp_path: Path) -> None:
    square_video(tmp_path / "native.mp4", frames=21)
    folder = tmp_path / "labels"
    assert "labels: 1 picture" in run("export", reviewed_file, "--pts", folder)
    assert {path.name for path in folder.iterdir()} == {
        "native_000008.png",
        "native_000008.pts",
    }
    dataset = open_dataset(folder)
    (face,) = dataset.faces
    assert not dataset.defects
    assert face.load_image().shape == (240, 320, 3)
    assert face.points[30].tolist() == [50.0, 60.0]
    table = read_table(tmp_path / "native.reviewed.csv")
    row = (table.frame == 8) & (table.face_id == 1)
    assert abs(face.points - table.xy_px[row][0]).max() < 0.002
    again = ["export", str(reviewed_file), "--out", str(tmp_path / "b.csv"), "--pts", str(folder)]
    result = CliRunner().invoke(cli.app, again)
    assert result.exit_code == 2
    assert "native_000008.png is there already" in result.output
    run(*again, "--overwrite")


def test_pictures_need_the_video_and_a_correction(reviewed_file: Path, tmp_path: Path) -> None:
    arguments = ["export", str(reviewed_file), "--pts", str(tmp_path / "labels"), "--overwrite"]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert "the video of" in result.output
    square_video(tmp_path / "native.mp4", frames=21)
    reviewed_file.with_name("native.steadymark").unlink()
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert "there is no face to save" in result.output
    assert not (tmp_path / "labels").exists()


def test_each_person_can_have_a_file(reviewed_file: Path, tmp_path: Path) -> None:
    run("export", reviewed_file, "--per-person", "--out", tmp_path / "out.csv")
    assert set(read_table(tmp_path / "out.Ada_L.csv").face_id) == {1}
    assert set(read_table(tmp_path / "out.0.csv").face_id) == {0}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["export", "native.csv", "--person", "Bo"], "there is no person Bo: there are 0, Ada L"),
        (["export", "native.csv", "--out", "native.csv"], "is the table itself"),
        (["export", "native.csv", "--out", "openface.csv"], "is there already"),
        (["export", "nothing.mp4"], "has no table of landmarks beside it"),
        (["report", "native.csv", "--out", "report.txt"], "ends in .html or .pdf"),
        (["report", "native.csv", "--out", "no/folder/report.html"], "cannot write"),
    ],
)
def test_bad_requests_are_told_in_one_sentence(
    arguments: list[str], sentence: str, reviewed_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(reviewed_file.parent)
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_a_report_is_one_page_with_pictures(reviewed_file: Path, tmp_path: Path) -> None:
    square_video(tmp_path / "native.mp4", frames=21)
    page = tmp_path / "report.html"
    output = run("report", reviewed_file, tmp_path / "openface.csv", "--out", page)
    assert "openface.csv: its video was not found" in " ".join(output.split())
    text = page.read_text(encoding="utf-8")
    assert text.count("data:image/jpeg;base64,") == text.count('width="96"') > 0
    assert text.count("data:image/svg+xml;base64,") >= 4
    assert "Ada L" in text
    assert "How the landmarks were made" in text
    assert "http" not in text.replace("http://www.w3.org", "")  # nothing is fetched


def test_a_report_can_be_a_pdf(reviewed_file: Path, tmp_path: Path, qapp: object) -> None:
    page = tmp_path / "report.pdf"
    run("report", reviewed_file, "--no-pictures", "--out", page)
    assert page.read_bytes().startswith(b"%PDF")


def test_a_neutral_moment_changes_poses_and_is_refused_where_no_face_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_boundary.out, "_width", 200)
    native, _ = tracked(tmp_path)
    arguments = ["export", str(native), "--out", str(tmp_path / "neutral.csv")]
    result = CliRunner().invoke(cli.app, [*arguments, "--neutral", "0.2"])
    assert result.exit_code == 2
    assert "put its video beside it" in " ".join(result.output.split())
    project = Project(VideoReference("native.mp4", width=640, height=360), tables=("native.csv",))
    write_project(tmp_path / "native.steadymark", project)
    result = CliRunner().invoke(cli.app, [*arguments, "--neutral", "0.2"])
    assert result.exit_code == 0, result.output
    before, after = read_table(native), read_table(tmp_path / "neutral.csv")
    tracked_rows = np.isfinite(before.xy_px[:, 0, 0])
    assert np.isfinite(after.pose[tracked_rows]).all()
    assert (after.pose[tracked_rows] != before.pose[tracked_rows]).any(1).all()
    result = CliRunner().invoke(cli.app, [*arguments, "--overwrite", "--neutral", "70"])
    assert result.exit_code == 2
    assert "no face is tracked in the half second from 70 s on" in " ".join(result.output.split())
