"""Streaming of a live view to other programs, without widgets."""

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
from support.fakes.stream_receivers import address_of, free_address, receiver
from support.window.live_session_driver import is_live, start_live_view, wait_for_frames

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session
    from steadymark.engine.core.types import TrackResult
    from steadymark.engine.streaming.targets import StreamTarget
    from support.fakes.fake_live_sources import PacedDevice


def target_state(sending: StreamSending, kind: str = "osf") -> StreamTargetState:
    (found,) = (
        target_state for target_state in sending.target_states() if target_state.kind is kind
    )
    return found


def send_state(sending: StreamSending, kind: str = "osf") -> SendState | None:
    report = target_state(sending, kind).report
    return None if report is None else report.state


def test_nothing_is_sent_unless_a_target_is_switched_on(qtbot: QtBot, session: Session) -> None:
    sending = session.live.sending
    assert [(f.on, f.place) for f in sending.target_states()] == [
        (False, "127.0.0.1:11573"),
        (False, "127.0.0.1:39540"),
        (False, "Steadymark"),
        (False, "127.0.0.1:11111"),
    ]
    start_live_view(qtbot, session)
    assert [f.report for f in sending.target_states()] == [None] * 4


def test_sent_landmarks_equal_those_of_the_results(qtbot: QtBot, session: Session) -> None:
    with receiver() as socket:
        session.live.sending.set_target("osf", place=address_of(socket), on=True)
        assert send_state(session.live.sending) is None  # no live view yet
        start_live_view(qtbot, session)
        wait_for_frames(qtbot, session, 8)
        received = [parse_osf_packet(socket.recv(65535))[0] for _ in range(3)]
        qtbot.waitUntil(lambda: target_state(session.live.sending).rate > 0)
        wait_for_frames(qtbot, session)
    assert session.results is not None
    steady = session.results.rows().stabilized
    kept = [i for i in range(68) if i not in (48, 54)]
    for face in received:
        assert np.abs(steady[:, kept] - face.points_px[:66]).max((1, 2)).min() < 1e-3
        assert face.size == (320, 240)


def test_sending_follows_the_live_view_and_the_switch(
    qtbot: QtBot, session: Session, device: PacedDevice
) -> None:
    sending = session.live.sending
    with receiver() as socket:
        start_live_view(qtbot, session)
        sending.set_target("osf", place=address_of(socket), on=True)
        qtbot.waitUntil(lambda: send_state(sending) is SendState.SENDING)
        parse_osf_packet(socket.recv(65535))
        session.live.stop()
        assert session.display.phase is Phase.STOPPED
        assert send_state(sending) is None
        assert target_state(sending).on
        session.live.start_again()
        qtbot.waitUntil(lambda: is_live(session) and send_state(sending) is SendState.SENDING)
        sending.set_target("osf", on=False)
        assert send_state(sending) is None
        wait_for_frames(qtbot, session)


def test_an_unknown_host_is_reported_and_the_view_continues(qtbot: QtBot, session: Session) -> None:
    messages: list[str] = []
    session.message_posted.connect(messages.append)
    sending = session.live.sending
    sending.set_target("vmc", place="no-such-host.invalid", on=True)
    start_live_view(qtbot, session)
    qtbot.waitUntil(lambda: bool(messages), timeout=20000)
    assert "'no-such-host.invalid' is unknown" in messages[0]
    assert target_state(sending, "vmc").has_problem
    wait_for_frames(qtbot, session)
    sending.set_target("vmc", place=free_address())
    qtbot.waitUntil(lambda: send_state(sending, "vmc") is SendState.SENDING)
    qtbot.waitUntil(lambda: target_state(sending, "vmc").has_problem)  # nobody listens there
    wait_for_frames(qtbot, session)
    assert len(messages) == 1


def test_an_invalid_address_changes_nothing(session: Session) -> None:
    before = session.live.sending.target_states()
    with pytest.raises(UsageError, match="HOST:PORT"):
        session.live.sending.set_target("osf", place="1.2.3.4:0", on=True)
    assert session.live.sending.target_states() == before


class SlowWriter:
    """A writer whose host lookup lasts until the event is set."""

    has_receiver = None

    def __init__(self, lookup_done: threading.Event) -> None:
        self._free = lookup_done

    def open(self) -> None:
        self._free.wait(20)

    def send(self, result: TrackResult) -> tuple[int, int]:
        return 1, 0

    def close(self) -> None:
        pass


def test_a_slow_host_lookup_does_not_delay_closing(qtbot: QtBot) -> None:
    lookup_done, senders = threading.Event(), []

    def make(target: StreamTarget, on_change: object) -> Sender:
        senders.append(Sender(target, make_writer=lambda _: SlowWriter(lookup_done)))
        return senders[-1]

    sending = StreamSending(make=make)
    sending.set_target("osf", on=True)
    start_s = time.monotonic()
    sending.begin()
    assert send_state(sending) is SendState.OPENING
    sending.end()
    assert sending.join(time.monotonic() + 2)
    assert time.monotonic() - start_s < 1.5
    lookup_done.set()
    assert senders[0].close(20)
