"""Figures of model cards, and the tables of README.md and docs/benchmarks.md that they fill."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from steadymark.engine.bench.landmark_benchmark import COMMON, DETECTOR, TRAIN_HELD_BACK, TRUTH
from steadymark.models.runtime.zoo import (
    DEFAULT_DETECTOR,
    DEFAULT_MODEL,
    list_models,
    read_card,
    weights_folder,
)
from steadymark.models.training.card_texts import INTENDED_USE, LIMITS, described
from support.fakes.data_folder import write_data_folder
from tools import update_scores
from tools.model_scores.measure_models import (
    ModelFigures,
    hard_were_left_out,
    landmark_models,
    measure_models,
)
from tools.model_scores.score_cards import (
    COMMAND,
    current_rows,
    read_cards,
    with_figures,
    write_cards,
)
from tools.model_scores.score_tables import TABLES, with_tables
from tools.update_scores import PAGES, update_pages

ROOT = Path(__file__).parents[3]
CARDS = read_cards(weights_folder())


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_show_the_figures_of_the_cards(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "<!-- scores: " in text
    hint = "run 'python -m tools.update_scores' in app"
    assert with_tables(text, CARDS) == text, hint


def test_the_readme_states_the_errors_of_the_default_model() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    scores = read_card(weights_folder() / f"{DEFAULT_MODEL}.json").scores
    for boxes, what in (("true_boxes", "crops from the true"), ("our_detector", "with our face")):
        name = f"300w_common_{boxes}_nrmse_percent"
        if name in scores:
            (shown,) = re.findall(rf"300W common .*{what}.* NRMSE (\d+\.\d+) %", readme)
            assert float(shown) == pytest.approx(scores[name], abs=0.0051)
    (held_back,) = re.findall(r"300W train, .* NRMSE (\d+\.\d+) %", readme)
    name = "300w_train_held_back_our_detector_nrmse_percent"
    assert float(held_back) == pytest.approx(scores[name], abs=0.0051)


@pytest.mark.parametrize("name", list(CARDS))
def test_a_shipped_card_tells_recipe_data_commit_use_and_limits(name: str) -> None:
    card = CARDS[name]
    assert card["licence"]
    assert card["data"]
    assert card["recipe"]["commit"]
    assert card["recipe"]["seed"] is not None
    assert card["intended_use"]
    assert len(card["limits"]) >= 2
    assert card["scores"]
    assert read_card(weights_folder() / f"{name}.json").name == name


@pytest.mark.parametrize("name", landmark_models())
def test_the_rows_of_a_shipped_card_are_of_todays_weights(name: str) -> None:
    rows = CARDS[name].get("accuracy", [])
    hint = f"run 'python -m tools.update_scores --data DATA --model {name}' in app"
    assert rows == current_rows(CARDS[name], CARDS), hint
    found = {(each["faces_of"], each["boxes"]) for each in rows}
    assert {(TRAIN_HELD_BACK, TRUTH), (TRAIN_HELD_BACK, DETECTOR)} <= found, hint


def test_a_kind_of_model_without_texts_would_be_noticed() -> None:
    kinds = {card.kind for card in list_models()}
    assert kinds == set(INTENDED_USE) == set(LIMITS)
    own = described({"name": "a", "kind": "landmarks", "data": ["x"], "limits": ["mine"], "z": 1})
    assert list(own) == ["name", "kind", "data", "intended_use", "limits", "z"]
    assert own["limits"] == ["mine"]


def row(faces_of: str, boxes: str, nrmse: float) -> dict[str, Any]:
    return {
        "faces_of": faces_of,
        "boxes": boxes,
        "faces": 50,
        "missed": 2,
        "nrmse_percent": nrmse,
        "fr8_percent": 4.0,
        "auc8": 0.5,
        "regions_nrmse_percent": {"contour": 5.0, "eyes": 2.0},
    }


def measured(nrmse: float, *sets: str) -> ModelFigures:
    rows = [row(name, boxes, nrmse) for name in sets for boxes in (TRUTH, DETECTOR)]
    return ModelFigures(rows, [{"group": "all"}])


def test_new_figures_replace_old_ones_and_reported_ones_stay() -> None:
    card = {**CARDS[DEFAULT_MODEL], "accuracy": [], "own_field": {"kept": True}}
    first = with_figures(card, measured(3.5, COMMON, TRAIN_HELD_BACK, "dark"), CARDS)
    assert first["scores"]["300w_common_our_detector_nrmse_percent"] == 3.5
    assert first["scores"]["paper_300w_common_nrmse_percent"] == 2.91
    assert first["own_field"] == {"kept": True}
    assert first["scores_note"] == COMMAND
    assert list(first)[-3:] == ["file", "size_bytes", "sha256"]
    same = with_figures(first, measured(3.5, COMMON, TRAIN_HELD_BACK, "dark"), CARDS)
    assert json.dumps(same) == json.dumps(first)
    second = with_figures(first, measured(2.5, TRAIN_HELD_BACK), CARDS)
    found = {(r["faces_of"], r["boxes"]): r["nrmse_percent"] for r in second["accuracy"]}
    assert found == {
        (COMMON, TRUTH): 3.5,
        (COMMON, DETECTOR): 3.5,
        (TRAIN_HELD_BACK, TRUTH): 2.5,
        (TRAIN_HELD_BACK, DETECTOR): 2.5,
    }
    assert second["scores"]["300w_common_true_boxes_nrmse_percent"] == 3.5
    again = with_figures(second, measured(2.5, TRAIN_HELD_BACK), CARDS)
    assert json.dumps(again) == json.dumps(second)


def test_reported_figures_of_other_weights_are_dropped() -> None:
    card = with_figures(CARDS[DEFAULT_MODEL], measured(3.5, COMMON), CARDS)
    new = {**card, "sha256": "0" * 64}
    assert with_figures(new, measured(2.5, TRAIN_HELD_BACK), CARDS)["accuracy"][0]["faces_of"] == (
        TRAIN_HELD_BACK
    )
    other_detector = {**CARDS, "face_net": {**CARDS["face_net"], "sha256": "1" * 64}}
    kept = with_figures(card, measured(2.5, TRAIN_HELD_BACK), other_detector)["accuracy"]
    assert [r["boxes"] for r in kept if r["faces_of"] == COMMON] == [TRUTH]


def test_the_detector_keeps_what_was_not_measured_now() -> None:
    old = {**CARDS["face_net"], "scores_note": COMMAND}
    old["scores"] = {"recall_common_percent": 99.0, "yunet_recall": 90.0, "stale": 1.0}
    new = with_figures(old, ModelFigures(scores={"recall_train": 100.0}), CARDS)
    assert new["scores"] == {
        "recall_common_percent": 99.0,
        "yunet_recall": 90.0,
        "recall_train": 100.0,
    }
    exported = {**old, "scores_note": ""}
    scores = with_figures(exported, ModelFigures(scores={"recall_train": 100.0}), CARDS)["scores"]
    assert set(scores) == {"yunet_recall", "recall_train"}


@pytest.mark.slow
def test_the_detector_is_measured_as_bench_detector_does(tmp_path: Path) -> None:
    data = write_data_folder(tmp_path)
    figures = measure_models([DEFAULT_DETECTOR], data, CARDS, reported=False, tell=lambda _: None)
    scores = figures[DEFAULT_DETECTOR].scores
    assert scores["false_boxes_per_100_photos"] == 0  # grey pictures
    assert scores["missed_hard_set_percent"] == 100
    assert "recall_common_percent" not in scores


def test_a_model_that_began_with_unknown_weights_may_have_seen_the_hard_photos() -> None:
    further: dict[str, Any] = {"further": ["turned*3"]}
    assert hard_were_left_out(further)
    assert not hard_were_left_out({"further": []})
    assert not hard_were_left_out({})
    assert hard_were_left_out({**further, "began_with": [{"file": "a.pt", "recipe": further}]})
    assert not hard_were_left_out({**further, "began_with": [{"file": "a.onnx"}]})
    averaged = {"file": "a.pt", "recipe": further, "began_with": [{"file": "a.onnx"}]}
    assert not hard_were_left_out({**further, "began_with": [averaged]})


def test_a_table_without_a_figure_shows_a_dash_and_an_unknown_table_is_refused() -> None:
    bare = {name: {**card, "accuracy": [], "groups": []} for name, card in CARDS.items()}
    for name, table in TABLES.items():
        assert table(bare).count("|") > 4, name
    assert "| – | – |" in TABLES["models"](bare)
    with pytest.raises(ValueError, match="no table 'magic'"):
        with_tables("<!-- scores: magic -->\n<!-- end of scores -->", CARDS)


def test_pages_are_written_once(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for page in PAGES:
        text = "before\n<!-- scores: models -->\nold\n<!-- end of scores -->\nafter\n"
        (tmp_path / page).write_text(text)
    assert len(update_pages(tmp_path, weights_folder())) == len(PAGES)
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("before\n<!-- scores: models -->\n| model |")
    assert text.endswith("\n<!-- end of scores -->\nafter\n")
    assert "old" not in text
    assert update_pages(tmp_path, weights_folder()) == []


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> typer.Typer:
    """Return the command on a copy of the cards in `tmp_path`, with figures that are made up."""
    weights = tmp_path / "assets" / "weights"
    weights.mkdir(parents=True)
    write_cards(weights, CARDS)
    (tmp_path / "docs").mkdir()
    for page in PAGES:
        (tmp_path / page).write_text((ROOT / page).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(update_scores, "weights_folder", lambda: weights)
    monkeypatch.setattr(update_scores, "assets_root", lambda: tmp_path / "assets")
    figures = measured(3.21, TRAIN_HELD_BACK)
    figures = replace(figures, groups=[])
    monkeypatch.setattr(
        update_scores, "measure_models", lambda names, *_, **__: dict.fromkeys(names, figures)
    )
    app = typer.Typer()
    app.command()(update_scores.main)
    return app


def test_the_command_writes_card_and_pages_and_nothing_more_the_second_time(
    command: typer.Typer, tmp_path: Path
) -> None:
    arguments = ["--data", str(tmp_path), "--model", DEFAULT_MODEL]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    cards = read_cards(tmp_path / "assets" / "weights")
    assert cards[DEFAULT_MODEL]["scores"]["300w_train_held_back_true_boxes_nrmse_percent"] == 3.21
    assert cards["dan-lite"] == CARDS["dan-lite"]
    assert "NRMSE 3.21 %" in (tmp_path / "README.md").read_text(encoding="utf-8")
    files = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert CliRunner().invoke(command, arguments).exit_code == 0
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == files


def test_without_data_only_the_tables_are_written(command: typer.Typer, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("<!-- scores: detector -->\n<!-- end of scores -->\n")
    assert CliRunner().invoke(command, []).exit_code == 0
    assert "| face_net | figure |" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert read_cards(tmp_path / "assets" / "weights") == CARDS


def test_weights_that_were_replaced_meanwhile_are_not_described(
    command: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "assets" / "weights"

    def replacing(names: tuple[str, ...], *_: object, **__: object) -> dict[str, ModelFigures]:
        write_cards(weights, {DEFAULT_MODEL: {**CARDS[DEFAULT_MODEL], "sha256": "2" * 64}})
        return {name: measured(1.0, TRAIN_HELD_BACK) for name in names}

    monkeypatch.setattr(update_scores, "measure_models", replacing)
    result = CliRunner().invoke(command, ["--data", str(tmp_path), "--model", DEFAULT_MODEL])
    assert result.exit_code == 2
    assert "replaced meanwhile" in result.output
    assert read_cards(weights)[DEFAULT_MODEL]["sha256"] == "2" * 64


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "magic"], "unknown model 'magic'"),
        (["--data", "nowhere"], "--data nowhere is no folder"),
    ],
)
def test_bad_input_is_refused(command: typer.Typer, arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert words in result.output
