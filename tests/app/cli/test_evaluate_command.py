"""`steadymark evaluate` with fake networks."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from threading import Event

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from steadymark.app.cli import error_boundary, evaluate_command, track_command
from steadymark.app.cli import main as cli
from steadymark.engine.pipeline.job import OutputSettings, run_job
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import square_image
from support.videos.square_video import square_models

SHAPE = load_schema("ibug68").mean_shape
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def fake_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (evaluate_command, track_command):
        monkeypatch.setattr(module, "open_models", square_models)
    for console in (error_boundary.out, error_boundary.err):
        monkeypatch.setattr(console, "_width", 200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "faces"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), square_image((120, 110, 80)))
    write_pts(folder / "a.pts", SHAPE * 79 + (119.5, 109.5))
    return folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Write 40 frames of a square, which is missing in frames 20 to 24, and its ground truth."""
    ground_truth = np.full((40, 68, 2), np.nan)
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for t in range(40):
            x = square_x(t)
            visible = not 20 <= t < 25
            if visible:
                ground_truth[t] = SHAPE * 59 + (x - 0.5, 99.5)
            image = square_image((x, 100, 60) if visible else None)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    write_ground_truth(tmp_path / "clip_truth.csv", ground_truth)
    return path


def square_x(frame: int) -> int:
    """Return the x position of the square of `clip`, which moves irregularly."""
    return round(160 + 12 * math.sin(frame**1.5 / 20))


def write_ground_truth(path: Path, ground_truth: np.ndarray) -> None:
    names = ["frame", *(f"{a}_{k}" for a in "xy" for k in range(ground_truth.shape[1]))]
    rows = [",".join([str(t), *map(str, xy.T.ravel())]) for t, xy in enumerate(ground_truth)]
    path.write_text("\n".join([",".join(names), *rows]) + "\n")


def write_pts(path: Path, points: np.ndarray) -> None:
    rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


def evaluate(*arguments: object) -> Result:
    result = run("evaluate", *arguments)
    assert result.exit_code == 0, result.output
    return result


def figures(file: Path) -> dict[str, dict[str, object]]:
    content: dict[str, dict[str, dict[str, object]]] = json.loads(file.read_text("utf-8"))
    return content["models"]


def assert_one_sentence(result: Result, *words: str) -> None:
    """Assert exit code 2, an error message that contains all words, and no traceback."""
    text = " ".join(result.output.split())
    assert result.exit_code == 2, text
    assert "Traceback" not in text
    assert "something unexpected" not in text
    assert text.startswith("error: ")
    for word in words:
        assert word in text


@pytest.mark.parametrize("boxes", ["truth", "detector"])
def test_evaluate_prints_and_saves_the_same_figures(folder: Path, boxes: str) -> None:
    file = folder / "figures.json"
    result = evaluate("net", "--data", folder, "--boxes", boxes, "--json", file)
    found = figures(file)["net"]
    assert found["faces"] == 1
    for key, digits in (("nrmse", 3), ("auc8", 4), ("nrmse_inter_pupil", 3)):
        value = found[key]
        assert isinstance(value, float)
        assert f"{value:.{digits}f}" in result.output
    regions = found["regions"]
    assert isinstance(regions, dict)
    assert set(regions) == {"contour", "brows", "nose", "eyes", "mouth"}
    assert {"fr8", "fr10", "auc10", "median", "nrmse_box_diagonal"} <= set(found)


def test_several_models_are_printed_side_by_side(folder: Path) -> None:
    file = folder / "figures.json"
    result = evaluate("one", "other", "--data", folder, "--json", file)
    assert list(figures(file)) == ["one", "other"]
    assert any(line.split() == ["one", "other"] for line in result.output.splitlines())


def test_a_video_is_scored_against_the_ground_truth_file_beside_it(
    clip: Path, tmp_path: Path
) -> None:
    file = tmp_path / "figures.json"
    result = evaluate("net", "--data", clip, "--json", file)
    found = figures(file)["net"]
    assert (found["faces"], found["missed"]) == (35, 0)
    assert 0 < float(str(found["nrmse"])) < 3
    stability = found["stability"]
    assert isinstance(stability, dict)
    assert (stability["of"], stability["frames"], stability["lost_spans"]) == ("error", 40, 1)
    assert stability["tracked"] == pytest.approx(35 / 40)
    assert abs(stability["lag_frames"]) < 0.1
    assert stability["nrmse_fast"] > 0
    assert stability["still_motion"] is None  # NaN is written as null; the face is never still
    assert "MAV of error" in result.output


