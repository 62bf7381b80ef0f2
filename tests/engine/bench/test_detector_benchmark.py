"""The hard set of faces for detectors, and the figures of `bench detector`."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli.main import app
from steadymark.app.cli.reports import detector_report
from steadymark.engine.bench import detector_benchmark
from steadymark.engine.bench.detector_benchmark import frame_ms, is_hit, measure, threshold_for
from steadymark.engine.bench.hard_face_set import (
    AFW,
    EXACT,
    HARD,
    TURNED,
    TURNED_ALL,
    all_rolls,
    hard_images,
    missed,
)
from steadymark.engine.core.types import FaceBox
from steadymark.models.face.pts_file import read_pts
from steadymark.models.synthesis.hard_variants import VERSIONS, hard_version, roll_of, rolled
from support.fakes.data_folder import SIZE, face_points, write_data_folder

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.bench.detector_benchmark import DetectorFigures
    from steadymark.engine.tracking.detection import FaceNetDetector
    from steadymark.models.face.crop import Image


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    return write_data_folder(tmp_path)


@pytest.fixture(autouse=True)
def few_frames_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time three frames, which take long enough."""
    monkeypatch.setattr(detector_benchmark, "frame_ms", partial(frame_ms, runs=3))


class CentreDetector:
    """Finds one upright face in the centre of every image."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        height, width = image.shape[:2]
        return (FaceBox(width / 2 - 75, height / 2 - 75, 150, 150, 0.9, 0.0),)


def test_the_hard_set_contains_hard_afw_turned_faces_and_every_version(data_folder: Path) -> None:
    kinds = [picture.kind for picture in hard_images(data_folder)]
    assert set(kinds) == set(HARD)
    assert kinds.count(AFW) == 1
    assert 0 < kinds.count(TURNED) < 10
    assert all(kinds.count(kind) == 2 for kind in VERSIONS)  # the hard one and the held-back one


def test_a_face_is_missed_when_no_box_hits_it(data_folder: Path) -> None:
    result = missed(CentreDetector(), hard_images(data_folder), is_hit)
    assert result[TURNED].missed == ()
    assert result["40 px"].percent > 0  # the face is not in the centre of its frame
    assert result["occluded"].percent == 0


def test_the_figures_of_a_detector_include_false_boxes_and_rolls(data_folder: Path) -> None:
    parts: list[str] = []
    figures = measure(CentreDetector(), data_folder, reported=True, on_part=parts.append)
    assert figures.false_per_100 == 100  # a box in every photo of none
    assert figures.crowds.percent == 100
    assert figures.hard[EXACT].faces == 2
    assert figures.hard[TURNED_ALL].faces == 12
    kept = sum(figures.hard[kind].faces for kind in HARD)  # without faces that are only reported
    assert figures.hard_set.faces == kept
    assert len(parts) == len(set(parts)) > 3
    rolls = all_rolls(CentreDetector(), data_folder, is_hit)
    assert rolls.faces == 24
    assert rolls.found == 24
    assert rolls.within_10 == 2  # the detector reports a roll of 0 for all
    assert rolls.median_deg == pytest.approx(90, abs=15)


def test_a_photo_is_rolled_clockwise_with_its_landmarks() -> None:
    points = face_points()
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    x, y = np.rint(points[8]).astype(int)
    image[y - 2 : y + 3, x - 2 : x + 3] = 255
    for turn in (90.0, 200.0):
        rolled_image, moved = rolled(image, points, turn)
        assert abs((roll_of(moved) - turn + 180) % 360 - 180) < 1
        x, y = np.rint(moved[8]).astype(int)
        assert rolled_image[y, x].min() > 100


@pytest.mark.parametrize("kind", list(VERSIONS))
def test_a_hard_version_is_reproducible_and_keeps_the_face_inside(kind: str) -> None:
    image = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    one, two, other = (hard_version(kind, image, face_points(), seed) for seed in (3, 3, 4))
    assert np.array_equal(one[0], two[0])
    assert not np.array_equal(one[0], other[0])
    height, width = one[0].shape[:2]
    assert one[0].dtype == np.uint8
    assert (one[1] > -10).all()
    assert (one[1] < (width + 10, height + 10)).all()


def test_the_command_prints_and_saves_one_table(data_folder: Path) -> None:
    file = data_folder / "figures.json"
    arguments = ["bench", "detector", "--data", str(data_folder), "--json", str(file)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "hard set, missed" in result.output
    figures = json.loads(file.read_text())["face_net"]
    assert figures["false_per_100"] == 0
    assert (
        figures["hard_set"]["missed"] == figures["hard_set"]["faces"] > 10
    )  # grey images, no faces


def test_the_threshold_allows_the_given_number_of_false_boxes(data_folder: Path) -> None:
    class ConstantScoreDetector:
        """Finds a box with a score of 0.7 in every photo."""

        def __init__(self, threshold: float) -> None:
            self.threshold = threshold

        def detect(self, image: Image) -> tuple[FaceBox, ...]:
            return (FaceBox(0, 0, 9, 9, 0.7),) if self.threshold <= 0.7 else ()

    assert threshold_for(ConstantScoreDetector, data_folder, 0.6) == pytest.approx(0.7, abs=0.006)
    assert threshold_for(ConstantScoreDetector, data_folder, 100) == pytest.approx(0.1, abs=0.006)


def test_the_command_prints_a_threshold_for_false_boxes(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thresholds: list[float] = []

    def measure_another(detector: FaceNetDetector, *arguments: Any, **more: Any) -> DetectorFigures:
        """Measure a fast detector: with a low threshold, face_net looks again at 100 places."""
        thresholds.append(detector.config.threshold)
        return measure(CentreDetector(), *arguments, **more)

    monkeypatch.setattr(detector_report, "measure", measure_another)
    arguments = ["bench", "detector", "--data", str(data_folder), "--false", "0.6"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "0.10" in result.output  # grey images have no faces at any threshold
    assert thresholds == [pytest.approx(0.1, abs=0.006)]
    both = CliRunner().invoke(app, [*arguments, "--threshold", "0.5"])
    assert both.exit_code == 2
    assert "leave one out" in " ".join(both.output.split())


def test_the_hard_set_is_written_in_300w_format(data_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hard"
    arguments = ["bench", "detector", "--data", str(data_folder), "--write", str(folder)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    kinds = {path.name for path in folder.iterdir()}
    assert kinds == {"afw_s_hardest", "aflw2000_held_back", "40_px", *list(VERSIONS)[:-1]}
    (label,) = (folder / "afw_s_hardest").glob("*.pts")
    assert label.stem == "afw_hard_1"
    assert read_pts(label) == pytest.approx(face_points(narrow=0.4), abs=0.01)
    assert cv2.imread(str(label.with_suffix(".png"))) is not None


def test_a_missing_detector_or_folder_is_reported(data_folder: Path) -> None:
    for arguments, words in (
        (["yunet:none.onnx", "--data", str(data_folder)], "yunet:FILE.onnx"),
        (["--data", str(data_folder / "nowhere")], "is no folder"),
    ):
        result = CliRunner().invoke(app, ["bench", "detector", *arguments])
        assert result.exit_code == 2
        assert words in " ".join(result.output.split())
