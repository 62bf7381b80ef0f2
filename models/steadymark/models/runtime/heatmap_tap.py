"""The two 1D heatmaps of a shipped heatmap1d: its graph keeps them inside, here they come out.

An ONNX file is a protobuf message, and protobuf says that appending to one merges: repeated fields
grow. So an output more needs neither another file nor the package onnx, only a few bytes behind it.
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
    """A landmark network that gives its heatmaps, on the CPU; holds no memory of faces."""

    def __init__(self, card: ModelCard) -> None:
        """The network whose heatmaps this model reads off or stabilizes.

        Raises:
            WeightsError: it has no 1D heatmaps, or cannot be opened.
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
        """Of (n, F, F, 3) uint8 BGR crops: (n, K, 2, L), over L bins of x and of y, sums of 1."""
        given = planar(crops) if self._planar else crops
        found: NDArray[np.float32] = self._session.run([self._name], {"crops": given})[0]
        return found


def seen_by(card: ModelCard) -> ModelCard:
    """The network that looks at the picture: the one that a stabilizer is `over`, else itself."""
    if card.over is None:
        return card
    return find_model(card.over, "landmarks", card.path.parent)


def _last_softmax(content: bytes) -> str | None:
    """Name of the tensor that the last Softmax of a graph gives."""
    name = None
    for graph in messages(memoryview(content), GRAPH):
        for node in messages(graph, NODE):
            if next(messages(node, _NODE_KIND), b"") == b"Softmax":
                name = bytes(next(messages(node, _NODE_OUTPUT))).decode()
    return name
