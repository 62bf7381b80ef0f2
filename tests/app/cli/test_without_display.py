"""The program without a command on a computer without a display."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from typer.testing import Result

ROOT = Path(__file__).resolve().parents[3]


def test_without_command_and_display_the_program_says_how_to_track(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    result = run()
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    assert "something unexpected" not in result.output
    for words in ("no display", "steadymark track"):
        assert words in result.output


def test_the_plot_needs_no_display_and_only_the_plot_loads_qt() -> None:
    code = (
        "import sys, numpy as np, steadymark.app.cli.evaluate_command\n"
        "from steadymark.app.cli.plots import error_plot\n"
        "assert not {'PySide6', 'pyqtgraph', 'torch'} & set(sys.modules)\n"
        "errors = {'a<b>': np.array([1.0, 2.0, np.nan]), 'c': np.array([np.nan])}\n"
        "pictures = {error_plot.error_plot(errors, of='faces', title='t') for _ in range(2)}\n"
        "assert len(pictures) == 1 and len(pictures.pop()) > 10000\n"
    )
    paths = ":".join(str(ROOT / part) for part in ("app", "engine", "models"))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": paths, "PATH": "", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
