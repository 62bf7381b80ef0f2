"""Fixtures for the app: garbage collection in the tests' thread, and the command line."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from steadymark.app.cli import error_boundary, track_command
from steadymark.app.cli import main as cli
from support.videos.square_video import square_models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result

SLOW_COLLECTION_S = 0.05


@pytest.fixture(autouse=True)
def collect_garbage_in_the_test_thread() -> Iterator[None]:
    """Keep worker threads from collecting a window of an earlier test, which would deadlock."""
    gc.disable()
    yield
    began_s = time.perf_counter()
    gc.collect()
    if time.perf_counter() - began_s > SLOW_COLLECTION_S:
        gc.freeze()  # imports and caches of other tests, which every later test would search


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `steadymark` with fake networks in a console that is too wide to wrap lines."""
    monkeypatch.setattr(track_command, "open_models", square_models)
    monkeypatch.setattr(error_boundary.out, "_width", 300)
    monkeypatch.setattr(error_boundary.err, "_width", 300)
    return lambda *arguments: CliRunner().invoke(cli.app, [str(a) for a in arguments])
