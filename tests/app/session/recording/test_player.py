from __future__ import annotations

from queue import Queue
from threading import Event

import numpy as np
import pytest

from steadymark.app.session.recording.player import LATE_S, Playback, Player, next_frame
from steadymark.engine.core.errors import SourceError
from steadymark.engine.core.types import Frame
from support.fakes.fake_engine import square_image

TIMES = np.arange(10) / 25


class StillVideo:
    """Grey frames from memory, some of which are damaged."""

    def __init__(self, damaged: tuple[int, ...] = ()) -> None:
        self.times_s = TIMES
        self.damaged = damaged

    def frame_at(self, index: int) -> Frame:
        if index in self.damaged:
            raise SourceError(f"frame {index} is damaged")
        return Frame(square_image(None), index, float(TIMES[index]))


class CollectingPlayer:
    """A player whose frames, ends and faults are collected."""

    def __init__(self, *, damaged: tuple[int, ...] = (), limit: int = 100) -> None:
        self.frames: Queue[int] = Queue()
        self.faults: Queue[str] = Queue()
        self.ended = Event()
        self.limit = limit
        self.player = Player(
            StillVideo(damaged),  # type: ignore[arg-type]
            on_frame=lambda frame: self.frames.put(frame.index),
            on_end=self.ended.set,
            on_fault=self.faults.put,
            limit=lambda _: self.limit,
        )
        self.player.start()

    def __enter__(self) -> CollectingPlayer:
        return self

    def __exit__(self, *_: object) -> None:
        self.player.close()
        assert self.player.join(2)

    def next_frames(self, count: int) -> list[int]:
        return [self.frames.get(timeout=5) for _ in range(count)]


@pytest.mark.parametrize(
    ("now_s", "speed", "expected"),
    [(0.0, 1.0, 3), (0.01, 1.0, 3), (0.081, 1.0, 4), (0.081, 0.25, 3), (0.081, 4.0, 9)],
)
def test_the_next_frame_is_the_one_that_is_due(now_s: float, speed: float, expected: int) -> None:
    assert next_frame(TIMES, 2, Playback(0.0, float(TIMES[2]), speed), now_s) == expected


def test_a_playback_computes_when_a_frame_is_due() -> None:
    run = Playback(10.0, 1.0, 2.0)
    assert run.due_s(2.0) == pytest.approx(10.5)
    assert run.time_at(10.5) == pytest.approx(2.0)
    assert LATE_S < 1


def test_exactly_the_requested_frame_is_shown() -> None:
    with CollectingPlayer() as player_log:
        for index in (7, 3, 3, 0):
            player_log.player.show(index)
            assert player_log.next_frames(1) == [index]


def test_playing_shows_frames_in_order_and_reports_the_end() -> None:
    with CollectingPlayer() as player_log:
        player_log.player.show(0)
        player_log.player.play(4.0)
        assert player_log.ended.wait(5)
        shown = [player_log.frames.get_nowait() for _ in range(player_log.frames.qsize())]
    assert shown == sorted(set(shown))
    assert (shown[0], shown[-1]) == (0, 9)


def test_playing_waits_at_the_limit_until_it_grows() -> None:
    with CollectingPlayer(limit=3) as player_log:
        player_log.player.show(0)
        player_log.player.play(4.0)
        shown = player_log.next_frames(1)
        while shown[-1] != 3:
            shown += player_log.next_frames(1)
        assert not player_log.ended.is_set()
        player_log.limit = 100
        player_log.player.limit_changed()
        assert player_log.ended.wait(5)


def test_a_loop_region_is_played_repeatedly() -> None:
    with CollectingPlayer() as player_log:
        player_log.player.show(4)
        player_log.player.play(4.0, (4, 6))
        shown = player_log.next_frames(12)
    assert set(shown) <= {4, 5, 6}
    assert shown.count(4) >= 3


def test_a_damaged_frame_is_reported_when_requested_and_skipped_when_playing() -> None:
    with CollectingPlayer(damaged=(5,)) as player_log:
        player_log.player.show(5)
        assert "damaged" in player_log.faults.get(timeout=5)
        player_log.player.show(4)
        player_log.player.play(0.5)
        assert player_log.next_frames(2) == [4, 6]


def test_playing_after_a_pause_continues_at_the_shown_frame() -> None:
    with CollectingPlayer() as player_log:
        player_log.player.show(2)
        assert player_log.next_frames(1) == [2]
        player_log.player.play(4.0)
        player_log.player.pause()
        player_log.player.show(8)
        while player_log.next_frames(1) != [8]:
            pass
        player_log.player.play(4.0)
        assert player_log.next_frames(1) == [9]
