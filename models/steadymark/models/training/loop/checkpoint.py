"""Checkpoints, learning rate schedule, averaged weights and metrics log of a training run."""

from __future__ import annotations

import copy
import csv
import hashlib
import math
import subprocess
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from steadymark.models.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """State of the schedule of a run, or of one of its phases.

    Attributes:
        step: Step at which this state was set.
        end: Step at which the run ends; 0 while its length is unknown.
        progress: Share of the training that was done at `step`, 0 to 1.
        warmth: Share of the warm-up that was done at `step`, 0 to 1.
    """

    step: int = 0
    end: float = 0.0
    progress: float = 0.0
    warmth: float = 0.0

    @property
    def left(self) -> float:
        """Steps from `step` to the end."""
        return max(1.0, self.end - self.step)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Learning rate schedule with a linear warm-up and a cosine from `rate` to 1 % of it.

    Attributes:
        rate: Peak learning rate.
        warmup: Length of the warm-up, as a share of the remaining steps.
        most: Greatest length of the warm-up in steps.
        cooled: Last share of the training, in which the rate falls; it is constant before.
        assumed: Length of the warm-up in steps while the length of the run is unknown.
    """

    rate: float
    warmup: float = 0.05
    most: int = 500
    cooled: float = 1.0
    assumed: int = 200

    def at(self, step: int, course: ScheduleState) -> float:
        """Return the learning rate of a step."""
        decay_progress = max(0.0, (self.progress(step, course) - (1 - self.cooled)) / self.cooled)
        cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * decay_progress))
        return self.rate * cosine * self.warmth(step, course)

    def progress(self, step: int, course: ScheduleState) -> float:
        """Return the share of the training that is done before this step, 0 to 1."""
        if not course.end:
            return course.progress
        fraction = min(1.0, (step - course.step) / course.left)
        return course.progress + (1 - course.progress) * fraction

    def warmth(self, step: int, course: ScheduleState) -> float:
        """Return the factor of the warm-up at this step, 0 to 1."""
        length = min(self.most, max(1, round(self.warmup * course.left)))
        fraction = (step - course.step + 1) / (length if course.end else self.assumed)
        return min(1.0, course.warmth + (1 - course.warmth) * fraction)

    def with_end(self, course: ScheduleState, step: int, end: float) -> ScheduleState:
        """Return the state for a new end from this step on; the learning rate does not jump.

        While the rate is still constant, the part in which it falls is that of the new length.
        """
        warmth = self.warmth(step - 1, course) if step > course.step else course.warmth
        progress = self.progress(step, course)
        if progress <= 1 - self.cooled and end:
            progress = min(progress, step / end)
        return ScheduleState(step, end, progress, warmth)


class AveragedWeights(Generic[Network]):
    """Exponential moving average of weights and batch norm statistics.

    Args:
        network: The network to average; it is copied.
        decay: Decay per step.
    """

    def __init__(self, network: Network, decay: float = 0.9995) -> None:
        self.decay = decay
        self.network: Network = copy.deepcopy(network)
        self.network.eval().requires_grad_(requires_grad=False)

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        """Update the average after a step; in the first steps the decay is smaller."""
        decay = min(self.decay, (1 + step) / (10 + step))
        ours, theirs = self.network.state_dict(), network.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - decay)
            else:
                value.copy_(theirs[name])


def commit() -> str:
    """Return the checkout's git commit, with "+" if files are modified, or "unknown"."""
    folder = Path(__file__).parent
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout.strip() or "unknown"


def save_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically: if the process is killed, the old or the new file remains."""
    part = path.with_suffix(".part")
    torch.save(dict(content), part)
    part.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Load a checkpoint, which may contain only tensors and plain values.

    Raises:
        WeightsError: The file is not a checkpoint, or contains other objects.
        OSError: The file cannot be read.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            content = torch.load(path, weights_only=True, map_location="cpu")
    except OSError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        if "weights_only" in reason:  # torch's message advises developers, not users
            reason = "it is none of torch's files, or holds more than weights"
        raise WeightsError(
            f"{path} is no checkpoint that can be read ({reason}): name one of steadymark-train"
        ) from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path} is no checkpoint: name one of steadymark-train")
    return content


def origin_of(checkpoint: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    """Describe the weights that a run began with, for its model card.

    An exported model has no recipe here; its card can be found by the SHA-256.

    Args:
        checkpoint: The file.
        content: Content of the checkpoint; empty for an exported model.
    """
    description = {
        "file": checkpoint.name,
        "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
    }
    return {
        **description,
        **{n: content[n] for n in ("step", "recipe", "seed", "history") if n in content},
    }


class MetricsLog:
    """A CSV file of training metrics, which a resumed run appends to."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path = path
        self.columns = columns
        if not path.exists():
            with path.open("w", newline="") as file:
                csv.writer(file).writerow(columns)

    def add(self, **values: float) -> None:
        """Append a row; columns without a value stay empty."""
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow([_short(values.get(c)) for c in self.columns])


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


class TrainingClock:
    """Seconds of training, summed over all resumptions.

    Args:
        before_s: Seconds of training before this process.
        started: `time.monotonic()` at which this process began to train; now by default.
    """

    def __init__(self, before_s: float = 0.0, started: float | None = None) -> None:
        self.before_s = before_s
        self.started = time.monotonic() if started is None else started

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far."""
        return self.before_s + time.monotonic() - self.started


def to_image(crops: Tensor) -> Tensor:
    """Convert crops (B, F, F, 3) uint8 BGR to (B, 3, F, F) float in [-1, 1], channels last."""
    image = (crops.permute(0, 3, 1, 2).float() - 127.5) / 127.5
    return image.contiguous(memory_format=torch.channels_last)
