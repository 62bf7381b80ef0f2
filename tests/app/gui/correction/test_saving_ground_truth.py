"""Corrected frames are saved as pictures with .pts files, which training reads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from steadymark.engine.review import edits
from steadymark.engine.review.project import Correction
from steadymark.models.datasets.detect_format import open_dataset
from steadymark.models.user_text import UserText
from support.window.lane_driver import go_to
from support.window.window_driver import key, open_video, stabilized_points

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

WAIT_MS = 20_000
CORRECTIONS = (
    Correction(0, 20, 0.8, ((30, 150.0, 90.0),)),
    Correction(0, 40, 1.6, ((8, 120.0, 150.25),)),
    Correction(7, 50, 2.0, ((8, 120.0, 150.0),)),  # of a face that is not there
)


@pytest.fixture
def folder(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return the folder that the user will choose, while a corrected video is open."""
    chosen = tmp_path / "labels"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(chosen))
    open_video(qtbot, window, clip)
    assert not window.actions_by_name["export_labels"].isEnabled()
    for one in CORRECTIONS:
        window.session.review.edit(UserText("correct"), partial(edits.correct, correction=one))
    return chosen


def save(qtbot: QtBot, window: MainWindow, name: str) -> None:
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        key(window, name)
    assert ended.args[0].fault == ""


def test_the_corrected_frames_are_a_data_set_with_the_shown_landmarks(
    qtbot: QtBot, window: MainWindow, folder: Path
) -> None:
    save(qtbot, window, "export_labels")
    assert "labels was written." in window.messages.texts[0]
    data = open_dataset(folder)
    assert [face.name for face in data.faces] == ["a_000020", "a_000040"]
    assert data.defects == ()
    for face, frame in zip(data.faces, (20, 40), strict=True):
        go_to(qtbot, window, frame)
        assert window.view.shown is not None
        np.testing.assert_array_equal(face.load_image(), window.view.shown.frame.image)
        np.testing.assert_allclose(face.points, stabilized_points(window), atol=0.001)
    assert data.faces[1].points[8].tolist() == [120.0, 150.25]


def test_the_shown_frame_is_saved_and_files_are_replaced_only_if_the_user_wants_it(
    qtbot: QtBot, window: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_to(qtbot, window, 60)
    save(qtbot, window, "export_frame_label")
    (face,) = open_dataset(folder).faces
    assert face.name == "a_000060"
    np.testing.assert_allclose(face.points, stabilized_points(window), atol=0.001)
    label = folder / "a_000060.pts"
    label.write_text("mine", encoding="utf-8")
    asked: list[str] = []

    def answer(button: QMessageBox.StandardButton) -> None:
        def question(_: object, title: str, text: str) -> QMessageBox.StandardButton:
            asked.append(text)
            return button

        monkeypatch.setattr(QMessageBox, "question", question)

    answer(QMessageBox.StandardButton.No)
    key(window, "export_frame_label")
    assert "a_000060.png" in asked[0]
    assert label.read_text(encoding="utf-8") == "mine"
    answer(QMessageBox.StandardButton.Yes)
    save(qtbot, window, "export_frame_label")
    assert "n_points: 68" in label.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_written_is_told(
    qtbot: QtBot, window: MainWindow, folder: Path
) -> None:
    folder.write_text("a file", encoding="utf-8")
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS):
        key(window, "export_labels")
    assert "labels" in window.messages.texts[0]
    assert "cannot write" in window.messages.texts[0]
