from __future__ import annotations

from queue import Queue
from threading import Event

import numpy as np
import pytest

from steadymark.app.session.recording.player import LATE_S, Playback, Player, next_frame
from steadymark.engine.core.errors import SourceError
from steadymark.engine.core.types import Frame
from support.fakes.fake_engine import picture

TIMES = np.arange(10) / 25


class StillFilm:
    """Grey frames from memory; some cannot be had."""

    def __init__(self, damaged: tuple[int, ...] = ()) -> None:
        self.times_s = TIMES
        self.damaged = damaged

    def frame_at(self, index: int) -> Frame:
        if index in self.damaged:
            raise SourceError(f"frame {index} is damaged")
        return Frame(picture(None), index, float(TIMES[index]))


class CollectingPlayer:
    """A player whose frames, ends and faults are collected."""

    def __init__(self, *, damaged: tuple[int, ...] = (), limit: int = 100) -> None:
        self.frames: Queue[int] = Queue()
        self.faults: Queue[str] = Queue()
        self.ended = Event()
        self.limit = limit
        self.player = Player(
            StillFilm(damaged),  # type: ignore[arg-type]
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

    def seen(self, count: int) -> list[int]:
        return [self.frames.get(timeout=5) for _ in range(count)]


@pytest.mark.parametrize(
    ("now_s", "speed", "expected"),
    [(0.0, 1.0, 3), (0.01, 1.0, 3), (0.081, 1.0, 4), (0.081, 0.25, 3), (0.081, 4.0, 9)],
)
def test_the_next_frame_is_the_one_that_is_due(now_s: float, speed: float, expected: int) -> None:
    assert next_frame(TIMES, 2, Playback(0.0, float(TIMES[2]), speed), now_s) == expected


def test_a_run_tells_when_a_frame_is_due() -> None:
    run = Playback(10.0, 1.0, 2.0)
    assert run.due_s(2.0) == pytest.approx(10.5)
    assert run.at(10.5) == pytest.approx(2.0)
    assert LATE_S < 1


def test_exactly_the_frame_that_is_asked_for_is_shown() -> None:
    with CollectingPlayer() as watched:
        for index in (7, 3, 3, 0):
            watched.player.show(index)
            assert watched.seen(1) == [index]


def test_playing_shows_frames_in_order_and_tells_the_end() -> None:
    with CollectingPlayer() as watched:
        watched.player.show(0)
        watched.player.play(4.0)
        assert watched.ended.wait(5)
        shown = [watched.frames.get_nowait() for _ in range(watched.frames.qsize())]
    assert shown == sorted(set(shown))
    assert (shown[0], shown[-1]) == (0, 9)


def test_playing_never_passes_the_limit_until_it_grows() -> None:
    with CollectingPlayer(limit=3) as watched:
        watched.player.show(0)
        watched.player.play(4.0)
        shown = watched.seen(1)
        while shown[-1] != 3:
            shown += watched.seen(1)
        assert not watched.ended.is_set()
        watched.limit = 100
        watched.player.nudge()
        assert watched.ended.wait(5)


def test_a_region_is_played_again_and_again() -> None:
    with CollectingPlayer() as watched:
        watched.player.show(4)
        watched.player.play(4.0, (4, 6))
        shown = watched.seen(12)
    assert set(shown) <= {4, 5, 6}
    assert shown.count(4) >= 3


def test_a_damaged_frame_that_is_asked_for_is_told_and_passed_over_when_playing() -> None:
    with CollectingPlayer(damaged=(5,)) as watched:
        watched.player.show(5)
        assert "damaged" in watched.faults.get(timeout=5)
        watched.player.show(4)
        watched.player.play(0.5)
        assert watched.seen(2) == [4, 6]


def test_pausing_stops_and_playing_goes_on_from_there() -> None:
    with CollectingPlayer() as watched:
        watched.player.show(2)
        assert watched.seen(1) == [2]
        watched.player.play(4.0)
        watched.player.pause()
        watched.player.show(8)
        while watched.seen(1) != [8]:
            pass
        watched.player.play(4.0)
        assert watched.seen(1) == [9]
