"""The face detector sees the whole frame, scaled and padded with black."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from steadymark.models.runtime.detector_input import BLOCK, fit_frame


@pytest.mark.parametrize(
    ("width", "height", "scaled", "interpolation"),
    [
        (640, 470, (640, 470), cv2.INTER_AREA),
        (1910, 1080, (640, 362), cv2.INTER_AREA),
        (333, 250, (533, 400), cv2.INTER_LINEAR),
    ],
)
def test_a_frame_is_scaled_as_a_whole_and_padded_with_black(
    width: int, height: int, scaled: tuple[int, int], interpolation: int
) -> None:
    image = np.random.default_rng(0).integers(1, 256, (height, width, 3), np.uint8)
    columns, rows = scaled
    for _ in range(3):  # memory of an earlier frame does not show in the padding
        planes, *scales = fit_frame(image)
        frame = planes[0].transpose(1, 2, 0).copy()
        assert not frame[rows:].any()
        assert not frame[:, columns:].any()
        planes[:] = 255
    assert [side % BLOCK for side in frame.shape[:2]] == [0, 0]
    expected = cv2.resize(image, scaled, interpolation=interpolation)
    np.testing.assert_array_equal(frame[:rows, :columns], expected)
    assert scales == [width / columns, height / rows]
