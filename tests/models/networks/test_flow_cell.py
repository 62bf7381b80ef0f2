"""The flow cell: its graph equals torch, and its state and symmetries are correct."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor

from steadymark.models.face.deformation_modes import face_modes
from steadymark.models.face.schema import load_schema
from steadymark.models.networks.stabilizer.flow_cell import (
    FaceParts,
    FlowCell,
    FlowCellConfig,
    FlowCellInput,
    FlowCellState,
)
from steadymark.models.runtime.flow_stabilizer import PARTS, face_parts
from steadymark.models.runtime.onnx_session import OnnxSession, open_file
from steadymark.models.training.stabilizer.flow_cell_system import export_flow_cell

if TYPE_CHECKING:
    from pathlib import Path

SIZE_PX = 90.0


def untrained(seed: int = 0) -> FlowCell:
    """Return a cell whose weights are random and not zero."""
    torch.manual_seed(seed)
    cell = FlowCell(FlowCellConfig(width=12, hidden=6)).eval()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return cell


@pytest.fixture(scope="module")
def exported(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[FlowCell, OnnxSession, dict[str, Any]]:
    cell = untrained()
    path: Path = tmp_path_factory.mktemp("cell") / "cell.onnx"
    facts = export_flow_cell(cell, path)
    return cell, open_file(path), facts


def parts_of(schema: str) -> FaceParts:
    landmark_schema = load_schema(schema)
    return FaceParts(
        torch.from_numpy(face_parts(landmark_schema)), torch.from_numpy(face_modes(landmark_schema))
    )


def frame(rng: np.random.Generator, faces: int, schema: str) -> FlowCellInput:
    """Return random inputs: faces in an image, a pixel of noise, and some flow."""
    landmark_schema = load_schema(schema)
    centre = rng.uniform(100, 900, (faces, 1, 2))
    true = landmark_schema.mean_shape * 130 + centre
    roll = rng.uniform(-0.6, 0.6, faces)

    def near(spread: float) -> Tensor:
        return torch.from_numpy(true + rng.normal(0, spread, true.shape)).float()

    def drawn(low: float, high: float, *shape: int) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, shape)).float()

    return FlowCellInput(
        near(1.0),
        near(0.3),
        near(1.0),
        torch.from_numpy(rng.normal(0, 0.5, true.shape)).float(),
        drawn(0, 3, faces, landmark_schema.count),
        drawn(0.3, 1, faces, landmark_schema.count),
        torch.from_numpy((rng.uniform(size=faces) < 0.8).astype(np.float32)),
        torch.from_numpy(np.stack((np.cos(roll), np.sin(roll)), -1)).float(),
        drawn(60, 130, faces),
    )


@pytest.mark.parametrize(("faces", "schema"), [(1, "ibug68"), (4, "ibug68"), (2, "wflw98")])
def test_onnx_equals_torch_for_any_number_of_faces_and_landmarks(
    exported: tuple[FlowCell, OnnxSession, dict[str, Any]], faces: int, schema: str
) -> None:
    cell, runner, _ = exported
    rng, parts = np.random.default_rng(faces), parts_of(schema)
    state = cell.start(faces, load_schema(schema).count)
    for _ in range(6):
        cell_input = frame(rng, faces, schema)
        inputs = {name: value.numpy() for name, value in cell_input._asdict().items()}
        inputs |= {f"state_{name}": value.numpy() for name, value in state._asdict().items()}
        inputs |= {name: value.numpy() for name, value in parts._asdict().items()}
        points, memory, *after = runner(**inputs)
        with torch.no_grad():
            expected_points, expected_memory, state = cell(cell_input, state, parts)
        np.testing.assert_allclose(points, expected_points.numpy(), atol=1e-3)
        np.testing.assert_allclose(memory, expected_memory.numpy(), atol=1e-3)
        for onnx_state, torch_state in zip(after, state, strict=True):
            np.testing.assert_allclose(onnx_state, torch_state.numpy(), atol=1e-3)
        assert not np.allclose(points, inputs["raw"], atol=0.05)


def test_the_card_counts_parameters_and_operations(
    exported: tuple[FlowCell, OnnxSession, dict[str, Any]],
) -> None:
    cell, _, facts = exported
    assert facts["params"] == sum(p.numel() for p in cell.parameters())
    assert 10 * facts["params"] < facts["macs"] < 1000 * facts["params"]  # of 68 landmarks


def test_the_config_has_a_column_for_each_face_part() -> None:
    assert FlowCellConfig().parts == len(PARTS)


def still(faces: int = 1, shift: float = 0.0) -> FlowCellInput:
    """Return inputs of a still face whose raw landmarks are shifted right by `shift` pixels."""
    xy = torch.from_numpy(load_schema().mean_shape * 130 + 300).float().repeat(faces, 1, 1)
    shifted, zeros = xy + torch.tensor([shift, 0.0]), torch.zeros(faces, 68)
    ones = torch.ones(faces)
    upright = torch.tensor([[1.0, 0.0]]).repeat(faces, 1)
    return FlowCellInput(
        shifted, xy, xy, torch.zeros_like(xy), zeros, zeros + 0.7, ones, upright, ones * SIZE_PX
    )


def test_equal_inputs_give_no_motion() -> None:
    cell = untrained()
    state = cell.start(1, 68)
    for _ in range(3):
        points, memory, state = cell(still(), state, parts_of("ibug68"))
        torch.testing.assert_close(points, still().raw, atol=1e-4, rtol=0)
        torch.testing.assert_close(memory, still().raw, atol=1e-4, rtol=0)


def test_new_memory_is_the_mean_of_all_frames() -> None:
    cell = FlowCell()
    cell.out.bias.data.fill_(-20.0)  # the learned shares are zero
    state = cell.start(1, 68)
    _, memory, state = cell(still(shift=3.0), state, parts_of("ibug68"))
    moved_px = float((memory - still().carried)[..., 0].detach().mean())
    assert moved_px == pytest.approx(3.0 / 3, abs=0.01)  # the second of two and one more
    assert float(state.frames) == 2


def test_stabilization_is_invariant_to_roll() -> None:
    """Rotating all inputs rotates the output, since the cell works on upright faces."""
    cell, cell_input = untrained(), frame(np.random.default_rng(5), 1, "ibug68")
    cell_input = cell_input._replace(upright=torch.tensor([[1.0, 0.0]]))
    angle = torch.tensor(0.5)
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack((torch.stack((cos, sin)), torch.stack((-sin, cos))))  # (x, y) @ turn

    rolled = cell_input._replace(
        **{name: getattr(cell_input, name) @ turn for name in ("raw", "carried", "carried_raw")},
        beside=cell_input.beside @ turn,
        upright=torch.stack((cos, sin))[None],
    )
    parts = parts_of("ibug68")
    upright = cell(cell_input, cell.start(1, 68), parts)[0]
    torch.testing.assert_close(
        cell(rolled, cell.start(1, 68), parts)[0], upright @ turn, atol=2e-3, rtol=0
    )


def test_the_inputs_of_the_graph_have_the_names_of_the_fields(
    exported: tuple[FlowCell, OnnxSession, dict[str, Any]],
) -> None:
    names = [i.name for i in exported[1].session.get_inputs()]
    expected = [*FlowCellInput._fields, *(f"state_{n}" for n in FlowCellState._fields)]
    assert names == [*expected, *FaceParts._fields]
