"""The 1D heatmaps of shipped models, which are a named output of their graphs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import av
import numpy as np
import onnx
import pytest
import torch

from steadymark.models.errors import WeightsError
from steadymark.models.face.crop import Crop, cut
from steadymark.models.face.schema import assets_root
from steadymark.models.networks.pdc import bins_to_px, pdc_of_distribution
from steadymark.models.runtime.heatmap_tap import HeatmapTap
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import find_model, read_card
from support.fakes.small_model import write_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["heatmap1d-lite", "stabilizer-1d", "heatmap1d-tracker"])
def test_points_decoded_from_the_heatmaps_equal_those_of_the_model(name: str) -> None:
    card = find_model(name, "landmarks")
    with av.open(str(assets_root() / "clips" / "demo.mp4")) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24").astype(np.uint8)
    crops = np.asarray(cut(image, Crop(300, 190, 200).matrix_to_image(card.crop), card.crop))[None]
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


def test_a_file_that_does_not_name_its_heatmaps_is_refused(tmp_path: Path) -> None:
    shipped = find_model("heatmap1d-lite", "landmarks")
    model = onnx.load(shipped.path)
    del model.graph.output[3:]
    card = read_card(write_model(tmp_path, model, crop=shipped.crop).with_suffix(".json"))
    with pytest.raises(WeightsError, match="no 1D heatmaps to show"):
        HeatmapTap(card)


def test_tracking_gives_the_same_bits_as_a_file_without_the_output() -> None:
    card = find_model("heatmap1d-lite", "landmarks")
    bare = onnx.load(card.path)
    outputs = bare.graph.output
    assert [o.name for o in outputs] == ["points", "scores", "face", "heatmaps", "visible"]
    del outputs[3]
    without = LandmarkNetwork(card, content=bare.SerializeToString())
    given = LandmarkNetwork(card, device="cpu")
    with av.open(str(assets_root() / "clips" / "demo.mp4")) as movie:
        for frame in itertools.islice(movie.decode(video=0), 5):
            picture = frame.to_ndarray(format="bgr24").astype(np.uint8)
            places = (Crop(300, 190, 200), Crop(290, 180, 220, 10))
            crops = np.stack(
                [cut(picture, place.matrix_to_image(card.crop), card.crop) for place in places]
            )
            for ours, theirs in zip(given.step(crops)[:4], without.step(crops)[:4], strict=True):
                np.testing.assert_array_equal(ours, theirs)
