from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from steadymark.models.errors import WeightsError
from steadymark.models.runtime.zoo import (
    FLOW,
    FLOW_CELL,
    best_stabilizer,
    find_model,
    list_models,
    read_card,
    stabilized,
    verified_bytes,
)
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"weights"


def write_card(folder: Path, **changes: object) -> Path:
    (folder / "net.onnx").write_bytes(CONTENT)
    card: dict[str, object] = {
        "name": "net",
        "kind": "landmarks",
        "file": "net.onnx",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "licence": "MIT",
    }
    path = folder / "net.json"
    path.write_text(json.dumps({**card, **changes}), encoding="utf-8")
    return path


def test_unaltered_weights_are_read(tmp_path: Path) -> None:
    assert verified_bytes(read_card(write_card(tmp_path))) == CONTENT


def test_the_digest_tells_apart_cards_that_give_other_scores(tmp_path: Path) -> None:
    numbers = {"signals": [0, 1], "shares": [0.2, 0.9]}
    plain = read_card(write_card(tmp_path))
    first = read_card(write_card(tmp_path, point_scores=numbers))
    second = read_card(write_card(tmp_path, point_scores={**numbers, "shares": [0.2, 0.8]}))
    assert plain.digest == plain.sha256
    assert len({plain.digest, first.digest, second.digest}) == 3


@pytest.mark.parametrize("shares", [[0.9, 0.2], [0.2], [0.2, "x"], None])
def test_point_scores_that_do_not_rise_are_refused(tmp_path: Path, shares: object) -> None:
    card = write_card(tmp_path, point_scores={"signals": [0, 1], "shares": shares})
    with pytest.raises(WeightsError, match="is not a Steadymark model card"):
        read_card(card)


def test_altered_weights_are_refused_by_their_sha256(tmp_path: Path) -> None:
    card = read_card(write_card(tmp_path))
    (tmp_path / "net.onnx").write_bytes(b"Weights")
    with pytest.raises(WeightsError, match=r"altered or damaged.*install Steadymark again"):
        verified_bytes(card)


def test_missing_weights_are_reported(tmp_path: Path) -> None:
    card = read_card(write_card(tmp_path))
    (tmp_path / "net.onnx").unlink()
    with pytest.raises(WeightsError, match=r"no weights at .*net\.onnx"):
        verified_bytes(card)


def test_the_error_for_an_unknown_model_lists_the_known_ones(tmp_path: Path) -> None:
    write_card(tmp_path)
    with pytest.raises(WeightsError, match="unknown model 'other': choose one of net"):
        find_model("other", "landmarks", tmp_path)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    write_card(tmp_path)
    with pytest.raises(WeightsError, match="is a landmarks model, but face_detector is needed"):
        find_model("net", "face_detector", tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": 1', "\x00"])
def test_an_invalid_card_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WeightsError):
        read_card(path)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"crop": "many"}, r"\(Expected `int`, got `str` - at `\$\.crop`\)"),
        ({"name": 3}, r"\(Expected `str`, got `int` - at `\$\.name`\)"),
        ({"sha256": None}, r"\(Expected `str`, got `null` - at `\$\.sha256`\)"),
        ({"crop": 5000}, r"\(crop is 5000, which must be between 0 and 4096\)"),
        ({"face_score": {"kind": "peak"}}, r"\(Object missing required field.*`likely`"),
        (
            {"face_score": {"kind": "x", "likely": 2, "unlikely": 1}},
            r"\(its face_score is \{.*\}\)",
        ),
    ],
)
def test_a_card_with_a_wrong_value_says_which(
    tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    with pytest.raises(WeightsError, match=r"net\.json is not a Steadymark model card " + why):
        read_card(write_card(tmp_path, **changes))


def test_what_is_wrong_with_a_value_of_a_card_can_be_translated(tmp_path: Path) -> None:
    score = {"kind": "peak", "likely": 1, "unlikely": 2}
    with pytest.raises(WeightsError) as told:
        read_card(write_card(tmp_path, face_score=score))
    assert isinstance(told.value.sentence.fields["error"], UserText)


def test_numbers_of_a_card_may_be_text_or_have_a_fraction_of_zero(
    tmp_path: Path,
) -> None:
    card = read_card(write_card(tmp_path, crop=128.0, margin="1.5", scores={"a": 1, "b": "text"}))
    assert (card.crop, card.margin, card.scores) == (128, 1.5, {"a": 1.0})


def test_a_card_cannot_name_a_file_outside_its_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="outside"):
        read_card(write_card(tmp_path, file="../../etc/passwd"))


@pytest.mark.parametrize("card", list_models(), ids=lambda card: card.name)
def test_shipped_weights_match_their_cards(card: object) -> None:
    from steadymark.models.runtime.zoo import ModelCard

    assert isinstance(card, ModelCard)
    assert len(verified_bytes(card)) == card.size_bytes
    assert "300W" in card.licence


def test_flow_works_with_every_model_and_is_the_automatic_choice(tmp_path: Path) -> None:
    plain = read_card(write_card(tmp_path))
    with_flow = stabilized(plain, "flow")
    assert (with_flow.name, with_flow.cell, with_flow.over) == ("net", "flow", "net")
    assert with_flow.sha256 == plain.sha256
    assert best_stabilizer(plain) == with_flow
    assert stabilized(with_flow, "flow") == with_flow
    write_card(tmp_path, name="c", cell="convlstm", over="net").rename(tmp_path / "c.json")
    over = read_card(tmp_path / "c.json")
    write_card(tmp_path)
    assert best_stabilizer(over) == over  # the model contains its stabilizer
    assert stabilized(over, "flow") == with_flow  # which needs the plain model


def test_the_flow_cell_is_listed_but_is_not_a_landmark_model() -> None:
    card = find_model(FLOW_CELL, "stabilizer")
    assert (card.kind, card.cell) == ("stabilizer", FLOW)
    assert card in list_models()
    with pytest.raises(WeightsError, match="is a stabilizer model, but landmarks is needed"):
        find_model(FLOW_CELL, "landmarks")
    with pytest.raises(WeightsError, match="unknown model 'x': choose one of") as error:
        find_model("x", "landmarks")
    assert FLOW_CELL not in str(error.value)


def test_the_stabilizing_model_of_another_is_found_by_its_over_field(tmp_path: Path) -> None:
    plain = read_card(write_card(tmp_path))
    with pytest.raises(WeightsError, match=r"no convlstm stabilizer for 'net' \(only for no"):
        stabilized(plain, "convlstm")
    for name, cell, over in (
        ("a", "refine", "net"),
        ("b", "convlstm", "x"),
        ("c", "convlstm", "net"),
    ):
        write_card(tmp_path, name=name, cell=cell, over=over).rename(tmp_path / f"{name}.json")
    write_card(tmp_path)
    (tmp_path / "notes.json").write_text("[1, 2]")
    refined = stabilized(plain, "refine")
    assert [best_stabilizer(card).name for card in (plain, refined)] == ["net", "a"]
    assert stabilized(plain, "refine").name == "a"
    with_convlstm = stabilized(plain, "convlstm")
    assert with_convlstm.name == "c"
    assert stabilized(with_convlstm, "convlstm") == with_convlstm
    with pytest.raises(WeightsError, match=r"no refine stabilizer for 'c' \(only for net"):
        stabilized(with_convlstm, "refine")