@pytest.mark.parametrize("style", ["native", "openface"])
def test_a_table_written_by_track_scores_like_the_model(
    clip: Path, tmp_path: Path, style: str
) -> None:
    run("track", clip, "--out", tmp_path / "out", "--csv", style)
    file, table = tmp_path / "figures.json", tmp_path / "out" / "clip.csv"
    evaluate("net", "--data", clip, "--csv", table, "--json", file)
    both = figures(file)
    tolerance = 1e-9 if style == "native" else 0.05  # % of 40 pixels; OpenFace has one decimal
    for key in ("nrmse", "nrmse_box_size", "auc10"):
        assert both["clip"][key] == pytest.approx(both["net"][key], abs=tolerance)
    other = tmp_path / "other.json"
    evaluate("--csv", table, "--truth", tmp_path / "clip_truth.csv", "--json", other)
    assert figures(other)["clip"] == both["clip"]


def wflw_table(clip: Path) -> Path:
    """Track the clip with a network of 98 landmarks, and write their ground truth beside it."""
    shape = load_schema("wflw98").mean_shape
    truth = np.stack([shape * 59 + (square_x(t) - 0.5, 99.5) for t in range(40)])
    write_ground_truth(clip.with_name("wflw_truth.csv"), truth)
    output, settings = OutputSettings(clip.parent / "wflw"), TrackSettings(stabilizer="none")
    models = square_models(schema="wflw98")
    run_job(str(clip), models, settings, output, used_stems=set(), stop=Event())
    return clip.parent / "wflw" / "clip.csv"


def test_a_table_of_another_schema_is_scored_in_its_own_schema(clip: Path, tmp_path: Path) -> None:
    table, file = wflw_table(clip), tmp_path / "figures.json"
    evaluate("--csv", table, "--truth", tmp_path / "wflw_truth.csv", "--json", file)
    assert (figures(file)["clip"]["faces"], figures(file)["clip"]["missed"]) == (40, 5)
    assert 0 < float(str(figures(file)["clip"]["nrmse"])) < 3


def test_tables_of_different_schemas_are_not_scored_together(clip: Path, tmp_path: Path) -> None:
    result = run("evaluate", "net", "--csv", wflw_table(clip), "--data", clip)
    assert_one_sentence(result, "net has the landmarks of ibug68", "wflw98", "separate runs")


def test_videos_in_300vw_format_are_scored_individually_and_together(
    clip: Path, tmp_path: Path
) -> None:
    for name in ("001", "002"):
        annot = tmp_path / "vw" / name / "annot"
        annot.mkdir(parents=True)
        (annot.parent / "vid.mp4").write_bytes(clip.read_bytes())
        for t in range(40):
            if not 20 <= t < 25:
                write_pts(annot / f"{t + 1:06d}.pts", SHAPE * 59 + (square_x(t) - 0.5, 99.5))
    file = tmp_path / "figures.json"
    evaluate("net", "--data", tmp_path / "vw", "--json", file, "--stabilizer", "one-euro")
    found = figures(file)["net"]
    assert found["faces"] == 70
    videos = found["videos"]
    assert isinstance(videos, dict)
    assert list(videos) == ["001", "002"]
    assert videos["001"]["nrmse"] == pytest.approx(found["nrmse"])
    assert videos["001"]["stability"]["lag_frames"] > 0.3  # the delay of the filter


def test_a_video_without_ground_truth_is_scored_on_still_frames(tmp_path: Path) -> None:
    images = tmp_path / "still"
    images.mkdir()
    for t in range(50):
        cv2.imwrite(str(images / f"{t:03d}.png"), square_image((120, 110, 80 + t % 2)))
    run("track", images, "--out", tmp_path / "out")
    file = tmp_path / "figures.json"
    table = tmp_path / "out" / "still.csv"
    result = evaluate("--csv", table, "--json", file)
    assert "no truth was given" in result.output
    assert "MAV of still frames" in result.output
    found = figures(file)["still"]
    stability = found["stability"]
    assert list(found) == ["stability"]
    assert isinstance(stability, dict)
    assert (stability["of"], stability["tracked"]) == ("still", 1.0)
    assert stability["still_frames"] > 20
    assert stability["mav"] > 0
    assert stability["lag_frames"] is None


