"""The network that finds pupils, and its exported graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from steadymark.models.face.eye_crop import EYE_HEIGHT, EYE_WIDTH
from steadymark.models.networks.pupil_net import PupilNet, PupilNetConfig, export_pupil_net
from steadymark.models.runtime.onnx_session import open_content
from support.exported_networks import with_random_weights

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("decoder", ["heatmap", "regression"])
def test_the_exported_graph_gives_what_the_network_gives(decoder: str, tmp_path: Path) -> None:
    network = with_random_weights(PupilNet(PupilNetConfig(8, decoder))).eval()
    file = tmp_path / "net.onnx"
    export_pupil_net(network, file)
    crops = np.random.default_rng(0).integers(0, 256, (5, EYE_HEIGHT, EYE_WIDTH), np.uint8)
    points, seen = open_content(file.read_bytes(), file)(("points", "seen"), crops=crops)
    with torch.no_grad():
        xy, logit, _ = network(torch.from_numpy(crops))
    np.testing.assert_allclose(points, xy.numpy(), atol=1e-3)
    np.testing.assert_allclose(seen, logit.sigmoid().numpy(), atol=1e-4)
    assert points.shape == (5, 2)
    assert seen.shape == (5,)


def test_the_centre_of_a_sharp_heatmap_is_read_in_crop_pixels() -> None:
    network = PupilNet(PupilNetConfig(8))
    logits = torch.full((1, EYE_HEIGHT // 2, EYE_WIDTH // 2), -50.0)
    logits[0, 7, 10:12] = 50.0  # cells of 2 x 2 pixels, rows 14 and 15, columns 20 to 23
    xy, spread = network._decoded(logits)
    np.testing.assert_allclose(xy[0], (21.5, 14.5), atol=1e-3)
    np.testing.assert_allclose(spread[0], 1.0, atol=1e-2)


@pytest.mark.parametrize("decoder", ["heatmap", "regression"])
def test_brightness_and_contrast_hardly_change_the_result(decoder: str) -> None:
    network = with_random_weights(PupilNet(PupilNetConfig(8, decoder))).eval()
    crops = torch.rand(3, EYE_HEIGHT, EYE_WIDTH) * 200
    with torch.no_grad():
        one, other = network(crops)[0], network(crops * 0.5 + 60)[0]
    assert float((one - other).abs().max()) < 1.0


def test_an_unknown_decoder_is_refused() -> None:
    with pytest.raises(ValueError, match="decoder=argmax: give heatmap or regression"):
        PupilNetConfig(decoder="argmax")
