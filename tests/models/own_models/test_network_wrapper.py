"""Third-party networks get preprocessed images, and their outputs are decoded to landmarks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from steadymark.models.errors import WeightsError
from steadymark.models.networks.pdc import bins_to_px, pdc_1d, pdc_2d
from steadymark.models.own_models.network_wrapper import (
    CoordinateUnit,
    OutputKind,
    WrapperConfig,
    wrap_network,
)
from steadymark.models.runtime.onnx_session import open_content
from support.fakes.foreign_networks import echo, gaussian_maps, network

K = 68


def wrapper_config(shape: tuple[int, ...], **changes: Any) -> WrapperConfig:
    plain = WrapperConfig(
        input="picture",
        input_type="tensor(float)",
        crop=32,
        outputs=("out",),
        shapes=(shape,),
        output=OutputKind.COORDINATES,
        count=K,
    )
    return replace(plain, **changes)


def run(content: bytes, config: WrapperConfig, crops: Any = None) -> list[Any]:
    if crops is None:
        crops = np.zeros((2, 3, config.crop, config.crop), np.uint8)
    wrapped = wrap_network(content, config)
    onnx.checker.check_model(onnx.load_from_string(wrapped))
    return open_content(wrapped, Path("x.onnx"))(crops=crops)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("rgb", [False, True])
@pytest.mark.parametrize("opset", [9, 13, 18])
def test_images_are_preprocessed_as_configured(last: bool, rgb: bool, opset: int) -> None:
    side, mean, std = 16, (0.1, 0.2, 0.3), (0.5, 0.25, 0.125)
    shape = (3, side, side, 3) if last else (3, 3, side, side)
    crops = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    config = wrapper_config((2 * K,), crop=side, outputs=("numbers",), mean=mean, std=std, rgb=rgb)
    config = replace(config, channels_last=last)
    points, _, _ = run(echo(K, side=side, last=last, opset=opset), config, crops)
    ordered = crops[..., ::-1] if last and rgb else crops[:, ::-1] if rgb else crops
    sides = (1, 1, 1, 3) if last else (1, 3, 1, 1)
    network_input = (ordered / 255 - np.reshape(mean, sides)) / np.reshape(std, sides)
    expected = network_input.reshape(3, -1)[:, : 2 * K].reshape(3, K, 2)
    np.testing.assert_allclose(points, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("scale", "value", "px"),
    [
        (CoordinateUnit.PIXELS, 8.0, 8.0),
        (CoordinateUnit.UNIT, 0.25, 8.0),
        (CoordinateUnit.SIGNED, -0.5, 8.0),
    ],
)
def test_coordinates_of_any_unit_are_converted_to_pixels(
    scale: CoordinateUnit, value: float, px: float
) -> None:
    content = network(("out", np.full(2 * K, value, np.float32)))
    points, scores, face = run(content, wrapper_config((2 * K,), scale=scale))
    np.testing.assert_allclose(points, px)
    assert points.shape == (2, K, 2)
    assert scores.shape == (2, K)
    assert face.shape == (2,)


@pytest.mark.parametrize("shape", [(2 * K,), (K, 2), (2, K), (K, 3), (1, 2 * K)])
def test_coordinates_of_any_layout_are_converted_to_points(shape: tuple[int, ...]) -> None:
    expected = np.random.default_rng(1).uniform(0, 32, (K, 2)).astype(np.float32)
    others = {(2, K): expected.T, (K, 3): np.pad(expected, ((0, 0), (0, 1)))}
    output_values = next((v for k, v in others.items() if k == shape), expected).reshape(shape)
    points, _, _ = run(
        network(("out", output_values)), wrapper_config(shape, planar=shape == (2, K))
    )
    np.testing.assert_allclose(points[1], expected, atol=1e-5)


@pytest.mark.parametrize("opset", [11, 18])
@pytest.mark.parametrize(("extra", "last"), [(0, False), (1, False), (0, True), (1, True)])
def test_heatmaps_are_decoded_as_in_training(extra: int, last: bool, opset: int) -> None:
    height, width = 24, 16
    positions = np.random.default_rng(2).uniform(3, 12, (K + extra, 2)).astype(np.float32)
    maps = gaussian_maps(positions, height, width)
    output_values = maps.transpose(1, 2, 0) if last else maps
    config = wrapper_config(output_values.shape, output=OutputKind.HEATMAPS)
    points, scores, face = run(network(("out", output_values), opset=opset), config)
    bins, share = pdc_2d(torch.from_numpy(maps[:K]), soft=True)
    side = torch.tensor([width, height])
    np.testing.assert_allclose(points[0], bins_to_px(bins, 32, side).numpy(), atol=1e-3)
    np.testing.assert_allclose(scores[0], share.numpy(), atol=1e-4)
    np.testing.assert_allclose(face, (share.numpy() * maps[:K].max((1, 2))).mean(), atol=1e-4)


@pytest.mark.parametrize("softmax", [False, True])
def test_1d_heatmaps_are_decoded_as_in_training(softmax: bool) -> None:
    random = np.random.default_rng(3)
    x_lines, y_lines = (random.normal(0, 4, (K, length)).astype(np.float32) for length in (64, 48))
    config = wrapper_config((K, 64), outputs=("x", "y"), shapes=((K, 64), (K, 48)), softmax=softmax)
    config = replace(config, output=OutputKind.LINES)
    points, scores, _ = run(network(("x", x_lines), ("y", y_lines)), config)
    lines = [torch.from_numpy(each) for each in (x_lines, y_lines)]
    lines = [line.softmax(-1) if softmax else line for line in lines]
    found = [pdc_1d(line, soft=True) for line in lines]
    expected = [
        bins_to_px(bins, 32, len(line[0])) for (bins, _), line in zip(found, lines, strict=True)
    ]
    np.testing.assert_allclose(points[0], torch.stack(expected, -1).numpy(), atol=1e-3)
    share = (found[0][1] + found[1][1]) / 2
    np.testing.assert_allclose(scores[0], share.numpy(), atol=1e-4)


def test_empty_heatmaps_have_a_score_of_zero() -> None:
    config = wrapper_config((K, 16, 16), output=OutputKind.HEATMAPS)
    points, scores, face = run(network(("out", np.zeros((K, 16, 16), np.float32))), config)
    assert np.isfinite(points).all()
    assert not scores.any()
    assert not face.any()


@pytest.mark.parametrize(
    ("kind", "name"),
    [(TensorProto.FLOAT16, "tensor(float16)"), (TensorProto.UINT8, "tensor(uint8)")],
)
def test_inputs_of_other_types_are_converted(kind: int, name: str) -> None:
    content = network(("out", np.full((K, 2), 3, np.float32)), kind=kind)
    points, _, _ = run(content, wrapper_config((K, 2), input_type=name, white=255.0))
    np.testing.assert_allclose(points, 3)
    with pytest.raises(WeightsError, match="must be float, float16 or uint8"):
        wrap_network(content, wrapper_config((K, 2), input_type="tensor(double)"))


def test_names_that_the_wrapper_uses_are_kept_apart() -> None:
    values = np.full((K, 2), 0.25, np.float32)
    content = network(("scores", values), ("points", values + 1), input_name="crops")
    config = wrapper_config((K, 2), input="crops", outputs=("points",), scale=CoordinateUnit.UNIT)
    points, scores, _ = run(content, config)
    np.testing.assert_allclose(points, 40)
    np.testing.assert_allclose(scores, 1)


def test_names_in_subgraphs_are_kept_apart() -> None:
    info = helper.make_tensor_value_info
    inner = helper.make_graph(
        [helper.make_node("Add", ["points", "points"], ["twice"])],
        "inner",
        [],
        [info("twice", TensorProto.FLOAT, None)],
    )
    outer = onnx.load_from_string(network(("points", np.full((K, 2), 2, np.float32))))
    true = helper.make_node("Constant", [], ["yes"], value=helper.make_tensor("t", 9, [], [True]))
    both = helper.make_node("If", ["yes"], ["out"], then_branch=inner, else_branch=inner)
    outer.graph.node.extend([true, both])
    outer.graph.output[0].CopyFrom(info("out", TensorProto.FLOAT, ["n", K, 2]))
    points, _, _ = run(outer.SerializeToString(), wrapper_config((K, 2)))
    np.testing.assert_allclose(points, 4)


def test_operators_that_are_too_old_are_refused() -> None:
    old = onnx.load_from_string(network(("out", np.zeros((K, 2), np.float32))))
    old.opset_import[0].version = 7
    with pytest.raises(WeightsError, match="operators of version 7: export it again with opset 9"):
        wrap_network(old.SerializeToString(), wrapper_config((K, 2)))
