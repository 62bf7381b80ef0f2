"""The hand-over of the newest value between threads."""

from __future__ import annotations

import threading

from steadymark.engine.pipeline.latest_value import LatestValue


def test_the_newest_value_wins_and_drops_are_counted() -> None:
    latest: LatestValue[int] = LatestValue()
    assert latest.put(1)
    assert not latest.put(2)
    assert not latest.put(3)
    assert latest.take() == 3
    assert latest.dropped == 2
    assert latest.put(4)


def test_take_returns_none_after_the_timeout() -> None:
    assert LatestValue[int]().take(0.01) is None


def test_closing_wakes_a_waiting_thread() -> None:
    latest: LatestValue[int] = LatestValue()
    values: list[int | None] = []
    consumer = threading.Thread(target=lambda: values.append(latest.take()), daemon=True)
    consumer.start()
    latest.close()
    consumer.join(5)
    assert values == [None]
    assert latest.closed


def test_after_closing_the_last_value_can_be_taken_and_none_put() -> None:
    latest: LatestValue[int] = LatestValue()
    latest.put(1)
    latest.close()
    latest.close()
    assert not latest.put(2)
    assert latest.take() == 1
    assert latest.take() is None


def test_values_stay_in_order_and_the_last_arrives_between_threads() -> None:
    latest: LatestValue[int] = LatestValue()

    def produce() -> None:
        for value in range(1, 2001):
            latest.put(value)
        latest.close()

    producer = threading.Thread(target=produce, daemon=True)
    producer.start()
    values = []
    while (value := latest.take()) is not None:
        values.append(value)
    producer.join()
    assert values == sorted(set(values))
    assert values[-1] == 2000
    assert len(values) + latest.dropped == 2000
