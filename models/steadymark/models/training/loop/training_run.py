"""The training loop with checkpoints and curves; a resumed run ends with the same weights."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from steadymark.models.training.loop.checkpoint import (
    AveragedWeights,
    MetricsLog,
    Schedule,
    ScheduleState,
    TrainingClock,
    commit,
    load_checkpoint,
    origin_of,
    save_checkpoint,
)
from steadymark.models.training.loop.distributed import ProcessGroup, pick_device
from steadymark.models.training.loop.time_budget import TimeBudget
from steadymark.models.training.system import dataclass_from_dict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.models.training.stabilizer.cache_budget import CacheBudget
    from steadymark.models.training.system import Batch, System, Task

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """Length, seed and device of a run.

    Attributes:
        minutes: Time limit; it is converted to steps once the speed is known.
        steps: Number of steps; if it is not 0, it replaces the time limit. A resumed run may get
            another number.
        start: Checkpoint or exported model with which to begin (fine-tuning); empty for random
            weights.
        val: Another data set for validation; empty for a part of the data.
        seed: Seed of the weights, the samples and their order.
        device: `auto`, `cpu` or `cuda`.
        workers: Processes that prepare samples.
        average: Decay of the averaged weights per step.
        began_s: `time.monotonic()` from which the minutes count; by default when the run is opened.
        save_s: Seconds between checkpoints, the most that an interruption costs.
        check_s: Longest time between validations, in seconds.
    """

    minutes: float = 120.0
    steps: int = 0
    start: str = ""
    val: str = ""
    seed: int = 7
    device: str = "auto"
    workers: int = 1
    average: float = 0.9995
    began_s: float | None = None
    save_s: float = 45.0
    check_s: float = 240.0


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Progress of a run.

    Attributes:
        step: Steps that are done.
        total: Steps of the whole run; 0 until the speed is known.
        loss: Moving average of the loss.
        score: Score of the last validation; NaN before the first.
        best: Best score so far.
        rate: Learning rate of the last step.
    """

    step: int
    total: int
    loss: float
    score: float
    best: float
    rate: float


class _BatchStream(Dataset["Batch"]):
    """The batches of this process, by step."""

    def __init__(self, task: Task, size: int, process_group: ProcessGroup, first: int) -> None:
        self.task, self.size, self.first = task, size, first
        self.rank, self.ranks = process_group.rank, process_group.size

    def __len__(self) -> int:
        return 2**40

    def __getitem__(self, index: int) -> Batch:
        return self.task.batch((self.first + index) * self.ranks + self.rank, self.size)


