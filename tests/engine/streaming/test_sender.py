"""Sending never blocks tracking, reports its state, and can always be ended."""

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
from support.fakes.stream_receivers import address_of, free_address, posed_face, receiver

if TYPE_CHECKING:
    from steadymark.engine.core.types import Frame, TrackResult

FRAMES = 300
TARGET = parse_target("osf")


class BlockedWriter:
    """A writer that blocks until `may_send` is set."""

    has_receiver = None

    def __init__(self, _: StreamTarget) -> None:
        self.sent: list[int] = []
        self.started, self.may_send, self.closed = Event(), Event(), False

    def open(self) -> None:
        pass

    def send(self, result: TrackResult) -> tuple[int, int]:
        self.started.set()
        assert self.may_send.wait(20)
        self.sent.append(result.frame.index)
        return 1, 0

    def close(self) -> None:
        self.closed = True


class FastTracker:
    def follow(self, frame: Frame) -> Frame:
        return frame

    def finish(self, followed: Frame) -> TrackResult:
        return track_result(followed.index, posed_face())


def tracking_cpu_time_s(sender: Sender | None) -> float:
    """Return the CPU time to track all frames of a file while the sender sends."""
    source = ListSource([frame(i, None) for i in range(FRAMES)])
    pipeline = Pipeline(source, FastTracker(), on_result=sender.offer if sender else lambda _: None)
    start_s = time.process_time()  # CPU time excludes other programs
    pipeline.start()
    assert pipeline.wait(60)
    assert pipeline.report.state is PipelineState.FINISHED
    assert pipeline.report.frames == FRAMES
    return time.process_time() - start_s


def test_a_blocked_receiver_does_not_delay_tracking() -> None:
    writer = BlockedWriter(TARGET)
    sender = Sender(TARGET, make_writer=lambda _: writer)
    sender.open()
    tracking_cpu_time_s(sender)  # ends although no packet was sent
    assert writer.started.wait(10)
    assert writer.sent == []
    assert sender.report.dropped >= FRAMES - 2
    assert not sender.close(within_s=0)
    writer.may_send.set()
    assert sender.close(within_s=20)
    assert writer.sent[-1] == FRAMES - 1  # the newest wins
    assert writer.closed
    report = sender.report
    assert (report.state, report.sent + report.dropped) == (SendState.CLOSED, FRAMES)


def test_a_missing_receiver_costs_little_time_and_is_reported() -> None:
    alone_s = min(tracking_cpu_time_s(None) for _ in range(3))
    sender = Sender(parse_target(f"osf://{free_address()}"))
    sender.open()
    with_s = min(tracking_cpu_time_s(sender) for _ in range(3))
    assert sender.close(10)
    report = sender.report
    assert report.fault == ""
    assert report.has_receiver is False
    assert report.sent > 0
    assert "there was no receiver" in report.summary
    packet_s = 0.005  # at most, and they share the interpreter with the tracker
    assert with_s < 3 * alone_s + FRAMES * packet_s


def test_a_receiver_that_starts_later_gets_packets() -> None:
    target = parse_target(f"osf://{free_address()}")
    sender_socket = UdpSocket(target)
    sender_socket.open()
    assert sender_socket._socket is not None
    assert [sender_socket.send(b"1"), sender_socket.has_receiver] == [True, None]
    assert select([sender_socket._socket], [], [], 10)[
        0
    ]  # the system reports that packet 1 was refused
    assert [sender_socket.send(b"2"), sender_socket.has_receiver] == [True, False]
    assert select([sender_socket._socket], [], [], 10)[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late_receiver:
        late_receiver.bind((target.host, target.port))
        late_receiver.settimeout(10)
        assert sender_socket.send(b"3")  # the system has reported packet 2
        assert [sender_socket.send(b"4"), sender_socket.has_receiver] == [True, None]
        assert [late_receiver.recv(9), late_receiver.recv(9)] == [b"3", b"4"]
    sender_socket.close()
    assert not sender_socket.send(b"5")


@pytest.mark.parametrize("in_background", [False, True])
def test_an_unknown_host_is_reported_in_one_sentence(in_background: bool) -> None:
    changed = Event()
    sender = Sender(parse_target("vmc://no-such-host.invalid:39540"), on_change=changed.set)
    if in_background:
        sender.begin()
        assert changed.wait(30)
        fault = sender.report.fault
        assert sender.report.state is SendState.FAILED
    else:
        with pytest.raises(SinkError) as raised:
            sender.open()
        fault = raised.value.sentence
    assert "'no-such-host.invalid' is unknown" in fault
    assert "\n" not in fault
    assert sender.close()


def test_a_model_without_68_landmarks_ends_the_sending_with_an_error() -> None:
    ended = Event()
    writer = BlockedWriter(TARGET)
    writer.may_send.set()
    sender = Sender(TARGET, make_writer=lambda _: writer)
    sender.open()
    sender._on_change = ended.set
    sender.offer(track_result(0, tracked_face(points=face_points()[:20])))
    assert ended.wait(10)
    assert "this model has 20" in sender.report.fault
    sender.offer(track_result(1, tracked_face()))
    assert sender.close()
    assert writer.sent == []
    assert writer.closed


class BrokenWriter(BlockedWriter):
    def send(self, result: TrackResult) -> tuple[int, int]:
        raise RuntimeError("a bug")


def test_an_unexpected_error_ends_only_the_sending() -> None:
    ended = Event()
    sender = Sender(TARGET, make_writer=BrokenWriter)
    sender.open()
    sender._on_change = ended.set
    tracking_cpu_time_s(sender)
    assert ended.wait(10)
    assert sender.report.state is SendState.FAILED
    assert "RuntimeError: a bug" in sender.report.fault
    assert "tracking continues" in sender.report.summary
    assert sender.close()


def test_all_targets_receive_the_same_packets() -> None:
    with receiver() as one, receiver() as other:
        senders = Senders(
            parse_target(f"osf://{address_of(receiving)}") for receiving in (one, other)
        )
        senders.open()
        senders.offer(track_result(4, posed_face()))
        assert one.recv(65535)[8:] == other.recv(65535)[8:]
        words = senders.close()
    assert [text.split()[:2] for text in words] == [["1", "packet"], ["1", "packet"]]


def test_a_sender_that_was_never_opened_closes_immediately() -> None:
    assert Sender(TARGET).close(0)
