"""Trained detectors opened from a checkpoint, an exported model or any ONNX file of heatmaps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from steadymark.models.face.schema import IBUG68
from steadymark.models.training.landmarks.landmark_registry import landmark_system_of
from steadymark.models.training.loop.checkpoint import load_checkpoint
from steadymark.models.training.loop.weights_from_onnx import load_onnx_weights
from steadymark.models.training.stabilizer.onnx_backbone import OnnxBackbone
from steadymark.models.training.stabilizer.torch_backbone import TorchBackbone

if TYPE_CHECKING:
    from steadymark.models.training.landmarks.landmark_system import LandmarkSystem
    from steadymark.models.training.stabilizer.frozen_backbone import Backbone, BackboneInfo


def open_backbone(info: BackboneInfo) -> Backbone:
    """Open the backbone that `info` names, and complete `info` from the file.

    Args:
        info: Path of the backbone, and the properties that the user states.

    Returns:
        The backbone.

    Raises:
        ValueError: There is no such file, or it is neither a checkpoint of a system with heatmaps
            nor an ONNX file with heatmaps.
        WeightsError: The ONNX file cannot be run.
    """
    path = Path(info.file)
    if not path.is_file():
        raise ValueError(f"no backbone at {path}: name a run's last.pt or an .onnx file")
    recipe = recipe_of(path) if path.suffix == ".onnx" else None
    if path.suffix != ".onnx" or recipe is not None:
        if info.schema != IBUG68:
            raise ValueError(f"{path} has the landmarks of {IBUG68}, not of {info.schema}")
        system_and_network = _of_checkpoint(path) if recipe is None else _of_exported(path, recipe)
        if system_and_network[0].schema != IBUG68:
            raise ValueError(
                f"{path} has the landmarks of {system_and_network[0].schema}, and stabilizers learn"
                f" those of {IBUG68}: name another backbone"
            )
        return TorchBackbone(info, *system_and_network)
    return OnnxBackbone(info)


def recipe_of(exported: Path) -> dict[str, Any] | None:
    """Return the recipe in the card of an exported model, or None if it has no such card."""
    try:
        card = json.loads(exported.with_suffix(".json").read_text(encoding="utf-8"))
        recipe = card["recipe"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return recipe if isinstance(recipe, dict) and "system" in recipe else None


def _of_checkpoint(path: Path) -> tuple[LandmarkSystem[Any], nn.Module]:
    try:
        checkpoint = load_checkpoint(path)
        system = landmark_system_of(checkpoint["recipe"])
        network = system.build()
        network.load_state_dict(checkpoint["averaged"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise ValueError(f"{path} is no checkpoint of steadymark-train ({error})") from error
    return system, network


def _of_exported(path: Path, recipe: dict[str, Any]) -> tuple[LandmarkSystem[Any], nn.Module]:
    system = landmark_system_of(recipe)
    network = system.build()
    # any images are suitable: each norm keeps its output unchanged for the statistics it measures
    noise = np.random.default_rng(0).integers(0, 256, (16, 3, system.crop, system.crop), np.uint8)
    load_onnx_weights(path, system.decoded(network), torch.from_numpy(noise))
    return system, network