class TrainingRun(Generic[Network]):
    """The state of a run, which changes with every step, and its checkpoint `last.pt`."""

    def __init__(
        self,
        system: System[Network],
        data: Path,
        out: Path,
        settings: RunSettings,
        *,
        resume: bool,
        cache_budget: CacheBudget | None = None,
    ) -> None:
        if system.batch < 1:
            raise ValueError(f"a batch of {system.batch} teaches nothing: give 1 or more")
        self.system, self.out, self.settings = system, out, settings
        out.mkdir(parents=True, exist_ok=True)
        self.clock = TrainingClock(started=settings.began_s)
        self.device = pick_device(settings.device)
        self.processes = ProcessGroup(self.device)
        val = Path(settings.val) if settings.val else None
        self.task = system.open(data, out, seed=settings.seed, val=val, cache_budget=cache_budget)
        self.feedback = system.feedback(self.task)
        torch.manual_seed(settings.seed)
        self.network = system.build()
        self.origin: list[dict[str, Any]] = []
        if settings.start:
            self._load_start_weights(Path(settings.start))
        system.calibrate(self.network, self.task)
        self.network.to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = AveragedWeights(self.network, settings.average)
        self.step, self.samples, self.total, self.phase = 0, 0, settings.steps, 0
        self.schedule = Schedule(system.rate, most=system.warmup, cooled=system.cooled)
        self.course = ScheduleState(end=self.total / system.phases)
        self.loss, self.best = 0.0, float("inf")
        self.figures: dict[str, float] = {}
        self.history: list[tuple[int, str]] = []
        saved = load_checkpoint(out / "last.pt") if resume and (out / "last.pt").exists() else None
        if saved is not None:
            self._restore(saved)
        self._enter_phase(self.phase)
        if saved is not None:
            self.optimizer.load_state_dict(saved["optimizer"])
        self.history = [*self.history, (self.step, commit())]
        self.curve = MetricsLog(
            out / "curve.csv", ("minute", "step", "samples", "rate", "loss", *self.task.figures)
        )

    def _load_start_weights(self, checkpoint: Path) -> None:
        """Load the weights of another run or of an exported model."""
        if checkpoint.suffix == ".onnx":
            self.system.load_onnx_weights(checkpoint, self.network, self.task)
            self.origin = [origin_of(checkpoint, {})]
        else:
            content = load_checkpoint(checkpoint)
            self.origin = [*content.get("origin", []), origin_of(checkpoint, content)]
            try:
                self.network.load_state_dict(content["averaged"])
            except RuntimeError as error:
                reason = " ".join(str(error).split())[:200]
                raise ValueError(f"{checkpoint} does not fit this system: {reason}") from error

    def _restore(self, saved: dict[str, Any]) -> None:
        recipe = saved["recipe"]
        if (
            recipe["system"] != self.system.name
            or dataclass_from_dict(type(self.system), recipe) != self.system
        ):
            raise ValueError(
                f"{self.out} holds a training with another recipe: name another folder with "
                "--out, or leave out --resume to begin anew"
            )
        self.network.load_state_dict(saved["weights"])
        self.averaged.network.load_state_dict(saved["averaged"])
        self.step, self.total, self.phase = saved["step"], saved["total"], saved["phase"]
        self.samples = saved.get("samples", self.step * self.system.batch * saved["ranks"])
        self.loss, self.best, self.figures = saved["loss"], saved["best"], saved.get("figures", {})
        self.course = ScheduleState(*saved.get("course", (0, self.total / self.system.phases)))
        if self.settings.steps not in (0, self.total) and self.system.phases == 1:
            self.set_end(self.settings.steps)
        if self.feedback is not None:
            self.feedback.load_state_dict(saved["feedback"])
        self.clock = TrainingClock(saved["elapsed_s"], self.settings.began_s or self.clock.started)
        self.history = saved["history"]
        self.origin = saved.get("origin", [])

    def _enter_phase(self, phase: int) -> None:
        """Select the parameters that train in this phase, and create a new optimizer."""
        self.phase = phase
        trained_ids = {id(p) for p in self.system.parameters(self.network, phase)}
        for parameter in self.network.parameters():
            parameter.requires_grad_(id(parameter) in trained_ids)
        trained = [p for p in self.network.parameters() if p.requires_grad]
        decay = self.system.weight_decay
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, self.system.rate)
        self.trained = self.processes.joined(self.network)
        self.system.train_mode(self.network, phase)

    def save(self) -> None:
        """Write the checkpoint `last.pt` atomically."""
        content = {
            "weights": self.network.state_dict(),
            "averaged": self.averaged.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "samples": self.samples,
            "total": self.total,
            "phase": self.phase,
            "course": astuple(self.course),
            "loss": self.loss,
            "figures": self.figures,
            "best": self.best,
            "feedback": self.feedback.state_dict() if self.feedback is not None else {},
            "elapsed_s": self.clock.elapsed_s,
            "recipe": self.system.describe(),
            "sources": self.task.sources,
            "seed": self.settings.seed,
            "ranks": self.processes.size,
            "commit": self.history[-1][1],
            "history": self.history,
            "origin": self.origin,
        }
        if self.processes.rank == 0:
            save_checkpoint(self.out / "last.pt", content)

    def phase_at(self, step: int) -> int:
        """Return the phase of a step; it is 0 until the number of steps is known."""
        if not self.total:
            return 0
        return min(step * self.system.phases // self.total, self.system.phases - 1)

    def set_end(self, total: int) -> None:
        """Change the step at which the run ends, and its schedule accordingly."""
        self.course = self.schedule.with_end(self.course, self.step, total / self.system.phases)
        self.total = total

    def _learning_rate(self) -> float:
        if not self.phase:
            return self.schedule.at(self.step, self.course)
        steps = self.total / self.system.phases
        first = -(-self.total * self.phase // self.system.phases)
        return self.schedule.at(self.step, ScheduleState(first, first + steps))

    def learn(self, batch: Batch) -> None:
        """Run one training step."""
        if self.phase_at(self.step) != self.phase:
            self._enter_phase(self.phase_at(self.step))
        rate = self._learning_rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(self.settings.seed * 1_000_003 + self.step * 64 + self.processes.rank)
        on_device = tuple(part.to(self.device, non_blocking=True) for part in batch)
        with torch.autocast(self.device.type, torch.bfloat16):
            loss = self.task.loss(self.trained, on_device, self.phase)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        torch.nn.utils.clip_grad_norm_(parameters, 10.0)
        self.optimizer.step()
        self.averaged.update(self.network, self.step)
        value = float(loss.detach())
        self.loss += (value - self.loss) * (0.01 if self.step else 1.0)
        self.step += 1
        self.samples += len(batch[0]) * self.processes.size
        if self.feedback is not None:
            self.feedback.update(self.averaged.network, self.step * self.processes.size)

    def check(self, writer: Any) -> None:
        """Validate the averaged weights, and save them as `best.pt` if they are the best so far."""
        self.figures = self.task.validate(self.averaged.network)
        minute, rate = self.clock.elapsed_s / 60, self.optimizer.param_groups[0]["lr"]
        values = {"rate": rate, "loss": self.loss, **self.figures}
        self.curve.add(minute=minute, step=self.step, samples=self.samples, **values)
        for name, value in values.items():
            writer.add_scalar(name, value, self.step)
        if self.score < self.best:
            self.best = self.score
            content = {
                "averaged": self.averaged.network.state_dict(),
                "step": self.step,
                "figures": self.figures,
                "recipe": self.system.describe(),
            }
            save_checkpoint(self.out / "best.pt", content)

    @property
    def score(self) -> float:
        """Score of the last validation; NaN before the first."""
        return next(iter(self.figures.values()), float("nan"))

    def progress(self) -> TrainingProgress:
        """Return the progress of the run."""
        rate = float(self.optimizer.param_groups[0]["lr"])
        return TrainingProgress(self.step, self.total, self.loss, self.score, self.best, rate)


def train(
    system: System[Network],
    data: Path,
    out: Path,
    settings: RunSettings,
    *,
    resume: bool = False,
    report: Callable[[TrainingProgress], None] = lambda _: None,
    cache_budget: CacheBudget | None = None,
) -> Path:
    """Train a system to the end.

    Args:
        system: The system to train.
        data: The data folder or data set.
        out: Folder of the run.
        settings: Length, seed and device of the run.
        resume: Continue from `last.pt` in `out`.
        report: Called with the progress after every step.
        cache_budget: Time budget for data that is prepared before training, see `System.open`.

    Returns:
        Path of the last checkpoint, `last.pt` in `out`.
    """
    run = TrainingRun(system, data, out, settings, resume=resume, cache_budget=cache_budget)
    with _writer(out) if run.processes.rank == 0 else nullcontext() as writer:
        alone, fixed = run.processes.size == 1, bool(settings.steps)
        time_budget = TimeBudget(settings.minutes, settings.check_s, fixed=fixed, alone=alone)
        saved_s = run.clock.elapsed_s
        time_budget.checked(saved_s, saved_s)
        for batch in _batches(run):
            if not run.total or run.step < run.total:
                run.learn(batch)
            if time_budget.is_due(run.step, run.total, run.clock.elapsed_s):
                if time_budget.needs_a_check(run.total):
                    _check(run, time_budget, writer)
                run.set_end(_total(run, time_budget))
            is_done = bool(run.total) and run.step >= run.total
            if is_done or time_budget.check_is_due(run.total, run.clock.elapsed_s):
                _check(run, time_budget, writer)
            if is_done or run.clock.elapsed_s > saved_s + settings.save_s:
                run.save()
                saved_s = run.clock.elapsed_s
            report(run.progress())
            if is_done:
                break
    return out / "last.pt"


def _check(run: TrainingRun[Any], time_budget: TimeBudget, writer: Any) -> None:
    """Validate the run in its first process, and record how long that took."""
    began_s = run.clock.elapsed_s
    if run.processes.rank == 0:
        run.check(writer)
    time_budget.checked(began_s, run.clock.elapsed_s)


def _total(run: TrainingRun[Any], time_budget: TimeBudget) -> int:
    """Return the number of steps that the time allows, the same in all processes."""
    total = time_budget.total(
        run.step, run.clock.elapsed_s, keep=run.total if run.system.phases > 1 else 0
    )
    return int(run.processes.agree(total, run.device))


def _batches(run: TrainingRun[Any]) -> Iterator[Batch]:
    """Yield batches from the run's current step on."""
    workers = run.settings.workers
    loader: DataLoader[Batch] = DataLoader(
        _BatchStream(run.task, run.system.batch, run.processes, run.step),
        batch_size=None,
        sampler=_EndlessSampler(),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=run.device.type == "cuda",
    )
    yield from loader


class _EndlessSampler:
    """Sampler of the endless sequence 0, 1, 2, …."""

    def __iter__(self) -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1


def _writer(out: Path) -> Any:
    """Create the TensorBoard writer."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(out / "tensorboard"))
