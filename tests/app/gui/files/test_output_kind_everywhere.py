"""A new output kind is one entry: command line, window and Python API offer it at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

import steadymark as sm
from steadymark.app.cli.main import app
from steadymark.app.gui.files.add_model_dialog import AddModelDialog
from steadymark.models.own_models.graph_nodes import cast
from steadymark.models.own_models.output_kind import OUTPUT_KINDS, OutputKind
from steadymark.models.runtime.zoo import find_model
from steadymark.models.user_text import UserText
from support.fakes.foreign_networks import mean_face, network, write_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytestqt.qtbot import QtBot

    from steadymark.models.own_models.graph_nodes import GraphNodes
    from steadymark.models.own_models.output_kind import Shapes
    from steadymark.models.own_models.wrapper_config import WrapperConfig

SIDE, UPWARD = 32, np.array([1, -1], np.float32)


def find_upward(shapes: Shapes, counts: Sequence[int]) -> tuple[tuple[str, ...], int] | None:
    fit = ((name, k) for name, shape in shapes.items() for k in counts if shape == (1, k, 2))
    return next((((name,), k) for name, k in fit), None)


def read_upward(nodes: GraphNodes, wrapping: WrapperConfig) -> bytes:
    """Read points whose y axis points up from the lower edge of the input."""
    value = nodes.reshape(cast(nodes, wrapping.outputs[0]), (-1, wrapping.count, 2))
    value = nodes.add("Mul", value, nodes.add_constant(UPWARD))
    nodes.add("Add", value, nodes.add_constant(np.array([0, wrapping.crop])), named="points")
    ones = nodes.add(
        "Mul", nodes.reduce("ReduceMax", "points", 2, keep=False), nodes.add_constant(0.0)
    )
    nodes.add("Add", ones, nodes.add_constant(1.0), named="scores")
    nodes.reduce("ReduceMean", "scores", 1, keep=False, named="face")
    return nodes.take_bytes()


@pytest.fixture(autouse=True)
def _upward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The output kind `upward` while a test runs."""
    monkeypatch.setenv("STEADYMARK_MODELS", str(tmp_path / "own"))
    OUTPUT_KINDS.add(OutputKind("upward", UserText("y upwards"), find_upward, read_upward))
    yield
    OUTPUT_KINDS.remove("upward")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A network that gives the mean face with its y axis pointing up."""
    points = mean_face("ibug68", SIDE) * UPWARD + np.array([0, SIDE], np.float32)
    return write_network(tmp_path, network(("out", points[None])))


def test_the_command_line_adds_a_network_of_the_new_kind(file: Path) -> None:
    stated = ("--licence", "MIT", "--data", "none", "--name", "mine")
    told = CliRunner().invoke(app, ["add-model", str(file), *stated, "--output", "upward"])
    assert told.exit_code == 0, told.output
    assert "--output upward" in told.output
    assert "--scale" not in told.output
    assert find_model("mine", "landmarks").schema == "ibug68"
    wrong = CliRunner().invoke(app, ["add-model", str(file), *stated, "--output", "sideways"])
    assert "choose one of coordinates, heatmaps, lines, upward" in " ".join(wrong.output.split())


def test_the_python_api_takes_the_new_kind(file: Path) -> None:
    upward = sm.OnnxLandmarker(file, output="upward")
    assert upward.schema == "ibug68"
    assert upward.error < sm.OnnxLandmarker(file, output="coordinates", scale="pixels").error
    with pytest.raises(sm.UsageError, match="choose one of coordinates, heatmaps, lines, upward"):
        sm.OnnxLandmarker(file, output="sideways")


def test_the_window_offers_the_new_kind(qtbot: QtBot, english: None, file: Path) -> None:
    dialog = AddModelDialog(file)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.prepared is not None, timeout=30000)
    box = dialog.choices["output"]
    assert [(box.itemData(i), box.itemText(i)) for i in range(1, box.count())] == [
        ("coordinates", "coordinates"),
        ("heatmaps", "heatmaps"),
        ("lines", "lines (x and y)"),
        ("upward", "y upwards"),
    ]
    box.setCurrentIndex(box.findData("upward"))
    qtbot.waitUntil(
        lambda: dialog.prepared is not None and dialog.prepared.wrapping.output == "upward",
        timeout=30000,
    )
    assert dialog.wait(20)


def test_the_documentation_names_every_kind_that_is_shipped() -> None:
    text = (Path(__file__).parents[4] / "docs" / "own-models.md").read_text("utf-8")
    shipped = [name for name in OUTPUT_KINDS.names() if name != "upward"]
    assert [name for name in shipped if f"`{name}`" not in text] == []
