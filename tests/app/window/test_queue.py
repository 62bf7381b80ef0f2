"""Many videos, chosen or dropped: tracked into files one after the other, aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from holding import Gate, gated_models
from square_film import square_models, square_video
from steadymark.app.session.opening import ModelCache
from steadymark.app.session.queueing import Stage
from steadymark.engine.pipeline import Pipeline, PipelineReport
from steadymark.engine.recording.checking import check_csv
from steadymark.engine.recording.reading import read_landmarks
from window_driving import key, opened

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.window.main_window import MainWindow
    from steadymark.app.window.queue_window import QueueWindow


@pytest.fixture
def clips(tmp_path: Path) -> list[str]:
    return [str(square_video(tmp_path / f"{name}.mp4", 40)) for name in "abc"]


def queue_of(window: MainWindow) -> QueueWindow:
    made = window.exports.many
    assert made is not None
    return made


def stages(window: MainWindow) -> list[Stage]:
    return [item.stage for item in queue_of(window).queue.items]


def test_chosen_videos_are_tracked_into_files_and_a_bad_one_stops_none(
    qtbot: QtBot,
    window: MainWindow,
    clips: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    chosen = [clips[0], str(bad), clips[1]]
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (chosen, ""))
    key(window, "queue")
    many = queue_of(window)
    assert many.isVisible()
    assert not many.begin.isEnabled()
    many._choose_videos()
    many.video.setChecked(True)
    assert many.folder.text() == str(tmp_path / "steadymark")
    many.begin.click()
    qtbot.waitUntil(lambda: many.queue.running == 0, timeout=20000)
    assert stages(window) == [Stage.DONE, Stage.FAILED, Stage.DONE]
    for name in "ab":
        assert check_csv(tmp_path / "steadymark" / f"{name}.csv") == ()
        assert (tmp_path / "steadymark" / f"{name}.mp4").is_file()
    index = (tmp_path / "steadymark" / "index.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:3] for line in index[1:]] == [
        [clips[0], "done", "a.csv"],
        [clips[1], "done", "b.csv"],
        [str(bad), "failed", ""],
    ]
    told = [many.list.topLevelItem(i).text(2) for i in range(3)]  # type: ignore[union-attr]
    assert told[0] == "a.csv, a.mp4"
    assert "bad.mp4" in told[1]
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()))
    many.list.topLevelItem(0).setSelected(True)  # type: ignore[union-attr]
    many.open_folder.click()
    assert shown == [str(tmp_path / "steadymark")]

    many.add([clips[0]])
    many.begin.click()  # its results are there already, and are not to be replaced
    qtbot.waitUntil(lambda: many.queue.running == 0, timeout=20000)
    assert stages(window)[-1] is Stage.FAILED
    assert "exists already" in many.queue.items[-1].note
    assert "--" not in many.queue.items[-1].note
    many.replace_files.setChecked(True)
    many.add([clips[0]])
    many.begin.click()
    qtbot.waitUntil(lambda: many.queue.running == 0, timeout=20000)
    assert stages(window)[-1] is Stage.DONE
    many.clear.click()
    assert many.queue.items == ()


def test_one_is_cancelled_then_all_and_the_window_goes_on_meanwhile(
    qtbot: QtBot,
    window: MainWindow,
    clips: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, stop = Gate(), Pipeline.stop

    def stop_then_go_on(pipeline: Pipeline) -> PipelineReport:
        pipeline._stopping.set()
        gate.open()
        return stop(pipeline)

    monkeypatch.setattr(Pipeline, "stop", stop_then_go_on)
    window.files.show_queue(clips)
    many = queue_of(window)
    many.queue._models = ModelCache(lambda _: gated_models(gate, after=10))
    many.begin.click()
    qtbot.waitUntil(lambda: gate.reached.is_set())
    opened(qtbot, window, clips[2])
    assert stages(window) == [Stage.RUNNING, Stage.WAITING, Stage.WAITING]
    many.list.topLevelItem(1).setSelected(True)  # type: ignore[union-attr]
    many.cancel.click()
    assert stages(window) == [Stage.RUNNING, Stage.CANCELLED, Stage.WAITING]
    many.cancel_all.click()
    qtbot.waitUntil(lambda: many.queue.running == 0, timeout=20000)
    assert stages(window) == [Stage.CANCELLED] * 3
    assert 0 < len(read_landmarks(tmp_path / "steadymark" / "a.partial.csv")) < 40
    assert not (tmp_path / "steadymark" / "a.csv").exists()


def test_quitting_asks_while_the_queue_runs_and_ends_it(
    qtbot: QtBot, window: MainWindow, clips: list[str]
) -> None:
    gate = Gate()
    window.files.show_queue(clips)
    many = queue_of(window)
    many.queue._models = ModelCache(lambda _: gated_models(gate, after=10))
    many.begin.click()
    qtbot.waitUntil(lambda: gate.reached.is_set())
    asked: list[int] = []
    window._may_cancel_exports = lambda: bool(asked.append(1))  # type: ignore[method-assign, func-returns-value]
    assert not window.close()
    assert asked == [1]
    gate.open()
    window._may_cancel_exports = lambda: True  # type: ignore[method-assign]
    assert window.close()
    assert window.closed_in_time
    assert not many.isVisible()


def test_several_dropped_videos_are_offered_to_the_queue(
    qtbot: QtBot, window: MainWindow, clips: list[str]
) -> None:
    from steadymark.app.window.dropping import take_dropped

    window.session._models = ModelCache(square_models)
    take_dropped(window, clips)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    message = window.messages._shown[0]
    assert "first was opened" in message.text
    message._chosen(lambda: window.files.show_queue(clips))
    assert queue_of(window).chosen == clips
