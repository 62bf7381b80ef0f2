"""The 1D heatmaps of shipped models, which are added to the outputs of their graphs."""

from __future__ import annotations

import av
import numpy as np
import pytest
import torch

from steadymark.models.errors import WeightsError
from steadymark.models.face.crop import Crop, cut
from steadymark.models.face.schema import assets_root
from steadymark.models.networks.pdc import bins_to_px, pdc_of_distribution
from steadymark.models.runtime.heatmap_tap import HeatmapTap
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import find_model


@pytest.mark.parametrize("name", ["heatmap1d-lite", "stabilizer-1d", "heatmap1d-tracker"])
def test_points_decoded_from_the_heatmaps_equal_those_of_the_model(name: str) -> None:
    card = find_model(name, "landmarks")
    with av.open(str(assets_root() / "clips" / "demo.mp4")) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24").astype(np.uint8)
    crops = np.asarray(cut(image, Crop(300, 190, 200).to_picture(card.crop), card.crop))[None]
    heats = HeatmapTap(card).of(crops)
    bins = heats.shape[-1]
    assert heats.shape == (1, 68, 2, bins)
    np.testing.assert_allclose(heats.sum(-1), 1, atol=1e-5)
    decoded = bins_to_px(pdc_of_distribution(torch.from_numpy(heats))[0], card.crop, bins)
    prediction = LandmarkNetwork(card, device="cpu").step(crops)
    np.testing.assert_allclose(decoded.numpy(), prediction.raw, atol=2e-3)


def test_a_model_without_1d_heatmaps_is_refused() -> None:
    for name in ("dan-lite", "local_global-lite"):
        with pytest.raises(WeightsError, match="no 1D heatmaps"):
            HeatmapTap(find_model(name, "landmarks"))
