"""Untrusted models are data, never code: cards, ONNX files, checkpoints."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from steadymark.models.errors import SteadymarkError, WeightsError
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime import onnx_session, resource_limits, zoo
from steadymark.models.runtime.onnx_session import LandmarkNetwork, open_file, open_session
from steadymark.models.runtime.zoo import (
    DEFAULT_MODEL,
    find_model,
    list_models,
    read_card,
    verified_bytes,
)
from steadymark.models.training.detector.detector_photos import (
    DetectorPhoto,
    PhotoFace,
    frozen,
    photo_from_tensors,
)
from steadymark.models.training.loop.checkpoint import load_checkpoint, save_checkpoint
from support.malformed_files import MALICIOUS_NAMES, VALUES, corrupted, objects, read_or_refused

CARD: dict[str, Any] = {
    "name": "net",
    "kind": "landmarks",
    "file": "net.onnx",
    "sha256": "0" * 64,
    "licence": "MIT",
    "schema": "ibug68",
    "follower": None,
    "cell": None,
    "over": None,
    "crop": 128,
    "margin": 1.3,
    "threshold": 0.5,
    "params": 1,
    "macs": 1,
    "size_bytes": 7,
    "input": {"crops": "uint8"},
    "scores": {"common": 3.1},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.onnx").write_bytes(b"weights")
    return tmp_path


def write_card(folder: Path, **changes: object) -> Path:
    (folder / "net.json").write_text(json.dumps({**CARD, **changes}))
    return folder / "net.json"


def onnx_model(
    *nodes: onnx.NodeProto,
    inputs: dict[str, list[Any]] | None = None,
    outputs: list[str] | None = None,
) -> bytes:
    """A graph with input `crops` that outputs points, scores, face, and `outputs`."""
    input_shapes: dict[str, list[Any]] = {"crops": ["n", 3, 16, 16], **(inputs or {})}
    inputs_info = [
        helper.make_tensor_value_info(
            name, TensorProto.UINT8 if name == "crops" else TensorProto.FLOAT, shape
        )
        for name, shape in input_shapes.items()
    ]
    outputs_info = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in ("points", "scores", "face", *(outputs or ()))
    ]
    constant = [
        helper.make_node(
            "Constant", [], [name], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0.0])
        )
        for name in ("points", "scores", "face")
    ]
    graph = helper.make_graph([*nodes, *constant], "net", inputs_info, outputs_info)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("of.mine", 1)],
        ir_version=9,
    )
    return bytes(model.SerializeToString())


def card_of_model(folder: Path, content: bytes) -> zoo.ModelCard:
    (folder / "net.onnx").write_bytes(content)
    return read_card(write_card(folder, sha256=hashlib.sha256(content).hexdigest()))


@given(
    text=st.one_of(
        objects(list(CARD)).map(lambda some: json.dumps({**CARD, **some})),
        VALUES.map(json.dumps),
        corrupted(json.dumps(CARD).encode()).map(lambda b: b.decode("latin-1")),
        st.integers(1, 100_000).map(lambda n: "[" * n),
    )
)
def test_a_card_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "cards"
    folder.mkdir(exist_ok=True)
    path = folder / "net.json"
    path.write_text(text, encoding="latin-1", errors="replace")
    card = read_or_refused(lambda: read_card(path), "net.json")
    if card is None:
        return
    assert card.path.parent == folder
    assert 0 <= card.crop <= 4096
    assert np.isfinite([card.margin, card.threshold]).all()
    for read in (
        lambda: verified_bytes(card),
        lambda: find_model(str(path), "landmarks"),
        lambda: find_model(card.follower or "none", "landmarks", folder),
        lambda: load_schema(card.schema or "ibug68"),
    ):
        try:
            read()
        except (SteadymarkError, ValueError) as error:
            assert "embedded null" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", [n for n in MALICIOUS_NAMES if n not in ("net.onnx", "link.onnx")])
@pytest.mark.parametrize("key", ["file", "follower", "over", "schema", "cell"])
def test_a_card_cannot_name_a_file_outside_its_folder(folder: Path, key: str, name: str) -> None:
    with pytest.raises(WeightsError, match=r"outside the card's folder|it is not a plain name"):
        read_card(write_card(folder, **{key: name}))


@pytest.mark.parametrize("name", ["other.onnx", "other.json"])
def test_a_follower_is_a_name_and_not_a_file(folder: Path, name: str) -> None:
    with pytest.raises(WeightsError, match="is a file, not a name"):
        read_card(write_card(folder, follower=name))


def test_a_card_cannot_leave_its_folder_through_a_link(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"weights")
    (folder / "link.onnx").symlink_to(outside / "secret")
    with pytest.raises(WeightsError, match="outside the card's folder"):
        read_card(write_card(folder, file="link.onnx"))


def test_a_folder_of_links_to_card_and_model_works(folder: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    write_card(folder)
    for name in ("net.onnx", "net.json"):
        (linked / name).symlink_to(folder / name)
    assert read_card(linked / "net.json").path == linked / "net.onnx"


@pytest.mark.parametrize("name", [*MALICIOUS_NAMES, "../schemas/ibug68", "maps/menpo84_ibug68"])
def test_a_schema_must_be_a_built_in_one(name: str) -> None:
    with pytest.raises(ValueError, match="unknown landmark schema"):
        load_schema(name)


def test_a_model_that_is_too_large_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = read_card(write_card(folder))
    with (folder / "net.onnx").open("r+b") as file:
        file.truncate(20 << 30)  # 20 GiB, none of which is on the disk
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))
    with pytest.raises(WeightsError, match="larger than 1 GiB"):
        verified_bytes(card)


def test_custom_operators_are_refused(folder: Path) -> None:
    node = helper.make_node("RunMe", ["crops"], ["x"], domain="of.mine")
    with pytest.raises(WeightsError, match=r"cannot be run: .*RunMe"):
        LandmarkNetwork(card_of_model(folder, onnx_model(node)), device="cpu")


@pytest.mark.parametrize(
    "shape", [[1, 1 << 20, 1 << 20], [1, "n", "n"], [1, -5], [1, (1 << 24) + 1]]
)
def test_a_state_of_invalid_size_is_refused(folder: Path, shape: list[Any]) -> None:
    content = onnx_model(inputs={"state_a": shape})
    with pytest.raises(WeightsError, match=r"its state_a is|cannot be run"):
        LandmarkNetwork(card_of_model(folder, content), device="cpu")


def test_crops_of_invalid_shape_are_refused(folder: Path) -> None:
    content = onnx_model(inputs={"crops": [5]})
    with pytest.raises(WeightsError, match=r"its crops are \[5\]"):
        LandmarkNetwork(card_of_model(folder, content), device="cpu")


@pytest.mark.parametrize("at_load", [True, False], ids=["when loaded", "when run"])
def test_a_model_that_needs_too_much_memory_is_refused(folder: Path, at_load: bool) -> None:
    """2⁴⁰ numbers, of which the file contains nothing but their count."""
    size = helper.make_tensor("v", TensorProto.INT64, [1], [1 << 40])
    nodes = [helper.make_node("Constant", [], ["size"], value=size)]
    if at_load:
        nodes += [helper.make_node("ConstantOfShape", ["size"], ["many"])]
    else:
        nodes += [
            helper.make_node("Cast", ["crops"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMax", ["float"], ["one"], keepdims=0),
            helper.make_node("Expand", ["one", "size"], ["many"]),
        ]
    nodes += [helper.make_node("ReduceMax", ["many"], ["most"])]
    card = card_of_model(folder, onnx_model(*nodes, outputs=["most"]))
    network = LandmarkNetwork(card, device="cpu")
    with pytest.raises(WeightsError, match=r"net\.onnx needs more than 4 GiB of memory"):
        network.step(np.zeros((1, 16, 16, 3), np.uint8))


def test_a_model_that_runs_too_long_is_stopped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop whose number of iterations is in the file; here it runs for about a minute."""
    tensor = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", [a], [b]) for a, b in (("go", "goes_on"), ("x", "y"))],
        "body",
        [tensor("i", TensorProto.INT64, []), tensor("go", TensorProto.BOOL, []),
         tensor("x", TensorProto.FLOAT, [])],
        [tensor("goes_on", TensorProto.BOOL, []), tensor("y", TensorProto.FLOAT, [])],
    )  # fmt: skip
    iterations = helper.make_tensor("v", TensorProto.INT64, [], [1 << 24])
    nodes = [
        helper.make_node("Constant", [], ["rounds"], value=iterations),
        helper.make_node("Cast", ["crops"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["float"], ["one"], keepdims=0),
        helper.make_node("Loop", ["rounds", "", "one"], ["most"], body=body),
    ]
    card = card_of_model(folder, onnx_model(*nodes, outputs=["most"]))
    network = LandmarkNetwork(card, device="cpu")
    monkeypatch.setattr(resource_limits, "MOST_S", 0.2)
    with pytest.raises(WeightsError, match=r"net\.onnx takes longer than 0\.2 s to run"):
        network.step(np.zeros((1, 16, 16, 3), np.uint8))


def test_shipped_models_run_without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_session, "within_limits", lambda _: pytest.fail("it has limits"))
    card = find_model(DEFAULT_MODEL, "landmarks")
    network = LandmarkNetwork(card, device="cpu")
    network.step(np.zeros((1, card.crop, card.crop, 3), np.uint8))


