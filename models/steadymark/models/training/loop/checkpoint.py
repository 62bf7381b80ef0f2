"""What every training run here shares: a schedule in minutes, averaged weights, exact resume."""

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

N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """Where the schedule of a run, or of one of its phases, goes on from.

    step: the step it goes on from. end: the step it ends at, 0 while the length is not known.
    progress, warmth: how much of the training and of the warm-up was done at that step, 0…1.
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
    """Cosine from `rate` to 1 % of it, after a warm-up.

    warmup: its length, a share of the steps that are left; at most `most` steps. assumed: its
    length in steps while that of the run is not known. So every run reaches its rate.
    """

    rate: float
    warmup: float = 0.05
    most: int = 500
    assumed: int = 200

    def at(self, step: int, course: ScheduleState) -> float:
        """The learning rate of a step."""
        cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.progress(step, course)))
        return self.rate * cosine * self.warmth(step, course)

    def progress(self, step: int, course: ScheduleState) -> float:
        """How much of the training is done before this step, 0…1."""
        if not course.end:
            return course.progress
        way = min(1.0, (step - course.step) / course.left)
        return course.progress + (1 - course.progress) * way

    def warmth(self, step: int, course: ScheduleState) -> float:
        """How much of the rate the warm-up allows at this step, 0…1."""
        length = min(self.most, max(1, round(self.warmup * course.left)))
        way = (step - course.step + 1) / (length if course.end else self.assumed)
        return min(1.0, course.warmth + (1 - course.warmth) * way)

    def turned(self, course: ScheduleState, step: int, end: float) -> ScheduleState:
        """The course from this step on, where its end turns out to be another; without a jump."""
        warmth = self.warmth(step - 1, course) if step > course.step else course.warmth
        return ScheduleState(step, end, self.progress(step, course), warmth)


class AveragedWeights(Generic[N]):
    """Exponential moving average of weights and of the batch norms' statistics."""

    def __init__(self, network: N, decay: float = 0.9995) -> None:
        self.decay = decay
        self.network: N = copy.deepcopy(network)
        self.network.eval().requires_grad_(requires_grad=False)

    @torch.no_grad()
    def update(self, network: N, step: int) -> None:
        """Take up the weights after a step; young averages forget faster."""
        decay = min(self.decay, (1 + step) / (10 + step))
        ours, theirs = self.network.state_dict(), network.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - decay)
            else:
                value.copy_(theirs[name])


def commit() -> str:
    """The checkout's commit, with '+' where files differ from it."""
    here = Path(__file__).parent
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout.strip() or "unknown"


def save_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint so that a kill leaves the old or the new one, whole."""
    part = path.with_suffix(".part")
    torch.save(dict(content), part)
    part.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint: tensors and plain values alone.

    Raises:
        WeightsError: it is none, or holds anything else. OSError: it cannot be read.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            content = torch.load(path, weights_only=True, map_location="cpu")
    except OSError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        if "weights_only" in reason:  # torch's advice is not for users
            reason = "it is none of torch's files, or holds more than weights"
        raise WeightsError(
            f"{path} is no checkpoint that can be read ({reason}): name one of steadymark-train"
        ) from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path} is no checkpoint: name one of steadymark-train")
    return content


def origin_of(checkpoint: Path, kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a model card says of the weights that a run began with. kept: the checkpoint's content.

    An exported model has none: its own card, found by the SHA-256, tells the rest.
    """
    told = {"file": checkpoint.name, "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest()}
    return {**told, **{n: kept[n] for n in ("step", "recipe", "seed", "history") if n in kept}}


class MetricsLog:
    """A CSV of what was measured when; appended to on resume."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path = path
        self.columns = columns
        if not path.exists():
            with path.open("w", newline="") as file:
                csv.writer(file).writerow(columns)

    def add(self, **values: float) -> None:
        """One row; columns that are not given stay empty."""
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow([_short(values.get(c)) for c in self.columns])


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


class TrainingClock:
    """Seconds of training so far, over all resumptions.

    started: `time.monotonic()` when this part of the training began; now by default.
    """

    def __init__(self, before_s: float = 0.0, started: float | None = None) -> None:
        self.before_s = before_s
        self.started = time.monotonic() if started is None else started

    @property
    def elapsed_s(self) -> float:
        """Seconds."""
        return self.before_s + time.monotonic() - self.started


def to_image(crops: Tensor) -> Tensor:
    """(B, F, F, 3) uint8 BGR → (B, 3, F, F) float in about [-1, 1], channels last in memory."""
    image = (crops.permute(0, 3, 1, 2).float() - 127.5) / 127.5
    return image.contiguous(memory_format=torch.channels_last)
