"""A session with a fake camera, which must leave no thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.session import Session
from steadymark.engine.tracking.settings import TrackSettings
from support.fakes.fake_live_sources import PacedDevice, camera_opener
from support.videos.square_video import square_models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def device() -> PacedDevice:
    return PacedDevice()


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path, device: PacedDevice) -> Iterator[Session]:
    before = set(threading.enumerate())
    session = Session(
        TrackSettings(stabilizer="none"),
        state_root=tmp_path / "state",
        models=ModelCache(square_models),
        opener=camera_opener(device),
    )
    yield session
    assert session.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)  # one that is ending may take its time on a loaded machine
    assert set(threading.enumerate()) <= before
