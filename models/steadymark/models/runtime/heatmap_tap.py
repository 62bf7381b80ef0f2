"""Read the 1D heatmaps of a heatmap1d network, which are the output `heatmaps` of its graph.

ONNX Runtime computes only the outputs that a run asks for, so tracking does not pay for this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.models.errors import WeightsError
from steadymark.models.face.crop import CHANNELS, planar
from steadymark.models.runtime.onnx_session import open_session
from steadymark.models.runtime.zoo import find_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.zoo import ModelCard

HEATMAPS = "heatmaps"  # (n, K, 2, L)


class HeatmapTap:
    """Run a landmark network on the CPU and return its heatmaps; it keeps no state."""

    def __init__(self, card: ModelCard) -> None:
        """Open the network whose heatmaps this model uses.

        Args:
            card: A landmark model, or a stabilizer over one.

        Raises:
            WeightsError: The network has no 1D heatmaps, or it cannot be opened.
        """
        self.card = backbone_card(card)
        self._runner = open_session(self.card, device="cpu")
        session = self._runner.session
        shape = [side for o in session.get_outputs() if o.name == HEATMAPS for side in o.shape]
        if len(shape) != 4 or shape[2] != 2:
            raise WeightsError("the model '{name}' has no 1D heatmaps to show", name=card.name)
        self._planar = session.get_inputs()[0].shape[1] == CHANNELS

    def of(self, crops: Image) -> NDArray[np.float32]:
        """Compute the heatmaps of crops.

        Args:
            crops: (n, F, F, 3) uint8 BGR.

        Returns:
            (n, K, 2, L) heatmaps over L bins along x and along y; each sums to 1.
        """
        inputs = planar(crops) if self._planar else crops
        heatmaps: NDArray[np.float32] = self._runner([HEATMAPS], crops=inputs)[0]
        return heatmaps


def backbone_card(card: ModelCard) -> ModelCard:
    """Return the card of the network that sees the image.

    For a stabilizer this is the model that it stabilizes (`over`), else the card itself.

    Args:
        card: A landmark model, or a stabilizer over one.

    Raises:
        WeightsError: The stabilized model is not in the card's folder.
    """
    if card.over is None:
        return card
    return find_model(card.over, "landmarks", card.path.parent)
