"""The landmark schema of a model travels with its results into tables, videos and back."""

from __future__ import annotations

import json
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest

import steadymark as sm
from steadymark.engine.core.types import Frame
from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.video.drawing import DrawOptions, draw
from steadymark.engine.pipeline.job import OutputSettings, run_job
from steadymark.engine.tracking.settings import TrackSettings, make_tracker
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import square_image
from support.fakes.made_up_schema import NAME, add_made_up_schema
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["ibug68", "wflw98", "jd106", "insightface106", "aflw19", NAME])
def schema(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each schema that has a mean shape, and one that only this test knows."""
    add_made_up_schema(tmp_path, monkeypatch)
    return str(request.param)


def table_of(schema: str, folder: Path, **wanted: object) -> Path:
    """Track the square with a model of a schema; return the table."""
    folder.mkdir()
    film = square_video(folder / "film.mp4", 12, lost=range(4, 6))
    output = OutputSettings(folder / "out", **wanted)  # type: ignore[arg-type]
    settings = TrackSettings(stabilizer="none")
    models = square_models(schema=schema)
    job = run_job(str(film), models, settings, output, used_stems=set(), stop=Event())
    assert job.error is None
    return folder / "out" / "film.csv"


def test_a_table_names_its_schema_unless_tables_without_a_name_have_it(
    schema: str, tmp_path: Path
) -> None:
    path = table_of(schema, tmp_path / "a", video=True)
    table = read_landmarks(path)
    header = json.loads(path.read_text("utf-8").splitlines()[1][2:])
    assert header.get("schema") == (None if schema == "ibug68" else schema)
    assert table.schema == schema
    assert table.xy_px.shape[1] == load_schema(schema).count
    read = sm.read_csv(path)
    assert read.schema == schema
    read.to_csv(tmp_path / "again.csv")
    again = (tmp_path / "again.csv").read_text("utf-8").splitlines()
    assert json.loads(again[1][2:]).get("schema") == header.get("schema")
    assert again[2:] == path.read_text("utf-8").splitlines()[2:]


def test_a_face_is_drawn_with_the_lines_of_its_schema(schema: str) -> None:
    tracker = make_tracker(square_models(schema=schema), TrackSettings(stabilizer="none"))
    result = tracker.track(Frame(square_image((160, 120, 120)), 0, 0.0))
    lines = DrawOptions(points=False, face_id=False, status=False, schema=schema)
    drawn = draw(result, lines)
    assert (drawn != result.frame_with_image.image).any()
    first, second = load_schema(schema).contours[0][0][:2]
    assert result.faces[0].stabilized is not None
    xy = result.faces[0].stabilized.xy_px
    column, row = ((xy[first] + xy[second]) / 2).round().astype(int)
    around = np.s_[row - 2 : row + 3, column - 2 : column + 3]
    assert (drawn[around] != result.frame_with_image.image[around]).any()
    nothing = draw(result, DrawOptions(points=False, face_id=False, status=False, schema=""))
    np.testing.assert_array_equal(nothing, result.frame_with_image.image)


def test_a_table_whose_header_names_an_unknown_schema_has_none(tmp_path: Path) -> None:
    path = table_of("jd106", tmp_path / "a")
    text = path.read_text("utf-8")
    for other in ("of_another_program", "wflw98", "../jd106"):
        path.write_text(text.replace('"schema": "jd106"', f'"schema": "{other}"'), "utf-8")
        assert read_landmarks(path).schema == ""
        assert sm.read_csv(path).schema == ""
        assert sm.read_csv(path, schema="jd106").schema == "jd106"


def test_a_table_of_98_points_that_names_no_schema_has_the_usual_one(tmp_path: Path) -> None:
    path = table_of("wflw98", tmp_path / "a")
    text = path.read_text("utf-8")
    path.write_text(text.replace(', "schema": "wflw98"', ""), "utf-8")
    assert read_landmarks(path).schema == ""
    assert sm.read_csv(path).schema == "wflw98"


def test_openface_columns_refuse_the_landmarks_of_another_schema(tmp_path: Path) -> None:
    film = square_video(tmp_path / "film.mp4", 12)
    job = run_job(
        str(film),
        square_models(schema="jd106"),
        TrackSettings(),
        OutputSettings(tmp_path / "out", csv="openface"),
        used_stems=set(),
        stop=Event(),
    )
    assert job.error is not None
    assert "the format openface holds landmarks of ibug68, and these are of jd106" in job.error
