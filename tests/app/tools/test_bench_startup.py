"""How long the program takes to start, to open a video and to quit, measured from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.models.face.schema import assets_root
from tools.bench_startup import QUIT_S, StartupTimes, _report, drop_from_cache, measure_startup

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_program_starts_tracks_and_quits_without_torch_or_threads() -> None:
    start = measure_startup(assets_root() / "clips" / "demo.mp4")
    assert 0 < start.usable_s < 20  # the machine may be busy; the command prints the median
    assert 0 < start.tracked_s < 10
    assert 0 < start.quit_s < 5 * QUIT_S
    assert start.threads == ()
    assert not start.torch
    assert any("QtWidgets" in name for name in start.files)


def test_an_exceeded_limit_sets_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_from_cache((str(tmp_path / "missing"),))
    good = StartupTimes(1.0, 0.5, 0.4, (), False, ())
    assert _report(good, [good] * 3) == 0
    assert _report(good, [good, StartupTimes(9.0, 0.5, 0.4, (), False, ())]) == 1
    assert _report(good, [StartupTimes(1.0, 0.5, 0.4, ("tracking",), False, ())]) == 1
    assert "tracking" in capsys.readouterr().out
