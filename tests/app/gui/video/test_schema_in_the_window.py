"""The window shows a model of another schema with its own lines, names and measures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from steadymark.app.gui.i18n.display_names import landmark_name
from steadymark.app.gui.video.overlay import LandmarkStyle, paint_faces
from steadymark.app.gui.video.viewport import Viewport
from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.export import ExportKind
from steadymark.app.session.state import OverlayOptions
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import tracked_face
from support.fakes.made_up_schema import NAME, add_made_up_schema
from support.videos.square_video import square_models
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow


@pytest.fixture(params=["jd106", "aflw19", NAME])
def schema(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Schemas of more and of fewer landmarks than 68, one of them known only to this test."""
    add_made_up_schema(tmp_path, monkeypatch)
    return str(request.param)


def lines_of(schema: str) -> QImage:
    """Paint only the lines of a face of this schema."""
    image = QImage(300, 300, QImage.Format.Format_RGB32)
    image.fill(0)
    points = (load_schema(schema).mean_shape * 200 + 150).astype(np.float32)
    face = replace(tracked_face(points=points, raw_shift_px=0.0), attributes=None)
    overlay = OverlayOptions(points=False, contours=True, ids=False)
    painter = QPainter(image)
    style = LandmarkStyle(False, "#ffffff", {}, load_schema(schema))
    paint_faces(painter, (face,), Viewport(1.0, 0.0, 0.0), overlay, style)
    painter.end()
    return image


def test_the_painted_lines_are_those_of_the_schema(qtbot: QtBot, schema: str) -> None:
    image = lines_of(schema)
    for indices, closed in load_schema(schema).contours:
        for first, second in zip(indices, [*indices[1:], *indices[: int(closed)]], strict=False):
            ends = load_schema(schema).mean_shape[[first, second]] * 200 + 150
            x, y = ends.mean(0).round().astype(int).tolist()
            near = [image.pixelColor(x + i, y + j).red() for i in (-1, 0, 1) for j in (-1, 0, 1)]
            assert max(near) > 60


def test_a_recording_is_tracked_shown_measured_and_exported(
    qtbot: QtBot, window: MainWindow, clip: str, schema: str, tmp_path: Path
) -> None:
    window.session._models = ModelCache(lambda _: square_models(schema=schema))
    open_video(qtbot, window, clip)
    count, session = load_schema(schema).count, window.session
    assert window.view.shown is not None
    assert window.view.shown.schema.name == schema
    assert not window.view.grab().isNull()
    qtbot.waitUntil(lambda: session.measures is not None)
    assert session.measures is not None
    assert session.measures.schema.name == schema
    assert session.measures.landmark == min(30, count - 1)
    assert {name for name, *_ in session.measures.regions} == set(load_schema(schema).regions)
    assert window.statistics.landmark.count() == count
    window.files.export(ExportKind.TABLE, tmp_path / "out.csv")
    qtbot.waitUntil((tmp_path / "out.csv").is_file, timeout=10000)
    assert read_landmarks(tmp_path / "out.csv").schema == schema


def test_landmarks_are_named_as_in_ibug_or_by_their_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_made_up_schema(tmp_path, monkeypatch)
    made = load_schema(NAME)
    assert [landmark_name(i, made) for i in (0, 3, 4, 8, 11)] == [
        "brows 1",
        "brows 4",
        "right eye, outer corner",
        "nose tip",
        "chin",
    ]
    assert landmark_name(18, load_schema("ibug68")) == "right brow 2"
