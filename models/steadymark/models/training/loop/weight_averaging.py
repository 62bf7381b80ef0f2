"""Averages the weights of several related runs into one network (a model soup)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from steadymark.models.training.loop.checkpoint import load_checkpoint, origin_of, save_checkpoint
from steadymark.models.training.registry import system_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from steadymark.models.training.system import Task

_NORM_BATCHES = 150  # by which the statistics of batch norms are measured


def average_runs(runs: Sequence[Path], out: Path, *, data: Path | None = None) -> Path:
    """Write a checkpoint with the mean of the runs' averaged weights.

    Averaging helps if the runs were fine-tuned from one another or from the same weights. The mean
    of independently initialized networks is useless (Wortsman et al., ICML 2022). The mean of the
    batch norms' statistics does not describe the averaged network, so they are measured anew
    (Izmailov et al., UAI 2018) if there is data.

    Args:
        runs: Folders of at least two runs.
        out: Folder for the new checkpoint.
        data: The data folder; without it, the statistics are averaged, too.

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
    if data is not None:
        system, seed = system_of(checkpoints[0]["recipe"]), int(checkpoints[0]["seed"])
        network = system.build()
        network.load_state_dict(mean)
        measure_norms(network, system.open(data, out, seed=seed), system.batch)
        mean = network.state_dict()
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


@torch.no_grad()
def measure_norms(network: nn.Module, task: Task, batch: int) -> None:
    """Measure the statistics of a network's batch norms on training batches.

    Args:
        network: The network, whose other weights stay as they are; it is in eval mode afterwards.
        task: Makes the batches.
        batch: Number of samples of a batch.
    """
    network.train()
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
    for number in range(_NORM_BATCHES):
        task.loss(network, task.batch(number, batch), 0)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


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
