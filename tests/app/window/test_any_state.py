"""Whatever is done in whatever order, and quitting in whatever state."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication

from square_film import square_video
from steadymark.app.session.exporting import Kind
from steadymark.app.session.state import Phase
from steadymark.app.session.takes import RAW, Take
from steadymark.app.window.commands import COMMANDS
from window_driving import opened

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.window.main_window import MainWindow


def test_200_random_commands_in_a_row_leave_the_window_well(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    opened(qtbot, window, clip, tracked=False)
    other = str(square_video(tmp_path / "b.mp4", 60))
    left_out = {
        "quit", "open", "open_folder", "load_truth", "export_csv", "export_openface",
        "export_side", "export_video", "export_frame", "export_plots", "log", "about",
        "full_screen", "queue",
    }  # fmt: skip
    names = [c.name for c in COMMANDS if c.name not in left_out]
    chance = random.Random(7)
    for number in range(200):
        if number % 40 == 39 or not window.session.display.has_film:
            window.open_path(chance.choice([clip, other]))
            qtbot.waitUntil(lambda: window.view.shown is not None)
        action = window.actions_by_name[chance.choice(names)]
        if action.isEnabled():
            action.trigger()
        QApplication.processEvents()
    assert not any("unexpected" in text for text in window.messages.texts)


@pytest.mark.parametrize(
    "state", ["empty", "opening", "tracking", "paused", "finished", "filtering", "exporting"]
)
def test_quitting_in_any_state_ends_in_two_seconds_with_no_thread_left(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, state: str
) -> None:
    if state != "empty":
        window.open_path(clip)
    if state not in ("empty", "opening"):
        qtbot.waitUntil(lambda: window.view.shown is not None)
    if state == "paused":
        window.session.toggle_tracking()
    if state in ("finished", "filtering", "exporting"):
        qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    if state == "filtering":
        window.session.use_settings(replace(window.session.settings, stabilizer="one-euro"))
    if state == "exporting":
        window.files.export(Kind.VIDEO, tmp_path / "out.mp4")
        window._may_cancel_exports = lambda: True  # type: ignore[method-assign]
    begun = time.monotonic()
    assert window.close()
    assert time.monotonic() - begun < 2.5
    assert window.closed_in_time


@pytest.mark.parametrize("tracked", [False, True])
def test_quitting_while_a_second_network_tracks_and_heatmaps_are_shown(
    qtbot: QtBot, window: MainWindow, clip: str, *, tracked: bool
) -> None:
    opened(qtbot, window, clip, tracked=tracked)
    window._compare((RAW, Take("none", "dan-lite")))
    window.actions_by_name["heatmaps"].trigger()
    begun = time.monotonic()
    assert window.close()
    assert time.monotonic() - begun < 2.5
    assert window.closed_in_time


def test_while_an_export_runs_closing_asks(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    opened(qtbot, window, clip)
    asked = []
    window._may_cancel_exports = lambda: bool(asked.append(1))  # type: ignore[method-assign, func-returns-value]
    window.files.export(Kind.VIDEO, tmp_path / "out.mp4")
    assert not window.close()
    assert asked == [1]
    qtbot.waitUntil(lambda: window.exports.running == 0, timeout=20000)
