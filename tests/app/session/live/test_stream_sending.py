"""A live view that sends to other programs, without widgets."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.live.stream_sending import StreamSending, StreamTargetState
from steadymark.app.session.state import Phase
from steadymark.engine.core.errors import UsageError
from steadymark.engine.streaming.osf import parse_osf_packet
from steadymark.engine.streaming.sender import Sender, SendState
from support.fakes.stream_receivers import free_place, place_of, receiver
from support.window.live_session_driver import came_on, live, watched

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session
    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.streaming.targets import StreamTarget
    from support.fakes.fake_live_sources import PacedDevice


def facts(sending: StreamSending, kind: str = "osf") -> StreamTargetState:
    (found,) = (facts for facts in sending.facts() if facts.kind is kind)
    return found


def state(sending: StreamSending, kind: str = "osf") -> SendState | None:
    report = facts(sending, kind).report
    return None if report is None else report.state


def test_nothing_is_sent_unless_it_is_wished(qtbot: QtBot, session: Session) -> None:
    sending = session.live.sending
    assert [(f.on, f.place) for f in sending.facts()] == [
        (False, "127.0.0.1:11573"), (False, "127.0.0.1:39540"), (False, "Steadymark"),
    ]  # fmt: skip
    watched(qtbot, session)
    assert [f.report for f in sending.facts()] == [None] * 3


def test_what_is_sent_is_what_is_shown(qtbot: QtBot, session: Session) -> None:
    with receiver() as bound:
        session.live.sending.want("osf", place=place_of(bound), on=True)
        assert state(session.live.sending) is None  # no live view yet
        watched(qtbot, session)
        came_on(qtbot, session, 8)
        came = [parse_osf_packet(bound.recv(65535))[0] for _ in range(3)]
        qtbot.waitUntil(lambda: facts(session.live.sending).rate > 0)
        came_on(qtbot, session)
    assert session.results is not None
    steady = session.results.rows().steady
    kept = [i for i in range(68) if i not in (48, 54)]
    for face in came:
        assert np.abs(steady[:, kept] - face.points_px[:66]).max((1, 2)).min() < 1e-3
        assert face.size == (320, 240)


def test_it_begins_and_ends_with_the_view_and_with_the_wish(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    sending = session.live.sending
    with receiver() as bound:
        watched(qtbot, session)
        sending.want("osf", place=place_of(bound), on=True)
        qtbot.waitUntil(lambda: state(sending) is SendState.SENDING)
        parse_osf_packet(bound.recv(65535))
        session.live.stop()
        assert session.display.phase is Phase.STOPPED
        assert state(sending) is None
        assert facts(sending).on
        session.live.start_again()
        qtbot.waitUntil(lambda: live(session) and state(sending) is SendState.SENDING)
        sending.want("osf", on=False)
        assert state(sending) is None
        came_on(qtbot, session)


def test_an_unknown_host_is_told_and_the_view_goes_on(qtbot: QtBot, session: Session) -> None:
    told: list[str] = []
    session.told.connect(told.append)
    sending = session.live.sending
    sending.want("vmc", place="no-such-host.invalid", on=True)
    watched(qtbot, session)
    qtbot.waitUntil(lambda: bool(told), timeout=20000)
    assert "'no-such-host.invalid' is not known" in told[0]
    assert facts(sending, "vmc").in_vain
    came_on(qtbot, session)
    sending.want("vmc", place=free_place())
    qtbot.waitUntil(lambda: state(sending, "vmc") is SendState.SENDING)
    qtbot.waitUntil(lambda: facts(sending, "vmc").in_vain)  # nobody listens there
    came_on(qtbot, session)
    assert len(told) == 1


def test_a_place_that_cannot_be_changes_nothing(session: Session) -> None:
    before = session.live.sending.facts()
    with pytest.raises(UsageError, match="HOST:PORT"):
        session.live.sending.want("osf", place="1.2.3.4:0", on=True)
    assert session.live.sending.facts() == before


class SlowWire:
    """Its host is looked up until it is let go."""

    heard = None

    def __init__(self, free: threading.Event) -> None:
        self._free = free

    def open(self) -> None:
        self._free.wait(20)

    def send(self, result: TrackResult) -> tuple[int, int]:
        return 1, 0

    def close(self) -> None:
        pass


def test_a_host_that_is_looked_up_for_long_holds_nothing_up(qtbot: QtBot) -> None:
    free, made = threading.Event(), []

    def make(target: StreamTarget, on_change: object) -> Sender:
        made.append(Sender(target, wire=lambda _: SlowWire(free)))
        return made[-1]

    sending = StreamSending(make=make)
    sending.want("osf", on=True)
    began_s = time.monotonic()
    sending.begin()
    assert state(sending) is SendState.OPENING
    sending.end()
    assert sending.join(time.monotonic() + 2)
    assert time.monotonic() - began_s < 1.5
    free.set()
    assert made[0].close(20)
