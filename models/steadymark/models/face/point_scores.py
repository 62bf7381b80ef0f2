"""Convert the scores of a landmark network to the probability that a landmark is in place.

The model card stores how (`point_scores`), and `steadymark-train calibrate-scores` fits it.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import ContentError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

VISIBLE = "visible"  # output (n, K) of some networks: probability that nothing hides a landmark
IN_PLACE = 0.05  # distance from the true landmark, as a share of that of the outer eye corners
_LEAST = 1e-4  # distance of a probability from 0 and from 1 in a logit
_MOST_KNOTS = 64


def logit(share: NDArray[np.floating]) -> Floats:
    """Return log(p / (1 - p)) of probabilities (...); those next to 0 and 1 are limited."""
    limited = np.clip(share.astype(np.float32), _LEAST, 1 - _LEAST)
    return np.asarray(np.log(limited / (1 - limited)), np.float32)


@dataclass(frozen=True, slots=True)
class PointScores:
    """The probability that a landmark lies within 5 % of the eye distance, from network outputs.

    The probability is a piecewise linear function of a signal, which is the logit of the network's
    score minus that of a typical visible landmark, plus the weighted logit of the network's output
    `visible`.

    Attributes:
        signals: Knots of the function, ascending.
        shares: Values of the function at the knots, ascending, from 0 to 1.
        typical: Logit of the score of a typical visible landmark, for each landmark, or empty.
        visible_weight: Weight of the output `visible`; 0 if the network has none.

    Raises:
        ContentError: A value is not allowed.
    """

    signals: tuple[float, ...]
    shares: tuple[float, ...]
    typical: tuple[float, ...] = ()
    visible_weight: float = 0.0

    def __post_init__(self) -> None:
        numbers = (*self.signals, *self.shares, *self.typical, self.visible_weight)
        in_order = (
            tuple(sorted(set(self.signals))) == self.signals
            and tuple(sorted(self.shares)) == self.shares
        )
        if (
            not 2 <= len(self.signals) == len(self.shares) <= _MOST_KNOTS
            or not in_order
            or not all(math.isfinite(number) for number in numbers)
            or not (self.shares[0] >= 0 and self.shares[-1] <= 1)
        ):
            raise ContentError("its point_scores are {value}", value=str(self.as_card())[:120])

    def signal(self, scores: NDArray[np.floating], visible: NDArray[np.floating] | None) -> Floats:
        """Combine the outputs of a network.

        Args:
            scores: (n, K) scores.
            visible: (n, K) output `visible`, or None.

        Returns:
            (n, K) signals.
        """
        signal = logit(scores)
        if self.typical:
            signal = signal - np.array(self.typical, np.float32)
        if self.visible_weight and visible is not None:
            signal = signal + np.float32(self.visible_weight) * logit(visible)
        return signal

    def of(self, scores: NDArray[np.floating], visible: NDArray[np.floating] | None) -> Floats:
        """Compute the probability that each landmark is in place.

        Args:
            scores: (n, K) scores of the network.
            visible: (n, K) output `visible` of the network, or None if it has none.

        Returns:
            (n, K) float32 in [0, 1]; NaN for scores that are NaN.
        """
        return np.interp(self.signal(scores, visible), self.signals, self.shares).astype(np.float32)

    def check(self, path: Path, shapes: Mapping[str, Sequence[object]]) -> None:
        """Refuse a network that these numbers were not fitted to.

        Args:
            path: The network's file, for the message.
            shapes: The network's outputs and their shapes; unknown sides are no integers.

        Raises:
            WeightsError: The network lacks the output `visible`, or has another number of
                landmarks.
        """
        if self.visible_weight and VISIBLE not in shapes:
            raise WeightsError(
                "{path} lacks the output {name} that its model card needs: fit its scores again "
                "with 'steadymark-train calibrate-scores'",
                path=path,
                name=VISIBLE,
            )
        count = shapes.get("scores", (None,))[-1]
        if self.typical and isinstance(count, int) and count != len(self.typical):
            raise WeightsError(
                "the model card of {path} has typical scores of {given} landmarks, but the "
                "network has {count}: fit its scores again with 'steadymark-train "
                "calibrate-scores'",
                path=path,
                given=len(self.typical),
                count=count,
            )

    def as_card(self) -> dict[str, object]:
        """Return the entry of the model card."""
        return {name: value for name, value in asdict(self).items() if value}
