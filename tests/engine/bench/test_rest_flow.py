"""Still frames are detected from the image."""

from __future__ import annotations

import cv2
import numpy as np

from steadymark.engine.bench.clips.rest_flow import RestFlow
from steadymark.engine.core.types import FaceBox

BOX = FaceBox(80, 60, 150, 150)
FPS = 20.0  # half a second: 10 frames


def moved_images(shifts: list[float]) -> list[np.ndarray]:
    """Return a textured image, shifted right by each number of pixels, with noise."""
    rng = np.random.default_rng(0)
    texture = cv2.resize(rng.uniform(40, 215, (36, 48, 3)).astype(np.float32), (320, 240))
    images = []
    for shift in shifts:
        matrix = np.array([[1.0, 0, shift], [0, 1, 0]])
        moved = cv2.warpAffine(texture, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE)
        noisy = moved + rng.normal(0, 4, moved.shape)
        images.append(noisy.clip(0, 255).astype(np.uint8))
    return images


def still_frames(shifts: list[float], lost: tuple[int, ...] = ()) -> np.ndarray:
    flow = RestFlow(FPS)
    for index, image in enumerate(moved_images(shifts)):
        flow.add(image, None if index in lost else BOX)
    return flow.still()


def test_noise_does_not_count_as_motion_but_a_slow_drift_does() -> None:
    assert still_frames([0.0] * 30).all()
    assert not still_frames([0.3 * t for t in range(30)]).any()  # 2 % of the face in half a second


def test_frames_between_two_movements_are_still() -> None:
    shifts = [2.0 * t for t in range(12)] + [24.0] * 20 + [24 + 2.0 * t for t in range(12)]
    found = still_frames(shifts)
    assert found[14:30].all()
    assert not found[:10].any()
    assert not found[34:].any()


def test_no_frame_is_still_without_a_face_or_in_short_videos() -> None:
    assert not still_frames([0.0] * 8).any()
    assert not still_frames([0.0] * 24, lost=tuple(range(24))).any()
