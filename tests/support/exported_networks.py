"""Landmark systems with random weights, and their ONNX files, which take seconds to export."""

from __future__ import annotations

import atexit
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import torch
from torch import nn

from steadymark.models.training.landmarks.landmark_system import LandmarkSystem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.models.training.system import System

N = TypeVar("N", bound=nn.Module)


class ExportedNetwork(NamedTuple):
    """A network in `eval` mode, its ONNX file, and the entries that this adds to a card."""

    system: LandmarkSystem[Any]
    network: nn.Module
    file: Path
    facts: Mapping[str, Any]


def with_random_weights(network: N, by: float = 0.01) -> N:
    """Give batch norms random statistics, and add noise to all parameters."""
    torch.manual_seed(1)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.7, 1.4)
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * by)
    return network


_EXPORTED: dict[str, ExportedNetwork] = {}


def exported(system: System[Any]) -> ExportedNetwork:
    """Export a landmark system; tests share the file and the network, and change neither."""
    recipe = json.dumps(system.describe())
    if recipe in _EXPORTED:
        return _EXPORTED[recipe]
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    assert isinstance(system, LandmarkSystem)
    torch.manual_seed(0)
    network = with_random_weights(system.build()).eval()
    file = Path(folder.name) / "net.onnx"
    facts = system.export(network, Path(folder.name), file)
    _EXPORTED[recipe] = ExportedNetwork(system, network, file, facts)
    return _EXPORTED[recipe]
