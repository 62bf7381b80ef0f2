"""Read the 1D heatmaps of a heatmap1d network, which are an internal tensor of its ONNX graph.

An ONNX file is a protobuf message, and protobuf merges messages that are concatenated: repeated
fields are extended. So a few bytes appended to the file declare the tensor as one more output,
without the package onnx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.models.errors import WeightsError
from steadymark.models.runtime.onnx_session import CHANNELS, open_content, planar
from steadymark.models.runtime.onnx_writer import GRAPH, NODE, OUTPUT, field, messages
from steadymark.models.runtime.zoo import find_model, verified_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.zoo import ModelCard

_VALUE_NAME, _NODE_OUTPUT, _NODE_KIND = 1, 2, 4  # field numbers of onnx.proto


class HeatmapTap:
    """Run a landmark network on the CPU and return its heatmaps; it keeps no state."""

    def __init__(self, card: ModelCard) -> None:
        """Open the network whose heatmaps this model uses.

        Args:
            card: A landmark model, or a stabilizer over one.

        Raises:
            WeightsError: The network has no 1D heatmaps, or it cannot be opened.
        """
        self.card = seen_by(card)
        content = verified_bytes(self.card)
        self._name = _last_softmax(content)
        if self._name is None:
            raise WeightsError("the model '{name}' has no 1D heatmaps to show", name=card.name)
        added = field(GRAPH, field(OUTPUT, field(_VALUE_NAME, self._name.encode())))
        self._session = open_content(content + added, self.card.path).session
        shape = next(o.shape for o in self._session.get_outputs() if o.name == self._name)
        if len(shape) != 4 or shape[2] != 2:
            raise WeightsError("the model '{name}' has no 1D heatmaps to show", name=card.name)
        self._planar = self._session.get_inputs()[0].shape[1] == CHANNELS

    def of(self, crops: Image) -> NDArray[np.float32]:
        """Compute the heatmaps of crops.

        Args:
            crops: (n, F, F, 3) uint8 BGR.

        Returns:
            (n, K, 2, L) heatmaps over L bins along x and along y; each sums to 1.
        """
        given = planar(crops) if self._planar else crops
        found: NDArray[np.float32] = self._session.run([self._name], {"crops": given})[0]
        return found


def seen_by(card: ModelCard) -> ModelCard:
    """Return the card of the network that sees the picture.

    For a stabilizer this is the model that it stabilizes (`over`), else the card itself.

    Args:
        card: A landmark model, or a stabilizer over one.

    Raises:
        WeightsError: The stabilized model is not in the card's folder.
    """
    if card.over is None:
        return card
    return find_model(card.over, "landmarks", card.path.parent)


def _last_softmax(content: bytes) -> str | None:
    """Return the name of the output of the graph's last Softmax, or None."""
    name = None
    for graph in messages(memoryview(content), GRAPH):
        for node in messages(graph, NODE):
            if next(messages(node, _NODE_KIND), b"") == b"Softmax":
                name = bytes(next(messages(node, _NODE_OUTPUT))).decode()
    return name
