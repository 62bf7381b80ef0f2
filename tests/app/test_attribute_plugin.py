"""A face attribute is one file: the example plug-in has columns, a plot, a drawing and figures."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

import steadymark as sm
from steadymark.app.gui.actions.actions import action_specs, overlay_action_names
from steadymark.app.gui.panels.plots import Plots
from steadymark.app.gui.panels.statistics_panel import StatisticsPanel
from steadymark.app.gui.video.overlay import LandmarkStyle, paint_faces
from steadymark.app.gui.video.viewport import Viewport
from steadymark.app.session.analysis.face_measures import measure_face
from steadymark.app.session.recording.crash_recovery import SessionStore, find_sessions, recover
from steadymark.app.session.recording.results import Results
from steadymark.app.session.state import OverlayOptions
from steadymark.engine.attributes.attribute_registry import (
    ATTRIBUTES,
    attribute_columns,
    attribute_slices,
)
from steadymark.engine.core.types import Intrinsics
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.output.video.drawing import DrawOptions, draw
from steadymark.models import choice_registry
from steadymark.models.face.schema import IBUG68, assets_root, load_schema
from support.fakes.fake_results import (
    face_points,
    moving_results,
    source_info,
    track_result,
    tracked_face,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from steadymark.engine.core.protocols import Sink

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "examples" / "plugins" / "mouth_opening.py"
DEMO = assets_root() / "clips" / "demo.mp4"
IBUG = load_schema(IBUG68)
NAME, COLUMNS = "mouth_opening", ["mouth_open", "mouth_width"]


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Load the plug-in, as at the start of a program."""
    monkeypatch.setenv(choice_registry.PLUGINS, str(PLUGIN))
    monkeypatch.setattr(choice_registry, "_loaded_plugins", {})
    ATTRIBUTES.names()
    choice_registry.load_plugins()
    yield
    ATTRIBUTES.remove(NAME)


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Track the demo clip in a program with the plug-in; return the folder of its results."""
    folder = tmp_path_factory.mktemp("tracked")
    options = ("--end", "0.4", "--video", "--draw", "mouth", "--out", str(folder))
    subprocess.run(
        [sys.executable, "-m", "steadymark.app", "track", str(DEMO), *options],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("app", "engine", "models")),
            choice_registry.PLUGINS: str(PLUGIN),
        },
        check=True,
        capture_output=True,
    )
    return folder


def written(sink: Sink) -> list[list[str]]:
    """Write some results; return the fields of the table's lines."""
    sink.open(source_info())
    for result in moving_results(8):
        sink.write(result)
    sink.close(complete=True)
    lines = Path(sink.path).read_text(encoding="utf-8").splitlines()
    return [line.split(",") for line in lines if not line.startswith("#")]


