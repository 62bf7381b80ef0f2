"""Scores of the photos without faces, by which face_net's training draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray


class HardNegatives:
    """A `Feedback`: photos without faces that the network takes for faces are drawn more often.

    The scores that are measured after batch k · `every` apply to the batches from (k + 1) · `every`
    to (k + 2) · `every`. Workers prepare fewer than `every` batches in advance, so a batch always
    sees the same scores, and a resumed run draws the same photos.
    """

    def __init__(
        self, count: int, every: int, measure: Callable[[Any], NDArray[np.float32]]
    ) -> None:
        """Set all scores to 1.

        Args:
            count: Number of photos without faces.
            every: Number of batches between two measurements.
            measure: Returns the best score (count,) that a network gives to each photo.
        """
        self._every, self._measure = every, measure
        self._scores = torch.ones(2, count).share_memory_()  # type: ignore[no-untyped-call]
        self._measured = 0

    def at(self, number: int) -> NDArray[np.float32]:
        """Return the scores (count,) that apply to a batch."""
        scores: NDArray[np.float32] = self._scores[number // self._every % 2].numpy()
        return scores

    def update(self, network: Any, done: int) -> None:
        """Measure the scores if enough batches are done since the last time."""
        if done // self._every > self._measured:
            self._measured = done // self._every
            self._scores[(self._measured + 1) % 2] = torch.from_numpy(self._measure(network))

    def state_dict(self) -> dict[str, Any]:
        """Return the scores and the number of measurements."""
        return {"scores": self._scores.clone(), "measured": self._measured}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore scores and number of measurements."""
        self._scores.copy_(state["scores"])
        self._measured = state["measured"]
