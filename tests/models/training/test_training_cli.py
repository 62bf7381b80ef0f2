"""`steadymark-train` with invalid input; the trainings themselves are tested elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from steadymark.models.training.cli import app, main

if TYPE_CHECKING:
    from pathlib import Path


def test_all_training_commands_are_listed() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in (
        "heatmap1d",
        "heatmap1d-tracker",
        "stabilize",
        "dan",
        "local_global",
        "flow-cell",
        "table1",
        "decoding",
        "face-net",
        "reproduce",
        "export",
        "gpu-checks",
    ):
        assert command in result.output


STABILIZE = ["stabilize", "--backbone", "{}/no.onnx", "--data", "{}", "--out", "{}/run"]
HEATMAP1D = ["heatmap1d", "--data", "{}", "--out", "{}/run"]
FLOW_CELL = ["flow-cell", "--data", "{}", "--out", "{}/run"]


@pytest.mark.parametrize("command", [command.name for command in app.registered_commands])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_each_command_shows_its_options(command: str, option: str) -> None:
    assert CliRunner().invoke(app, [option]).exit_code == 0
    result = CliRunner().invoke(app, [command, option])
    assert result.exit_code == 0
    assert "--out" in result.output or "--data" in result.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["heatmap1d", "--data", "{}", "--out", "{}/run"], "holds no data set"),
        (
            ["stabilize", "--backbone", "{}/no.pt", "--data", "{}", "--out", "{}/run"],
            "no backbone at",
        ),
        (["heatmap1d", "--preset", "huge", "--data", "{}", "--out", "{}/run"], "no preset 'huge'"),
        (["face-net", "--data", "{}", "--out", "{}/run"], "faces/train"),
        (["export", "{}", "--out", "{}"], "last.pt: No such file"),
        (["export", "{}", "--out", "{}", "--name", "a/b"], "--name a/b: give letters"),
        (["table1", "--data", "{}", "--out", "{}", "--ratios", "0,x"], "--ratios 0,x: give"),
        (["table1", "--data", "{}", "--out", "{}", "--ratios", "0"], "must be above 0"),
        ([*STABILIZE, "--set", "heatmap_loss=wing"], "choose one of jitter, l2, awing"),
        (STABILIZE, "no backbone at"),
        ([*STABILIZE, "--mean", "1,2"], "--mean 1,2: give three numbers"),
        ([*STABILIZE, "--mean", "a,b,c"], "--mean a,b,c: give numbers with commas"),
        ([*STABILIZE, "--std", "0,0,0"], "--std 0,0,0: pictures are divided by it"),
        ([*STABILIZE, "--minutes", "-3"], "--minutes -3: give a number above 0"),
        ([*STABILIZE, "--minutes", "nan"], "--minutes nan: give a number above 0"),
        ([*STABILIZE, "--crop", "0"], "--crop 0: give pixels"),
        ([*STABILIZE, "--margin", "wide"], "--margin wide: give auto, or one number"),
        ([*STABILIZE, "--margin", "99"], "--margin 99: give auto, or one number"),
        ([*STABILIZE, "--preset", "huge"], "no preset 'huge'"),
        ([*STABILIZE, "--schema", "x106"], "unknown landmark schema 'x106'"),
        ([*STABILIZE, "--val", "{}/none"], "none does not exist"),
        ([*STABILIZE, "--start", "{}/no.pt"], "no.pt does not exist"),
        ([*STABILIZE, "--set", "rate"], "give FIELD=VALUE"),
        ([*STABILIZE, "--device", "tpu"], "unknown device 'tpu'"),
        ([*HEATMAP1D, "--minutes", "0"], "--minutes 0: give a number above 0"),
        ([*HEATMAP1D, "--steps", "-1"], "--steps -1: give a number from 0"),
        ([*HEATMAP1D, "--workers", "-1"], "--workers -1: give a number from 0"),
        ([*HEATMAP1D, "--threads", "-2"], "--threads -2: give a number from 0"),
        ([*HEATMAP1D, "--seed", "-2"], "--seed -2: give a number from 0"),
        (["heatmap1d", "--data", "{}/none", "--out", "{}/run"], "none does not exist"),
        (["heatmap1d", "--data", "{}", "--out", "/proc/none"], "/proc/none: No such file"),
        (FLOW_CELL, "holds no data set"),
        ([*FLOW_CELL, "--preset", "paper"], "flow-cell has no preset 'paper'"),
        ([*FLOW_CELL, "--set", "bank.scenes"], "give FIELD=VALUE"),
        ([*FLOW_CELL, "--set", "bank.frames=x"], "the value must be of the kind of"),
    ],
    ids=lambda value: " ".join(value[:1] + value[-2:]) if isinstance(value, list) else "",
)
def test_invalid_arguments_are_reported_in_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: str,
) -> None:
    filled = [argument.format(tmp_path) for argument in arguments]
    monkeypatch.setattr("sys.argv", ["steadymark-train", *filled])
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert exit_info.value.code == 2
    message = capsys.readouterr().err
    assert expected in message
    assert "Traceback" not in message


def test_an_unexpected_error_is_reported_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def raise_error(*_: object, **__: object) -> None:
        raise RuntimeError("of torch")

    monkeypatch.delenv("STEADYMARK_DEBUG", raising=False)
    monkeypatch.setattr(
        "steadymark.models.training.loop.weight_averaging.average_runs", raise_error
    )
    arguments = ["average", str(tmp_path), "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["steadymark-train", *arguments])
    with pytest.raises(SystemExit) as exit_info:
        main()
    assert exit_info.value.code == 2
    assert "something unexpected happened (RuntimeError: of torch)" in capsys.readouterr().err
