"""The colours that the window and annotated videos share."""

from __future__ import annotations

import numpy as np

from steadymark.engine.output.video.draw_style import (
    FACE_COLOURS,
    ORANGE,
    SCORE_BANDS,
    VERMILLION,
    bgr,
    face_colour,
    score_bands,
    uncertain,
)


def test_a_score_at_a_limit_belongs_to_the_upper_band() -> None:
    scores = np.array([0.0, 0.29, 0.3, 0.59, 0.6, 0.8, 1.0], np.float32)
    assert score_bands(scores).tolist() == [0, 0, 1, 1, 2, 3, 3]


def test_a_nan_score_has_the_colour_of_the_worst_band() -> None:
    (band,) = score_bands(np.array([np.nan], np.float32))
    assert SCORE_BANDS[band][1] == VERMILLION


def test_scores_of_the_two_lowest_bands_and_unknown_ones_are_uncertain() -> None:
    scores = np.array([0.0, 0.59, 0.6, 1.0, np.nan], np.float32)
    assert uncertain(scores).tolist() == [True, True, False, False, True]
    assert uncertain(scores).tolist() == [band < 2 for band in score_bands(scores)]


def test_bgr_returns_blue_green_red() -> None:
    assert bgr(ORANGE) == (0, 159, 230)


def test_faces_have_different_colours_until_the_palette_repeats() -> None:
    count = len(FACE_COLOURS)
    colours = [face_colour(i) for i in range(count + 1)]
    assert len(set(colours[:count])) == count
    assert colours[count] == colours[0]
