"""A worker thread that computes heatmaps of the displayed frame while heatmaps are shown."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.app.session.newest_worker import NewestWorker
from steadymark.models.errors import SteadymarkError
from steadymark.models.face.crop import cut
from steadymark.models.runtime.heatmap_tap import HeatmapTap
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Crop, Image
    from steadymark.models.runtime.zoo import ModelCard

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class HeatmapRequest:
    """A request for the heatmaps of one frame.

    Attributes:
        image: The picture of the frame.
        crops: The crop of each face, by face id.
        card: The model that tracked the faces.
        shown: A value of the caller that is returned with the reply.
    """

    image: Image
    crops: Mapping[int, Crop]
    card: ModelCard
    context: Any


@dataclass(frozen=True, slots=True, eq=False)
class HeatmapReply:
    """The marginal heatmaps (K, 2, L) of each face, by face id. fault: a sentence, or nothing."""

    heatmaps: dict[int, NDArray[np.float32]]
    context: Any
    fault: UserText = NOTHING


class HeatmapWorker(NewestWorker["HeatmapRequest", "HeatmapReply"]):
    """Computes heatmaps on a thread of its own.

    Args:
        on_ready: Is called from the thread when a reply is put into `newest` and it was empty.
    """

    def __init__(self, on_ready: Callable[[], None]) -> None:
        super().__init__("heatmaps", on_ready)
        self._card: ModelCard | None = None
        self._heatmap_tap: HeatmapTap | None = None

    def _answer(self, request: HeatmapRequest) -> HeatmapReply:
        fault = NOTHING
        try:
            if request.card is not self._card:
                self._card, self._heatmap_tap = request.card, None
                self._heatmap_tap = HeatmapTap(request.card)
            return HeatmapReply(self._heatmaps(request), request.context)
        except SteadymarkError as error:
            fault = error.sentence
        except Exception as error:
            log.exception("heatmaps")
            named = f"{type(error).__name__}: {error}"
            fault = UserText("the heatmaps cannot be computed ({fault})", fault=named)
        return HeatmapReply({}, request.context, fault)

    def _heatmaps(self, request: HeatmapRequest) -> dict[int, NDArray[np.float32]]:
        network = self._heatmap_tap
        if network is None or not request.crops:
            return {}
        size = network.card.crop
        parts = [
            cut(request.image, crop.matrix_to_image(size), size) for crop in request.crops.values()
        ]
        return dict(zip(request.crops, network.of(np.stack(parts)), strict=True))
