"""How tests watch and record a camera without widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.app.session.live.open_stream import LiveTarget
from steadymark.app.session.state import Phase

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session
    from steadymark.engine.output.live_recorder import RecorderReport

CAMERA = LiveTarget("camera:0")


def watched(qtbot: QtBot, session: Session) -> None:
    session.open_live(CAMERA)
    assert session.display.phase is Phase.OPENING
    qtbot.waitUntil(lambda: session.frame is not None)


def live(session: Session) -> bool:
    return session.display.phase is Phase.LIVE


def came_on(qtbot: QtBot, session: Session, pictures: int = 3) -> None:
    """Some more pictures are shown."""
    assert session.frame is not None
    index = session.frame.index + pictures
    qtbot.waitUntil(lambda: session.frame is not None and session.frame.index >= index)


def recorded(qtbot: QtBot, session: Session) -> RecorderReport:
    """What a recording that is stopped here has become."""
    with qtbot.waitSignal(session.live.recorded) as told:
        session.live.stop_recording()
    report: RecorderReport = told.args[0]
    return report
