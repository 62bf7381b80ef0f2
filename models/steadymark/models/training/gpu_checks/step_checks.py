"""Training steps on a device: the same loss as on the CPU, and the time of a step."""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from steadymark.models.training.gpu_checks.check_result import CheckResult
from steadymark.models.training.gpu_checks.step_cases import step_task
from steadymark.models.training.loop.training_run import RunSettings, TrainingRun

if TYPE_CHECKING:
    from steadymark.models.training.system import Batch, System

LOSS_TOLERANCE = 2e-3  # Relative, in full precision.
SEED = 7
_WARM_UP = 3
_STEPS = 1_000_000  # Of the run that is timed; its schedule hardly moves then.
_MIB = 2**20


class _WithTask:
    """A system whose task is given, so that nothing is read from a data folder."""

    def __init__(self, system: System[Any], task: Any) -> None:
        self._system, self._task = system, task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._system, name)

    def open(self, *_: Any, **__: Any) -> Any:
        return self._task

    def calibrate(self, *_: Any) -> None:
        """Leave the network as it is: calibration needs data."""

    def feedback(self, *_: Any) -> None:
        """Return nothing: the batch is the same in all steps."""


def compare_loss(system: System[Any], device: torch.device, *, size: int = 0) -> CheckResult:
    """Compare the loss of one batch, in full precision and without dropout, with the CPU's.

    Args:
        system: The system.
        device: The device.
        size: Size of the batch; 0 takes the system's own.
    """
    task = step_task(system, size)
    torch.manual_seed(SEED)
    network = system.build()
    phase = system.phases - 1
    system.train_mode(network, phase)
    for module in network.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.eval()
    batch = task.batch(0, size or system.batch)
    there = copy.deepcopy(network).to(device)
    losses = [
        _loss_of(task, each, batch, phase, where)
        for each, where in ((network, torch.device("cpu")), (there, device))
    ]
    difference = abs(losses[1] - losses[0]) / max(abs(losses[0]), 1e-9)
    figures = {"loss_cpu": losses[0], "loss_device": losses[1]}
    return CheckResult(_name("loss", system), difference, LOSS_TOLERANCE, "of the loss", figures)


def _loss_of(task: Any, network: Any, batch: Batch, phase: int, device: torch.device) -> float:
    on_device = tuple(part.to(device) for part in batch)
    with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        return float(task.loss(network, on_device, phase))


def time_steps(
    system: System[Any], device: torch.device, *, steps: int, size: int = 0
) -> CheckResult:
    """Measure the time of a training step, as `steadymark-train` runs it.

    The step includes the copy of the batch to the device, but not its preparation, which worker
    processes do meanwhile.

    Args:
        system: The system; a system with phases is timed in its last one.
        device: The device.
        steps: Number of measured steps.
        size: Size of the batch; 0 takes the system's own.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        task = step_task(system, size)
        run = TrainingRun(
            cast("Any", _WithTask(system, task)),
            Path(),
            Path(folder),
            RunSettings(steps=_STEPS, device=device.type, seed=SEED),
            resume=False,
        )
        run.step = _STEPS * (system.phases - 1) // system.phases
        batch = task.batch(0, size or system.batch)
        took_ms = []
        for _ in range(_WARM_UP + steps):
            began_s = time.perf_counter()
            run.learn(batch)
            _wait(device)
            took_ms.append(1e3 * (time.perf_counter() - began_s))
    step_ms, samples = statistics.median(took_ms[_WARM_UP:]), len(batch[0])
    figures = {
        "samples": float(samples),
        "step_ms": step_ms,
        "samples_per_s": 1e3 * samples / step_ms,
        "hours_per_million_samples": 1e6 / samples * step_ms / 3.6e6,
    }
    if device.type == "cuda":
        figures["peak_memory_mib"] = torch.cuda.max_memory_allocated() / _MIB
    return CheckResult(_name(f"step on {device.type}", system), figures=figures)


def _name(what: str, system: System[Any]) -> str:
    return f"{what}: {system.name} {system.preset}"


def _wait(device: torch.device) -> None:
    """Wait until the device has done what was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize()
