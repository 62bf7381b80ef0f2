"""Sending never waits for anybody, tells what becomes of it, and ends."""

from __future__ import annotations

import socket
import time
from select import select
from threading import Event
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.core.errors import SinkError
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.pipeline.pipeline_report import PipelineState
from steadymark.engine.streaming.sender import Sender, Senders, SendState
from steadymark.engine.streaming.targets import StreamTarget, parse_target
from steadymark.engine.streaming.udp import UdpSocket
from support.fakes.fake_engine import ListSource, frame
from support.fakes.fake_results import face_points, track_result, tracked_face
from support.fakes.stream_receivers import free_place, place_of, posed_face, receiver

if TYPE_CHECKING:
    from steadymark.engine.core.types import Frame, TrackResult

FRAMES = 300
TARGET = parse_target("osf")


class HeldWire:
    """Takes nothing until it is let go."""

    heard = None

    def __init__(self, _: StreamTarget) -> None:
        self.sent: list[int] = []
        self.begun, self.free, self.closed = Event(), Event(), False

    def open(self) -> None:
        pass

    def send(self, result: TrackResult) -> tuple[int, int]:
        self.begun.set()
        assert self.free.wait(20)
        self.sent.append(result.frame.index)
        return 1, 0

    def close(self) -> None:
        self.closed = True


class QuickTracker:
    def track(self, frame: Frame) -> TrackResult:
        return track_result(frame.index, posed_face())


def tracked_in_s(sender: Sender | None) -> float:
    """CPU time until all frames of a file are tracked, while this sends."""
    source = ListSource([frame(i, None) for i in range(FRAMES)])
    pipeline = Pipeline(
        source, QuickTracker(), on_result=sender.offer if sender else lambda _: None
    )
    began_s = time.process_time()  # other programs take none of it
    pipeline.start()
    assert pipeline.wait(60)
    assert pipeline.report.state is PipelineState.FINISHED
    assert pipeline.report.frames == FRAMES
    return time.process_time() - began_s


def test_a_receiver_that_takes_nothing_holds_no_frame_up() -> None:
    wire = HeldWire(TARGET)
    sender = Sender(TARGET, wire=lambda _: wire)
    sender.open()
    tracked_in_s(sender)  # ends, though not one packet has gone
    assert wire.begun.wait(10)
    assert wire.sent == []
    assert sender.report.dropped >= FRAMES - 2
    assert not sender.close(within_s=0)
    wire.free.set()
    assert sender.close(within_s=20)
    assert wire.sent[-1] == FRAMES - 1  # the newest wins
    assert wire.closed
    report = sender.report
    assert (report.state, report.sent + report.dropped) == (SendState.CLOSED, FRAMES)


def test_nobody_who_listens_costs_next_to_nothing_and_is_told() -> None:
    alone_s = min(tracked_in_s(None) for _ in range(3))
    sender = Sender(parse_target(f"osf://{free_place()}"))
    sender.open()
    with_s = min(tracked_in_s(sender) for _ in range(3))
    assert sender.close(10)
    report = sender.report
    assert report.fault == ""
    assert report.heard is False
    assert report.sent > 0
    assert "nobody listened" in report.summary
    packet_s = 0.005  # at most, and they share the interpreter with the tracker
    assert with_s < 3 * alone_s + FRAMES * packet_s


def test_a_receiver_that_comes_later_is_heard_and_gets_packets() -> None:
    target = parse_target(f"osf://{free_place()}")
    line = UdpSocket(target)
    line.open()
    assert line._socket is not None
    assert [line.send(b"1"), line.heard] == [True, None]
    assert select([line._socket], [], [], 10)[0]  # the system tells of 1
    assert [line.send(b"2"), line.heard] == [True, False]
    assert select([line._socket], [], [], 10)[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.bind((target.host, target.port))
        late.settimeout(10)
        assert line.send(b"3")  # the system has told of 2
        assert [line.send(b"4"), line.heard] == [True, None]
        assert [late.recv(9), late.recv(9)] == [b"3", b"4"]
    line.close()
    assert not line.send(b"5")


@pytest.mark.parametrize("aside", [False, True])
def test_an_unknown_host_is_one_sentence(aside: bool) -> None:
    told = Event()
    sender = Sender(parse_target("vmc://no-such-host.invalid:39540"), on_change=told.set)
    if aside:
        sender.begin()
        assert told.wait(30)
        fault = sender.report.fault
        assert sender.report.state is SendState.FAILED
    else:
        with pytest.raises(SinkError) as raised:
            sender.open()
        fault = raised.value.sentence
    assert "'no-such-host.invalid' is not known" in fault
    assert "\n" not in fault
    assert sender.close()


def test_other_landmarks_than_68_end_the_sending_with_a_sentence() -> None:
    ended = Event()
    wire = HeldWire(TARGET)
    wire.free.set()
    sender = Sender(TARGET, wire=lambda _: wire)
    sender.open()
    sender._on_change = ended.set
    sender.offer(track_result(0, tracked_face(points=face_points()[:20])))
    assert ended.wait(10)
    assert "this model has 20" in sender.report.fault
    sender.offer(track_result(1, tracked_face()))
    assert sender.close()
    assert wire.sent == []
    assert wire.closed


class BrokenWire(HeldWire):
    def send(self, result: TrackResult) -> tuple[int, int]:
        raise RuntimeError("a bug")


def test_what_nobody_expected_ends_the_sending_alone() -> None:
    ended = Event()
    sender = Sender(TARGET, wire=BrokenWire)
    sender.open()
    sender._on_change = ended.set
    tracked_in_s(sender)
    assert ended.wait(10)
    assert sender.report.state is SendState.FAILED
    assert "RuntimeError: a bug" in sender.report.fault
    assert "tracking goes on" in sender.report.summary
    assert sender.close()


def test_all_targets_get_the_same() -> None:
    with receiver() as one, receiver() as other:
        senders = Senders(parse_target(f"osf://{place_of(bound)}") for bound in (one, other))
        senders.open()
        senders.offer(track_result(4, posed_face()))
        assert one.recv(65535)[8:] == other.recv(65535)[8:]
        words = senders.close()
    assert [text.split()[:2] for text in words] == [["1", "packets"], ["1", "packets"]]


def test_what_was_never_opened_is_closed_at_once() -> None:
    assert Sender(TARGET).close(0)
