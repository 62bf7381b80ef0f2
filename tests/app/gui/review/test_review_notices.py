"""The list of doubtful stretches says why it is empty, incomplete, or cannot be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.review.review_store import ReviewStore
from support.fakes.blocking_fakes import Gate, gated_models
from support.videos.square_video import square_video
from support.window.live_window_driver import start_live_view
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice

WAIT_MS = 20_000
DECISIONS = ("accept_doubt", "exclude_doubt")


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        (range(0), "There is no doubtful stretch."),
        (range(30), "No face was found, so there is nothing to review."),
    ],
)
def test_an_empty_list_says_why(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, lost: range, sentence: str
) -> None:
    open_video(qtbot, window, str(square_video(tmp_path / "b.mp4", 30, lost=lost)))
    qtbot.waitUntil(lambda: window.session.doubts.complete, timeout=WAIT_MS)
    assert window.review.listed == []
    assert window.review.notice.text() == sentence
    assert window.review.count.text() == ""
    assert not window.actions_by_name["next_doubt"].isEnabled()


def test_stretches_are_listed_while_tracking_continues(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    gate = Gate()
    window.session._models = ModelCache(lambda _: gated_models(gate, after=25))
    open_video(qtbot, window, clip, tracked=False)
    qtbot.waitUntil(lambda: len(window.review.listed) == 1, timeout=WAIT_MS)
    assert window.review.notice.text().startswith("Tracking is not finished: these are the")
    gate.open()
    qtbot.waitUntil(lambda: window.session.doubts.complete, timeout=WAIT_MS)
    assert len(window.review.listed) == 3
    assert window.review.notice.text() == ""


def test_a_project_that_is_open_elsewhere_is_listed_and_not_changed(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    info = window.session.recording.current.media.info  # type: ignore[union-attr]
    window.session.close_source()
    other = ReviewStore()
    other.open(info)
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.doubts.complete, timeout=WAIT_MS)
    window.review.step(1)
    assert "a.steadymark is open in another window" in window.review.notice.text()
    assert not any(window.actions_by_name[name].isEnabled() for name in DECISIONS)
    assert not window.review.limits.isEnabled()
    other.close()


def test_a_live_view_has_no_review(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, clip: str
) -> None:
    open_video(qtbot, window, clip)
    start_live_view(qtbot, window)
    assert window.review.notice.text().startswith("A live view has no review")
    assert window.review.listed == []
    assert not window.actions_by_name["export_reviewed"].isEnabled()
    assert "record it" in window.actions_by_name["export_reviewed"].toolTip()
