"""`steadymark bench scores`: its measures, its faces, and the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli import main as cli
from steadymark.engine.bench.score_benchmark import (
    ScoredFaces,
    figures_of,
    measuring_faces,
    score,
)
from steadymark.engine.bench.score_reliability import auc, calibration_error, reliability
from steadymark.engine.core.errors import UsageError
from steadymark.models.synthesis.conditions.known_occlusion import OCCLUDERS
from steadymark.models.synthesis.score_faces import KINDS, part_of
from support.fakes.fake_engine import SquareNetwork
from support.score_folder import write_score_folder

if TYPE_CHECKING:
    from pathlib import Path


def test_the_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    assert auc(np.array([0.9, 0.4]), np.array([0.5, 0.1])) == pytest.approx(3 / 4)
    assert auc(np.array([0.5]), np.array([0.5])) == pytest.approx(0.5)
    assert np.isnan(auc(np.array([]), np.array([0.5])))


def test_scores_that_are_probabilities_have_no_calibration_error() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(200_000)
    in_place = rng.random(len(scores)) < scores
    assert calibration_error(reliability(scores, in_place)) < 0.01
    assert calibration_error(reliability(np.ones_like(scores), in_place)) == pytest.approx(
        0.5, abs=0.01
    )


def test_each_score_is_counted_in_one_interval_and_an_empty_one_has_no_share() -> None:
    bins = reliability(np.array([0.0, 0.25, 0.29, 1.0]), np.array([False, True, False, True]))
    assert [each.count for each in bins] == [1, 0, 2, 0, 0, 0, 0, 0, 0, 1]
    assert bins[2].mean_score == pytest.approx(0.27)
    assert bins[2].in_place == 0.5
    assert np.isnan(bins[1].in_place)


def scored_faces() -> ScoredFaces:
    """A plain face and one with an occluder, whose hidden landmarks score lower and are wrong."""
    hidden = np.zeros((2, 68), bool)
    hidden[1, :20] = True
    scores = np.where(hidden, 0.3, 0.9).astype(np.float32)
    network = np.full((2, 68), 0.95, np.float32)
    return ScoredFaces(np.array(["plain", "flat"]), scores, network, ~hidden, hidden)


def test_the_figures_tell_hidden_from_visible_landmarks() -> None:
    figures = figures_of(scored_faces())
    assert figures.separation == figures.separation_of["flat"] == 1.0
    assert np.isnan(figures.separation_of["hand"])
    assert figures.network_separation == pytest.approx(0.5)
    assert figures.in_place_auc == 1.0
    assert (figures.hollow_visible, figures.hollow_hidden) == (0.0, 1.0)
    assert figures.error_of["plain"] == pytest.approx(0.1, abs=1e-6)


def test_photos_are_either_trained_on_or_fitted_to_or_measured_on() -> None:
    parts = [part_of(f"photo{i}") for i in range(4000)]
    shares = {part: parts.count(part) / len(parts) for part in set(parts)}
    assert set(shares) == {"train", "fit", "measure"}
    assert shares["train"] == pytest.approx(0.94, abs=0.02)
    assert shares["fit"] == pytest.approx(shares["measure"], abs=0.015)


def test_a_face_is_measured_in_every_kind_and_only_occluders_hide_landmarks(
    tmp_path: Path,
) -> None:
    faces = list(measuring_faces(write_score_folder(tmp_path)))
    assert [face.kind for face in faces] == list(KINDS)
    assert {face.kind for face in faces if face.hidden.any()} == set(OCCLUDERS)


def test_a_model_of_another_schema_is_refused() -> None:
    with pytest.raises(UsageError, match="wflw98"):
        score(SquareNetwork("wflw98"), [])


def test_the_command_prints_and_saves_the_figures(tmp_path: Path) -> None:
    data = write_score_folder(tmp_path / "data")
    table, plot = tmp_path / "t.json", tmp_path / "p.png"
    command = ["bench", "scores", "--data", str(data), "--json", str(table), "--plot", str(plot)]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.output
    figures = json.loads(table.read_text())["heatmap1d-lite"]
    assert figures["faces"] == len(KINDS)
    assert sum(each["count"] for each in figures["bins"]) == 68 * len(KINDS)
    assert figures["separation"] > 0.8
    assert "visible against hidden" in result.output
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "words"), [([], "no photos to measure"), (["--plot", "p.svg"], "PNG")]
)
def test_unsuitable_data_and_files_are_refused(
    tmp_path: Path, options: list[str], words: str
) -> None:
    result = CliRunner().invoke(cli.app, ["bench", "scores", "--data", str(tmp_path), *options])
    assert result.exit_code == 2
    assert words in result.output
