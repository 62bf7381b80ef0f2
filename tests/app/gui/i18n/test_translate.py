"""Messages of engine and models are translated wherever the window shows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QApplication

from steadymark.app.gui.i18n.language import apply_language
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.export import ExportKind as Export
from steadymark.app.session.live.open_stream import LiveTarget
from steadymark.app.session.video_queue import QueueStage
from steadymark.engine.core.errors import SinkError, SourceError
from steadymark.engine.pipeline.job import OutputSettings
from steadymark.models.errors import ContentError
from steadymark.models.user_text import UserText, join_texts
from support.fakes.small_model import write_model
from support.videos.square_video import square_video
from support.window.live_window_driver import start_live_view
from support.window.window_driver import key, open_video
from support.window.window_texts import untranslated

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice

MISSING_FILE = UserText("{path} does not exist: check the name and the folder", path="a {b}.mp4")
TRANSLATIONS = {
    "en": "a {b}.mp4 does not exist: check the name and the folder",
    "de": "a {b}.mp4 gibt es nicht: Prüfen Sie Namen und Ordner",
    "zh_CN": "a {b}.mp4 不存在：请检查名称和文件夹",  # noqa: RUF001
}


def use_language(language: str) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply_language(application, language)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_message_is_translated_into_the_current_language(language: str, english: None) -> None:
    use_language(language)
    assert translated(MISSING_FILE) == TRANSLATIONS[language]
    assert translated("anything else") == "anything else"


@pytest.mark.usefixtures("english")
def test_quoted_messages_are_translated_except_those_of_the_system() -> None:
    use_language("de")
    inner = ContentError("it is larger than {most_mib} MiB", most_mib=4)
    card = SourceError("{path} is not a Steadymark model card ({error})", path="a", error=inner)
    both = join_texts([card.sentence, SinkError("no model").sentence])
    assert (
        translated(both) == "a ist keine Modellkarte von Steadymark (größer als 4 MiB); kein Modell"
    )
    full = SourceError("cannot read {path}: {error}", path="b", error=OSError(28, "Disk full"))
    assert translated(full.sentence) == "b lässt sich nicht lesen: [Errno 28] Disk full"


def test_visible_messages_are_translated_when_the_language_changes(window: MainWindow) -> None:
    window.messages.show_message(MISSING_FILE)
    window.messages.show_message("said by the window itself")
    for language, text in TRANSLATIONS.items():
        use_language(language)
        window.messages.retranslate()
        assert window.messages.texts == ["said by the window itself", text]
        window.messages.show_message(MISSING_FILE)  # the same message is not repeated
        assert len(window.messages.texts) == 2


@pytest.mark.usefixtures("brackets")
def test_errors_on_opening_recordings_are_translated(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("nothing to see", encoding="utf-8")
    cut = square_video(tmp_path / "cut.mp4", 40)
    cut.write_bytes(cut.read_bytes()[:3000])
    for path in (text, cut, tmp_path / "gone.mp4", tmp_path):
        window.open_path(str(path))
        qtbot.waitUntil(lambda: bool(window.messages.texts), timeout=20000)
        (message,) = window.messages.texts
        assert message.startswith("⟦")
        assert not untranslated(message)


@pytest.mark.usefixtures("brackets")
def test_errors_on_adding_models_are_translated(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    path = write_model(tmp_path, sha256="0" * 64)
    for broken in (path, tmp_path / "other.txt", write_model(tmp_path / "..", crop=-1)):
        window.messages.dismiss_all()
        window.options.own_models.add(broken)
        qtbot.waitUntil(lambda: bool(window.messages.texts), timeout=20000)
        (message,) = window.messages.texts
        assert message.count("⟦") >= 2  # that it was not added, and why
        assert not untranslated(message)


@pytest.mark.usefixtures("brackets")
def test_errors_of_queued_videos_are_translated(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    key(window, "queue")
    many = window.exports.queue_window
    assert many is not None
    file_in_place_of_folder = tmp_path / "file"
    file_in_place_of_folder.write_text("no folder", encoding="utf-8")
    for path, folder in ((str(bad), tmp_path / "out"), (clip, file_in_place_of_folder)):
        many.queue.clear()
        many.queue.add([path], window.session.settings, OutputSettings(folder))
        qtbot.waitUntil(lambda: many.queue.running == 0, timeout=20000)
        assert [item.stage for item in many.queue.items] == [QueueStage.FAILED]
        many._refresh()
        row = many.list.topLevelItem(0)
        assert row is not None
        assert "⟦" in row.text(2)
        assert not untranslated(row.text(2))
        assert not untranslated(row.toolTip(2).splitlines()[0])


@pytest.mark.usefixtures("brackets")
def test_errors_of_ground_truth_and_exports_are_translated(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    ground_truth = tmp_path / "truth.csv"
    ground_truth.write_text("frame,x_0\n0,1\n", encoding="utf-8")
    window.session.analysis.load_ground_truth(ground_truth)
    qtbot.waitUntil(lambda: bool(window.messages.texts), timeout=20000)
    window.files.export(Export.TABLE, tmp_path / "nowhere" / "table.csv")
    qtbot.waitUntil(lambda: len(window.messages.texts) == 2, timeout=20000)
    assert window.messages.texts[0].count("⟦") == 2  # that it cannot be written, and why
    assert [message for message in window.messages.texts if untranslated(message)] == []


@pytest.mark.usefixtures("brackets")
def test_errors_of_live_recordings_and_presets_are_translated(
    qtbot: QtBot, window: MainWindow, device: PacedDevice, tmp_path: Path
) -> None:
    start_live_view(qtbot, window)
    window.live_controller._store(
        replace(window.live_controller.live_preferences, folder=str(tmp_path / "nowhere"))
    )
    key(window, "record")
    qtbot.waitUntil(lambda: bool(window.messages.texts))
    assert window.messages.texts[0].count("⟦") == 2
    bar = window.settings.presets
    bar._presets.folder.mkdir(parents=True, exist_ok=True)
    (bar._presets.folder / "bad.json").write_text('{"steadymark_preset": 1}', encoding="utf-8")
    bar.reload()
    bar.save("")
    assert len(window.messages.texts) == 3
    assert [message for message in window.messages.texts if untranslated(message)] == []


@pytest.mark.usefixtures("brackets")
def test_errors_of_cameras_and_streaming_addresses_are_translated(
    qtbot: QtBot, window: MainWindow
) -> None:
    window.session.open_live(LiveTarget("camera:no such camera"))
    qtbot.waitUntil(lambda: bool(window.messages.texts), timeout=20000)
    (message,) = window.messages.texts
    assert "⟦" in message
    assert not untranslated(message.split(" (")[0])
    window.actions_by_name["send"].trigger()
    dialog = window.live_controller.streaming.dialog
    assert dialog is not None
    dialog.target_changed.emit("vmc", True, "nowhere:port")
    assert "⟦" in dialog.fault.text()
    assert not untranslated(dialog.fault.text().split(": ", 1)[1])
