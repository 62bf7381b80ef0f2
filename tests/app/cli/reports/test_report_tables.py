"""Every report is complete at 80 columns, the width of log files and narrow terminals."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console, Group

from steadymark.app.cli.bench.live_benchmark import LiveBenchmarkResult, live_table
from steadymark.app.cli.reports.ablation_report import ablation_table
from steadymark.app.cli.reports.clips_report import clip_tables
from steadymark.app.cli.reports.detector_report import detector_table
from steadymark.app.cli.reports.evaluation_report import ModelScores, evaluation_table
from steadymark.app.cli.reports.identity_report import identity_table
from steadymark.app.cli.reports.inspect_report import models_table, spans_table
from steadymark.app.cli.reports.light_report import light_summary, worst_table
from steadymark.app.cli.reports.report_table import Column, ReportTable, fixed
from steadymark.app.cli.reports.soak_report import soak_table
from steadymark.app.cli.reports.speed_report import faces_table, stabilizers_table, stages_table
from steadymark.app.cli.reports.stability_report import stability_tables
from steadymark.app.cli.reports.track_summary import summary
from steadymark.engine.bench.clips.clip_benchmark import ClipRow, ExpressionMotion
from steadymark.engine.bench.clips.light_benchmark import LightRow
from steadymark.engine.bench.detector_benchmark import DetectorFigures, Recall
from steadymark.engine.bench.hard_face_set import Missed, RollFigures
from steadymark.engine.bench.scenes.ablation_benchmark import (
    VARIANTS,
    AblationConfig,
    AblationRow,
)
from steadymark.engine.bench.scenes.identity_benchmark import IdentityRow
from steadymark.engine.bench.scenes.stability_benchmark import StabilityConfig, StabilityRow
from steadymark.engine.bench.scenes.stability_scores import StabilityBenchScores
from steadymark.engine.bench.soak.soak_limits import SoakFigure
from steadymark.engine.bench.speed_benchmark import FacesSpeed, StabilizerSpeed, StageSpeed
from steadymark.engine.core.types import CutOff
from steadymark.engine.metrics.accuracy_scores import AccuracyScores
from steadymark.engine.metrics.identity_scores import IdentityScores
from steadymark.engine.metrics.video_scores import StabilityScores
from steadymark.engine.output.csv.face_spans import FaceSpan
from steadymark.engine.pipeline.job import JobReport
from steadymark.engine.pipeline.pipeline_report import PipelineReport, PipelineState
from steadymark.models.runtime.zoo import list_models
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WIDTHS = (80, 200)
CLIPS = ("talk_mediapipe_selfie.mp4", "outdoor_walk_handheld_1080p.mp4")
CHOICES = ("none", "flow", "convlstm", "refine", "one-euro", "butterworth")
LIGHTS = ("gain-steps", "moving-bands", "exposure-ramp")


def _scores(i: int) -> StabilityBenchScores:
    figures = (100.125, 12.25, 104.31, 1234.1235, -10.25, 112.375, 13.625, 100.0)
    more = (13.456, 0.81, 1.02, 0.79, -12.34, 123.4, 234.5, 1234.567, 104.11)
    return StabilityBenchScores(*(value + i / 8 for value in (*figures, *more)))


def _ablation() -> Iterable[ReportTable]:
    filters = ("one-euro", "butterworth, offline")
    rows = [AblationRow(v.name, _scores(i)) for i, v in enumerate(VARIANTS)]
    rows += [AblationRow(n, _scores(9), "min_cutoff 0.5, beta 1.5") for n in filters]
    return (ablation_table(rows, "heatmap1d-tracker", AblationConfig()),)


def _clips() -> Iterable[ReportTable]:
    moved = ExpressionMotion(10.123, 12.345, 1.22)
    figures = (120, 10.125, 12.12345, 3.25, -10.25, 10.75, 0.98, 1.02, 10.25, 11.5, 123.4, 10.1, 12)
    rows = [
        ClipRow(clip, choice, 300, moved, moved, moved, *figures, own=10.876)
        for clip in CLIPS
        for choice in CHOICES
    ]
    return clip_tables(rows, "heatmap1d-tracker")


def _light() -> Iterable[ReportTable]:
    figures = (100.0, 123.4, 101.2, 134.5, 23.1, 10.123, 11.234, -10.25, 10.75, 12, 10)
    broken = ("furthest", "motion", "stillness", "resets")
    rows = [LightRow(CLIPS[0], light, "convlstm", 90, *figures, broken) for light in LIGHTS]
    return worst_table(rows, "heatmap1d-tracker"), light_summary(rows)


def _stability() -> Iterable[ReportTable]:
    rows = [StabilityRow(noise, name, _scores(noise)) for noise in (1, 4) for name in CHOICES]
    return stability_tables(rows, "heatmap1d-tracker", StabilityConfig())


def _speed() -> Iterable[ReportTable]:
    stages = [StageSpeed("crop and network, heatmap1d-tracker, 16 faces", 123.456, 234.567)]
    stabilizers = [
        StabilizerSpeed(name, "1920x1080", 112.25, 113.5, 99.5, 1.25) for name in CHOICES
    ]
    faces = [FacesSpeed(1, 12.25, 13.5), FacesSpeed(16, 112.25, 113.5)]
    return stages_table(stages), stabilizers_table(stabilizers), faces_table(faces)


def _models() -> Iterable[ReportTable]:
    return (models_table(list_models()),)


def _detector() -> Iterable[ReportTable]:
    found = DetectorFigures(
        threshold=0.525,
        false_per_100=1.25,
        crowds=Recall(1000, 912, 0.81),
        train=Recall(1000, 998, 0.83),
        hard={"strongly occluded": Missed(100, ("a", "b"))},
        rolls=RollFigures(100, 98, 95, 2.5),
        frame_ms=12.25,
    )
    names = (
        "face_net",
        "yunet",
        "mediapipe:/home/somebody/models/downloaded/blaze_face_full.tflite",
    )
    return (detector_table(dict.fromkeys(names, found)),)


def _evaluation() -> Iterable[ReportTable]:
    names = ("heatmap1d-tracker", "openface_clm_of_the_same_video", "local_global-lite", "mine")
    accuracy = AccuracyScores(
        1000, 12, 3.141, 2.718, 0.01, 0.005, 0.6073, 0.7123, 4.125, 1.25, 2.125, {"outer lips": 3.5}
    )
    still = StabilityScores("error", 1, 900, 0.995, 3, 0.0382, 4.04, 0, 0.038, 0.007, 4.5, 3.0)
    scored = {name: ModelScores(None) for name in names}
    return (evaluation_table(scored, dict.fromkeys(names, accuracy), dict.fromkeys(names, still)),)


def _identity() -> Iterable[ReportTable]:
    scores = IdentityScores(1200, 1100, 120, 20, 12, 1000)
    return (identity_table([IdentityRow("one leaves, another comes", 10, scores)], "mine"),)


def _soak() -> Iterable[ReportTable]:
    remark = "+12.34 MiB in 123456 frames, 512 MiB at the end"
    figures = (
        SoakFigure("window: 10⁵ frames of a recording", 1234.5, "MiB", 1300.0, True, remark),
        SoakFigure("memory: growth in 10⁵ frames", 12.5, "MiB", 10.0, False, remark),
        SoakFigure("threads: those of the first minute", 31, "", 31, True),
    )
    return (soak_table("live: 5400 frames in 3.0 min, 30 a second", figures),)


def _spans() -> Iterable[ReportTable]:
    spans = [
        FaceSpan(0, True, 100000, 123456, 3333.333, 4115.2, 0.98),
        FaceSpan(-1, False, 123457, 200000, 4115.233, 6666.667, float("nan")),
    ]
    return (spans_table("out/a_long_folder/talk_mediapipe_selfie.csv", spans),)


def _live() -> Iterable[ReportTable]:
    bench = LiveBenchmarkResult(
        (10.0, 12.5, 33.1), 600, 20.0, 0.75, 8.5, recorded=590, not_recorded=3
    )
    return (live_table(bench, "640x480 at 30 fps, 20 s", recorded=True),)


REPORTS = {
    "models": _models,
    "ablation": _ablation,
    "clips": _clips,
    "stability": _stability,
    "speed": _speed,
    "light": _light,
    "detector": _detector,
    "evaluation": _evaluation,
    "identity": _identity,
    "soak": _soak,
    "spans": _spans,
    "live": _live,
}


def printed(tables: Iterable[ReportTable], width: int) -> str:
    """Return the text that a log file of this width contains."""
    console = Console(file=StringIO(), width=width, highlight=False)
    console.print(Group(*tables))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def cells(line: str) -> list[str]:
    """Return the cells of a line, which are separated by two spaces."""
    return [cell for cell in re.split(r" {2,}", line.strip()) if cell]


def rows(table: ReportTable) -> list[list[str]]:
    """Return the rows of a table in a console that is wide enough for all columns."""
    lines = printed([table], 1000).splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith("──")), -1) + 1
    end = len(lines) - (2 if table.caption else 0)
    return [found for line in lines[first:end] if (found := cells(line))]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_name_and_figure_of_a_report_is_printed_in_full(
    report: Callable[[], Iterable[ReportTable]], width: int
) -> None:
    for table in report():
        text = printed([table], width)
        assert "…" not in text
        assert max(map(len, text.splitlines())) <= width
        expected_rows = rows(table)
        assert expected_rows
        for row in expected_rows:
            cells = cells_near(row[0], text)
            for cell in row[1:]:
                assert cell in cells or set(cell.split()) <= set(" ".join(cells).split()), text


def cells_near(name: str, text: str) -> list[str]:
    """Return the cells of each line with this name and of the line after it."""
    lines = text.splitlines()
    found: list[str] = []
    for number, line in enumerate(lines):
        if name in line:
            after = lines[number + 1 : number + 2]
            found += cells(line) + [cell for further in after for cell in cells(further)]
    assert found, f"{name} is not in\n{text}"
    return found


def _finished(*names: str, devices: Iterable[str] = ("cuda",)) -> list[JobReport]:
    report = PipelineReport(PipelineState.FINISHED, 12345, 0, 12000, 3, median_ms=12.3)
    outputs = [
        tuple(f"out/{Path(name).stem}{suffix}" for suffix in (".csv", ".mp4")) for name in names
    ]
    each = zip(names, outputs, cycle(devices), strict=False)
    return [JobReport(name, files, report, device) for name, files, device in each]


def test_the_summary_of_track_has_one_line_per_file_at_80_columns() -> None:
    text = printed([summary(_finished(*CLIPS), Path("out"), 80)], 80)
    assert "tracked on cuda" in text
    for name in CLIPS:
        (line,) = (line for line in text.splitlines() if name in line)
        assert cells(line) == [name, "12345", "97.2 %", "3", "12.3", ".csv, .mp4"]


def _troubled(width: int) -> dict[str, list[str]]:
    """Return the cells of each input's only line, of inputs with all kinds of trouble."""
    good, cut, empty, failed, stopped, full = _finished(*(f"clip_{i}.mp4" for i in range(6)))
    half = CutOff(0.2461, UserText("24.6 % of it is there"))
    absent = UserText("{path} is not a video: choose another file", path="/data/clip_3.mp4")
    two_lines = replace(good, name="clip_6\na.mp4")
    disk = UserText("cannot write out/clip_5.csv: the disk is full: free some space")
    no_face = replace(empty.report, with_face=0, lost_spans=1)
    jobs = [
        good,
        replace(cut, cut_off=half),
        replace(empty, report=no_face),
        replace(failed, outputs=(), report=PipelineReport(), device="", error=absent),
        replace(stopped, report=replace(stopped.report, state=PipelineState.STOPPED)),
        replace(full, outputs=("out/clip_5.partial.csv", "out/clip_5.partial.mp4"), error=disk),
        two_lines,
    ]
    text = printed([summary(jobs, Path("out"), width)], width)
    assert max(map(len, text.splitlines())) <= width
    lines = [line for line in text.splitlines() if "clip_" in line]
    assert len(lines) == len(jobs), text
    return {job.name: cells(line) for job, line in zip(jobs, lines, strict=True)}


