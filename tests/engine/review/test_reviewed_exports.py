"""Exports of reviewed tables: corrected, named, excluded, long and wide, statistics, ELAN."""

import csv
import errno
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import steadymark as sm
from app.cli.test_spans_command import tracked
from engine.review.test_project import EMPTY
from steadymark.engine.core.errors import LandmarkFileError, SinkError, UsageError
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.read_table import read_table
from steadymark.engine.review import edits
from steadymark.engine.review import export_reviewed as export_module
from steadymark.engine.review.doubtful_stretches import find_doubtful
from steadymark.engine.review.elan_file import read_annotations, write_annotations
from steadymark.engine.review.export_reviewed import ExportOptions, export_reviewed
from steadymark.engine.review.interval_statistics import (
    WHOLE,
    interval_statistics,
    write_statistics,
)
from steadymark.engine.review.person_track import tracks_of
from steadymark.engine.review.project import Correction, Project
from steadymark.engine.review.reviewed_table import ReviewedTable, reviewed
from steadymark.models.face.schema import assets_root


@pytest.fixture(scope="module")
def table_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of two faces: 1 from frame 3 on, 0 with a gap from frame 10 to 13."""
    return tracked(tmp_path_factory.mktemp("table"))[0]


def edited() -> Project:
    """Return a project that names, corrects and excludes."""
    project = edits.name_person(EMPTY, 1, "Ada L")
    project = edits.correct(project, Correction(1, 8, 0.32, ((30, 50.0, 60.0),), span_s=0.1))
    project = edits.exclude(project, 0.6, 0.64)
    project = edits.add_lane(project, "speech")
    project = edits.annotate(project, "speech", 0.2, 0.5, label="ja, „so“", note="leise", person=1)
    return edits.annotate(project, "speech", 0.7)


def table_of(file: Path, project: Project | None = None) -> ReviewedTable:
    return reviewed(read_table(file), project or edited())


def test_a_long_export_is_a_valid_table_with_four_more_columns(
    table_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "reviewed.csv"
    rows = export_reviewed(table_of(table_file), path)
    assert rows == len(read_table(table_file))
    assert not check_csv(path)
    before, after = read_table(table_file), read_table(path)
    assert np.array_equal(before.raw_xy_px, after.raw_xy_px, equal_nan=True)
    lines = path.read_text(encoding="utf-8").splitlines()[2:]
    found = list(csv.DictReader(lines))
    corrected = [int(r["frame"]) for r in found if r["corrected"] == "1"]
    assert corrected == [6, 7, 8, 9, 10]
    moved = next(r for r in found if r["frame"] == "8" and r["name"] == "Ada L")
    assert (moved["x_30"], moved["y_30"]) == ("50.000", "60.000")
    assert moved["raw_x_30"] != "50.000"
    assert {int(r["frame"]) for r in found if r["excluded"] == "1"} == {15, 16}


def test_a_project_without_edits_exports_the_same_values(table_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "same.csv"
    export_reviewed(table_of(table_file, EMPTY), path)
    original = table_file.read_text(encoding="utf-8").splitlines()
    again = path.read_text(encoding="utf-8").splitlines()
    assert original[0] == again[0]
    for before, after in zip(original[3:], again[3:], strict=True):
        assert after.startswith(before)


def test_excluded_rows_and_other_parts_are_left_out(table_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "part.csv"
    options = ExportOptions(drop_excluded=True, start_s=0.4, end_s=0.72, persons=frozenset({1}))
    export_reviewed(table_of(table_file), path, options)
    part = read_table(path)
    assert part.frame.tolist() == [10, 11, 12, 13, 14, 17, 18]
    assert part.header["left_out_frames"] == [[0, 9], [15, 16], [19, 20]]
    with pytest.raises(UsageError, match="nothing is left"):
        export_reviewed(table_of(table_file), path, ExportOptions(start_s=99))


def test_frames_that_an_export_left_out_are_not_damaged(table_file: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    export_reviewed(table_of(table_file), first, ExportOptions(drop_excluded=True))
    project = edits.exclude(EMPTY, 0.0, 0.05)
    again = reviewed(read_table(first), project)
    export_reviewed(again, second, ExportOptions(drop_excluded=True))
    assert read_table(second).header["left_out_frames"] == [[0, 1], [15, 16]]
    for path, damaged in ((table_file, 0), (first, 0), (second, 0)):
        stretches = find_doubtful(list(tracks_of(read_table(path))))
        assert sum("damaged" in {d.kind for d in one.doubts} for one in stretches) == damaged
        assert {one.first for one in stretches if one.face_id == 0} >= {10}  # still lost there
    table = read_table(second)
    header = {**table.header, "left_out_frames": [[3], "x", [5, 4], [0, 10**12], None, [True, 2]]}
    told = find_doubtful(list(tracks_of(replace(table, header=header))))
    assert any("damaged" in {d.kind for d in one.doubts} for one in told)


def test_a_wide_export_has_one_row_for_each_frame(table_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    assert export_reviewed(table_of(table_file), path, ExportOptions(wide=True)) == 21
    found = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [int(row["frame"]) for row in found] == list(range(21))
    assert found[8]["Ada_L_x_30"] == "50.000"
    assert found[0]["Ada_L_x_30"] == "nan"
    assert found[11]["0_state"] == "lost"


def test_a_wide_export_refuses_a_person_with_two_faces(table_file: Path, tmp_path: Path) -> None:
    project = edits.merge_people(edited(), 1, 0)
    with pytest.raises(UsageError, match="Ada_L has two faces"):
        export_reviewed(
            table_of(table_file, project), tmp_path / "wide.csv", ExportOptions(wide=True)
        )


def test_parquet_without_pyarrow_is_told_in_one_sentence(
    table_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UsageError, match="pip install pyarrow"):
        export_reviewed(table_of(table_file), tmp_path / "table.parquet")


def test_statistics_leave_out_what_is_excluded(table_file: Path, tmp_path: Path) -> None:
    table = table_of(table_file)
    rows = interval_statistics(table, edited())
    assert [(r.lane, r.person, r.frames) for r in rows] == [
        (WHOLE, "0", 19),
        (WHOLE, "Ada L", 19),
        ("speech", "Ada L", 8),
    ]
    assert rows[0].tracked_percent == pytest.approx(100 * 12 / 19)
    assert rows[2].tracked_percent == 100.0
    path = tmp_path / "statistics.csv"
    write_statistics(path, rows)
    found = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert found[2]["label"] == "ja, „so“"
    assert float(found[2]["mouth_opening_mean"]) == pytest.approx(
        rows[2].mouth_opening_mean, abs=1e-3
    )


@pytest.mark.parametrize("name", ["annotations.eaf", "annotations.txt"])
def test_annotations_come_back_from_elan_and_tables(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    project = edits.exclude(edited(), 0.8, 0.9, person=0)
    write_annotations(path, project)
    back = read_annotations(path, replace(EMPTY, people=project.people))
    found = sorted(
        (a.lane, round(a.start_s, 3), round(a.end_s, 3), a.person) for a in back.project.annotations
    )
    assert found == [
        ("exclude", 0.6, 0.64, None),
        ("exclude", 0.8, 0.9, 0),
        ("speech", 0.2, 0.5, 1),
        ("speech", 0.7, 0.7, None),
    ]
    assert any("„so“" in one.label for one in back.project.annotations)
    assert back.unknown == ()


@pytest.mark.parametrize("name", ["annotations.eaf", "annotations.txt"])
def test_annotations_of_an_unknown_person_get_a_lane_of_their_own(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    write_annotations(path, edits.exclude(edited(), 0.8, 0.9, person=1))
    back = read_annotations(path, EMPTY)
    assert back.unknown == ("Ada L",)
    lanes = {lane.name for lane in back.project.lanes}
    assert lanes == {"exclude", "exclude@Ada L", "speech", "speech@Ada L"}
    assert all(one.person is None for one in back.project.annotations)
    assert [one.start_s for one in back.project.excluded] == [0.6]


def test_participants_of_tiers_of_other_programs_are_read(tmp_path: Path) -> None:
    path = tmp_path / "other.eaf"
    path.write_text(
        "<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID='a' TIME_VALUE='100'/>"
        "<TIME_SLOT TIME_SLOT_ID='b' TIME_VALUE='900'/></TIME_ORDER>"
        "<TIER TIER_ID='gaze' PARTICIPANT='Ada L'><ANNOTATION><ALIGNABLE_ANNOTATION "
        "ANNOTATION_ID='x' TIME_SLOT_REF1='a' TIME_SLOT_REF2='b'><ANNOTATION_VALUE>up"
        "</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>",
        encoding="utf-8",
    )
    project = read_annotations(path, edited()).project
    (gaze,) = (one for one in project.annotations if one.lane == "gaze")
    assert (gaze.person, gaze.label, gaze.end_s) == (1, "up", 0.9)


def test_an_elan_file_has_the_parts_that_elan_needs(tmp_path: Path) -> None:
    path = tmp_path / "a.eaf"
    write_annotations(path, edited())
    root = ET.parse(path).getroot()
    assert [child.tag for child in root] == [
        "HEADER",
        "TIME_ORDER",
        "TIER",
        "TIER",
        "TIER",
        "LINGUISTIC_TYPE",
    ]
    tiers = [(tier.get("TIER_ID"), tier.get("PARTICIPANT")) for tier in root.iter("TIER")]
    assert tiers == [("exclude", None), ("speech", None), ("speech@Ada L", "Ada L")]
    slots = {one.attrib["TIME_SLOT_ID"] for one in root.iter("TIME_SLOT")}
    used = {
        one.attrib[f"TIME_SLOT_REF{i}"] for one in root.iter("ALIGNABLE_ANNOTATION") for i in (1, 2)
    }
    assert used == slots


def test_corrected_faces_get_a_new_head_pose(tmp_path: Path) -> None:
    path = tmp_path / "demo.csv"
    project = replace(EMPTY, video=replace(EMPTY.video, width=640, height=480))
    truth = sm.read_truth(assets_root() / "clips" / "demo_truth.csv")[:3]
    names = ["frame", "face_id", "timestamp", "confidence", "success"]
    names += [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    lines = [",".join(names)]
    for i, points in enumerate(truth):
        values = [i + 1, 0, i / 30, 0.9, 1, *points.T.ravel().tolist()]
        lines.append(",".join(map(str, values)))
    path.write_text("\n".join(lines) + "\n")
    table = read_table(path)
    moved = tuple((i, float(x) + 8, float(y)) for i, (x, y) in enumerate(truth[1]))[27:36]
    fixed = reviewed(table, edits.correct(project, Correction(0, 1, 1 / 30, moved, span_s=0.01)))
    assert fixed.corrected.tolist() == [False, True, False]
    assert np.isfinite(fixed.table.pose[1]).all()
    assert np.isnan(fixed.table.pose[0]).all()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.eaf", b"no XML", "line 1: it is not a file of ELAN"),
        ("a.eaf", b"<html/>", "it is not a file of ELAN"),
        (
            "a.eaf",
            b"<ANNOTATION_DOCUMENT><TIME_SLOT TIME_SLOT_ID='a' TIME_VALUE='soon'/>"
            b"</ANNOTATION_DOCUMENT>",
            "TIME_SLOT: 'soon' is not a time",
        ),
        (
            "a.eaf",
            b"<ANNOTATION_DOCUMENT><TIME_SLOT TIME_VALUE='3'/></ANNOTATION_DOCUMENT>",
            "TIME_SLOT lacks TIME_SLOT_ID",
        ),
        ("a.tsv", b"lane\tstart_s\n", "the first line lacks end_s"),
        ("a.tsv", b"lane\tstart_s\tend_s\nx\t1\tlater\n", "line 2: 'later' is not a time"),
        ("a.tsv", b"lane\tstart_s\tend_s\nx\t1\n", "line 2: '' is not a time"),
        ("a.tsv", b"\xff\xfe\x00", "it is not text in UTF-8"),
        ("a.tsv", b"lane\tstart_s\tend_s\n" + b"x" * 200_000, "it is not a table with tabs"),
    ],
)
def test_files_without_annotations_are_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LandmarkFileError) as raised:
        read_annotations(path, EMPTY)
    assert str(raised.value) == f"cannot read the annotations in {path}: {reason}"


def test_a_full_disk_leaves_the_old_table_as_it_was(
    table_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reviewed.csv"
    export_reviewed(table_of(table_file), path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export_module, "_write_csv", full)
    with pytest.raises(SinkError, match="the disk is full"):
        export_reviewed(table_of(table_file), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["reviewed.csv"]
