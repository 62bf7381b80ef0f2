"""`steadymark evaluate`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.progress import Progress
from rich.table import Table

from steadymark.engine.errors import SinkError, UsageError
from steadymark.engine.geometry import Recentre
from steadymark.engine.metrics.evaluating import Accuracy, evaluate
from steadymark.engine.settings import TrackSettings, open_models
from steadymark.engine.tracking import TrackerConfig
from steadymark.models.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console


def run_evaluation(
    names: Sequence[str],
    folder: Path,
    *,
    boxes: str,
    recentre: str,
    json_file: Path | None,
    out: Console,
    err: Console,
) -> int:
    """Evaluate each model on the folder; returns the exit code."""
    if boxes not in ("truth", "detector"):
        raise UsageError(f"unknown boxes '{boxes}': choose truth or detector")
    if recentre not in tuple(Recentre):
        raise UsageError(f"unknown rule '{recentre}': choose fit or eyes")
    config = TrackerConfig(recentre=Recentre(recentre))
    found: dict[str, Accuracy] = {}
    for name in names:
        models = open_models(TrackSettings(model=name))
        with Progress(console=err, transient=True) as progress:
            total = len(list(folder.glob("*.pts"))) or None
            task = progress.add_task(name, total=total)
            found[name] = evaluate(
                models.network,
                folder,
                load_schema(models.network.card.schema or "ibug68"),
                detector=models.detector if boxes == "detector" else None,
                config=config,
                on_face=lambda n, p=progress, t=task: p.update(t, completed=n),  # type: ignore[misc]
            )
    out.print(_table(found, f"{folder}, boxes: {boxes}"))
    if json_file is not None:
        _write(json_file, found)
    return 0


def _table(found: dict[str, Accuracy], title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("model")
    regions = list(next(iter(found.values())).regions)
    heads = ("faces", "missed", "NRMSE %", "median %", "FR8 %", "FR10 %", "AUC8", *regions)
    for head in heads:
        table.add_column(head, justify="right")
    for name, a in found.items():
        table.add_row(
            name,
            str(a.faces),
            str(a.missed),
            f"{a.nrmse:.3f}",
            f"{a.median:.3f}",
            f"{100 * a.fr8:.2f}",
            f"{100 * a.fr10:.2f}",
            f"{a.auc8:.4f}",
            *(f"{a.regions[r]:.2f}" for r in regions),
        )
    return table


def _write(path: Path, found: dict[str, Accuracy]) -> None:
    content = {"models": {name: asdict(accuracy) for name, accuracy in found.items()}}
    try:
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path} cannot be written ({error.strerror})") from error
