"""`steadymark-train` and bad input; the trainings themselves are tested elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from steadymark.models.training.cli import app, main

if TYPE_CHECKING:
    from pathlib import Path


def test_its_commands_are_listed() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in (
        "heatmap1d",
        "heatmap1d-tracker",
        "stabilize",
        "dan",
        "local_global",
        "table1",
        "face-net",
        "export",
    ):
        assert command in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["heatmap1d", "--data", "{}", "--out", "{}/run"], "holds no data set"),
        (
            ["stabilize", "--backbone", "{}/no.pt", "--data", "{}", "--out", "{}/run"],
            "no backbone at",
        ),
        (["heatmap1d", "--preset", "huge", "--data", "{}", "--out", "{}/run"], "no preset 'huge'"),
        (["face-net", "--data", "{}", "--out", "{}/run"], "faces/train"),
        (["export", "{}", "--out", "{}"], "last.pt"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_not_there_is_told_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    filled = [argument.format(tmp_path) for argument in arguments]
    monkeypatch.setattr("sys.argv", ["steadymark-train", *filled])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
