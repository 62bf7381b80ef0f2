"""Begins a training of face_net with the weights of an exported detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from steadymark.models.networks.face_net import STEM_SCALE, FaceNetDecoded
from steadymark.models.runtime.onnx_session import open_file
from steadymark.models.training.loop.weights_from_onnx import copy_weights, stored_weights

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from steadymark.models.networks.face_net import FaceNet

TOLERANCE_PX = 0.5  # largest difference of a box's side that rounding may cause
_STEM = "network.stem.conv.weight"


@torch.no_grad()
def load_face_net(file: Path, network: FaceNet, images: Tensor) -> None:
    """Copy the weights of an exported detector into the network that it was exported from.

    Args:
        file: The ONNX file, see `export_face_net`.
        network: The network; it is changed in place.
        images: (B, 3, H, W) uint8 BGR, from which the batch norms take their mean and variance.

    Raises:
        ValueError: The file belongs to another network.
        WeightsError: The file cannot be run.
    """
    runner, stored = open_file(file), stored_weights(file)
    if "div" in stored:  # the export folds the scale of the stem into its weights
        stored[_STEM] = stored["div"] * STEM_SCALE
        stored[f"{_STEM}_bias"] = stored.get("div_bias", np.zeros(len(stored["div"]), np.float32))
    device = next(network.parameters()).device
    decoded = FaceNetDecoded(network).cpu()
    copy_weights(file, stored, decoded, images)
    expected = runner(["boxes"], image=images[:1].numpy())[0]
    difference_px = float(np.abs(decoded(images[:1]).numpy()[:20, :4] - expected[:20, :4]).max())
    network.to(device)
    if not difference_px <= TOLERANCE_PX:
        raise ValueError(
            f"{file} is of another network: its boxes lie {difference_px:.2f} px apart; --set "
            "network.widths and the other sizes as its card tells them"
        )
