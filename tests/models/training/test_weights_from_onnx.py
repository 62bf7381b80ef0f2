"""The weights of an exported model can be read for fine-tuning."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from steadymark.models.training.landmarks.landmark_system import LandmarkSystem
from steadymark.models.training.loop.weights_from_onnx import load_onnx_weights
from steadymark.models.training.registry import altered, find_system
from support.exported_networks import exported

NAMES = ("heatmap1d", "dan", "local_global")


def landmark_system(name: str) -> LandmarkSystem[Any]:
    system = find_system(name, "lite")
    assert isinstance(system, LandmarkSystem)
    return system


def randomized_network(system: LandmarkSystem[Any], seed: int) -> nn.Module:
    """A network as after training: all weights differ, and no batch norm is the identity."""
    torch.manual_seed(seed)
    network: nn.Module = system.build()
    for weight in network.parameters():
        weight.data += 0.01 * torch.randn_like(weight)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            for value in (part.running_mean, part.bias):
                assert value is not None
                nn.init.normal_(value, 0, 0.05)
            for value in (part.running_var, part.weight):
                assert value is not None
                nn.init.uniform_(value, 0.8, 1.2)
    return network.eval()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_weights_can_be_read_from_an_exported_model(name: str) -> None:
    system, network, file, _ = exported(find_system(name, "lite"))
    crops = torch.randint(0, 256, (32, 3, system.crop, system.crop), dtype=torch.uint8)
    restored = randomized_network(system, 2)
    load_onnx_weights(file, system.decoded(restored), crops)
    with torch.no_grad():
        expected, actual = (system.decoded(n).eval()(crops) for n in (network, restored))
    for a, b in zip(expected, actual, strict=True):
        torch.testing.assert_close(a, b, atol=0.02, rtol=1e-3)


@pytest.mark.slow
def test_weights_of_another_network_are_refused() -> None:
    system, _, file, _ = exported(find_system("heatmap1d", "lite"))
    crops = torch.randint(0, 256, (8, 3, 128, 128), dtype=torch.uint8)
    other = altered(system, ["network.hidden=64"])
    assert isinstance(other, LandmarkSystem)
    with pytest.raises(ValueError, match="of another network: "):
        load_onnx_weights(file, other.decoded(randomized_network(other, 1)), crops)
    narrow = altered(system, ["network.gamma=0.1"])
    assert isinstance(narrow, LandmarkSystem)
    with pytest.raises(ValueError, match="of another network: its points lie"):
        load_onnx_weights(file, narrow.decoded(randomized_network(narrow, 1)), crops)


def test_any_field_of_a_recipe_can_be_set() -> None:
    system = find_system("local_global", "lite")
    changed = altered(system, ["rate=0.5", "batch=3", "augment.wide=[0.1, 0.2, 3.0]"]).describe()
    assert (changed["rate"], changed["batch"], changed["augment"]["wide"]) == (
        0.5,
        3,
        (0.1, 0.2, 3),
    )
    assert altered(system, ["rate=1"]).rate == 1.0
    assert altered(system, []) == system
    changed["rate"], changed["batch"] = system.rate, system.batch
    changed["augment"]["wide"] = system.augment.wide  # type: ignore[attr-defined]
    assert changed == system.describe()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("rate", "give FIELD=VALUE, FIELD being one of preset, rate"),
        ("speed=3", "FIELD being one of"),
        ("network.speed=3", "network.heatmaps|network.crop"),
        ("rate.high=3", "FIELD being one of"),
        ("system=dan", "FIELD being one of"),
        ("rate=fast", "must be of the kind of 0.001"),
        ("batch=2.5", "must be of the kind of 16"),
        ("batch=true", "must be of the kind of 16"),
    ],
)
def test_a_field_that_cannot_be_set_is_reported(setting: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        altered(find_system("local_global", "lite"), [setting])


def test_a_network_of_another_schema_has_as_many_landmarks() -> None:
    for name in ("heatmap1d", "local_global"):
        lite = find_system(name, "lite")
        with pytest.raises(ValueError, match="84 landmarks, the schema ibug68 68: change both"):
            altered(lite, ["network.landmarks=84"])
        both = altered(lite, ["network.landmarks=84", "schema=menpo84"])
        assert both.describe()["schema"] == "menpo84"
    dan = altered(find_system("dan", "lite"), ["schema=wflw98"])
    assert dan.describe()["network"]["schema"] == "wflw98"
    with pytest.raises(ValueError, match="the schema alone, as in --set schema=wflw98"):
        altered(find_system("dan", "lite"), ["network.schema=wflw98"])
