"""Reproduction of table 1 of heatmap1d: size, memory and error of 1D and 2D heatmaps by L/F.

L is the number of bins of a heatmap, and F is the side of the crop. Each cell of the table is
trained in its own process, so that its peak memory is measured separately and running out of memory
does not end the whole table.
"""

from __future__ import annotations

import csv
import json
import re
import resource
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psutil

from steadymark.models.training.landmarks.heatmap1d_system import Heatmap1dSystem, Heatmap2dSystem
from steadymark.models.training.loop.training_run import RunSettings, train
from steadymark.models.training.registry import find_system

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.models.training.system import System

_NO_MEMORY = re.compile("out of memory|can.t allocate memory|MemoryError", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One cell of the table to measure.

    Attributes:
        axes: 1 or 2, the number of axes of the heatmaps.
        ratio: L/F, the bins of the heatmap per crop pixel.
        preset: Preset of heatmap1d.
    """

    axes: int
    ratio: float
    preset: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """Measurements of one cell.

    Attributes:
        axes: 1 or 2, the number of axes of the heatmaps.
        ratio: L/F.
        bins: L.
        values: Output values per face.
        memory_mib: Peak memory: of the GPU on CUDA, otherwise of the process beyond what it used
            before training.
        steps: Training steps; errors after different numbers of steps are not comparable.
        nrmse: Error in % on the validation split; NaN if memory ran out.
    """

    axes: int
    ratio: float
    bins: int
    values: int
    memory_mib: float
    steps: int
    nrmse: float


def cell_system(cell: TableColumn) -> Heatmap1dSystem | Heatmap2dSystem:
    """Return the system of a cell; the target's width in crop pixels is the same for every L."""
    base = find_system("heatmap1d", cell.preset)
    assert isinstance(base, Heatmap1dSystem)
    bins = round(base.network.crop * cell.ratio)
    sigma = base.sigma * bins / base.network.bins
    network = replace(base.network, bins=bins)
    if cell.axes == 1:
        return replace(base, network=network, sigma=max(sigma, 0.7))
    return Heatmap2dSystem(
        preset=base.preset,
        rate=base.rate,
        weight_decay=base.weight_decay,
        batch=base.batch,
        network=network,
        sigma=max(sigma, 0.7),
        augment=base.augment,
    )


def run_cell(cell: TableColumn, data: Path, out: Path, settings: RunSettings) -> TableRow:
    """Train and measure one cell in this process."""
    import torch

    system = cell_system(cell)
    before = _resident_mib()
    _limit_memory()
    train(cast("System[Any]", system), data, out, settings)
    memory = _resident_mib() - before
    if torch.cuda.is_available() and settings.device != "cpu":
        memory = torch.cuda.max_memory_allocated() / 2**20
    with (out / "curve.csv").open(newline="") as file:
        *_, last = csv.DictReader(file)
    bins = system.network.bins
    values = system.network.landmarks * (2 * bins if cell.axes == 1 else bins**2)
    return TableRow(
        cell.axes, cell.ratio, bins, values, memory, int(last["step"]), float(last["nrmse"])
    )


def _resident_mib() -> float:
    """Return the peak resident memory of this process in MiB."""
    status = Path("/proc/self/status")
    if status.is_file():  # on Linux, ru_maxrss is inherited from the parent process
        peak = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"), re.MULTILINE)
        if peak:
            return int(peak[1]) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _limit_memory() -> None:
    """Limit this process's memory, so that it fails before the system kills other processes."""
    used = psutil.Process().memory_info().data
    limit = used + int(0.8 * psutil.virtual_memory().available)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))


def run_table(
    data: Path, out: Path, *, preset: str, ratios: tuple[float, ...], arguments: dict[str, Any]
) -> Iterator[TableRow]:
    """Measure each cell in its own process, and yield the rows.

    A cell that was finished before is read from its file in `out`.
    """
    out.mkdir(parents=True, exist_ok=True)
    for axes in (1, 2):
        for ratio in ratios:
            row_file = out / f"{axes}d_{ratio}.json"
            if not row_file.is_file():
                _spawn(TableColumn(axes, ratio, preset), data, out, row_file, arguments)
            yield TableRow(**json.loads(row_file.read_text(encoding="utf-8")))


def _spawn(
    cell: TableColumn, data: Path, out: Path, row_file: Path, arguments: dict[str, Any]
) -> None:
    """Train a cell in another process; if memory runs out, write a row without an error."""
    cell_arguments = json.dumps({**arguments, "cell": [cell.axes, cell.ratio, cell.preset]})
    command = [sys.executable, "-m", __name__, str(data), str(out), str(row_file), cell_arguments]
    process = subprocess.run(command, check=False, capture_output=True, text=True)
    if row_file.is_file():
        return
    if process.returncode != -9 and not _NO_MEMORY.search(process.stderr):
        last = process.stderr.strip().splitlines()[-1:] or ["no message"]
        raise ValueError(f"training {cell.axes}D heatmaps of L/F = {cell.ratio} failed: {last[0]}")
    system = cell_system(cell)
    bins = system.network.bins
    values = system.network.landmarks * (2 * bins if cell.axes == 1 else bins**2)
    nan = float("nan")
    row_file.write_text(
        json.dumps(_as_dict(TableRow(cell.axes, cell.ratio, bins, values, nan, 0, nan)))
    )


def _as_dict(row: TableRow) -> dict[str, float]:
    return {name: getattr(row, name) for name in TableRow.__slots__}


def main() -> None:
    """Train one cell; the command line arguments are DATA OUT FILE ARGUMENTS."""
    data, out, row_file = (Path(a) for a in sys.argv[1:4])
    arguments = json.loads(sys.argv[4])
    cell = TableColumn(*arguments.pop("cell"))
    settings = RunSettings(**arguments)
    row = run_cell(cell, data, out / f"{cell.axes}d_{cell.ratio}", settings)
    row_file.write_text(json.dumps(_as_dict(row)), encoding="utf-8")


if __name__ == "__main__":
    main()
