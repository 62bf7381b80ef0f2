from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from steadymark.models.datasets.photo_splits import is_held_back, photo_of
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.networks.heatmap1d import Heatmap1dConfig
from steadymark.models.networks.pyramid import PyramidConfig
from steadymark.models.training.data.augment import AugmentConfig, make_sample
from steadymark.models.training.data.face_images import load_faces, split
from steadymark.models.training.export_run import export_run
from steadymark.models.training.landmarks.heatmap1d_system import Heatmap1dSystem
from steadymark.models.training.loop import checkpoint
from steadymark.models.training.loop.distributed import pick_device
from steadymark.models.training.loop.time_budget import TimeBudget
from steadymark.models.training.loop.training_run import RunSettings, TrainingProgress, train
from steadymark.models.training.loop.weight_averaging import average_runs, measure_norms
from steadymark.models.training.paper_tables import heatmap1d_table
from steadymark.models.training.registry import SYSTEMS, system_of

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = load_schema("ibug68")
TINY = Heatmap1dConfig(
    crop=64,
    bins=64,
    channels=8,
    hidden=8,
    backbone=PyramidConfig(stem=4, widths=(8, 8, 8, 8), blocks=(1, 1, 1, 1), out=8),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve noise images with landmarks, in the format of 300-W."""
    faces, rng = tmp_path / "300w" / "train", np.random.default_rng(0)
    faces.mkdir(parents=True)
    for i in range(12):
        points = SCHEMA.mean_shape * 90 + 80 + rng.normal(0, 2, (68, 2))
        rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
        (faces / f"helen_{i}_1.pts").write_text(
            f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n", encoding="ascii"
        )
        cv2.imwrite(str(faces / f"helen_{i}_1.jpg"), rng.integers(0, 256, (160, 160, 3), np.uint8))
    return tmp_path


def test_faces_of_one_photo_are_on_one_side_of_the_split(folder: Path) -> None:
    for photo in ("afw_111076519", "helen_22"):
        assert {photo_of(f"{photo}_{i}") for i in range(1, 6)} == {photo}
    held_back_lfpw = [is_held_back(photo_of(f"lfpw_image_{i:04d}"), 0.06) for i in range(800)]
    assert 0.02 < np.mean(held_back_lfpw) < 0.12
    training, held_back = split(load_faces(folder / "300w" / "train", IBUG68))
    assert len(training) + len(held_back) == 12
    assert not set(training.names) & set(held_back.names)


def test_only_the_part_of_a_large_image_around_the_face_is_kept(tmp_path: Path) -> None:
    image = np.full((900, 1200, 3), 40, np.uint8)
    points = SCHEMA.mean_shape * 300 + (700, 400)
    cv2.circle(image, (round(points[30, 0]), round(points[30, 1])), 5, (255, 255, 255), -1)
    rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
    (tmp_path / "big_1.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    cv2.imwrite(str(tmp_path / "big_1.png"), image)
    faces = load_faces(tmp_path, IBUG68)
    (kept_image,), (moved_points,) = faces.images, faces.points
    assert kept_image.shape == (320, 320, 3)
    ys, xs = np.nonzero(kept_image[..., 0] > 150)
    assert np.hypot(xs.mean() - moved_points[30, 0], ys.mean() - moved_points[30, 1]) < 0.5
    assert np.ptp(moved_points, 0).max() == pytest.approx(320 / 1.9, abs=0.5)


def test_any_data_set_can_be_trained_on(folder: Path, tmp_path: Path) -> None:
    train(TINY_SYSTEM, folder / "300w" / "train", tmp_path / "run", replace(SETTINGS, steps=2))
    assert (tmp_path / "run" / "last.pt").is_file()
    with pytest.raises(ValueError, match="is no data set itself"):
        train(TINY_SYSTEM, tmp_path / "run", tmp_path / "other", SETTINGS)


def test_a_sample_is_determined_by_its_number(folder: Path) -> None:
    faces = load_faces(folder / "300w" / "train", IBUG68)
    a, b = (make_sample(faces, (), SCHEMA, 64, 5, seed=3, config=AugmentConfig()) for _ in range(2))
    np.testing.assert_array_equal(a.crop, b.crop)
    np.testing.assert_array_equal(a.points, b.points)
    other = make_sample(faces, (), SCHEMA, 64, 6, seed=3, config=AugmentConfig())
    assert not np.array_equal(a.crop, other.crop)


def test_mirrored_samples_keep_the_numbering_of_landmarks(folder: Path) -> None:
    """The right eye (36…41) stays to the left of the left eye, mirrored or not."""
    faces = load_faces(folder / "300w" / "train", IBUG68)
    config = AugmentConfig(negatives=0, wide_share=0)
    for number in range(24):
        points = make_sample(faces, (), SCHEMA, 64, number, seed=0, config=config).points
        assert points[36:42, 0].mean() < points[42:48, 0].mean()
        assert points[36:48, 1].mean() < points[48:68, 1].mean()


TINY_SYSTEM = Heatmap1dSystem(network=TINY, batch=2)
SETTINGS = RunSettings(steps=24, workers=0, save_s=0.0, check_s=1e9, device="cpu")


def interrupt_at(step: int) -> Callable[[TrainingProgress], None]:
    def report(progress: TrainingProgress) -> None:
        if progress.step == step:
            raise KeyboardInterrupt

    return report


def averaged_weights(run: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = checkpoint.load_checkpoint(run / "last.pt")["averaged"]
    return weights


def test_an_interrupted_training_resumes_to_the_same_weights(folder: Path, tmp_path: Path) -> None:
    uninterrupted, resumed = tmp_path / "whole", tmp_path / "parts"
    train(TINY_SYSTEM, folder, uninterrupted, SETTINGS)
    with pytest.raises(KeyboardInterrupt):
        train(TINY_SYSTEM, folder, resumed, SETTINGS, report=interrupt_at(9))
    train(TINY_SYSTEM, folder, resumed, SETTINGS, resume=True)
    a, b = averaged_weights(uninterrupted), averaged_weights(resumed)
    assert all(torch.equal(a[name], b[name]) for name in a)
    rows = (uninterrupted / "curve.csv").read_text().splitlines()
    assert rows[0] == "minute,step,samples,rate,loss,nrmse"
    assert rows[-1].split(",")[1] == "24"
    assert list((uninterrupted / "tensorboard").iterdir())
    assert checkpoint.load_checkpoint(uninterrupted / "best.pt")["recipe"] == TINY_SYSTEM.describe()


def test_a_resumed_training_can_be_given_another_number_of_steps(
    folder: Path, tmp_path: Path
) -> None:
    seen: list[TrainingProgress] = []
    with pytest.raises(KeyboardInterrupt):
        train(TINY_SYSTEM, folder, tmp_path / "run", SETTINGS, report=interrupt_at(4))
    more = replace(SETTINGS, steps=6)
    train(TINY_SYSTEM, folder, tmp_path / "run", more, resume=True, report=seen.append)
    assert [(p.step, p.total) for p in seen] == [(5, 6), (6, 6)]
    assert seen[-1].rate < 0.5 * TINY_SYSTEM.rate
    assert checkpoint.load_checkpoint(tmp_path / "run" / "last.pt")["samples"] == 12


def test_a_run_of_an_earlier_recipe_without_a_field_is_taken_up(
    folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "run" / "last.pt"
    train(TINY_SYSTEM, folder, tmp_path / "run", replace(SETTINGS, steps=2))
    kept = checkpoint.load_checkpoint(file)
    del kept["recipe"]["cooled"], kept["samples"], kept["figures"], kept["feedback"]
    checkpoint.save_checkpoint(file, kept)
    train(TINY_SYSTEM, folder, tmp_path / "run", replace(SETTINGS, steps=3), resume=True)
    assert checkpoint.load_checkpoint(file)["samples"] == 6


def test_a_run_is_not_resumed_with_another_recipe(folder: Path, tmp_path: Path) -> None:
    train(TINY_SYSTEM, folder, tmp_path / "run", replace(SETTINGS, steps=2))
    other = replace(TINY_SYSTEM, rate=1e-4)
    with pytest.raises(ValueError, match="another recipe"):
        train(other, folder, tmp_path / "run", SETTINGS, resume=True)


@pytest.mark.parametrize("device", ["tpu", "cuda"])
def test_a_missing_device_is_refused(device: str) -> None:
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("CUDA is available")
    with pytest.raises(ValueError, match=r"choose auto|finds none"):
        pick_device(device)


@pytest.mark.slow
def test_two_processes_train_one_network(folder: Path, tmp_path: Path) -> None:
    """With torchrun: each process gets its own samples, gradients are shared, one writes."""
    script = tmp_path / "two.py"
    script.write_text(
        "import sys; sys.path[:0] = " + repr(sys.path) + "\n"
        "import os, torch\n"
        "from pathlib import Path\n"
        "from models.training.test_training import SETTINGS, TINY_SYSTEM\n"
        "from dataclasses import replace\n"
        "from steadymark.models.training.loop.training_run import TrainingRun\n"
        f"out = Path({str(tmp_path)!r}) / 'run'\n"
        f"run = TrainingRun(TINY_SYSTEM, Path({str(folder)!r}), out, SETTINGS, resume=False)\n"
        "for step in range(3):\n"
        "    run.learn(run.task.batch(2 * step + run.processes.rank, 2))\n"
        "flat = torch.cat([p.flatten() for p in run.network.parameters()])\n"
        f"torch.save(flat, Path({str(tmp_path)!r}) / f'rank{{run.processes.rank}}.pt')\n"
        "torch.distributed.destroy_process_group()\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    result = subprocess.run(
        [*command, str(script)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    one, two = (torch.load(tmp_path / f"rank{r}.pt", weights_only=True) for r in (0, 1))
    assert torch.equal(one, two)


def test_the_learning_rate_warms_up_and_falls_to_a_hundredth() -> None:
    schedule, course = checkpoint.Schedule(rate=1.0), checkpoint.ScheduleState(end=10_000)
    assert schedule.at(0, course) == pytest.approx(1 / 500)
    assert schedule.at(500, course) == pytest.approx(1.0, abs=0.01)
    assert schedule.at(10_000, course) == pytest.approx(0.01)


def test_the_rate_is_constant_until_the_last_steps_cool_it() -> None:
    schedule, course = checkpoint.Schedule(1.0, cooled=0.5), checkpoint.ScheduleState(end=2000)
    assert schedule.at(0, course) == pytest.approx(1 / 100)
    assert schedule.at(900, course) == 1.0
    assert schedule.at(1500, course) == pytest.approx(0.505)
    assert schedule.at(2000, course) == pytest.approx(0.01)
    longer = schedule.with_end(course, 900, 4000)
    assert schedule.at(1500, longer) == 1.0
    assert schedule.at(4000, longer) == pytest.approx(0.01)


@pytest.mark.parametrize("steps", [5, 40, 160, 2000, 50_000])
@pytest.mark.parametrize("known_at", [0, 20, 60])
def test_every_schedule_reaches_its_full_learning_rate(steps: int, known_at: int) -> None:
    """known_at: the step at which the length becomes known, as in a run limited by minutes."""
    schedule, course, rates = checkpoint.Schedule(rate=2e-3), checkpoint.ScheduleState(), []
    for step in range(steps + known_at):
        if step == known_at:
            course = schedule.with_end(course, step, steps + known_at)
        rates.append(schedule.at(step, course))
    assert max(rates) >= 0.9 * 2e-3
    assert rates[-1] < 0.5 * max(rates)


def test_the_learning_rate_is_continuous_when_the_end_of_a_run_changes() -> None:
    schedule, course = checkpoint.Schedule(rate=1.0), checkpoint.ScheduleState(end=1000)
    before = schedule.at(599, course)
    for end in (700, 2000):
        turned = schedule.with_end(course, 600, end)
        assert schedule.at(600, turned) == pytest.approx(before, abs=0.01)
        assert schedule.at(end, turned) == pytest.approx(0.01)


@pytest.mark.parametrize("settings", [{"steps": 40}, {"steps": 0, "minutes": 0.12}])
def test_a_short_run_reaches_the_requested_learning_rate(
    folder: Path, tmp_path: Path, settings: dict[str, float]
) -> None:
    reported: list[TrainingProgress] = []
    chosen = replace(SETTINGS, save_s=1e9, **settings)  # type: ignore[arg-type]
    train(TINY_SYSTEM, folder, tmp_path / "run", chosen, report=reported.append)
    assert max(progress.rate for progress in reported) >= 0.9 * TINY_SYSTEM.rate
    assert reported[-1].total == reported[-1].step > 10
    # minutes are converted to steps once the speed is known
    assert (reported[0].total == 0) == ("minutes" in settings)


def test_the_time_budget_is_kept_despite_validations_and_changes_of_speed() -> None:
    """With a fake clock: steps of 0.2 s, later of 0.4 s, and validations of 4 s."""
    clock_s, step, total = 30.0, 0, 0  # the time before the first step counts too
    pace = TimeBudget(4.0, 240.0, fixed=False)
    pace.checked(clock_s, clock_s)

    def validated() -> None:
        nonlocal clock_s
        began_s, clock_s = clock_s, clock_s + 4.0
        pace.checked(began_s, clock_s)

    while not total or step < total:
        step, clock_s = step + 1, clock_s + (0.2 if clock_s < 100 else 0.4)
        if pace.is_due(step, total, clock_s):
            if pace.needs_a_check(total):
                validated()
            total = pace.total(step, clock_s)
        if pace.check_is_due(total, clock_s):
            validated()
    validated()
    assert clock_s == pytest.approx(240, rel=0.1)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_restored_from_its_recipe_is_equal(name: str) -> None:
    for system in SYSTEMS[name].values():
        assert system_of(system.describe()) == system


@pytest.mark.slow
def test_table_1_measures_each_cell_and_continues_after_one_runs_out_of_memory(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"steps": 2, "seed": 1, "device": "cpu", "workers": 0}
    rows = list(
        heatmap1d_table.run_table(
            folder, tmp_path, preset="lite", ratios=(0.25,), arguments=arguments
        )
    )
    assert [(row.axes, row.bins, row.values) for row in rows] == [(1, 32, 4352), (2, 32, 69632)]
    assert all(row.memory_mib > 10 and row.nrmse > 0 for row in rows)

    def out_of_memory(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", "RuntimeError: can't allocate memory: 9 GB")

    monkeypatch.setattr(subprocess, "run", out_of_memory)
    (one, _) = heatmap1d_table.run_table(
        folder, tmp_path, preset="lite", ratios=(3.0,), arguments={}
    )
    assert np.isnan(one.nrmse)
    assert one.values == 68 * 2 * 384


@pytest.mark.slow
def test_a_run_can_start_from_the_weights_of_another(folder: Path, tmp_path: Path) -> None:
    train(TINY_SYSTEM, folder, tmp_path / "first", replace(SETTINGS, steps=2))
    start = str(tmp_path / "first" / "last.pt")
    tuned = replace(TINY_SYSTEM, rate=1e-9)
    train(tuned, folder, tmp_path / "tuned", replace(SETTINGS, steps=1, start=start))
    a, b = averaged_weights(tmp_path / "first"), averaged_weights(tmp_path / "tuned")
    assert all(torch.allclose(a[n], b[n], atol=1e-5) for n in a if n.endswith("conv.weight"))
    weight = "cnn2_x.deconv.weight"
    torch.testing.assert_close(a[weight], b[weight], atol=1e-6, rtol=0)
    (origin,) = checkpoint.load_checkpoint(tmp_path / "tuned" / "last.pt")["origin"]
    assert (origin["file"], origin["step"]) == ("last.pt", 2)
    assert origin["recipe"] == TINY_SYSTEM.describe()
    settings_of_third = replace(SETTINGS, steps=1, start=str(tmp_path / "tuned" / "last.pt"))
    train(tuned, folder, tmp_path / "third", settings_of_third)
    card = json.loads(
        export_run(tmp_path / "third", tmp_path, "net").with_suffix(".json").read_text()
    )
    assert [o["step"] for o in card["recipe"]["began_with"]] == [2, 1]
    other = replace(TINY_SYSTEM, network=replace(TINY, hidden=12))
    with pytest.raises(ValueError, match="does not fit"):
        train(other, folder, tmp_path / "other", replace(SETTINGS, steps=1, start=start))


@pytest.mark.slow
def test_the_weights_of_several_runs_are_averaged(folder: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    train(TINY_SYSTEM, folder, first, replace(SETTINGS, steps=2))
    train(TINY_SYSTEM, folder, second, replace(SETTINGS, steps=2, start=str(first / "last.pt")))
    average_runs([first, second], tmp_path / "mean")
    a, b, mean = (averaged_weights(tmp_path / name) for name in ("first", "second", "mean"))
    weight = "cnn2_x.deconv.weight"
    assert not torch.equal(a[weight], b[weight])
    torch.testing.assert_close(mean[weight], (a[weight] + b[weight]) / 2)
    file = export_run(tmp_path / "mean", tmp_path, "net").with_suffix(".json")
    origins = json.loads(file.read_text())["recipe"]["began_with"]
    curve = (tmp_path / "net.curve.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in curve] == ["run", "first", "second"]
    assert [len(origin["began_with"]) for origin in origins] == [0, 1]
    with pytest.raises(ValueError, match="two runs or more"):
        average_runs([first], tmp_path / "mean")
    other = replace(TINY_SYSTEM, network=replace(TINY, hidden=12))
    train(other, folder, tmp_path / "other", replace(SETTINGS, steps=1))
    with pytest.raises(ValueError, match="is another than that of"):
        average_runs([first, tmp_path / "other"], tmp_path / "mean")


class ShiftedTask:
    """Batches of two numbers whose mean is 3 and whose variance is 4."""

    def batch(self, number: int, size: int) -> Any:
        return 3 + 2 * torch.randn((size, 2), generator=torch.Generator().manual_seed(number))

    def loss(self, network: nn.Module, batch: Any, phase: int) -> Any:
        return network(batch).sum()


def test_the_statistics_of_batch_norms_are_measured_and_other_weights_stay() -> None:
    norm, linear = nn.BatchNorm1d(2), nn.Linear(2, 1)
    network, before = nn.Sequential(norm, linear), linear.weight.clone()
    task: Any = ShiftedTask()
    measure_norms(network, task, 64)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    torch.testing.assert_close(norm.running_mean, torch.full((2,), 3.0), atol=0.1, rtol=0)
    torch.testing.assert_close(norm.running_var, torch.full((2,), 4.0), atol=0.2, rtol=0)
    assert norm.momentum == 0.1
    assert not network.training
    assert torch.equal(linear.weight, before)
