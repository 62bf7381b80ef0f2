"""The window writes the report that `steadymark report` writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QPushButton
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.app.gui.files.table_export_dialog import TableExportDialog
from steadymark.engine.report import compose_report
from steadymark.engine.report.stretch_pictures import stretch_pictures
from support.videos.square_video import square_video
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from PySide6.QtCore import QUrl
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

WAIT_MS = 20_000


@pytest.fixture(autouse=True)
def suggested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer every question for a file name with the suggested name."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *asked: (asked[2], ""))


def written(qtbot: QtBot, window: MainWindow) -> Path:
    """Return the file that the running export writes."""
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        pass
    assert ended.args[0].fault == ""
    return Path(ended.args[0].path)


def from_command_line(*arguments: object) -> str:
    """Return the page that `steadymark report` writes, without the time at which it was made."""
    target = Path(str(arguments[0])).with_name("cli.html")
    call = ["report", *map(str, arguments), "--out", str(target), "--overwrite"]
    result = CliRunner().invoke(cli.app, call)
    assert result.exit_code == 0, result.output
    return without_time(target)


def without_time(page: Path) -> str:
    return re.sub(r" on \d{4}-\d\d-\d\d \d\d:\d\d [^<]*", "", page.read_text(encoding="utf-8"))


def test_the_report_of_the_window_is_the_page_of_the_command_line(
    qtbot: QtBot, window: MainWindow, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.doubts.complete, timeout=WAIT_MS)
    key(window, "next_doubt")
    key(window, "accept_doubt")
    key(window, "exclude_doubt")
    key(window, "export_report")
    page = written(qtbot, window)
    assert page.name == "a_report.html"
    opened: list[str] = []

    def open_url(url: QUrl) -> None:
        opened.append(url.toLocalFile())

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    (button,) = (b for b in window.messages.findChildren(QPushButton) if b.text() == "Open")
    button.click()
    assert opened == [str(page)]

    window.actions_by_name["export_table_native"].trigger()
    (dialog,) = window.findChildren(TableExportDialog)
    dialog.review.setChecked(False)
    dialog.accept()
    table = written(qtbot, window)
    assert window.session.review.close()
    assert without_time(page) == from_command_line(table)
    assert page.read_text(encoding="utf-8").count("data:image/jpeg") == 3


def test_a_report_can_be_a_pdf(
    qtbot: QtBot, window: MainWindow, clip: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "page.pdf"), ""))
    open_video(qtbot, window, clip)
    window.actions_by_name["export_report"].trigger()
    assert written(qtbot, window).read_bytes().startswith(b"%PDF")


def test_a_cancelled_report_leaves_no_file(
    qtbot: QtBot, window: MainWindow, clip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_video(qtbot, window, clip)
    drawn = stretch_pictures

    def cancelling(*arguments: object, **options: object) -> list[str]:
        window.exports._lines[0].export.cancel()
        return drawn(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(compose_report, "stretch_pictures", cancelling)
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS):
        key(window, "export_report")
    assert window.messages.texts[0] == "Cancelled: a_report.html was not written."
    assert not Path(clip).with_name("a_report.html").exists()


def test_a_report_about_the_queue_has_all_finished_videos(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    key(window, "queue")
    dialog = window.exports.queue_window
    assert dialog is not None
    assert not dialog.report_button.isEnabled()
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    clips = [str(square_video(tmp_path / f"{name}.mp4", 30, lost=range(9, 14))) for name in "ab"]
    dialog.add([*clips, str(bad)])
    dialog.start_button.click()
    qtbot.waitUntil(lambda: dialog.queue.running == 0, timeout=WAIT_MS)
    dialog.report_button.click()
    page = written(qtbot, window)
    assert page == tmp_path / "steadymark" / "report.html"
    tables = [page.with_name(f"{name}.csv") for name in "ab"]
    assert without_time(page) == from_command_line(*tables)
    assert "All videos" in without_time(page)
