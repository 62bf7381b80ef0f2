"""Qt's objects end in the thread of the tests, as in the program's GUI thread; the command line."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from steadymark.app.cli import error_boundary, track_command
from steadymark.app.cli import main as cli
from support.videos.square_video import square_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result


@pytest.fixture(autouse=True)
def garbage_ends_here() -> Iterator[None]:
    """A worker thread that collects a window of an earlier test would wait for ever."""
    gc.disable()
    yield
    gc.collect()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`steadymark` with the given arguments, its networks replaced; wide enough not to wrap."""
    monkeypatch.setattr(track_command, "open_models", square_models)
    monkeypatch.setattr(error_boundary.out, "_width", 300)
    monkeypatch.setattr(error_boundary.err, "_width", 300)
    return lambda *arguments: CliRunner().invoke(cli.app, [str(a) for a in arguments])