@pytest.mark.parametrize("width", [80, 200])
def test_the_summary_tells_what_is_wrong_in_words_on_one_line_per_file(width: int) -> None:
    found = {name: line[-1] for name, line in _troubled(width).items()}
    assert "24.6 %" in found["clip_1.mp4"]
    assert found["clip_1.mp4"].startswith("damaged, ")
    assert found["clip_2.mp4"].startswith("no face: ")
    assert found["clip_3.mp4"] == "failed: is not a video"
    assert found["clip_4.mp4"].startswith("stopped, partial")
    assert found["clip_5.mp4"].startswith("partial: the disk is full")
    assert "damaged" not in found["clip_0.mp4"]


def test_inputs_that_all_fail_leave_room_for_their_reasons_instead_of_a_device() -> None:
    reason = UserText("cannot write out/a.csv: the disk is read-only: choose another folder")
    failed = JobReport("asl_intel_bird.mkv", error=reason)
    text = printed([summary([failed], Path("out"), 80)], 80)
    assert "device" not in text
    assert "failed: the disk is read-only" in text


def test_a_wide_console_shows_the_device_and_the_names_of_all_results() -> None:
    text = printed([summary(_finished(*CLIPS), Path("out"), 200)], 200)
    for name in CLIPS:
        (line,) = (line for line in text.splitlines() if line.startswith(name))
        stem = Path(name).stem
        assert cells(line)[-2:] == ["cuda", f"{stem}.csv, {stem}.mp4"]


