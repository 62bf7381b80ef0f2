"""Exports of the window contain the same numbers as those of the command line."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.app.gui.main_window import MainWindow
from steadymark.app.session.analysis.variants import Variant
from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.export import ExportKind
from steadymark.app.session.recording.point_filter import PointFilter
from steadymark.app.session.session import Session
from steadymark.app.session.state import Phase
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.tracking.settings import TrackSettings
from support.fakes.blocking_fakes import Gate, gated_models
from support.videos.demo_excerpt import write_demo_excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.preferences import Preferences


def track(qtbot: QtBot, window: MainWindow, clip: str) -> None:
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=60000)
    window.session.recording.pause()


def track_again(qtbot: QtBot, window: MainWindow, stabilizer: str) -> None:
    before, session = window.session.results, window.session
    session.use_settings(replace(session.settings, stabilizer=stabilizer))
    session.recording.retrack()
    qtbot.waitUntil(
        lambda: session.results is not before and session.display.phase is Phase.FINISHED,
        timeout=60000,
    )


def export(
    qtbot: QtBot, window: MainWindow, kind: ExportKind, path: Path, table: str = "native"
) -> None:
    with qtbot.waitSignal(window.exports.ended, timeout=60000) as ended:
        window.files.export(kind, path, table)
    assert ended.args[0].fault == ""


@pytest.fixture
def real_window(qtbot: QtBot, tmp_path: Path, preferences: Preferences) -> Iterator[MainWindow]:
    """Return a window with the shipped networks."""
    session = Session(TrackSettings(), state_root=tmp_path / "state")
    window = MainWindow(session, preferences)
    window.show()
    yield window
    assert window.close()
    assert window.closed_in_time
    window.deleteLater()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo_excerpt(tmp_path_factory.mktemp("demo") / "demo.mp4")


def choose(qtbot: QtBot, window: MainWindow, stabilizer: str) -> None:
    """Choose a filter and wait until it has been applied to all results."""
    results = window.session.results
    assert results is not None
    before = results.version
    window.session.use_settings(replace(window.session.settings, stabilizer=stabilizer))
    qtbot.waitUntil(lambda: results.version != before, timeout=20000)


def rows(path: Path) -> list[bytes]:
    """Return the lines of a table without the two header lines on settings and models."""
    return path.read_bytes().splitlines()[2:]


@pytest.mark.slow
def test_tables_of_the_window_equal_those_of_the_command_line(
    qtbot: QtBot, real_window: MainWindow, tmp_path: Path, demo: Path
) -> None:
    window = real_window
    track(qtbot, window, str(demo))
    for stabilizer in ("auto", "one-euro", "butterworth"):
        folder = tmp_path / stabilizer
        result = CliRunner().invoke(
            cli.app, ["track", str(demo), "--out", str(folder), "--stabilizer", stabilizer]
        )
        assert result.exit_code == 0, result.output
        if stabilizer == "one-euro":  # filters need another network than auto
            track_again(qtbot, window, "none")
        if stabilizer != "auto":
            choose(qtbot, window, stabilizer)
        export(qtbot, window, ExportKind.TABLE, tmp_path / f"{stabilizer}.csv")
        assert rows(tmp_path / f"{stabilizer}.csv") == rows(folder / "demo.csv")
        assert check_csv(tmp_path / f"{stabilizer}.csv") == ()
    result = CliRunner().invoke(
        cli.app,
        [
            "track",
            str(demo),
            "--out",
            str(tmp_path / "o"),
            "--csv",
            "openface",
            "--stabilizer",
            "one-euro",
        ],
    )
    assert result.exit_code == 0, result.output
    choose(qtbot, window, "one-euro")
    export(qtbot, window, ExportKind.TABLE, tmp_path / "face.csv", "openface")
    assert (tmp_path / "face.csv").read_bytes() == (tmp_path / "o" / "demo.csv").read_bytes()


@pytest.mark.slow
def test_switching_between_flow_and_convlstm_gives_the_tables_of_the_command_line(
    qtbot: QtBot, real_window: MainWindow, tmp_path: Path, demo: Path
) -> None:
    window = real_window
    track(qtbot, window, str(demo))
    window.session.use_settings(replace(window.session.settings, stabilizer="flow"))
    assert not window.session.source.settings_need_retracking  # auto has already chosen flow
    for stabilizer in ("flow", "convlstm", "flow"):
        if window.session.settings.stabilizer != stabilizer:
            track_again(qtbot, window, stabilizer)
        folder, table = tmp_path / stabilizer, tmp_path / f"{stabilizer}.csv"
        if not folder.exists():
            words = ["track", str(demo), "--out", str(folder), "--stabilizer", stabilizer]
            result = CliRunner().invoke(cli.app, words)
            assert result.exit_code == 0, result.output
        export(qtbot, window, ExportKind.TABLE, table)
        assert rows(table) == rows(folder / "demo.csv")
        assert (b"flow-cell" in table.read_bytes()) == (stabilizer == "flow")
        assert check_csv(table) == ()
        table.unlink()


def test_an_export_waits_for_the_filter_that_was_just_chosen(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track(qtbot, window, clip)
    track_again(qtbot, window, "none")
    export(qtbot, window, ExportKind.TABLE, tmp_path / "raw.csv")
    refilter = PointFilter.refilter

    def slow_refilter(*arguments: Any, **more: Any) -> Any:
        Event().wait(0.3)
        return refilter(*arguments, **more)

    monkeypatch.setattr(PointFilter, "refilter", slow_refilter)
    session = window.session
    session.use_settings(replace(session.settings, stabilizer="one-euro"))
    export(qtbot, window, ExportKind.TABLE, tmp_path / "soon.csv")
    export(qtbot, window, ExportKind.TABLE, tmp_path / "later.csv")
    assert rows(tmp_path / "soon.csv") == rows(tmp_path / "later.csv")
    assert rows(tmp_path / "soon.csv") != rows(tmp_path / "raw.csv")


def test_an_annotated_video_contains_every_frame(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    track(qtbot, window, clip)
    export(qtbot, window, ExportKind.VIDEO, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 120
    assert any("out.mp4 was written" in text for text in window.messages.texts)


def test_a_table_of_an_unfinished_tracking_is_marked_partial(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    gate = Gate()
    window.session._models = ModelCache(lambda _: gated_models(gate, after=30))
    window.open_path(clip)
    qtbot.waitUntil(lambda: gate.reached.is_set() and window.session.display.share > 0)
    export(qtbot, window, ExportKind.TABLE, tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()
    assert len(read_landmarks(tmp_path / "t.partial.csv")) > 0
    assert any("so far" in text for text in window.messages.texts)
    gate.open()
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)


def test_a_table_states_when_it_was_tracked_in_several_pieces(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    gate = Gate()
    window.session._models = ModelCache(lambda _: gated_models(gate, after=30))
    window.open_path(clip)
    qtbot.waitUntil(lambda: gate.reached.is_set() and window.view.shown is not None)
    window.session.recording.pause()
    window.session.recording.seek(110)
    gate.open()
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    export(qtbot, window, ExportKind.TABLE, tmp_path / "t.csv")
    assert "tracked in 3 parts" in window.messages.texts[0]
    settings = read_landmarks(tmp_path / "t.csv").header["settings"]
    assert isinstance(settings, dict)
    assert settings["pieces"] == 3
    window.session.recording.retrack()
    results = window.session.results
    qtbot.waitUntil(
        lambda: (
            window.session.results is not results and window.session.display.phase is Phase.FINISHED
        ),
        timeout=20000,
    )
    window.messages.dismiss_all()
    export(qtbot, window, ExportKind.TABLE, tmp_path / "again.csv")
    assert "tracked in" not in window.messages.texts[0]


def test_two_compared_variants_are_exported_side_by_side(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    track(qtbot, window, clip)
    variants = (Variant("one-euro"), Variant("butterworth"))
    window.comparison.compare(variants)
    analysis = window.session.analysis
    qtbot.waitUntil(
        lambda: analysis.compared is not None and analysis.compared.variants == variants
    )
    export(qtbot, window, ExportKind.SIDE, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as video:
        frames = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    assert len(frames) == 120
    assert frames[0].shape == (240, 640, 3)
    for index, side in ((30, 0), (90, 1)):
        faces = analysis.compared.faces(index) if analysis.compared is not None else None
        assert faces
        landmarks = faces[0].stabilized if side else faces[0].raw
        assert landmarks is not None
        side_image = frames[index].astype(int)[:, 320 * side :][:, :320]
        coloured = np.ptp(side_image, axis=-1) > 25
        has_drawing = [
            coloured[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].any()
            for x, y in landmarks.xy_px
        ]
        assert np.mean(has_drawing) > 0.9
        assert not coloured[:40].any()


def test_plots_can_be_saved_as_svg(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    track(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.measures is not None)
    size_before = window.plots._widget.size()
    with qtbot.waitSignal(window.exports.saved) as saved:
        window.files.save_plots(tmp_path / "plots.svg")
    assert saved.args == [str(tmp_path / "plots.svg"), ""]
    root = ElementTree.parse(tmp_path / "plots.svg").getroot()
    kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert {"svg", "path", "text"} <= kinds or {"svg", "polyline", "text"} <= kinds
    words = {element.text for element in root.iter() if element.tag.endswith("text")}
    text = " ".join(sorted(word or "" for word in words))
    assert "time, s" in text
    assert "MAV, 1 s" in text
    assert window.plots._widget.size() == size_before
    with qtbot.waitSignal(window.exports.saved) as saved:
        window.files.save_plots(tmp_path / "no such folder" / "plots.svg")
    assert "cannot write" in saved.args[1]


def test_an_export_that_cannot_be_written_is_reported(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    track(qtbot, window, clip)
    with qtbot.waitSignal(window.exports.ended, timeout=20000):
        window.files.export(ExportKind.TABLE, tmp_path / "no such folder" / "t.csv")
    assert "does not exist" in window.messages.texts[0]
    window.files.save_frame(tmp_path / "no such folder" / "f.png")
    qtbot.waitUntil(lambda: len(window.messages.texts) == 2)


def test_a_cancelled_export_leaves_no_video_and_stops_running(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    track(qtbot, window, clip)
    with qtbot.waitSignal(window.exports.ended, timeout=20000) as ended:
        window.files.export(ExportKind.VIDEO, tmp_path / "out.mp4")
        window.exports._lines[0].cancel_button.click()
    report = ended.args[0]
    if report.cancelled and report.done < report.total:
        assert not (tmp_path / "out.mp4").exists()
    assert window.exports.running == 0
