"""The measurement of camera noise finds synthesized noise and reports unusable clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.models.synthesis.conditions.sensor_noise import (
    BY_BRIGHTNESS,
    COLOURS,
    NEIGHBOURS,
    SensorNoise,
)
from tools.data_statistics.measure_camera_noise import main, measure_noise

if TYPE_CHECKING:
    from pathlib import Path


def noisy_frames(lasts: float, deviation: float) -> np.ndarray:
    still = np.repeat(np.arange(16, 256, 32, dtype=np.float32), 32)
    light = np.tile(still[None, :, None], (128, 1, 3))
    noise = SensorNoise(deviation, lasts, np.random.default_rng(1))
    return np.stack([np.rint(noise.add_to(light)) for _ in range(20)]).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("lasts", [0.0, 0.6])
def test_measured_noise_equals_the_synthesized_noise(lasts: float) -> None:
    measured = measure_noise(noisy_frames(lasts, 2.0))
    change = 2.0 * np.sqrt(1 - lasts)  # differences contain only the new noise
    assert measured.deviation == pytest.approx(change, rel=0.1)
    np.testing.assert_allclose(measured.neighbours, NEIGHBOURS, atol=0.1)
    assert measured.colours == pytest.approx(COLOURS, abs=0.05)
    assert measured.lasts == pytest.approx(lasts, abs=0.08)
    np.testing.assert_allclose(measured.by_brightness[1:7], BY_BRIGHTNESS[1:7], rtol=0.15)


def test_a_clip_without_still_pixels_cannot_be_measured() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(UsageError, match="hardly anything stands still"):
        measure_noise(rng.integers(0, 255, (6, 64, 64, 3)).astype(np.uint8))


def test_a_file_that_is_not_a_video_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    assert main([str(tmp_path / "a.mp4")]) == 2
    assert "cannot read" in capsys.readouterr().err
