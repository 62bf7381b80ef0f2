"""`steadymark bench speed` with fake networks."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from steadymark.app.cli import error_boundary
from steadymark.app.cli import main as cli
from steadymark.engine.bench import speed_benchmark
from steadymark.engine.tracking.settings import OpenModels, TrackSettings
from support.fakes.fake_engine import SquareDetector, SquareNetwork


@pytest.fixture(autouse=True)
def fake_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_models(settings: TrackSettings) -> OpenModels:
        network = SquareNetwork()
        return OpenModels(network, SquareDetector(), (network.card,))

    monkeypatch.setattr(speed_benchmark, "open_models", open_models)
    for console in (error_boundary.out, error_boundary.err):
        monkeypatch.setattr(console, "_width", 200)


def test_bench_speed_prints_wall_and_cpu_time_of_both_stages() -> None:
    result = CliRunner().invoke(cli.app, ["bench", "speed", "--rounds", "10"])
    assert result.exit_code == 0, result.output
    assert "crop to points" in result.output
    assert "640x480" in result.output
    for name in ("none", "flow", "convlstm", "1920x1080"):
        assert name in result.output
