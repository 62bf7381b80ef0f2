"""The window exports moving faces, and lists only tables in its project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pygltflib
import pytest
from PySide6.QtWidgets import QFileDialog

from steadymark.app.session.state import Phase
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot
    from typer.testing import Result

    from steadymark.app.gui.main_window import MainWindow


@pytest.mark.parametrize(("name", "ending"), [("gltf", ".glb"), ("bvh", ".bvh")])
def test_the_window_writes_the_moving_face(
    qtbot: QtBot,
    window: MainWindow,
    clip: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    ending: str,
) -> None:
    asked: list[str] = []

    def choose(_: object, title: str, start: str, kinds: str = "") -> tuple[str, str]:
        asked.append(start)
        return str(tmp_path / "mine"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    window.actions_by_name[f"export_table_{name}"].trigger()
    qtbot.waitUntil(lambda: window.exports.running == 0, timeout=20000)
    assert [path.rpartition(".")[2] for path in asked] == [ending[1:]]
    project = window.session.review.project
    assert project is not None
    assert project.tables == ()  # A project lists what can be read again.
    if name == "gltf":
        file = pygltflib.GLTF2.load(str(tmp_path / "mine.glb"))
        times = file.accessors[file.animations[0].samplers[0].input]
        assert times.count > 100
    else:
        assert "Frames: 120\n" in (tmp_path / "mine.bvh").read_text()


@pytest.mark.parametrize("name", ["openface", "livelink"])
def test_the_window_writes_the_bytes_that_tracking_writes(
    qtbot: QtBot,
    window: MainWindow,
    clip: str,
    run: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    mine = tmp_path / "mine.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(mine), ""))
    open_video(qtbot, window, clip)
    window.actions_by_name[f"export_table_{name}"].trigger()
    qtbot.waitUntil(lambda: window.exports.running == 0, timeout=20000)
    done = run("track", clip, "--out", tmp_path / "out", "--format", name)
    assert done.exit_code == 0, done.output
    assert mine.read_bytes() == (tmp_path / "out" / "a.csv").read_bytes()
