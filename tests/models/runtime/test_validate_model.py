"""Third-party models are untrusted data: each kind of invalid model is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as some
from onnx import TensorProto, helper

from steadymark.models.errors import WeightsError
from steadymark.models.runtime.onnx_reader import refuse_external_data
from steadymark.models.runtime.onnx_session import open_session
from steadymark.models.runtime.validate_model import find_follower, validate_model
from steadymark.models.runtime.zoo import find_model, read_card, weights_folder
from support.fakes.small_model import tiny_model, write_model


def with_external_data(model: onnx.ModelProto) -> onnx.ModelProto:
    """Move the first constant of the model to another file."""
    tensor = model.graph.initializer[0]
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return model


def test_a_good_model_is_accepted_by_either_of_its_files(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    assert validate_model(path) == validate_model(path.with_suffix(".json"))
    assert validate_model(path).name == "own"


@pytest.mark.parametrize("name", ["stabilizer-1d", "heatmap1d-lite"])
def test_copies_of_shipped_models_are_accepted(name: str, tmp_path: Path) -> None:
    for suffix in (".onnx", ".json"):
        shutil.copy(weights_folder() / f"{name}{suffix}", tmp_path)
    assert validate_model(tmp_path / f"{name}.onnx").name == name


def test_a_model_whose_follower_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="unknown model 'other'"):
        validate_model(write_model(tmp_path, follower="other"))
    with pytest.raises(WeightsError, match="unknown model"):
        validate_model(write_model(tmp_path, follower="../other"))


def test_a_follower_must_have_the_same_landmarks(tmp_path: Path) -> None:
    card = read_card(write_model(tmp_path, follower="own").with_suffix(".json"))
    same = find_follower(card)
    assert same is not None
    assert same.path == card.path
    assert find_follower(replace(card, follower=None)) is None
    with pytest.raises(WeightsError, match="'own' has landmarks of ibug68, but 'own' those of ib"):
        find_follower(replace(card, schema="ibug68_3d"))


@pytest.mark.parametrize(
    ("card", "why"),
    [
        ({"kind": "face_detector"}, "face_detector model: only landmark models"),
        ({"schema": "wflw98"}, r"float32 \(2, 68, 2\): for two faces it must be .* \(2, 98, 2\)"),
        ({"schema": "fgnet68"}, "whose mean shape is not known: models of aflw19, cofw29, ibug68"),
        ({"schema": "helen194"}, "have the schema helen194"),
        ({"batch": -1}, "batch is -1"),
        ({"face_score": {"kind": "guess", "likely": 1, "unlikely": 2}}, "its face_score is"),
        ({"sha256": "0" * 64}, "altered or damaged"),
        ({"sha256": None}, "no Steadymark model card|not a Steadymark model card"),
        ({"licence": None}, "not a Steadymark model card"),
        ({"crop": 0}, "says crop 0"),
        ({"crop": 10**9}, "crop is"),
        ({"crop": "wide"}, "not a Steadymark model card"),
        ({"crop": 32}, "its card says crop 32"),
        ({"margin": 0}, "says margin 0"),
        ({"margin": float("nan")}, "margin is nan"),
        ({"file": "other.onnx"}, r"belongs to other\.onnx, not to own\.onnx"),
        ({"file": "../own.onnx"}, "outside"),
    ],
)
def test_an_invalid_card_is_refused(tmp_path: Path, card: dict[str, Any], why: str) -> None:
    with pytest.raises(WeightsError, match=why):
        validate_model(write_model(tmp_path, **card))


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (tiny_model(inputs="image"), "is not a landmark model: it lacks crops"),
        (tiny_model(kind=TensorProto.FLOAT), r"tensor\(float\)"),
        (tiny_model(landmarks=98), r"\(2, 98, 2\)"),
        (tiny_model(extra=True), "fails when it runs"),
        (with_external_data(tiny_model()), "reads data from other files"),
        (b"", "cannot be run"),
        (b"not onnx", "cannot be run"),
        (b"\x00\x00\x00\x00ORTM" + bytes(64), "cannot be run"),
        (tiny_model().SerializeToString()[:-7], "truncated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_invalid_model_is_refused(tmp_path: Path, model: Any, why: str) -> None:
    with pytest.raises(WeightsError, match=why):
        validate_model(write_model(tmp_path, model))


def test_a_model_of_another_schema_is_taken(tmp_path: Path) -> None:
    path = write_model(tmp_path, tiny_model(landmarks=98), schema="wflw98")
    assert validate_model(path).schema == "wflw98"


def test_a_landmark_card_that_names_no_schema_is_of_ibug68(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    told = json.loads(path.with_suffix(".json").read_text("utf-8"))
    told.pop("schema", None)
    path.with_suffix(".json").write_text(json.dumps(told), "utf-8")
    assert validate_model(path).schema == "ibug68"
    path.with_suffix(".json").write_text(json.dumps({**told, "kind": "face_detector"}), "utf-8")
    assert read_card(path.with_suffix(".json")).schema == ""


def test_a_model_whose_output_is_not_finite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"output 'points' of own\.onnx is not finite"):
        validate_model(write_model(tmp_path, tiny_model(value=float("nan"))))


def test_missing_files_are_reported(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    with pytest.raises(WeightsError, match=r"choose a file that ends in \.onnx"):
        validate_model(tmp_path / "own.pt")
    path.with_suffix(".json").unlink()
    with pytest.raises(WeightsError, match=r"own\.onnx has no model card: put own\.json beside"):
        validate_model(path)
    write_model(tmp_path).unlink()
    with pytest.raises(WeightsError, match=r"does not contain own\.onnx"):
        validate_model(path)


def test_external_data_is_found_anywhere_in_a_graph(tmp_path: Path) -> None:
    inner = tiny_model().graph
    inner.initializer.extend(with_external_data(tiny_model()).graph.initializer[:1])
    hidden = tiny_model()
    hidden.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner))
    attribute = tiny_model()
    outside = with_external_data(tiny_model()).graph.initializer[0]
    attribute.graph.node.append(helper.make_node("Constant", [], ["z"], value=outside))
    function = tiny_model()
    inner_function = function.functions.add()
    inner_function.node.append(helper.make_node("Constant", [], ["z"], value=outside))
    for model in (hidden, attribute, function):
        with pytest.raises(WeightsError, match="reads data from other files"):
            refuse_external_data(model.SerializeToString(), tmp_path / "x.onnx")
    for card in sorted(weights_folder().glob("*.onnx")):
        refuse_external_data(card.read_bytes(), card)


def test_opening_a_model_refuses_external_data(tmp_path: Path) -> None:
    card = find_model(str(write_model(tmp_path, with_external_data(tiny_model()))), "landmarks")
    with pytest.raises(WeightsError, match="reads data from other files"):
        open_session(card, device="cpu")
    assert read_card(tmp_path / "own.json") == card


def test_too_deeply_nested_graphs_are_refused() -> None:
    content = b""
    for _ in range(100):
        for number in (6, 5, 1):  # a graph in an attribute of a node of a graph
            content = protobuf_field(number, content)
    with pytest.raises(WeightsError, match="without end"):
        refuse_external_data(protobuf_field(7, content), Path("deep.onnx"))


@given(some.binary(max_size=200))
def test_any_bytes_are_accepted_or_refused_with_a_reason(content: bytes) -> None:
    for given_bytes in (content, protobuf_field(7, protobuf_field(5, content))):
        try:
            refuse_external_data(given_bytes, Path("x.onnx"))
        except WeightsError as error:
            assert "x.onnx" in str(error)  # noqa: PT017


def protobuf_field(number: int, content: bytes) -> bytes:
    """Return a length-delimited field of a protobuf message."""
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content