def test_tables_without_ground_truth_are_compared_on_common_still_frames(tmp_path: Path) -> None:
    """The first face is still in frames 0 to 69, the second in frames 30 to 99."""
    for name, still in (("a", range(70)), ("b", range(30, 100))):
        images = tmp_path / name
        images.mkdir()
        for t in range(100):
            x = 120 + (0 if t in still else 4 * (t % 5))
            cv2.imwrite(str(images / f"{t:03d}.png"), square_image((x, 110, 80)))
        run("track", images, "--out", tmp_path / "out")
    alone, both = tmp_path / "alone.json", tmp_path / "both.json"
    tables = [tmp_path / "out" / f"{name}.csv" for name in "ab"]
    evaluate("--csv", tables[0], "--json", alone)
    evaluate("--csv", tables[0], "--csv", tables[1], "--json", both)

    def still_frame_counts(figures: dict[str, dict[str, object]]) -> list[int]:
        stability = [f["stability"] for f in figures.values()]
        return [s["still_frames"] for s in stability if isinstance(s, dict)]

    common = still_frame_counts(figures(both))
    assert common[0] == common[1]
    assert 10 <= common[0] <= 40 < still_frame_counts(figures(alone))[0]


def test_chosen_landmarks_are_compared_with_a_differently_numbered_ground_truth(
    clip: Path, tmp_path: Path
) -> None:
    file, ground_truth = tmp_path / "figures.json", tmp_path / "three.csv"
    evaluate("net", "--data", clip, "--landmarks", "36,45,48", "--json", file)
    expected = figures(file)["net"]
    rows = np.loadtxt(tmp_path / "clip_truth.csv", delimiter=",", skiprows=1)[:, 1:]
    write_ground_truth(ground_truth, np.stack((rows[:, :68], rows[:, 68:]), -1)[:, [48, 45, 36]])
    arguments = ["--data", clip, "--truth", ground_truth, "--landmarks", "36=2,45=1,48=0"]
    evaluate("net", *arguments, "--json", file)
    renumbered = figures(file)["net"]
    assert renumbered["nrmse"] == pytest.approx(expected["nrmse"])
    assert renumbered["stability"] == pytest.approx(expected["stability"])
    assert renumbered["nrmse_box_size"] is None


def read_png(path: Path) -> np.ndarray:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def test_curves_and_worst_faces_are_drawn(clip: Path, folder: Path, tmp_path: Path) -> None:
    plot, worst = tmp_path / "kürve.png", tmp_path / "worst.png"
    for data in (clip, folder):
        evaluate("net", "b", "--data", data, "--plot", plot, "--worst", worst)
        drawn = read_png(plot).astype(int)
        assert drawn.shape == (680, 1000, 3)
        assert (drawn[0, 0] == 255).all()
        for colour in ((178, 114, 0), (0, 94, 213)):  # the first two lines, BGR
            assert (np.abs(drawn - colour).max(-1) < 12).sum() > 100
        sheet = read_png(worst)
        assert sheet.max() > 200
        assert sheet.shape[1] >= 3 * 260
        assert len(np.unique(sheet)) > 50
        plot.unlink()
        worst.unlink()


def test_worst_count_sets_the_number_of_faces_on_the_contact_sheet(
    clip: Path, tmp_path: Path
) -> None:
    shown = []
    for count in (1, 2):
        worst = tmp_path / f"{count}.png"
        evaluate("net", "--data", clip, "--worst", worst, "--worst-count", count)
        sheet = read_png(worst)
        shown.append([float(sheet[88:348, x : x + 260].std()) > 5 for x in (10, 280, 550)])
    assert shown == [[True, False, False], [True, True, False]]


