"""Averages the weights of several related runs into one network (a model soup)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from steadymark.models.training.loop.checkpoint import load_checkpoint, origin_of, save_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor


def average_runs(runs: Sequence[Path], out: Path) -> Path:
    """Write a checkpoint with the mean of the runs' averaged weights.

    Averaging helps if the runs were fine-tuned from one another or from the same weights. The mean
    of independently initialized networks is useless (Wortsman et al., ICML 2022).

    Args:
        runs: Folders of at least two runs.
        out: Folder for the new checkpoint.

    Returns:
        Path of the checkpoint, `last.pt` in `out`.

    Raises:
        ValueError: There are fewer than two runs, or their networks differ in size.
        OSError: A run has no checkpoint.
    """
    if len(runs) < 2:
        raise ValueError("give two runs or more to average")
    checkpoints = [load_checkpoint(run / "last.pt") for run in runs]
    for run, checkpoint in zip(runs, checkpoints, strict=True):
        if _sizes(checkpoint["averaged"]) != _sizes(checkpoints[0]["averaged"]):
            raise ValueError(f"the network of {run} is another than that of {runs[0]}")
    mean: dict[str, Tensor] = {}
    for name, first in checkpoints[0]["averaged"].items():
        values = torch.stack([checkpoint["averaged"][name].double() for checkpoint in checkpoints])
        mean[name] = values.mean(0).to(first.dtype) if first.is_floating_point() else first
    out.mkdir(parents=True, exist_ok=True)
    origins = [
        {
            "averaged": True,
            **origin_of(run / "last.pt", checkpoint),
            "began_with": checkpoint.get("origin", []),
        }
        for run, checkpoint in zip(runs, checkpoints, strict=True)
    ]
    _join_curves(runs, out / "curve.csv")
    content = {**checkpoints[0], "weights": mean, "averaged": mean, "origin": origins}
    content.pop("card_entries", None)  # they are facts of one run's weights
    save_checkpoint(out / "last.pt", content)
    return out / "last.pt"


def _join_curves(runs: Sequence[Path], path: Path) -> None:
    """Join the runs' curves into one file, with the run's name in the first column."""
    lines: list[str] = []
    for run in runs:
        head, *rows = (run / "curve.csv").read_text().splitlines()
        lines += [] if lines else [f"run,{head}"]
        lines += [f"{run.name},{row}" for row in rows]
    path.write_text("\n".join(lines) + "\n")


def _sizes(weights: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in weights.items()}
