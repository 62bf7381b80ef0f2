"""Dark pictures are made brighter without a jump."""

from __future__ import annotations

import numpy as np

from steadymark.models.face.brightness import (
    DARK_MEDIAN,
    LEAST_WHITE,
    MOST_GAIN,
    brighten_crops,
    brighten_frame,
)


def crop(white: int) -> np.ndarray:
    """A crop (1, 64, 64, 3) whose grey levels go from 0 to `white`."""
    ramp = np.linspace(0, white, 64).round().astype(np.uint8)
    return np.broadcast_to(ramp[None, None, :, None], (1, 64, 64, 3)).copy()


def test_a_bright_crop_stays_the_same_array() -> None:
    crops = crop(200)
    assert brighten_crops(crops) is crops
    assert brighten_crops(crops[:0]).shape == (0, 64, 64, 3)


def test_a_dark_crop_reaches_the_least_white_within_the_largest_gain() -> None:
    assert abs(float(brighten_crops(crop(30)).max()) - LEAST_WHITE) < 10
    assert brighten_crops(crop(4)).max() == 4 * MOST_GAIN
    assert not brighten_crops(np.zeros((1, 64, 64, 3), np.uint8)).any()


def test_each_crop_has_its_own_gain() -> None:
    both = brighten_crops(np.concatenate((crop(200), crop(30))))
    np.testing.assert_array_equal(both[:1], crop(200))
    np.testing.assert_array_equal(both[1:], brighten_crops(crop(30)))


def test_the_brightness_does_not_jump_where_the_gain_begins() -> None:
    means = [float(brighten_crops(crop(white)).mean()) for white in range(60, 140)]
    assert np.abs(np.diff(means)).max() < 2


def test_only_a_dark_frame_is_brightened() -> None:
    bright, dark = crop(255)[0], crop(40)[0]
    assert brighten_frame(bright) is bright
    found = brighten_frame(dark)
    assert found.max() > 220
    assert np.median(found.max(-1)) > DARK_MEDIAN
    assert not brighten_frame(np.zeros((8, 8, 3), np.uint8)).any()
