"""How landmarks are read off heatmaps: error and stillness of argmax, mean and PDC.

It is table 4 of convlstm_jitter_pdc (the threshold of PDC) and the comparison of its figure 7 with
argmax, on photos. For local_global, it compares the heatmaps alone with the finetune module, as
table 4 of its paper does on videos.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from steadymark.models.bounded_read import read_bounded_text
from steadymark.models.errors import DataError
from steadymark.models.face.crop import cut, inverse, transform
from steadymark.models.networks.heatmap1d import Heatmap1d
from steadymark.models.networks.local_global import LocalGlobal
from steadymark.models.networks.pdc import bins_to_px, pdc_1d, pdc_2d
from steadymark.models.training.data.augment import clean_crop
from steadymark.models.training.landmarks.landmark_registry import landmark_system_of
from steadymark.models.training.loop.checkpoint import to_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from torch import nn

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.runtime.zoo import ModelCard
    from steadymark.models.training.landmarks.landmark_task import LandmarkTask

THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
COPIES = 8  # noisy copies of a crop
NOISE = 4.0  # standard deviation of their noise, grey levels


@dataclass(frozen=True, slots=True)
class DecodingRow:
    """One way to read landmarks off heatmaps.

    Attributes:
        method: Name of the way.
        nrmse_percent: Mean error on held-back photos in % of the schema's error length.
        spread_percent: Root mean square distance of the landmarks of noisy copies of a crop from
            their mean, in % of the same length.
    """

    method: str
    nrmse_percent: float
    spread_percent: float


def decoding_table(card: ModelCard, data: Path, *, seed: int = 7) -> list[DecodingRow]:
    """Measure all ways to read landmarks off the heatmaps of a model.

    Args:
        card: Card of an exported heatmap1d or local_global model.
        data: The data folder; its held-back photos are used.
        seed: Seed of the noise.

    Raises:
        DataError: The model has no heatmaps, or its card no recipe.
        ValueError: The weights do not fit the recipe.
    """
    task, network = _opened(card, data, seed)
    ways = ways_to_read(network)
    errors: dict[str, list[float]] = {name: [] for name in ways}
    spreads: dict[str, list[float]] = {name: [] for name in ways}
    for crops, truth in _crops(task, seed):
        length = task.schema.length_px(truth) / 100
        with torch.no_grad():
            output = network(to_image(torch.from_numpy(crops)))
        for name, read in ways.items():
            points = read(output).numpy()
            errors[name].append(np.linalg.norm(points[0] - truth, axis=-1).mean() / length)
            away = points[1:] - points[1:].mean(0)
            spreads[name].append(float(np.sqrt((away**2).sum(-1).mean())) / length)
    return [
        DecodingRow(name, float(np.mean(errors[name])), float(np.mean(spreads[name])))
        for name in ways
    ]


def _opened(card: ModelCard, data: Path, seed: int) -> tuple[LandmarkTask[Any], nn.Module]:
    """Return the task and the trained network of an exported model."""
    recipe = json.loads(read_bounded_text(card.path.with_suffix(".json"))).get("recipe")
    if not recipe:
        raise DataError(f"the card of {card.name} has no recipe: name a model of steadymark-train")
    system = landmark_system_of({**recipe, "teachers": [], "further": []})
    network = cast("nn.Module", system.build())
    if not isinstance(network, Heatmap1d | LocalGlobal):
        raise DataError(f"{card.name} has no heatmaps: name a model of heatmap1d or local_global")
    task = system.open(data, card.path.parent, seed=seed)
    system.load_onnx_weights(card.path, network, task)
    return task, network.eval()


def _crops(task: LandmarkTask[Any], seed: int) -> Iterator[tuple[Image, Points]]:
    """Yield the crop and its noisy copies (1+N, F, F, 3), and the truth (K, 2) in crop pixels."""
    rng = np.random.default_rng(seed)
    for index in range(len(task.held_back)):
        crop = clean_crop(task.held_back, index, task.schema, task.augment.margin)
        matrix = crop.matrix_to_image(task.crop)
        image = cut(task.held_back.images[index], matrix, task.crop)
        noise = rng.normal(0, NOISE, (COPIES, *image.shape))
        copies = np.concatenate((image[None], image + noise)).round().clip(0, 255)
        yield copies.astype(np.uint8), transform(inverse(matrix), task.held_back.points[index])


def ways_to_read(network: nn.Module) -> dict[str, Callable[[Any], Tensor]]:
    """Return functions from the network's output to points (B, K, 2) in crop pixels, by name.

    Args:
        network: A `Heatmap1d` or `LocalGlobal`.
    """
    config: Any = network.config

    def pixels(bins: Tensor) -> Tensor:
        return bins_to_px(bins, config.crop, config.bins)

    def heatmaps(output: Any) -> Tensor:
        if isinstance(network, Heatmap1d):
            return torch.stack((output.x, output.y), 2).softmax(-1)  # (B, K, 2, L)
        return cast("Tensor", output.heatmaps[:, -1].sigmoid())  # (B, K, n, n)

    def pdc(threshold: float, *, soft: bool) -> Callable[[Any], Tensor]:
        decode = pdc_1d if isinstance(network, Heatmap1d) else pdc_2d
        return lambda output: pixels(decode(heatmaps(output), threshold, soft=soft)[0])

    ways = {"argmax": lambda output: pixels(_argmax(heatmaps(output)))}
    for threshold in THRESHOLDS:
        name = f"PDC, threshold {threshold:g}" if threshold else "mean of the positive values"
        ways[name] = pdc(threshold, soft=False)
    ways["PDC, threshold 0.2, soft"] = pdc(0.2, soft=True)
    if isinstance(network, LocalGlobal):
        ways["finetune module"] = lambda output: output.points
    return ways


def _argmax(heat: Tensor) -> Tensor:
    """Return the highest bin (B, K, 2) of heatmaps (B, K, 2, L), or (B, K, n, n) with x first."""
    if heat.shape[2] == 2:
        return heat.argmax(-1).float()
    peak = heat.flatten(2).argmax(-1)
    side = heat.shape[-1]
    return torch.stack((peak % side, peak // side), -1).float()
