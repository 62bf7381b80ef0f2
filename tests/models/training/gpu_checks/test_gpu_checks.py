"""`steadymark-train gpu-checks`, which compares the CPU with itself here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from steadymark.models.networks.pdc import pdc_1d
from steadymark.models.training.cli import app, main
from steadymark.models.training.gpu_checks import run_checks as checks
from steadymark.models.training.gpu_checks import runtime_checks
from steadymark.models.training.gpu_checks.check_result import CheckResult
from steadymark.models.training.gpu_checks.demo_sequence import demo_sequence
from steadymark.models.training.gpu_checks.run_checks import PARTS, CheckSettings, run_checks
from steadymark.models.training.gpu_checks.runtime_checks import bench_speed, compare_pdc
from steadymark.models.training.gpu_checks.step_cases import step_task
from steadymark.models.training.gpu_checks.step_checks import compare_loss, time_steps
from steadymark.models.training.registry import SYSTEMS

if TYPE_CHECKING:
    from pathlib import Path

CPU = torch.device("cpu")


@pytest.mark.slow
def test_the_command_compares_the_cpu_with_itself_and_writes_json(tmp_path: Path) -> None:
    file = tmp_path / "checks.json"
    arguments = ["gpu-checks", "--out", str(file), "--device", "cpu", "--repeats", "2"]
    result = CliRunner().invoke(app, [*arguments, "--only", "pdc,state,onnx"])
    assert result.exit_code == 0, result.output
    content = json.loads(file.read_text())
    assert content["passed"] is True
    assert content["skipped"] == []
    assert content["machine"]["device"] == "cpu"
    names = [each["name"] for each in content["results"]]
    for name in (
        "pdc",
        "recurrent state: stabilizer lite",
        "onnx: stabilizer-1d",
        "onnx: face_net",
    ):
        assert name in names
    times = {n: each["figures"] for n, each in zip(names, content["results"], strict=True)}
    assert times["onnx: heatmap1d-lite"]["cpu_ms"] > 0
    assert times["onnx: heatmap1d-lite"]["device_ms"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SYSTEMS))
def test_each_system_has_a_loss_and_a_timed_step_without_data(name: str) -> None:
    system = SYSTEMS[name]["lite"]
    loss = compare_loss(system, CPU, size=2)
    assert loss.is_passed
    assert loss.figures["loss_cpu"] > 0
    step = time_steps(system, CPU, steps=1, size=2)
    assert step.figures["step_ms"] > 0
    per_hour = 3600 * step.figures["samples_per_s"]
    assert step.figures["hours_per_million_samples"] == pytest.approx(1e6 / per_hour)


def test_a_timed_step_of_a_system_with_stages_trains_its_last_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    system, phases = SYSTEMS["dan"]["lite"], []
    task = step_task(system, 2)

    class RememberingTask:
        """Remembers the phase of each loss."""

        figures: tuple[str, ...] = ()
        sources: dict[str, object] = {}  # noqa: RUF012
        batch = task.batch

        def loss(self, network: object, batch: object, phase: int) -> torch.Tensor:
            phases.append(phase)
            found: torch.Tensor = task.loss(network, batch, phase)
            return found

    module = "steadymark.models.training.gpu_checks.step_checks.step_task"
    monkeypatch.setattr(module, lambda *_: RememberingTask())
    time_steps(system, CPU, steps=1, size=2)
    assert set(phases) == {system.phases - 1}


def test_a_device_that_computes_otherwise_fails_with_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def drifting(heatmap: torch.Tensor, *, soft: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(soft)
        position, share = pdc_1d(heatmap, soft=soft)
        return position + 0.01 * len(calls), share

    monkeypatch.setattr(runtime_checks, "pdc_1d", drifting)
    result = compare_pdc(CPU)
    assert result.difference == pytest.approx(0.01, abs=1e-3)
    assert not result.is_passed
    assert "NOT EQUAL" in str(result)
    arguments = ["gpu-checks", "--out", str(tmp_path / "c.json"), "--device", "cpu"]
    assert CliRunner().invoke(app, [*arguments, "--only", "pdc"]).exit_code == 1
    assert json.loads((tmp_path / "c.json").read_text())["passed"] is False


def test_a_difference_that_is_no_number_is_no_pass() -> None:
    broken = CheckResult("a", float("nan"), 1.0)
    assert not broken.is_passed
    report = checks.CheckReport({}, (broken,), ())
    assert report.content()["results"][0]["difference"] is None
    assert report.content()["passed"] is False


def test_checks_that_cannot_run_or_begin_too_late_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: object, **__: object) -> CheckResult:
        raise ValueError("no CUDA in this ONNX Runtime")

    monkeypatch.setattr(checks, "compare_detector", failing)
    told: list[str] = []
    settings = CheckSettings("cpu", ("onnx",), repeats=1)
    report = run_checks(settings, told.append)
    skipped = "the face detector in ONNX Runtime was skipped: no CUDA in this ONNX Runtime."
    assert report.skipped == (skipped,)
    assert told[-1] == skipped
    late = run_checks(CheckSettings("cpu", ("pdc", "state"), minutes=0))
    assert late.results == ()
    assert len(late.skipped) == 3
    assert "minutes were over" in late.skipped[0]


def test_an_error_of_the_device_fails_its_check_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def too_large(*_: object, **__: object) -> CheckResult:
        raise torch.cuda.OutOfMemoryError("out of\nmemory")

    monkeypatch.setattr(checks, "compare_pdc", too_large)
    told: list[str] = []
    report = run_checks(CheckSettings("cpu", ("pdc", "state")), told.append)
    assert told[0] == "PDC: FAILED (out of memory)"
    assert [result.is_passed for result in report.results] == [False, True, True]
    assert report.content()["passed"] is False


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "there is no GPU that torch can use"),
        (["--device", "tpu"], "unknown device 'tpu'"),
        (["--device", "cpu", "--only", "pdc,magic"], "unknown part 'magic'"),
        (["--device", "cpu", "--out", "{}/nowhere/c.json"], "name a file in a folder that exists"),
    ],
)
def test_bad_input_is_refused_with_one_sentence(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    given = [part.format(tmp_path) for part in arguments]
    command = ["steadymark-train", "gpu-checks", "--out", f"{tmp_path}/c.json", *given]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert words in " ".join(capsys.readouterr().err.split())


@pytest.mark.slow
def test_the_speed_of_the_program_is_kept_as_it_prints_it() -> None:
    lines = "\n".join(bench_speed("cpu", rounds=10).lines)
    assert "heatmap1d-lite" in lines
    assert "face detector" in lines
    with pytest.raises(ValueError, match="device"):
        bench_speed("tpu", rounds=10)


def test_every_part_has_a_check_and_the_paper_sizes_are_among_them() -> None:
    named = {
        part: [name for name, _ in checks._CHECKS[part](CheckSettings("cpu"))] for part in PARTS
    }
    assert all(named.values())
    assert "the step of heatmap1d paper on cpu" in named["paper"]
    assert "the step of dan paper on cpu" in named["paper"]
    on_gpu = [name for name, _ in checks._CHECKS["step"](CheckSettings("cuda"))]
    assert "the step of flow-cell lite on cuda" in on_gpu
    assert "the step of flow-cell lite on cpu" in on_gpu


def test_the_demo_sequence_is_centred_and_goes_back_after_its_last_frame() -> None:
    faces = demo_sequence(96, 1.4, 64)
    assert faces.crops.shape == (64, 96, 96, 3)
    assert faces.points.shape == (64, 68, 2)
    assert np.abs(faces.points[0].mean(0) - 48).max() < 10
    np.testing.assert_array_equal(faces.points[58], faces.points[60])
