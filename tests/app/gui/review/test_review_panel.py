"""The list of doubtful stretches: looked through by keys, decided about, undone and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.review import edits
from steadymark.engine.review.project_file import read_project
from steadymark.engine.review.stretch_table import StretchStatus
from steadymark.models.user_text import UserText
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

OPEN, ACCEPTED, EXCLUDED = StretchStatus
WAIT_MS = 20_000


def open_reviewed(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    """Open and track a video, and show its doubtful stretches."""
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.doubts.complete, timeout=WAIT_MS)
    window.docks.review.raise_()


def firsts(window: MainWindow) -> list[int]:
    return [row.stretch.first for row in window.review.listed]


def statuses(window: MainWindow) -> list[StretchStatus]:
    window.review.filter.setCurrentIndex(1)
    window.review.filter.activated.emit(1)
    return [row.status for row in window.review.listed]


def current(window: MainWindow) -> int:
    row = window.review.current
    return -1 if row is None else row.stretch.first


def test_stretches_are_listed_the_worst_first_or_by_time(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_reviewed(qtbot, window, clip)
    panel, model = window.review, window.review.model
    assert firsts(window) == [30, 12, 55]
    texts = [model.data(model.index(0, column)) for column in range(model.columnCount())]
    assert texts[:3] == ["#0", "0:01.2", "0.60\N{NO-BREAK SPACE}s"]
    assert str(texts[3]).startswith("not found for 0.64 s")
    panel.order.setCurrentIndex(1)
    panel.order.activated.emit(1)
    assert firsts(window) == [12, 30, 55]
    assert panel.count.text() == "0 of 3 looked at"
    assert not panel.notice.isVisibleTo(panel)


def test_keys_step_through_the_stretches_and_show_their_frames(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_reviewed(qtbot, window, clip)
    window.docks.review.hide()
    window.view.setFocus()
    window.view.zoom(8)
    key(window, "next_doubt")
    assert window.docks.review.isVisible()
    assert current(window) == 30
    qtbot.waitUntil(lambda: window.session.display.frame == 30, timeout=WAIT_MS)
    assert window.session.user_state.face == 0
    key(window, "next_doubt")
    key(window, "next_doubt")
    key(window, "next_doubt")
    assert current(window) == 55
    key(window, "previous_doubt")
    assert current(window) == 12
    qtbot.waitUntil(lambda: window.session.display.frame == 12, timeout=WAIT_MS)


def test_accepting_moves_on_and_each_decision_is_one_step_of_undo(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_reviewed(qtbot, window, clip)
    review, panel = window.session.review, window.review
    key(window, "next_doubt")
    key(window, "accept_doubt")
    assert firsts(window) == [12, 55]
    assert current(window) == 12
    key(window, "exclude_doubt")
    assert current(window) == 55
    assert panel.count.text() == "2 of 3 looked at"
    assert review.project is not None
    (excluded,) = review.project.excluded
    assert (excluded.start_s, excluded.end_s) == pytest.approx((11.5 / 25, 14.5 / 25))
    assert excluded.person == 0
    assert excluded.note.startswith("not found")
    key(window, "accept_doubt")
    assert panel.notice.text() == "All doubtful stretches were looked at."
    assert current(window) == -1
    assert not window.actions_by_name["accept_doubt"].isEnabled()
    assert statuses(window) == [ACCEPTED, EXCLUDED, ACCEPTED]
    for step in ("Accept a stretch", "Exclude a stretch", "Accept a stretch"):
        assert review.history is not None
        assert review.history.undone_next == step
        review.undo()
    assert statuses(window) == [OPEN, OPEN, OPEN]


def test_decisions_are_taken_back_with_the_same_keys(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_reviewed(qtbot, window, clip)
    statuses(window)
    for name, text, then in (
        ("accept_doubt", "Accept", "Open again"),
        ("exclude_doubt", "Exclude", "Include"),
    ):
        window.review.select(window.review.listed[0])
        assert window.actions_by_name[name].iconText() == text
        key(window, name)
        assert current(window) == 12
        window.review.select(window.review.listed[0])
        assert window.actions_by_name[name].iconText() == then
        key(window, name)
        assert current(window) == 30
        assert statuses(window) == [OPEN, OPEN, OPEN]
    window.session.review.edit(UserText("exclude"), lambda p: edits.exclude(p, 0.0, 2.5))
    assert statuses(window) == [EXCLUDED, EXCLUDED, EXCLUDED]
    window.review.select(window.review.listed[0])
    key(window, "exclude_doubt")
    assert statuses(window) == [EXCLUDED, EXCLUDED, EXCLUDED]
    assert "A longer interval" in window.messages.texts[0]


def test_limits_are_an_edit_of_the_project_and_change_the_list(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_reviewed(qtbot, window, clip)
    review, limits = window.session.review, window.review.limits
    window.review.limits_button.click()
    limits.values["missing"].setValue(0.3)
    qtbot.waitUntil(lambda: firsts(window) == [30], timeout=WAIT_MS)
    limits.values["missing"].setValue(0.2)
    qtbot.waitUntil(lambda: firsts(window) == [30, 55], timeout=WAIT_MS)
    limits.boxes["missing"].click()
    qtbot.waitUntil(lambda: firsts(window) == [], timeout=WAIT_MS)
    assert window.review.notice.text() == "There is no doubtful stretch."
    assert review.project is not None
    assert dict(review.project.limits) == {"missing_s": 0.2}
    assert review.project.doubts_off == {"missing"}
    assert not limits.values["missing"].isEnabled()
    assert review.undo()
    assert not review.undo()
    assert limits.boxes["missing"].isChecked()
    qtbot.waitUntil(lambda: firsts(window) == [30, 12, 55], timeout=WAIT_MS)
    limits.boxes["missing"].click()
    limits.reset.click()
    assert review.project.doubts_off == frozenset()


def test_a_video_is_tracked_reviewed_closed_and_found_as_it_was(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_reviewed(qtbot, window, clip)
    key(window, "next_doubt")
    key(window, "accept_doubt")
    key(window, "exclude_doubt")
    assert window.session.review.path is not None
    path = window.session.review.path
    key(window, "close")
    assert window.review.listed == []
    assert window.review.count.text() == ""
    assert path == Path(clip).with_suffix(".steadymark")
    saved = read_project(path)
    assert (len(saved.accepted), len(saved.annotations)) == (1, 1)
    open_reviewed(qtbot, window, clip)
    assert window.review.count.text() == "2 of 3 looked at"
    assert firsts(window) == [55]
    assert statuses(window) == [ACCEPTED, EXCLUDED, OPEN]
