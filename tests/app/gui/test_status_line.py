"""The status line shows the progress of tracking with the time that it still takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from steadymark.app.gui.status_line import StatusLine
from steadymark.app.gui.widgets.time_left import time_left
from steadymark.app.session.state import Phase, SourceState, UserState, resolve_display

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def plain(line: StatusLine) -> str:
    return line.phase.text().replace("\N{NO-BREAK SPACE}", " ")


def test_the_remaining_time_is_shown_while_tracking(qtbot: QtBot, english: None) -> None:
    now_s = [0.0]
    line = StatusLine(clock=lambda: now_s[0])
    qtbot.addWidget(line)
    display = resolve_display(UserState(), SourceState(phase=Phase.TRACKING))
    for second in range(11):
        now_s[0] = float(second)
        line.set_display(replace(display, share=second / 100))
    assert plain(line) == "Tracking, 10 % of the frames processed, about 2 min left"
    line.set_display(replace(display, phase=Phase.PAUSED, share=0.1))
    assert plain(line) == "Tracking paused at 10 %"
    now_s[0] = 60.0
    line.set_display(replace(display, share=0.1))
    assert plain(line) == "Tracking, 10 % of the frames processed"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.2, "about 5 s left"),
        (41, "about 45 s left"),
        (58, "about 1 min left"),
        (600, "about 10 min left"),
        (3 * 3600 + 300, "about 3 h 5 min left"),
    ],
)
def test_remaining_times_are_rounded(english: None, seconds: float | None, words: str) -> None:
    assert time_left(seconds) == words
