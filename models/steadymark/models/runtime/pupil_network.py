"""Run the network that finds pupils in crops of eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.face.eye_crop import EYE_HEIGHT, EYE_WIDTH
from steadymark.models.runtime.onnx_session import open_content
from steadymark.models.runtime.zoo import find_model, verified_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.zoo import ModelCard

PUPILS = "pupils"  # name and kind of the model card
_OUTPUTS = ("points", "seen")
_SHAPE = [EYE_HEIGHT, EYE_WIDTH]


class PupilNetwork:
    """A pupil network on one CPU core.

    Args:
        card: The model card, of kind `pupils`; by default the shipped one.
    """

    def __init__(self, card: ModelCard | None = None) -> None:
        """Open the network.

        Raises:
            WeightsError: The model file is missing or altered, or it is no pupil network.
        """
        self.card = find_model(PUPILS, PUPILS) if card is None else card
        self._runner = open_content(verified_bytes(self.card), self.card.path)
        session = self._runner.session
        inputs = {each.name: each.shape[1:] for each in session.get_inputs()}
        outputs = {each.name for each in session.get_outputs()}
        if inputs != {"crops": _SHAPE} or not outputs.issuperset(_OUTPUTS):
            raise WeightsError(
                "{path} is not a pupil network: install Steadymark again, or restore the file",
                path=self.card.path,
            )

    def __call__(self, crops: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Find the pupils of n eyes.

        Args:
            crops: (n, EYE_HEIGHT, EYE_WIDTH) uint8 grey crops, see `eye_crop`.

        Returns:
            Centres (n, 2) in pixels of the crops, and the probabilities (n,) that the pupil is
            seen.
        """
        points, seen = self._runner(_OUTPUTS, crops=np.ascontiguousarray(crops))
        return points, seen
