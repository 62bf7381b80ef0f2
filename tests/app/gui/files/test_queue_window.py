"""Many videos, chosen or dropped, are tracked in processes, which write their files."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog, QProgressBar

from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.video_queue import QueueStage
from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.pipeline.pipeline import Pipeline
from support.fakes.blocking_fakes import Gate, gated_models, slow_models
from support.fakes.crashing_models import CRASHING_WIDTH, crashing_models
from support.videos.square_video import square_models, square_video
from support.window.live_window_driver import start_live_view
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.files.queue_window import QueueWindow
    from steadymark.app.gui.main_window import MainWindow
    from steadymark.engine.pipeline.pipeline_report import PipelineReport
    from steadymark.engine.tracking.settings import OpenModels
    from support.fakes.fake_live_sources import PacedDevice


@pytest.fixture
def clips(tmp_path: Path) -> list[str]:
    return [str(square_video(tmp_path / f"{name}.mp4", 40)) for name in "abc"]


def queue_window(window: MainWindow) -> QueueWindow:
    found = window.exports.queue_window
    assert found is not None
    return found


def stages(window: MainWindow) -> list[QueueStage]:
    return [item.stage for item in queue_window(window).queue.items]


def test_chosen_videos_are_tracked_and_a_bad_one_does_not_stop_the_others(
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
    dialog = queue_window(window)
    assert dialog.isVisible()
    assert not dialog.start_button.isEnabled()
    dialog._choose_videos()
    dialog.video.setChecked(True)
    assert dialog.folder.text() == str(tmp_path / "steadymark")
    dialog.start_button.click()
    qtbot.waitUntil(lambda: dialog.queue.running == 0, timeout=20000)
    assert stages(window) == [QueueStage.DONE, QueueStage.FAILED, QueueStage.DONE]
    for name in "ab":
        assert check_csv(tmp_path / "steadymark" / f"{name}.csv") == ()
        assert (tmp_path / "steadymark" / f"{name}.mp4").is_file()
    index = (tmp_path / "steadymark" / "index.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:3] for line in index[1:]] == [
        [clips[0], "done", "a.csv"],
        [clips[1], "done", "b.csv"],
        [str(bad), "failed", ""],
    ]
    notes = [dialog.list.topLevelItem(i).text(2) for i in range(3)]  # type: ignore[union-attr]
    assert notes[0] == "a.csv, a.mp4"
    assert "bad.mp4" in notes[1]
    dialog.list.resize(
        dialog.list.width() + 20, dialog.list.height()
    )  # makes the list update its layout
    QApplication.processEvents()
    bars = dialog.list.findChildren(QProgressBar)
    assert sorted(bar.isVisible() for bar in bars) == [False, True, True]
    opened_folders: list[str] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: opened_folders.append(url.toLocalFile())
    )
    dialog.list.topLevelItem(0).setSelected(True)  # type: ignore[union-attr]
    dialog.open_folder_button.click()
    assert opened_folders == [str(tmp_path / "steadymark")]

    dialog.add([clips[0]])
    dialog.start_button.click()  # its results exist, and must not be replaced
    qtbot.waitUntil(lambda: dialog.queue.running == 0, timeout=20000)
    assert stages(window)[-1] is QueueStage.FAILED
    assert "exists already" in dialog.queue.items[-1].note
    assert "--" not in dialog.queue.items[-1].note
    dialog.replace_files.setChecked(True)
    dialog.add([clips[0]])
    dialog.start_button.click()
    qtbot.waitUntil(lambda: dialog.queue.running == 0, timeout=20000)
    assert stages(window)[-1] is QueueStage.DONE
    dialog.clear_button.click()
    assert dialog.queue.items == ()


@pytest.fixture
def long_clips(tmp_path: Path) -> list[str]:
    """Write four videos, of half a minute each with `slow_models`."""
    first = square_video(tmp_path / "a.mp4", 600)
    return [str(first), *(str(shutil.copy(first, tmp_path / f"{n}.mp4")) for n in "bcd")]


def start_queue(
    qtbot: QtBot,
    window: MainWindow,
    clips: list[str],
    opener: Callable[..., OpenModels],
    count: int,
) -> QueueWindow:
    """Return the queue window when `count` of the clips are being tracked at the same time."""
    window.files.show_queue(clips)
    dialog = queue_window(window)
    dialog.queue._models = ModelCache(opener)
    dialog.processes.setMaximum(8)  # independent of the number of cores
    dialog.processes.setValue(count)
    dialog.start_button.click()
    qtbot.waitUntil(lambda: sum(i.frames > 0 for i in dialog.queue.items) == count, timeout=30000)
    return dialog


def test_single_and_all_videos_can_be_cancelled_while_the_window_is_used(
    qtbot: QtBot, window: MainWindow, long_clips: list[str], tmp_path: Path
) -> None:
    dialog = start_queue(qtbot, window, long_clips, slow_models, 2)
    open_video(qtbot, window, str(square_video(tmp_path / "seen.mp4", 40)))
    assert stages(window) == [
        QueueStage.RUNNING,
        QueueStage.RUNNING,
        QueueStage.WAITING,
        QueueStage.WAITING,
    ]
    dialog.list.topLevelItem(2).setSelected(True)  # type: ignore[union-attr]
    dialog.cancel_button.click()
    assert stages(window)[2] is QueueStage.CANCELLED
    dialog.list.clearSelection()
    dialog.list.topLevelItem(0).setSelected(True)  # type: ignore[union-attr]
    dialog.cancel_button.click()
    qtbot.waitUntil(lambda: dialog.queue.items[3].frames > 0, timeout=30000)
    cancelled = QueueStage.CANCELLED
    assert stages(window) == [cancelled, QueueStage.RUNNING, cancelled, QueueStage.RUNNING]
    dialog.cancel_all_button.click()
    qtbot.waitUntil(lambda: dialog.queue.running == 0, timeout=20000)
    assert stages(window) == [cancelled] * 4
    out = tmp_path / "steadymark"
    assert sorted(p.name for p in out.glob("*.csv*")) == [
        "a.partial.csv",
        "b.partial.csv",
        "d.partial.csv",
        "index.csv",
    ]
    for name in "abd":
        assert 0 < len(read_landmarks(out / f"{name}.partial.csv")) < 600


def test_a_single_video_is_tracked_in_this_process_and_can_be_cancelled(
    qtbot: QtBot,
    window: MainWindow,
    clips: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate, stop = Gate(), Pipeline.stop

    def stop_and_open_gate(pipeline: Pipeline) -> PipelineReport:
        pipeline._stopping.set()
        gate.open()
        return stop(pipeline)

    monkeypatch.setattr(Pipeline, "stop", stop_and_open_gate)
    window.files.show_queue(clips[:1])
    dialog = queue_window(window)
    dialog.queue._models = ModelCache(lambda _: gated_models(gate, after=10))
    dialog.start_button.click()
    qtbot.waitUntil(lambda: gate.reached.is_set())
    assert multiprocessing.active_children() == []
    dialog.list.topLevelItem(0).setSelected(True)  # type: ignore[union-attr]
    dialog.cancel_button.click()
    qtbot.waitUntil(lambda: dialog.queue.running == 0, timeout=20000)
    assert stages(window) == [QueueStage.CANCELLED]
    assert 0 < len(read_landmarks(tmp_path / "steadymark" / "a.partial.csv")) < 40


def test_closing_asks_while_the_queue_runs_and_ends_its_processes(
    qtbot: QtBot, window: MainWindow, long_clips: list[str], tmp_path: Path
) -> None:
    dialog = start_queue(qtbot, window, long_clips, slow_models, 3)
    questions: list[str] = []
    window.close_questions.ask = lambda title, *_: questions.append(title) or 2  # type: ignore[method-assign, func-returns-value]
    assert not window.close()
    assert questions == ["Export in progress"]
    assert len(multiprocessing.active_children()) == 3
    window.close_questions.ask = lambda *_: 1  # type: ignore[method-assign]
    assert window.close()
    assert window.closed_in_time
    assert multiprocessing.active_children() == []
    assert not dialog.isVisible()
    for name in "abc":
        assert list((tmp_path / "steadymark").glob(f"{name}.*csv*")) != []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_processes_that_do_not_respond_are_killed(
    qtbot: QtBot, window: MainWindow, long_clips: list[str], tmp_path: Path
) -> None:
    dialog = start_queue(qtbot, window, long_clips, slow_models, 2)
    for process in multiprocessing.active_children():
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
    dialog.queue.close()
    assert dialog.queue.join(20)
    assert multiprocessing.active_children() == []
    assert stages(window) == [QueueStage.CANCELLED] * 4


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_killed_process_fails_only_its_own_video(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    clips = [
        str(square_video(tmp_path / f"{name}.mp4", width=CRASHING_WIDTH if name == "b" else 320))
        for name in "abc"
    ]
    window.files.show_queue(clips)
    dialog = queue_window(window)
    dialog.queue._models = ModelCache(crashing_models)
    dialog.start_button.click()
    qtbot.waitUntil(lambda: dialog.queue.running == 0, timeout=30000)
    assert stages(window) == [QueueStage.DONE, QueueStage.FAILED, QueueStage.DONE]
    note = dialog.queue.items[1].note
    assert "b.mp4 ended (killed by signal 9" in note
    assert "--" not in note
    index = ResultsIndex(tmp_path / "steadymark")
    entry = index.find(clips[1])
    assert entry is not None
    assert (entry.state, entry.table) == ("failed", "b.partial.csv")
    open_video(qtbot, window, clips[0])


def test_videos_with_the_same_name_get_separate_tables(
    qtbot: QtBot, window: MainWindow, clips: list[str], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = str(square_video(tmp_path / "other" / "a.mp4", 30))
    window.files.show_queue([clips[0], other])
    dialog = queue_window(window)
    dialog.replace_files.setChecked(True)
    dialog.start_button.click()
    dialog.add([clips[0]])
    dialog.start_button.click()
    qtbot.waitUntil(lambda: dialog.queue.running == 0, timeout=30000)
    assert stages(window) == [QueueStage.DONE] * 3
    tables = [Path(item.outputs[0]).name for item in dialog.queue.items]
    assert tables == ["a.csv", "a-2.csv", "a.csv"]
    assert len(read_landmarks(tmp_path / "steadymark" / "a-2.csv").frame) == 30


def test_the_number_of_processes_follows_cores_live_view_and_choice(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steadymark.app.gui.files.queue_window.cores", lambda: 6)
    window.files.show_queue()
    dialog = queue_window(window)
    assert (dialog.processes.value(), dialog.queue.processes) == (6, None)
    start_live_view(qtbot, window)
    window.files.show_queue()
    assert (dialog.processes.value(), dialog.queue.processes) == (4, 4)
    dialog.processes.setValue(3)
    window.files.show_queue()
    assert (dialog.processes.value(), dialog.queue.most()) == (3, 3)


def test_several_dropped_videos_are_offered_to_the_queue(
    qtbot: QtBot, window: MainWindow, clips: list[str]
) -> None:
    from steadymark.app.gui.actions.drag_and_drop import open_dropped_files

    window.session._models = ModelCache(square_models)
    open_dropped_files(
        clips,
        open_path=window.open_path,
        load_ground_truth=window.session.analysis.load_ground_truth,
        show_queue=window.files.show_queue,
        messages=window.messages,
    )
    qtbot.waitUntil(lambda: window.view.shown is not None)
    message = window.messages._shown[0]
    assert "first one was opened" in message.text
    message._on_choice(lambda: window.files.show_queue(clips))
    assert queue_window(window).pending == clips
