"""The measures of a recording that was left do not delay those of the next one."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.analysis import measure_worker
from steadymark.app.session.analysis.face_measures import MeasureSelection, measure_face
from steadymark.app.session.analysis.measure_worker import MeasureRequest
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import moving_results
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session

FRAMES, LONG = 60, 30_000
AT_ONCE_MS = 1500  # 1 s, with some time for a loaded machine


@pytest.fixture
def clips(tmp_path: Path) -> tuple[str, str]:
    first, second = (square_video(tmp_path / f"{name}.mp4", FRAMES) for name in "ab")
    return str(first), str(second)


def open_tracked(qtbot: QtBot, session: Session, clip: str) -> None:
    session.open(clip)
    qtbot.waitUntil(lambda: session.display.path == clip, timeout=20000)
    qtbot.waitUntil(lambda: session.display.share == 1.0, timeout=20000)


def long_results() -> Results:
    """The rows of some frames, repeated to the length of a long recording."""
    short = Results(np.arange(20) / 25, load_schema("ibug68"))
    for result in moving_results(20):
        short.add(result)
    rows = short.rows()
    times = -(-LONG // len(rows))
    repeated = {
        name: np.concatenate([getattr(rows, name)] * times)[:LONG] for name in rows.__slots__
    }
    results = Results(np.arange(LONG) / 25, load_schema("ibug68"))
    results._rows = replace(
        rows, **{**repeated, "frame": np.arange(LONG), "previous_row": np.arange(LONG) - 1}
    )
    results._count, results._segment_count = LONG, 1
    results._known[:] = FrameStatus.TRACKED
    return results


def test_measures_of_the_next_recording_do_not_wait_for_those_of_the_one_that_was_left(
    qtbot: QtBot, session: Session, clips: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    release, slow = threading.Event(), threading.Event()

    def slow_at_first(*args: object, **options: object) -> object:
        if not slow.is_set():
            slow.set()
            release.wait(30)
        return measure_face(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(measure_worker, "measure_face", slow_at_first)
    try:
        open_tracked(qtbot, session, clips[0])
        session.request_measures()
        assert slow.wait(5)
        open_tracked(qtbot, session, clips[1])
        with qtbot.waitSignal(session.measures_changed, timeout=AT_ONCE_MS):
            session.request_measures()
        assert session.measures is not None
        measured = session.measures
    finally:
        release.set()
    time_s = time.monotonic()
    assert session.analysis.close(10)  # the late measures of the first recording are dropped
    assert time.monotonic() - time_s < 10
    assert session.measures is measured


def test_measures_of_a_long_recording_are_cancelled_when_it_is_left(
    qtbot: QtBot, session: Session, clips: tuple[str, str]
) -> None:
    session.analysis._measure_worker.request(
        MeasureRequest(long_results(), 25.0, MeasureSelection())
    )
    qtbot.waitUntil(lambda: session.analysis._measure_worker._requests.waiting == 0)
    open_tracked(qtbot, session, clips[0])
    with qtbot.waitSignal(session.measures_changed, timeout=AT_ONCE_MS):
        session.request_measures()
    assert session.measures is not None
    assert len(session.measures.times_s) == FRAMES


def test_tracking_again_cancels_the_measures_and_forgets_how_long_they_took(
    qtbot: QtBot, session: Session, clips: tuple[str, str]
) -> None:
    open_tracked(qtbot, session, clips[0])
    session.measure_time_s = 4.0
    worker = session.analysis._measure_worker
    with qtbot.waitSignal(session.recording.results_cleared):
        session.recording.retrack()
    assert session.measure_time_s == 0
    assert worker._requests.closed
    assert session.analysis._measure_worker is not worker
