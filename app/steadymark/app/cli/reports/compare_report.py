"""The table, the JSON file and the page of `steadymark bench compare`."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from steadymark.app.cli.output_files import (
    OutputFiles,
    check_outputs,
    json_value,
    write_file,
    write_json,
)
from steadymark.app.cli.plots.compare_page import compare_page
from steadymark.app.cli.reports.clips_report import measure_clips
from steadymark.app.cli.reports.report_table import ReportTable, fixed
from steadymark.engine.bench.compare.comparison import PeerRun
from steadymark.engine.bench.compare.machine_facts import machine_facts, usable_cores
from steadymark.engine.bench.compare.peer_scores import (
    common_landmarks,
    median_rows,
    score_clip,
    true_landmarks,
)
from steadymark.engine.bench.compare.peer_spec import parse_peers
from steadymark.engine.core.errors import UsageError
from steadymark.engine.sources import expand_inputs
from steadymark.models.bounded_read import read_bounded_text
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from steadymark.engine.bench.compare.comparison import ComparedClip, PeerFacts
    from steadymark.engine.bench.compare.peer_scores import PeerRow
    from steadymark.engine.bench.compare.peer_spec import PeerSpec

# figure → heading, decimals, meaning
COMPARED: dict[str, tuple[str, int, str]] = {
    "cpu_ms": ("CPU ms", 2, "CPU time of a frame, all threads; median"),
    "wall_ms": ("wall ms", 2, "time of a frame by the clock; median"),
    "p95_ms": ("p95 ms", 2, "95 % of the frames take at most this time by the clock"),
    "rss_mib": ("RSS MiB", 0, "largest resident memory of the tracker's process"),
    "start_s": ("start s", 2, "from starting the process until the first frame is tracked"),
    "nrmse": (
        "NRMSE %",
        2,
        "mean error where a clip has ground truth, % of the outer-eye distance",
    ),
    "nrmse_inner": ("inner %", 2, "the same without the contour of the face"),
    "mav": (
        "MAV",
        4,
        "jitter: Allan variance of the error, or of the landmarks of a face at rest, (%)²",
    ),
    "lag": ("lag", 2, "frames by which landmarks follow the face"),
    "motion": (
        "motion",
        3,
        "motion of nose ridge and eye corners besides the head's, % a frame",
    ),
    "motion_all": ("all", 3, "the same of all compared landmarks, where expressions count, too"),
    "lost": ("lost %", 1, "frames without a face"),
    "other": ("other %", 1, "frames in which it follows another face than the first tracker"),
}
_CAPTION = "medians over the clips. " + "; ".join(
    f"{heading}: {meaning}" for heading, _, meaning in COMPARED.values()
)


def report_compare(
    inputs: Sequence[str],
    peers: Sequence[str],
    *,
    most_frames: int | None,
    json_file: Path | None,
    page_file: Path | None,
    against: Path | None,
    out: Console,
    err: Console,
) -> int:
    """Compare the trackers, print the table and write the files.

    Returns:
        The exit code: 0, 1 if a clip failed or a tracker was left out, 2 if there is no result.

    Raises:
        SteadymarkError: An option, an input or an earlier run is not valid.
    """
    for path in (json_file, page_file):
        check_outputs(OutputFiles(path))
    earlier = None if against is None else read_earlier(against)
    specs = parse_peers(list(peers))
    clips = expand_inputs(inputs or [str(assets_root() / "clips" / "demo.mp4")])
    machine = machine_facts()
    with contextlib.closing(_start(specs)) as run:
        found, failed = _track_all(run, clips, most_frames, err)
        facts = run.facts()
    for note in run.notes:
        err.print(f"[yellow]note:[/yellow] {escape(note)}", soft_wrap=True)
    if not found or not facts:
        return 2
    content = _content(found, facts, machine, run.notes)
    out.print(_table(content))
    if earlier is not None:
        out.print(_ratio_table(content["medians"], earlier["medians"], str(against)))
    _write(content, json_file, page_file)
    return 1 if failed or run.notes else 0


def _start(specs: Sequence[PeerSpec]) -> PeerRun:
    """Start all trackers, on the last core that this process may use."""
    cores = usable_cores()
    return PeerRun(specs, core=cores[-1] if cores else -1)


def _track_all(
    run: PeerRun, clips: Sequence[str], most_frames: int | None, err: Console
) -> tuple[list[ComparedClip], int]:
    """Return the clips, and how many of them failed."""
    found: list[ComparedClip] = []

    def measure(clip: str, report: Callable[[int], None]) -> None:
        found.append(run.run(clip, most_frames=most_frames, report=report))

    return found, measure_clips(clips, measure, err)


def _write(content: dict[str, Any], json_file: Path | None, page_file: Path | None) -> None:
    if json_file is not None:
        write_json(json_file, content)
    if page_file is not None:
        write_file(page_file, compare_page(json_value(content), COMPARED).encode())


def read_earlier(path: Path) -> dict[str, Any]:
    """Read the JSON file of an earlier run.

    Raises:
        UsageError: The file cannot be read, or is of another kind.
    """
    try:
        content = json.loads(read_bounded_text(path))
        medians = content["medians"]
        known = all(isinstance(v, dict) for v in medians.values())
    except OSError as error:
        raise UsageError(
            "{path} cannot be read: {reason}", path=path, reason=error.strerror
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        known = False
    if not known or content.get("kind") != "compare":
        raise UsageError(
            "{path} is not a file of 'steadymark bench compare --json': name one", path=path
        )
    return dict(content)


def _content(
    found: Sequence[ComparedClip],
    facts: Mapping[str, PeerFacts],
    machine: Mapping[str, str],
    notes: Sequence[str],
) -> dict[str, Any]:
    """Return everything that the JSON file holds."""
    kept = [_only(clip, facts) for clip in found]
    common = common_landmarks(kept)
    rows: list[PeerRow] = []
    for clip in kept:
        frames = len(next(iter(clip.found.values())).points)
        rows += score_clip(clip, true_landmarks(clip.clip, frames), common)
    medians = median_rows(rows)
    for name, fact in facts.items():
        medians[name] |= {"start_s": fact.start_s, "rss_mib": fact.rss_mib}
    return {
        "kind": "compare",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(machine),
        "landmarks": list(common),
        "peers": {name: fact._asdict() for name, fact in facts.items()},
        "medians": medians,
        "rows": [asdict(row) for row in rows],
        "decode_ms": {clip.clip: clip.decode_ms for clip in kept},
        "notes": list(notes),
    }


def _only(clip: ComparedClip, names: Iterable[str]) -> ComparedClip:
    """Return the clip without trackers that were left out later."""
    for name in set(clip.found) - set(names):
        del clip.found[name]
    return clip


def _table(content: Mapping[str, Any]) -> ReportTable:
    clips = {row["clip"] for row in content["rows"]}
    title = f"{len(clips)} clips, {len(content['landmarks'])} landmarks"
    headings = [heading for heading, _, _ in COMPARED.values()]
    table = ReportTable(("tracker",), headings, title=title, caption=_CAPTION)
    for name, values in content["medians"].items():
        cells = (_cell(values.get(f, math.nan), digits) for f, (_, digits, _) in COMPARED.items())
        table.add_row(name, *cells)
    return table


def _ratio_table(
    now: Mapping[str, Mapping[str, float]], earlier: Mapping[str, Any], name: str
) -> ReportTable:
    """Return a table of this run's figures divided by those of an earlier run."""
    table = ReportTable(
        ("tracker",),
        [heading for heading, _, _ in COMPARED.values()],
        title=f"this run divided by {name}",
        caption="1 means no change. – means that one of the runs has no such figure, or 0",
    )
    for peer, values in now.items():
        if peer in earlier:
            ratios = (_ratio(values.get(f), earlier[peer].get(f)) for f in COMPARED)
            table.add_row(peer, *(_cell(ratio, 2) for ratio in ratios))
    return table


def _ratio(now: object, before: object) -> float:
    if not isinstance(now, int | float) or not isinstance(before, int | float) or not before:
        return math.nan
    return now / before


def _cell(value: float, digits: int) -> str:
    return fixed(value, digits) if math.isfinite(value) else "–"
