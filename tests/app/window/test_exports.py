"""What the window writes: the same numbers as the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import av
import pytest
from typer.testing import CliRunner

from steadymark.app import cli
from steadymark.app.session.exporting import Kind
from steadymark.app.session.session import Session
from steadymark.app.session.state import Phase
from steadymark.app.window.main_window import MainWindow
from steadymark.engine.recording.checking import check_csv
from steadymark.engine.recording.reading import read_landmarks
from steadymark.engine.settings import TrackSettings
from steadymark.models.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.window.preferences import Preferences

DEMO = assets_root() / "clips" / "demo.mp4"


def track(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=60000)
    window.session.pause()


def track_anew(qtbot: QtBot, window: MainWindow, stabilizer: str) -> None:
    before, session = window.session.results, window.session
    session.use_settings(replace(session.settings, stabilizer=stabilizer))
    session.retrack()
    qtbot.waitUntil(
        lambda: session.results is not before and session.display.phase is Phase.FINISHED,
        timeout=60000,
    )


def exported(qtbot: QtBot, window: MainWindow, kind: Kind, path: Path) -> None:
    with qtbot.waitSignal(window.exports.ended, timeout=60000) as ended:
        window.files.export(kind, path)
    assert ended.args[0].fault == ""


@pytest.fixture
def real_window(qtbot: QtBot, tmp_path: Path, preferences: Preferences) -> Iterator[MainWindow]:
    """With the networks that are shipped."""
    session = Session(TrackSettings(), state_root=tmp_path / "state")
    window = MainWindow(session, preferences)
    window.show()
    yield window
    assert window.close()
    assert window.closed_in_time
    window.deleteLater()


def choose(qtbot: QtBot, window: MainWindow, stabilizer: str) -> None:
    """A filter, until it has run over all that is tracked."""
    results = window.session.results
    assert results is not None
    before = results.version
    window.session.use_settings(replace(window.session.settings, stabilizer=stabilizer))
    qtbot.waitUntil(lambda: results.version != before, timeout=20000)


def rows(path: Path) -> list[bytes]:
    """Without the two lines that say how it was made."""
    return path.read_bytes().splitlines()[2:]


@pytest.mark.slow
def test_the_windows_tables_are_those_of_the_command_line(
    qtbot: QtBot, real_window: MainWindow, tmp_path: Path
) -> None:
    window = real_window
    track(qtbot, window, str(DEMO))
    for stabilizer in ("auto", "one-euro", "butterworth"):
        folder = tmp_path / stabilizer
        result = CliRunner().invoke(
            cli.app, ["track", str(DEMO), "--out", str(folder), "--stabilizer", stabilizer]
        )
        assert result.exit_code == 0, result.output
        if stabilizer == "one-euro":  # from here on the network is another one
            track_anew(qtbot, window, "none")
        if stabilizer != "auto":
            choose(qtbot, window, stabilizer)
        exported(qtbot, window, Kind.CSV, tmp_path / f"{stabilizer}.csv")
        assert rows(tmp_path / f"{stabilizer}.csv") == rows(folder / "demo.csv")
        assert check_csv(tmp_path / f"{stabilizer}.csv") == ()
    result = CliRunner().invoke(
        cli.app,
        ["track", str(DEMO), "--out", str(tmp_path / "o"), "--csv", "openface",
         "--stabilizer", "one-euro"],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    choose(qtbot, window, "one-euro")
    exported(qtbot, window, Kind.OPENFACE, tmp_path / "face.csv")
    assert (tmp_path / "face.csv").read_bytes() == (tmp_path / "o" / "demo.csv").read_bytes()


def test_an_annotated_video_has_every_frame(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    track(qtbot, window, clip)
    exported(qtbot, window, Kind.VIDEO, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as movie:
        assert sum(1 for _ in movie.decode(video=0)) == 120
    assert any("out.mp4 is written" in text for text in window.messages.texts)


def test_a_table_of_a_part_is_marked_partial_and_said_to_be(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    window.session.toggle_tracking()
    qtbot.waitUntil(lambda: window.session.display.share > 0)
    if window.session.display.share == 1.0:
        pytest.skip("tracked before it could be paused")
    exported(qtbot, window, Kind.CSV, tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()
    assert len(read_landmarks(tmp_path / "t.partial.csv")) > 0
    assert any("by now" in text for text in window.messages.texts)


def test_an_export_that_cannot_be_written_is_told(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    track(qtbot, window, clip)
    with qtbot.waitSignal(window.exports.ended, timeout=20000):
        window.files.export(Kind.CSV, tmp_path / "no such folder" / "t.csv")
    assert "does not exist" in window.messages.texts[0]
    window.files.save_frame(tmp_path / "no such folder" / "f.png")
    qtbot.waitUntil(lambda: len(window.messages.texts) == 2)


def test_an_export_can_be_cancelled_and_what_is_written_stays(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    track(qtbot, window, clip)
    with qtbot.waitSignal(window.exports.ended, timeout=20000) as ended:
        window.files.export(Kind.VIDEO, tmp_path / "out.mp4")
        window.exports._lines[0].cancel.click()
    report = ended.args[0]
    if report.cancelled and report.done < report.of:
        assert not (tmp_path / "out.mp4").exists()
    assert window.exports.running == 0
