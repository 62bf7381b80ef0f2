"""The live hand-over."""

from __future__ import annotations

import threading

from steadymark.engine.pipeline.latest_value import LatestValue


def test_the_newest_value_wins_and_drops_are_counted() -> None:
    place: LatestValue[int] = LatestValue()
    assert place.put(1)
    assert not place.put(2)
    assert not place.put(3)
    assert place.take() == 3
    assert place.dropped == 2
    assert place.put(4)


def test_taking_gives_up_after_the_time() -> None:
    assert LatestValue[int]().take(0.01) is None


def test_closing_wakes_who_waits() -> None:
    place: LatestValue[int] = LatestValue()
    taken: list[int | None] = []
    waiting = threading.Thread(target=lambda: taken.append(place.take()), daemon=True)
    waiting.start()
    place.close()
    waiting.join(5)
    assert taken == [None]
    assert place.closed


def test_what_lies_there_is_taken_after_closing_and_nothing_is_put() -> None:
    place: LatestValue[int] = LatestValue()
    place.put(1)
    place.close()
    place.close()
    assert not place.put(2)
    assert place.take() == 1
    assert place.take() is None


def test_nothing_newer_is_lost_between_threads() -> None:
    place: LatestValue[int] = LatestValue()

    def give() -> None:
        for value in range(1, 2001):
            place.put(value)
        place.close()

    giver = threading.Thread(target=give, daemon=True)
    giver.start()
    taken = []
    while (value := place.take()) is not None:
        taken.append(value)
    giver.join()
    assert taken == sorted(set(taken))
    assert taken[-1] == 2000
    assert len(taken) + place.dropped == 2000
