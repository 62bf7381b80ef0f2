"""`steadymark spans`: when each face was tracked, from the CSVs that tracking writes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from steadymark.app.cli import error_boundary
from steadymark.app.cli import main as cli
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.pipeline.pipeline import Pipeline
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import ListSource
from support.fakes.several_squares import CrowdDetector, CrowdNetwork, crowd_frame

LEFT, RIGHT = (120, 180, 60), (500, 180, 80)


def tracked(folder: Path) -> tuple[Path, Path]:
    """Track one face in frames 3 to 20 and another in frames 3 to 9 and 14 to 20."""
    frames = [crowd_frame(i) for i in range(3)]
    frames += [crowd_frame(i, LEFT, *(() if 10 <= i < 14 else (RIGHT,))) for i in range(3, 21)]
    files = folder / "native.csv", folder / "openface.csv"
    sinks = (
        NativeCsvSink(files[0], Header({}, {}, {}, "made", None), load_schema("ibug68")),
        OpenFaceCsvSink(files[1], load_schema("ibug68")),
    )
    config = TrackerConfig(max_faces=4)
    tracker = Tracker(
        CrowdDetector(), CrowdNetwork(), NoStabilizer(), load_schema("ibug68"), config
    )
    pipeline = Pipeline(ListSource(frames), tracker, sinks)
    pipeline.start()
    assert pipeline.wait(20)
    return files


def test_spans_of_native_and_openface_tables_match_the_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_boundary.out, "_width", 200)
    native, openface = tracked(tmp_path)
    found = tmp_path / "spans.json"
    result = CliRunner().invoke(
        cli.app, ["spans", str(native), str(openface), "--json", str(found)]
    )
    assert result.exit_code == 0, result.output
    spans = json.loads(found.read_text())
    native_spans = [(s["face_id"], s["tracked"], s["first"], s["last"]) for s in spans[str(native)]]
    assert native_spans == [
        (-1, False, 0, 2),
        (0, True, 3, 9),
        (1, True, 3, 20),
        (0, False, 10, 13),
        (0, True, 14, 20),
    ]
    assert spans[str(native)][0]["score"] is None
    assert (spans[str(native)][3]["start_s"], spans[str(native)][3]["end_s"]) == (0.4, 0.52)
    openface_spans = [s for s in spans[str(openface)] if s["tracked"]]
    assert [(s["first"], s["last"]) for s in openface_spans] == [(3, 9), (3, 20), (14, 20)]
    assert "no face" in result.output
    assert "10 – 13" in result.output


def test_a_missing_file_is_reported_in_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.app, ["spans", str(tmp_path / "nothing.csv")])
    assert result.exit_code == 2
    assert "cannot read" in result.output
    assert "Traceback" not in result.output
