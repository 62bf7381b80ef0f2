"""Still frames are told by the picture."""

from __future__ import annotations

import cv2
import numpy as np

from steadymark.engine.bench.clips.rest_flow import RestFlow
from steadymark.engine.core.types import FaceBox

BOX = FaceBox(80, 60, 150, 150)
FPS = 20.0  # half a second: 10 frames


def pictures(shifts: list[float]) -> list[np.ndarray]:
    """A textured picture, moved to the right by so many pixels, with noise."""
    rng = np.random.default_rng(0)
    texture = cv2.resize(rng.uniform(40, 215, (36, 48, 3)).astype(np.float32), (320, 240))
    out = []
    for shift in shifts:
        matrix = np.array([[1.0, 0, shift], [0, 1, 0]])
        moved = cv2.warpAffine(texture, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE)
        noisy = moved + rng.normal(0, 4, moved.shape)
        out.append(noisy.clip(0, 255).astype(np.uint8))
    return out


def still(shifts: list[float], lost: tuple[int, ...] = ()) -> np.ndarray:
    watch = RestFlow(FPS)
    for index, picture in enumerate(pictures(shifts)):
        watch.add(picture, None if index in lost else BOX)
    return watch.still()


def test_noise_is_no_motion_but_a_slow_drift_is() -> None:
    assert still([0.0] * 30).all()
    assert not still([0.3 * t for t in range(30)]).any()  # 2 % of the face in half a second


def test_what_lies_between_two_movements_is_still() -> None:
    shifts = [2.0 * t for t in range(12)] + [24.0] * 20 + [24 + 2.0 * t for t in range(12)]
    found = still(shifts)
    assert found[14:30].all()
    assert not found[:10].any()
    assert not found[34:].any()


def test_nothing_is_known_without_a_face_or_before_half_a_second() -> None:
    assert not still([0.0] * 8).any()
    assert not still([0.0] * 24, lost=tuple(range(24))).any()
