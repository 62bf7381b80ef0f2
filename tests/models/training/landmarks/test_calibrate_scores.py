"""`steadymark-train calibrate-scores`: the head `visible`, and the probability in the card."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from steadymark.models.errors import DataError
from steadymark.models.runtime.onnx_session import LandmarkNetwork, open_content
from steadymark.models.runtime.zoo import find_model, read_card, verified_bytes
from steadymark.models.training.cli import app
from steadymark.models.training.landmarks.score_fit import (
    Observations,
    calibrate_scores,
    fit_point_scores,
    rising,
)
from steadymark.models.training.landmarks.visibility_head import (
    VisibilityHead,
    bare,
    has_features,
    has_head,
    still_inputs,
    with_head,
)
from support.score_folder import write_score_folder

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("heatmap1d-lite", "stabilizer-1d")


def test_values_that_fall_are_pooled() -> None:
    values, weights = np.array([0.1, 0.5, 0.2, 0.6]), np.array([1, 1, 2, 1])
    np.testing.assert_allclose(rising(values, weights), [0.1, 0.3, 0.3, 0.6])


@pytest.mark.parametrize("with_visible", [False, True])
def test_the_fitted_scores_are_the_shares_in_place(*, with_visible: bool) -> None:
    rng = np.random.default_rng(0)
    hidden = rng.random((400, 68)) < 0.2
    scores = np.where(hidden, 0.6, 0.9) + rng.uniform(-0.05, 0.05, hidden.shape)
    in_place = rng.random(hidden.shape) < np.where(hidden, 0.4, 0.8)
    visible = np.where(hidden, 0.2, 0.95).astype(np.float32) if with_visible else None
    seen = Observations(scores.astype(np.float32), visible, in_place, hidden)
    fitted = fit_point_scores(seen)
    found = fitted.of(seen.scores, seen.visible)
    assert found[hidden].mean() == pytest.approx(0.4, abs=0.03)
    assert found[~hidden].mean() == pytest.approx(0.8, abs=0.03)
    assert bool(fitted.typical) is not with_visible


@pytest.mark.parametrize("name", NAMES)
def test_the_head_leaves_the_other_outputs_of_the_graph_as_they_are(name: str) -> None:
    card = find_model(name, "landmarks")
    content = verified_bytes(card)
    rng = np.random.default_rng(1)
    head = VisibilityHead(
        rng.normal(0, 0.1, (68, 96)).astype(np.float32), rng.normal(0, 1, 68).astype(np.float32)
    )
    changed = with_head(bare(content), head, card.crop)
    assert has_head(changed)
    before, after = (open_content(each, card.path) for each in (content, changed))
    crops = rng.integers(0, 256, (2, 3, card.crop, card.crop), np.uint8)
    inputs = still_inputs(before.session, crops)
    outputs = [o.name for o in before.session.get_outputs() if o.name != "visible"]
    for old, new in zip(before(outputs, **inputs), after(outputs, **inputs), strict=True):
        np.testing.assert_array_equal(old, new)
    (visible,) = after(["visible"], **inputs)
    assert visible.shape == (2, 68)
    assert 0 < visible.min() < visible.max() < 1


def test_the_head_reads_the_features_at_each_landmark() -> None:
    """With constant features, the logit is their weighted sum, wherever the landmarks are."""
    card = find_model("heatmap1d-lite", "landmarks")
    model = bare(verified_bytes(card))
    (conv,) = (n for n in model.graph.node if list(n.input[1:2]) == ["network.cnn1_x.0.weight"])
    producer = next(n for n in model.graph.node if conv.input[0] in n.output)
    producer.op_type = "Mul"  # features become 0 by a product with 0
    producer.input.append("nothing")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(1, np.float32), "nothing"))
    bias = np.linspace(-2, 2, 68, dtype=np.float32)
    content = with_head(model, VisibilityHead(np.ones((68, 96), np.float32), bias), card.crop)
    crops = np.zeros((1, 3, card.crop, card.crop), np.uint8)
    (visible,) = open_content(content, card.path)(["visible"], crops=crops)
    np.testing.assert_allclose(visible[0], 1 / (1 + np.exp(-bias)), atol=1e-5)


def test_a_new_head_replaces_the_old_one() -> None:
    card = find_model("heatmap1d-lite", "landmarks")
    plain = bare(verified_bytes(card))
    assert has_features(plain)
    head = VisibilityHead(np.zeros((68, 96), np.float32), np.zeros(68, np.float32))
    once = with_head(bare(verified_bytes(card)), head, card.crop)
    assert with_head(bare(once), head, card.crop) == once
    assert bare(once).SerializeToString() == plain.SerializeToString()


def test_the_command_writes_a_model_whose_scores_are_calibrated(tmp_path: Path) -> None:
    data, out = write_score_folder(tmp_path / "data"), tmp_path / "out"
    command = ["calibrate-scores", "heatmap1d-lite", "--data", str(data), "--out", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    old, new = find_model("heatmap1d-lite", "landmarks"), read_card(out / "heatmap1d-lite.json")
    assert new.point_scores is not None
    assert new.point_scores.visible_weight > 0
    crops = np.random.default_rng(2).integers(0, 256, (2, 128, 128, 3), np.uint8)
    before, after = (LandmarkNetwork(card, device="cpu").step(crops) for card in (old, new))
    np.testing.assert_array_equal(before.points, after.points)
    np.testing.assert_array_equal(before.scores, after.scores)
    assert after.calibrated is not None
    assert after.visible is not None
    expected = new.point_scores.of(after.scores, after.visible)
    np.testing.assert_array_equal(after.calibrated, expected)


def test_card_only_keeps_the_onnx_file(tmp_path: Path) -> None:
    data = write_score_folder(tmp_path / "data")
    card = find_model("dan-lite", "landmarks")
    for path in (card.path, card.path.with_suffix(".json")):
        shutil.copy(path, tmp_path)
    found = calibrate_scores(read_card(tmp_path / "dan-lite.json"), data, tmp_path, card_only=True)
    assert hashlib.sha256((tmp_path / "dan-lite.onnx").read_bytes()).hexdigest() == card.sha256
    assert read_card(tmp_path / "dan-lite.json").point_scores == found
    assert len(found.typical) == 68


def test_a_model_whose_scores_depend_on_earlier_frames_is_refused(tmp_path: Path) -> None:
    card = find_model("heatmap1d-tracker", "landmarks")
    with pytest.raises(DataError, match="earlier frames"):
        calibrate_scores(card, write_score_folder(tmp_path), tmp_path / "out")


def test_data_without_held_back_faces_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="300w"):
        calibrate_scores(find_model("dan-lite", "landmarks"), tmp_path, tmp_path / "out")