def test_a_missing_qt_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PySide6.QtWidgets", None)
    result = run("evaluate", "net", "--data", folder, "--plot", folder / "p.png")
    assert result.exit_code == 2
    assert "--plot needs Qt" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["net", "--data", "FOLDER", "--boxes", "magic"], "truth or detector"),
        (["net", "--data", "FOLDER", "--recentre", "nose"], "fit or eyes"),
        (["net", "--data", "EMPTY"], "no .pts files"),
        (["net", "--data", "nowhere"], "--data nowhere does not exist"),
        (["net", "--data", "CLIP", "--truth", "nowhere"], "--truth nowhere does not exist"),
        (["net"], "with --data"),
        ([], "name a model"),
        (["net", "net", "--data", "FOLDER"], "named twice"),
        (["net", "--data", "CLIP", "--boxes", "truth"], "leave --boxes out"),
        (["net", "--data", "FOLDER", "--threshold", "0.6"], "need --boxes detector"),
        (["net", "--data", "FOLDER", "--csv", "TRUTH"], "needs a video's truth"),
        (["net", "--data", "FOLDER", "--stabilizer", "one-euro"], "needs a video"),
        (["net", "--data", "FOLDER", "--landmarks", "eyes"], "not a list of landmarks"),
        (["net", "--data", "FOLDER", "--landmarks", "36,99"], "0 to 67"),
        (["net", "--data", "FOLDER", "--json", "nowhere/x.json"], "cannot write"),
        (["net", "--data", "FOLDER", "--json", "EMPTY"], "cannot write"),
        (["net", "--data", "FOLDER", "--plot", "x.jpg"], "ends in .png"),
        (["net", "--data", "FOLDER", "--worst", "nowhere/x.png"], "cannot write"),
        (["--csv", "CLIP", "--truth", "TRUTH"], "the file is not UTF-8"),
        (["--csv", "TRUTH"], "neither a Steadymark file"),
        (["--csv", "nowhere.csv", "--truth", "TRUTH"], "nowhere.csv"),
        (["net", "--data", "CLIP", "--truth", "SHORT"], "has 30 frames, the video 40"),
        (["net", "--data", "CLIP", "--truth", "EMPTY"], "no .pts files"),
        (["net", "--truth", "SHORT"], "no video beside"),
        (["net", "--data", "CLIP", "--truth", "OUTSIDE"], "nothing to compare"),
        (["net", "--data", "CLIP", "--truth", "POINTS"], "has 3 landmarks"),
        (["net", "--data", "TEXT"], "text.mp4"),
        (["net", "--data", "TEXT", "--plot", "x.png"], "say where it is with --truth"),
    ],
)
def test_invalid_input_is_reported_in_one_sentence(
    clip: Path,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("no video")
    write_ground_truth(tmp_path / "short.csv", np.zeros((30, 68, 2)))
    write_ground_truth(tmp_path / "outside.csv", np.full((40, 68, 2), -5.0))
    write_ground_truth(tmp_path / "points.csv", np.zeros((40, 3, 2)))
    names = {
        "FOLDER": folder,
        "CLIP": clip,
        "TRUTH": tmp_path / "clip_truth.csv",
        **{n: tmp_path / f"{n.lower()}.csv" for n in ("SHORT", "OUTSIDE", "POINTS")},
        "EMPTY": tmp_path / "empty",
        "TEXT": tmp_path / "text.mp4",
    }
    monkeypatch.chdir(tmp_path)
    result = run("evaluate", *(names.get(a, a) for a in arguments))
    printed = " ".join(result.output.replace(f"('{chr(35)} steadymark-csv 1')", "").split())
    assert words in printed
    assert_one_sentence(result)


def test_a_table_of_another_video_is_reported(clip: Path, tmp_path: Path) -> None:
    run("track", clip, "--out", tmp_path / "out")
    write_ground_truth(tmp_path / "short.csv", np.zeros((30, 68, 2)))
    table = tmp_path / "out" / "clip.csv"
    result = run("evaluate", "--csv", table, "--truth", tmp_path / "short.csv")
    assert_one_sentence(result, "has 40 frames, the video has 30")


def test_an_unknown_model_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from steadymark.engine.tracking import settings

    monkeypatch.setattr(evaluate_command, "open_models", settings.open_models)
    assert_one_sentence(run("evaluate", "nothing", "--data", folder), "unknown model 'nothing'")


def test_a_label_with_a_wrong_number_of_landmarks_is_reported(folder: Path) -> None:
    write_pts(folder / "a.pts", SHAPE[:66])
    assert_one_sentence(run("evaluate", "net", "--data", folder), "a.pts has 66 landmarks")
