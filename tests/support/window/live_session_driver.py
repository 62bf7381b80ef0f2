"""Helpers of tests that view and record a camera without widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.app.session.live.open_stream import LiveTarget
from steadymark.app.session.state import Phase

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session
    from steadymark.engine.output.live_recorder import RecorderReport

CAMERA = LiveTarget("camera:0")


def start_live_view(qtbot: QtBot, session: Session) -> None:
    session.open_live(CAMERA)
    assert session.display.phase is Phase.OPENING
    qtbot.waitUntil(lambda: session.frame is not None)


def is_live(session: Session) -> bool:
    return session.display.phase is Phase.LIVE


def wait_for_frames(qtbot: QtBot, session: Session, count: int = 3) -> None:
    """Wait until `count` more frames are shown."""
    assert session.frame is not None
    index = session.frame.index + count
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.index >= index)


def stop_recording(qtbot: QtBot, session: Session) -> RecorderReport:
    """Stop the recording and return its report."""
    with qtbot.waitSignal(session.live.recorded) as signal:
        session.live.stop_recording()
    report: RecorderReport = signal.args[0]
    return report