def opening(xy_px: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """Return the opening of the mouth, divided by the distance of the outer eye corners."""
    return float(np.linalg.norm(xy_px[62] - xy_px[66]) / np.linalg.norm(xy_px[36] - xy_px[45]))


@pytest.mark.usefixtures("plugin")
def test_tables_of_track_have_its_columns_and_are_read_and_checked(tracked: Path) -> None:
    path = tracked / "demo.csv"
    assert check_csv(path) == ()
    table = read_landmarks(path)
    mouth = table.attributes[:, attribute_slices()[NAME]]
    assert mouth[:, 0] == pytest.approx([opening(xy) for xy in table.xy_px], abs=2e-4)
    assert np.isfinite(table.pose).all()
    names = path.read_text(encoding="utf-8").splitlines()[2].split(",")
    assert table.header["settings"]["attributes"] == [NAME]  # type: ignore[index]
    first = names.index("gaze_angle_y") + 1
    assert names[first : first + 3] == [*COLUMNS, "x_0"]


@pytest.mark.usefixtures("plugin")
def test_python_gives_its_values_by_face_as_an_array_and_in_pandas(tracked: Path) -> None:
    result = sm.read_csv(tracked / "demo.csv", image_size=(640, 480))
    values = result.attribute(NAME)
    assert values.shape == (12, 1, 2)
    (face,) = result.faces(3)
    assert face.attributes[NAME] == tuple(values[3, 0])
    np.testing.assert_array_equal(result.to_pandas()[COLUMNS].to_numpy(), values[:, 0])
    smoothed = result.smooth()
    np.testing.assert_allclose(
        smoothed.attribute(NAME)[:, 0, 0], [opening(xy) for xy in smoothed.landmarks[:, 0]], 1e-4
    )
    with pytest.raises(sm.UsageError, match="unknown face attribute 'nose': choose one of"):
        result.attribute("nose")


def test_without_the_plug_in_its_columns_are_ignored_and_reported(tracked: Path) -> None:
    assert read_landmarks(tracked / "demo.csv").attributes.shape == (12, len(attribute_columns()))
    told = [finding.text for finding in check_csv(tracked / "demo.csv")]
    assert told == [f"column '{name}' is unknown" for name in COLUMNS]


def test_the_other_columns_stay_as_they_are(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    plain = written(NativeCsvSink(tmp_path / "plain.csv", Header(), IBUG))
    openface = written(OpenFaceCsvSink(tmp_path / "plain_openface.csv", IBUG))
    request.getfixturevalue("plugin")
    more = written(NativeCsvSink(tmp_path / "more.csv", Header(), IBUG))
    first = more[0].index(COLUMNS[0])
    assert [row[:first] + row[first + 2 :] for row in more] == plain
    assert written(OpenFaceCsvSink(tmp_path / "more_openface.csv", IBUG)) == openface
    assert check_csv(tmp_path / "plain.csv") == ()
    old = read_landmarks(tmp_path / "plain.csv")
    assert np.isnan(old.attributes[:, attribute_slices()[NAME]]).all()
    assert np.isfinite(old.pose).any()


@pytest.mark.usefixtures("plugin")
def test_it_is_drawn_into_videos_and_pictures(tracked: Path) -> None:
    face = tracked_face()
    assert face.stabilized is not None
    result = track_result(0, face)
    nothing = DrawOptions(schema=IBUG68, points=False, contours=False, face_id=False, status=False)
    assert (draw(result, nothing) == 90).all()
    drawn = draw(result, replace(nothing, attributes=("mouth",)))
    y, x = np.rint(face.stabilized.xy_px[[62, 66]].mean(0)).astype(int)[::-1]
    assert (drawn[y, x] != 90).any()
    image = next(sm.read_frames(DEMO)).image
    (found,) = sm.FaceLandmarker().detect(image)
    assert (sm.draw(image, [found], drawings=("mouth",)) != sm.draw(image, [found])).any()
    assert (tracked / "demo.mp4").stat().st_size > 0


@pytest.mark.usefixtures("plugin")
def test_the_window_has_a_command_that_paints_it_over_the_picture(qtbot: QtBot) -> None:
    (command,) = (command for command in action_specs() if command.name == "mouth")
    assert command.checkable
    assert "mouth" in overlay_action_names()
    overlay = OverlayOptions(points=False, contours=False)
    pictures = []
    for options in (overlay, overlay.toggled("mouth"), overlay.toggled("mouth").toggled("mouth")):
        image = QImage(160, 120, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        style = LandmarkStyle(raw=False, colour=None, trails={}, schema=IBUG)
        paint_faces(painter, [tracked_face()], Viewport(1.0, 0.0, 0.0), options, style)
        painter.end()
        pictures.append(image)
    assert pictures[0] != pictures[1]
    assert pictures[0] == pictures[2]


@pytest.mark.usefixtures("plugin")
def test_its_curves_are_plotted_and_its_values_are_shown(qtbot: QtBot) -> None:
    results = Results(np.arange(40) / 25, IBUG)
    for i in range(40):
        face = tracked_face(points=face_points(80 + i / 10), raw_shift_px=0.0)
        results.add(track_result(i, face, restarted=i == 0))
    measures = measure_face(results.rows(), results.times_s, fps=25, schema=IBUG)
    plots, panel = Plots(), StatisticsPanel()
    for widget in (plots, panel):
        qtbot.addWidget(widget)
    plots.show_plots(NAME)
    plots.set_measures(measures)
    assert plots.shown_plots == (NAME,)
    curve = plots._curves[f"{NAME}/mouth_open"].getOriginalDataset()[1]
    assert curve[5] == pytest.approx(100 * opening(results.rows().stabilized[5]))
    panel.set_measures(measures)
    panel.set_faces(results.faces(5))
    (label,) = panel.readouts[NAME]
    assert label.text().startswith(f"opening {curve[5] / 100:.4f}\nwidth 0.")
    panel.set_faces(None)
    assert label.text() == "no face in this frame"


@pytest.mark.usefixtures("plugin")
def test_it_survives_a_crash_and_follows_the_stabilized_points(tmp_path: Path) -> None:
    store = SessionStore(tmp_path, "clip.mp4", {})
    sink = store.sink(1, IBUG, lambda _: None)
    sink.open(source_info())
    for result in moving_results(8):
        sink.write(result)
    sink.close(complete=False)
    store._lock.unlock()
    results = Results(np.arange(8) / 25, IBUG)
    (found,) = find_sessions(tmp_path)
    recover(found, results, Intrinsics(160, 120))
    rows = results.rows()
    there = np.isfinite(rows.raw[:, 0, 0])
    mouth = rows.attributes[:, attribute_slices()[NAME]][:, 0]
    assert mouth[there] == pytest.approx([opening(xy) for xy in rows.stabilized[there]], abs=1e-3)
    assert np.isnan(mouth[~there]).all()
    taller = rows.stabilized * np.array([1, 2], np.float32)
    results.set_stabilized(taller)
    mouth = results.rows().attributes[:, attribute_slices()[NAME]][:, 0]
    assert mouth[there] == pytest.approx([opening(xy) for xy in taller[there]])
