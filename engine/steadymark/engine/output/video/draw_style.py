"""Colours of faces, scores and head axes, which the window and annotated videos share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import Scores

    Bgr = tuple[int, int, int]

# Okabe and Ito's palette, which people with any colour vision can tell apart
VERMILLION, ORANGE, YELLOW = "#d55e00", "#e69f00", "#f0e442"
SKY_BLUE, GREEN, PURPLE = "#56b4e9", "#009e73", "#cc79a7"
WHITE, BLACK = "#ffffff", "#000000"
STEADY_COLOUR, RAW_COLOUR, TRUTH_COLOUR = SKY_BLUE, ORANGE, WHITE
CORRECTED_COLOUR = YELLOW
FACE_COLOURS = (SKY_BLUE, GREEN, PURPLE, YELLOW, ORANGE, VERMILLION)  # by face id, repeated
AXIS_COLOURS = (VERMILLION, GREEN, SKY_BLUE)  # of the head: to the right, down, out of the face
SCORE_BANDS = ((0.3, VERMILLION), (0.6, ORANGE), (0.8, YELLOW), (float("inf"), SKY_BLUE))
"""Each band's upper limit, which does not belong to it, and its colour."""


UNCERTAIN_BELOW = SCORE_BANDS[1][0]
"""Landmarks with a lower score are drawn hollow, in the window and in annotated videos."""


def face_colour(face_id: int) -> str:
    """Return the colour of a face as `#rrggbb`."""
    return FACE_COLOURS[face_id % len(FACE_COLOURS)]


def score_bands(scores: Scores) -> NDArray[np.intp]:
    """Return the index in `SCORE_BANDS` of each score.

    Args:
        scores: (K,) scores.

    Returns:
        (K,) indices; NaN is in the lowest band.
    """
    limits = np.array([limit for limit, _ in SCORE_BANDS[:-1]], scores.dtype)
    return np.asarray((scores[:, None] >= limits).sum(1))


def uncertain(scores: Scores) -> NDArray[np.bool_]:
    """Return which landmarks are drawn hollow, because their score is low or unknown.

    Args:
        scores: (K,) scores.
    """
    certain: NDArray[np.bool_] = scores >= UNCERTAIN_BELOW
    return ~certain


def bgr(colour: str) -> Bgr:
    """Convert a colour `#rrggbb` to OpenCV's order: blue, green and red from 0 to 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return blue, green, red
