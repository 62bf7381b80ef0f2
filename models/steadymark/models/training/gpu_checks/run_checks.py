"""Run all checks of a device within a time limit, and write their results."""

from __future__ import annotations

import math
import platform
import subprocess
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from steadymark.models.errors import DeviceError, SteadymarkError
from steadymark.models.runtime.onnxruntime_offline import ort
from steadymark.models.runtime.zoo import list_models
from steadymark.models.training.gpu_checks.check_result import CheckResult
from steadymark.models.training.gpu_checks.runtime_checks import (
    bench_speed,
    compare_detector,
    compare_landmarks,
    compare_pdc,
    compare_state,
)
from steadymark.models.training.gpu_checks.step_checks import compare_loss, time_steps
from steadymark.models.training.registry import SYSTEMS
from steadymark.models.training.stabilizer.heatmap_cell_systems import RecurrentSystem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from steadymark.models.training.system import System

    Check = Callable[[], CheckResult]

PAPER_SYSTEMS = ("heatmap1d", "dan")  # Whose paper sizes are timed, too.
_CPU_STEPS = 2  # Steps on the CPU are slow; their time only shows what the device gains.


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """Settings of the checks.

    Attributes:
        device: `cuda`, or `cpu` to compare the CPU with itself.
        parts: The parts to run, some of `PARTS`; empty for all.
        repeats: Number of measurements of each time.
        batch: Size of the batches; 0 takes each system's own.
        minutes: Checks that have not begun by then are skipped.
    """

    device: str = "cuda"
    parts: tuple[str, ...] = ()
    repeats: int = 20
    batch: int = 0
    minutes: float = 9.0


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Results of all checks.

    Attributes:
        machine: Names and versions: device, torch, ONNX Runtime.
        results: Results in the order of the checks.
        skipped: A sentence for each check that was not run.
        seconds: Time of all checks.
    """

    machine: dict[str, str]
    results: tuple[CheckResult, ...]
    skipped: tuple[str, ...]
    seconds: float = field(default=0.0)

    @property
    def is_passed(self) -> bool:
        """Whether no check found a difference."""
        return all(result.is_passed for result in self.results)

    def content(self) -> dict[str, Any]:
        """Return the report as values that JSON supports; no number becomes None."""
        results = [
            {**asdict(each), "difference": _finite(each.difference), "passed": each.is_passed}
            for each in self.results
        ]
        return {**asdict(self), "results": results, "passed": self.is_passed}


def run_checks(
    settings: CheckSettings, tell: Callable[[str], None] = lambda _: None
) -> CheckReport:
    """Run the checks.

    Args:
        settings: Device, parts and length.
        tell: Called with the result of each check, and with each sentence on what is skipped.

    Raises:
        DeviceError: torch finds no such device.
        ValueError: A part is unknown.
    """
    unknown = [part for part in settings.parts if part not in PARTS]
    if unknown:
        raise ValueError(f"unknown part '{unknown[0]}': choose some of {', '.join(PARTS)}")
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise DeviceError(
            "there is no GPU that torch can use, so nothing was checked: run the command on a "
            "machine with an NVIDIA GPU and torch for CUDA, or with --device cpu"
        )
    began_s, results, skipped = time.monotonic(), [], []
    for name, check in _checks(settings):
        if time.monotonic() - began_s > 60 * settings.minutes:
            skipped.append(f"{name} was skipped: the {settings.minutes:g} minutes were over.")
            tell(skipped[-1])
            continue
        try:
            results.append(check())
            tell(str(results[-1]))
        except (SteadymarkError, ValueError, OSError, subprocess.SubprocessError) as error:
            skipped.append(f"{name} was skipped: {error}.")
            tell(skipped[-1])
        except RuntimeError as error:  # torch's error, for example of too little memory
            results.append(CheckResult(name, error=" ".join(str(error).split())[:200]))
            tell(str(results[-1]))
    seconds = round(time.monotonic() - began_s, 1)
    return CheckReport(_machine(settings.device), tuple(results), tuple(skipped), seconds)


def _checks(settings: CheckSettings) -> Iterator[tuple[str, Check]]:
    """Yield the checks of the chosen parts with the names of what they check."""
    for part in PARTS:
        if part in (settings.parts or PARTS):
            yield from _CHECKS[part](settings)


def _lite() -> list[System[Any]]:
    return [presets["lite"] for presets in SYSTEMS.values()]


def _pdc_checks(settings: CheckSettings) -> Iterator[tuple[str, Check]]:
    yield "PDC", partial(compare_pdc, torch.device(settings.device))


def _state_checks(settings: CheckSettings) -> Iterator[tuple[str, Check]]:
    device = torch.device(settings.device)
    for system in _lite():
        if isinstance(system, RecurrentSystem):
            yield f"the state of {system.name}", partial(compare_state, system, device)


def _onnx_checks(settings: CheckSettings) -> Iterator[tuple[str, Check]]:
    device, frames = settings.device, settings.repeats
    for card in list_models():
        if card.kind == "landmarks":
            check = partial(compare_landmarks, card, device, frames=frames)
            yield f"{card.name} in ONNX Runtime", check
    detector = partial(compare_detector, device, frames=frames)
    yield "the face detector in ONNX Runtime", detector


def _loss_checks(settings: CheckSettings) -> Iterator[tuple[str, Check]]:
    device = torch.device(settings.device)
    for system in _lite():
        check = partial(compare_loss, system, device, size=settings.batch)
        yield f"the loss of {system.name}", check


def _step_checks(settings: CheckSettings) -> Iterator[tuple[str, Check]]:
    yield from _timed(_lite(), settings, settings.device, settings.repeats)
    if settings.device != "cpu":
        yield from _timed(_lite(), settings, "cpu", _CPU_STEPS)


def _paper_checks(settings: CheckSettings) -> Iterator[tuple[str, Check]]:
    systems = [SYSTEMS[name]["paper"] for name in PAPER_SYSTEMS]
    yield from _timed(systems, settings, settings.device, settings.repeats)


def _timed(
    systems: Sequence[System[Any]], settings: CheckSettings, device: str, steps: int
) -> Iterator[tuple[str, Check]]:
    for system in systems:
        where = torch.device(device)
        check = partial(time_steps, system, where, steps=steps, size=settings.batch)
        yield f"the step of {system.name} {system.preset} on {device}", check


def _speed_checks(settings: CheckSettings) -> Iterator[tuple[str, Check]]:
    for where in dict.fromkeys(("cpu", settings.device)):
        yield f"bench speed on {where}", partial(bench_speed, where, rounds=settings.repeats)


_CHECKS: dict[str, Callable[[CheckSettings], Iterator[tuple[str, Check]]]] = {
    "pdc": _pdc_checks,
    "state": _state_checks,
    "onnx": _onnx_checks,
    "loss": _loss_checks,
    "paper": _paper_checks,
    "speed": _speed_checks,
    "step": _step_checks,
}
PARTS = tuple(_CHECKS)  # In their order: those that take longest on the CPU come last.


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _machine(device: str) -> dict[str, str]:
    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor()
    return {
        "device": device,
        "name": name or platform.machine(),
        "torch": torch.__version__,
        "onnxruntime": ort.__version__,
        "onnxruntime_providers": ", ".join(ort.get_available_providers()),
        "python": platform.python_version(),
    }
