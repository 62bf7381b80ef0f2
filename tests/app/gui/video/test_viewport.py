from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor

from steadymark.app.gui.video.viewport import MAX_SCALE, Viewport, centred_viewport, fitted_viewport
from steadymark.app.gui.video.visible_image import visible_image


def test_a_fitted_image_fills_the_view_and_is_centred() -> None:
    port = fitted_viewport((640, 480), (1000.0, 480.0))
    assert port.scale == pytest.approx(1.0)
    np.testing.assert_allclose(port.to_view(np.array([-0.5, -0.5])), [180, 0])
    np.testing.assert_allclose(port.to_view(np.array([639.5, 479.5])), [820, 480])


def test_to_frame_inverts_to_view() -> None:
    port = Viewport(2.5, 13, -7)
    x, y = port.to_view(np.array([101.25, 37.5]))
    assert port.to_frame(x, y) == pytest.approx((101.25, 37.5))


def test_zooming_keeps_the_point_under_the_mouse() -> None:
    port = centred_viewport((640, 480), (800.0, 600.0), 1.0)
    before = port.to_frame(300, 200)
    after = port.zoomed(1.7, 300, 200)
    assert after.to_frame(300, 200) == pytest.approx(before)
    assert port.zoomed(1e9, 0, 0).scale == MAX_SCALE


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("scale", [0.2, 0.45, 1.0, 3.3, 8.0])
def test_a_spot_in_the_image_is_shown_where_the_overlay_draws_it(
    scale: float, ratio: float
) -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    image[118:123, 198:203] = 255  # centred on (200, 120)
    port = Viewport(scale, 7.3, -3.8).moved(-200 * scale + 60, -120 * scale + 50)
    sampled, place = visible_image(image, port, (120, 100), ratio)
    light = np.array(
        [
            [QColor(sampled.pixel(x, y)).red() for x in range(sampled.width())]
            for y in range(sampled.height())
        ],
        float,
    )
    rows, columns = np.mgrid[: light.shape[0], : light.shape[1]]
    centre = np.array([(light * columns).sum(), (light * rows).sum()]) / light.sum()
    shown = (centre + (place.x(), place.y()) + 0.5) / ratio
    expected = port.to_view(np.array([200.0, 120.0]))
    np.testing.assert_allclose(shown, expected, atol=max(0.15, 0.3 * scale / ratio))


def test_nothing_is_sampled_when_the_image_is_outside_the_view() -> None:
    image, place = visible_image(
        np.zeros((10, 10, 3), np.uint8), Viewport(1, 500, 500), (100, 100), 1
    )
    assert image.isNull()
    assert place.isEmpty()
