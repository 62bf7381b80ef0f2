"""The table, the plots and the JSON file of `steadymark evaluate`."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import cv2
from rich.markup import escape

from steadymark.app.cli.output_files import OutputFiles, write_file, write_json
from steadymark.app.cli.reports.report_table import ReportTable, fixed
from steadymark.engine.metrics.accuracy_scores import (
    AccuracyScores,
    LandmarkComparison,
    accuracy_of,
)
from steadymark.engine.metrics.video_scores import StabilityScores, TrackedVideo, stability_of
from steadymark.engine.report.contact_sheet import contact_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rich.console import Console

_NOTHING = "–"


@dataclass(frozen=True, slots=True, eq=False)
class ModelScores:
    """The results of one model or tracker.

    Attributes:
        compared: The comparison with the ground truth, or None without ground truth.
        videos: The tracked videos. They are empty if pictures were evaluated.
    """

    compared: LandmarkComparison | None
    videos: tuple[TrackedVideo, ...] = ()


def report_evaluation(
    scored: Mapping[str, ModelScores], title: str, outputs: OutputFiles, *, out: Console
) -> None:
    """Print the table, then write the files.

    Raises:
        SinkError: A file cannot be written.
    """
    compared = {name: s.compared for name, s in scored.items() if s.compared is not None}
    accuracies = {name: accuracy_of(c) for name, c in compared.items()}
    videos = {name: stability_of(s.videos) for name, s in scored.items() if s.videos}
    out.print(f"[bold]{escape(title)}[/bold]", soft_wrap=True)
    out.print(evaluation_table(scored, accuracies, videos))
    if outputs.json is not None:
        write_json(outputs.json, _content(scored, accuracies, videos))
    _write_images(compared, title, outputs, of="frames" if videos else "faces")


def evaluation_table(
    names: Iterable[str],
    accuracies: Mapping[str, AccuracyScores],
    videos: Mapping[str, StabilityScores],
) -> ReportTable:
    """Return a table with a column for each model, so that it fits into a narrow terminal."""
    names = list(names)
    table = ReportTable(("",), names)
    of = "frames" if videos else "faces"
    sections = [
        [_accuracy_rows(accuracies[n], of) if n in accuracies else [] for n in names],
        [_part_rows(accuracies[n]) if n in accuracies else [] for n in names],
        [_yaw_rows(accuracies[n]) if n in accuracies else [] for n in names],
        [_stability_rows(videos[n]) if n in videos else [] for n in names],
    ]
    for section in sections:
        for rows in zip(*section, strict=True):
            table.add_row(rows[0][0], *(value for _, value in rows))
        table.add_section()
    return table


def _accuracy_rows(a: AccuracyScores, of: str) -> list[tuple[str, str]]:
    return [
        (f"{of} compared", str(a.faces)),
        ("not found", str(a.missed)),
        ("NRMSE, % of outer-eye distance", _number(a.nrmse, 3)),
        ("  median", _number(a.median, 3)),
        ("FR8, % of " + of, _number(100 * a.fr8, 2)),
        ("FR10, % of " + of, _number(100 * a.fr10, 2)),
        ("AUC 0.08", _number(a.auc8, 4)),
        ("AUC 0.10", _number(a.auc10, 4)),
    ]


def _part_rows(a: AccuracyScores) -> list[tuple[str, str]]:
    return [
        *((f"NRMSE of {name}, %", _number(value, 2)) for name, value in a.regions.items()),
        ("NRMSE, % of inter-pupil distance", _number(a.nrmse_inter_pupil, 3)),
        ("NRMSE, % of box diagonal", _number(a.nrmse_box_diagonal, 3)),
        ("NRMSE, % of √(w·h) of the box", _number(a.nrmse_box_size, 3)),
    ]


def _yaw_rows(a: AccuracyScores) -> list[tuple[str, str]]:
    """Return the errors by range of yaw, in % of √(w·h) of the box."""
    if not a.yaw:
        return []
    return [
        *(
            (f"  yaw {name.replace('-', '° to ')}° ({part.faces})", _number(part.nrmse_box_size, 3))
            for name, part in a.yaw.items()
        ),
        ("  mean of these", _number(a.yaw_mean, 3)),
    ]


def _stability_rows(s: StabilityScores) -> list[tuple[str, str]]:
    error = s.of == "error"
    basis = "error" if error else "still frames"
    rows = [
        ("frames with a face, %", _number(100 * s.tracked, 1)),
        ("lost spans", str(s.lost_spans)),
        (f"MAV of {basis}", _number(s.mav, 4)),
        (f"MCV of {basis}, %", _number(s.mcv, 2)),
    ]
    if error:
        rows += [
            ("lag, frames", _number(s.lag_frames, 3)),
            ("NRMSE of fastest 10 %, %", _number(s.nrmse_fast, 3)),
            ("NRMSE of the rest, %", _number(s.nrmse_rest, 3)),
        ]
    return [
        *rows,
        ("frames in which the face is still", str(s.still_frames)),
        ("  motion there, % of eyes a frame", _number(s.still_motion, 3)),
    ]


def _number(value: float, digits: int) -> str:
    return fixed(value, digits) if math.isfinite(value) else _NOTHING


def _content(
    scored: Mapping[str, ModelScores],
    accuracies: Mapping[str, AccuracyScores],
    videos: Mapping[str, StabilityScores],
) -> dict[str, object]:
    """Return the content of the JSON file."""
    models: dict[str, dict[str, object]] = {}
    for name, one in scored.items():
        figures: dict[str, object] = asdict(accuracies[name]) if name in accuracies else {}
        if name in videos:
            figures["stability"] = asdict(videos[name])
        if len(one.videos) > 1:
            figures["videos"] = {v.name: _video_content(v) for v in one.videos}
        models[name] = figures
    return {"models": models}


def _video_content(video: TrackedVideo) -> dict[str, object]:
    compared = video.compared()
    figures: dict[str, object] = asdict(accuracy_of(compared)) if compared is not None else {}
    return {**figures, "stability": asdict(stability_of([video]))}


def _write_images(
    compared: Mapping[str, LandmarkComparison], title: str, outputs: OutputFiles, *, of: str
) -> None:
    if outputs.plot is not None:
        from steadymark.app.cli.plots.error_plot import error_plot

        errors = {name: c.errors() for name, c in compared.items()}
        write_file(outputs.plot, error_plot(errors, of=of, title=title))
    if outputs.worst is not None:
        sheet = contact_sheet(compared, outputs.worst_count)
        write_file(outputs.worst, cv2.imencode(".png", sheet)[1].tobytes())