def test_the_device_has_a_column_when_several_devices_were_used() -> None:
    jobs = _finished(*CLIPS, devices=("cuda", "cpu"))
    text = printed([summary(jobs, Path("out"), 80)], 80)
    assert "tracked on" not in text
    assert {"cuda"} < set(cells_near(CLIPS[0], text))
    assert {"cpu"} < set(cells_near(CLIPS[1], text))


def test_results_named_unlike_their_input_are_printed_in_full_at_80_columns() -> None:
    (job,) = _finished(CLIPS[0])
    other = replace(job, outputs=("out/talk_mediapipe_selfie-2.csv", "out/a.partial.csv"))
    text = printed([summary([other], Path("out"), 80)], 80)
    assert "talk_mediapipe_selfie-2.csv" in text
    assert "a.partial.csv" in text


def test_a_table_that_is_too_wide_is_split_and_repeats_the_names() -> None:
    table = ReportTable(("name",), [f"figure{i}" for i in range(12)])
    table.add_row("one", *(f"{i}.125" for i in range(12)))
    assert printed([table], 200).count("one") == 1
    assert printed([table], 80).count("one") == 2
    assert printed([table], 80).count("name") == 2


def test_long_names_are_printed_above_their_figures() -> None:
    table = ReportTable(("name",), [f"figure{i}" for i in range(8)])
    name = "a name that takes most of a narrow console, and leaves little"
    table.add_row(name, *(f"{i}.125" for i in range(8)))
    lines = printed([table], 80).splitlines()
    line_of_name = lines.index(name)
    assert cells(lines[line_of_name + 1]) == [f"{i}.125" for i in range(8)]


def test_names_are_not_interpreted_as_markup() -> None:
    table = ReportTable(("name",), ("figure",))
    table.add_row("[red]clip[0]", "1.5")
    assert "[red]clip[0]" in printed([table], 80)


def test_a_row_without_a_remark_is_not_repeated_in_the_remark_part() -> None:
    table = ReportTable(("name",), ("figure", Column("remark", "left", wraps=True)))
    table.add_row("first", "1" * 60, "")
    table.add_row("second", "2", "a remark that has words enough for two lines of the console " * 2)
    text = printed([table], 80)
    assert text.count("first") == 1
    assert text.count("second") == 2


def test_a_row_with_a_missing_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells for 3 columns"):
        ReportTable(("name",), ("one", "two")).add_row("a", "1")


def test_zero_has_no_sign_in_reports() -> None:
    assert [fixed(value, 3) for value in (-0.0004, 0.0, -0.0006, 1.5)] == [
        "0.000",
        "0.000",
        "-0.001",
        "1.500",
    ]
    assert fixed(float("nan"), 1) == "nan"