VALID_MODEL = onnx_model(helper.make_node("Cast", ["crops"], ["x"], to=TensorProto.FLOAT))


@given(content=st.one_of(corrupted(VALID_MODEL), st.binary(max_size=50)))
def test_an_onnx_file_is_opened_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(content)
    read_or_refused(lambda: open_file(path), "any.onnx")


class PickleWithCode:
    """Runs code when it is unpickled: creates the file `trace`."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def test_loading_a_checkpoint_executes_no_code(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    torch.save({"averaged": PickleWithCode(trace)}, tmp_path / "evil.pt")
    (tmp_path / "evil.pickle").write_bytes(pickle.dumps(PickleWithCode(trace)))
    for name in ("evil.pt", "evil.pickle"):
        with pytest.raises(WeightsError, match=f"{name} is no checkpoint"):
            load_checkpoint(tmp_path / name)
    assert not trace.exists()


def test_no_installed_module_loads_pickles() -> None:
    root = Path(onnx_session.__file__).parents[4]
    sources = [p for part in ("app", "engine", "models") for p in (root / part).rglob("*.py")]
    assert len(sources) > 150
    banned = ("pickle.load", "allow_pickle=True", "weights_only=False", "eval(", "exec(")
    found = {
        (path.name, word)
        for path in sources
        for word in banned
        if f"{word}" in path.read_text(encoding="utf-8").replace(".eval(", "").replace(".exec(", "")
    }
    assert not found
    loads = [p.name for p in sources if "torch.load(" in p.read_text(encoding="utf-8")]
    assert loads == ["checkpoint.py"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "good.pt"
    save_checkpoint(path, {"step": 3, "averaged": {"w": torch.zeros(3)}, "history": [(0, "a")]})
    return path


@pytest.mark.hypothesis
def test_a_checkpoint_is_read_or_refused(checkpoint: Path) -> None:
    valid = checkpoint.read_bytes()
    path = checkpoint.with_name("any.pt")

    @given(content=st.one_of(corrupted(valid), st.binary(max_size=40)))
    def check(content: bytes) -> None:
        path.write_bytes(content)
        content_read = read_or_refused(lambda: load_checkpoint(path), "any.pt")
        assert content_read is None or isinstance(content_read, dict)

    check()


def test_photos_are_saved_without_pickles(tmp_path: Path) -> None:
    box, points = np.arange(4, dtype=np.float32), np.ones((68, 2), np.float32)
    photo = DetectorPhoto(
        np.frombuffer(b"jpeg", np.uint8), (PhotoFace(box, points, 3.0), PhotoFace(box))
    )
    save_checkpoint(tmp_path / "photos.pt", {"sets": [[frozen(photo)]]})
    restored = photo_from_tensors(load_checkpoint(tmp_path / "photos.pt")["sets"][0][0])
    assert restored.jpeg.tobytes() == b"jpeg"
    assert restored.ignored.shape == (0, 4)
    one, two = restored.faces
    assert one.points is not None
    np.testing.assert_array_equal(one.points, points)
    np.testing.assert_array_equal(two.box, box)
    assert (one.roll_deg, two.points) == (3.0, None)
    assert np.isnan(two.roll_deg)


def test_all_built_in_models_can_be_opened() -> None:
    for card in list_models():
        assert open_session(card, device="cpu").device == "cpu"
