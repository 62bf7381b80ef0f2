"""Doubtful stretches are found in the background, and never those of a closed recording."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from steadymark.app.session.review import doubts_worker
from steadymark.app.session.state import Phase
from steadymark.engine.review.doubtful_stretches import find_doubtful
from support.fakes.blocking_fakes import Gate
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.session.session import Session

WAIT_MS = 20_000


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(square_video(tmp_path / "a.mp4", 30))


def test_a_closed_recording_is_not_waited_for_and_its_stretches_are_not_shown(
    qtbot: QtBot, session: Session, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()

    def blocked(*arguments: object) -> object:
        gate.pass_through()
        return find_doubtful(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(doubts_worker, "find_doubtful", blocked)
    session.open(clip)
    qtbot.waitUntil(gate.reached.is_set, timeout=WAIT_MS)
    monkeypatch.undo()
    session.close_source()
    session.open(clip)
    qtbot.waitUntil(lambda: session.doubts.complete, timeout=WAIT_MS)
    shown = session.doubts.stretches
    assert [(one.first, one.last) for one in shown] == [(12, 15)]
    session.close_source()
    changes: list[None] = []
    session.doubts.changed.connect(lambda: changes.append(None))
    gate.open()
    assert session.doubts.close(WAIT_MS / 1000)
    assert session.doubts.stretches == ()
    assert changes == []


def test_results_that_do_not_change_are_not_reviewed_again(
    qtbot: QtBot, session: Session, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.open(clip)
    qtbot.waitUntil(lambda: session.doubts.complete, timeout=WAIT_MS)
    again: list[object] = []
    monkeypatch.setattr(doubts_worker, "find_doubtful", lambda *given: again.extend(given))
    with qtbot.waitSignal(session.doubts._timer.timeout, timeout=WAIT_MS):
        session.recording.results_changed.emit()
    assert session.display.phase is Phase.FINISHED
    assert session.doubts.close(WAIT_MS / 1000)
    assert again == []


def test_finding_stretches_takes_at_most_a_tenth_of_a_core(
    qtbot: QtBot, session: Session, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(
        doubts_worker, "time", SimpleNamespace(perf_counter=lambda: 3.0 * next(clock))
    )
    session.open(clip)
    qtbot.waitUntil(lambda: bool(session.doubts.stretches), timeout=WAIT_MS)
    assert session.doubts._timer.interval() == 30_000
