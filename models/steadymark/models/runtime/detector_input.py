"""What face_net sees of a frame: the one mapping between a frame and the detector's input."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image

BLOCK = 32  # the network's sides are multiples of this
LONGEST_SIDE = 640
ENLARGE = 1.6  # at most: small faces of small pictures are found better


class DetectorInput(NamedTuple):
    """planes: (1, 3, H, W) uint8 BGR, multiples of BLOCK; frame pixels per pixel of it, x and y."""

    planes: NDArray[np.uint8]
    per_x: float
    per_y: float

    def to_frame(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 4) left, top, right, bottom in its pixels → in frame pixels."""
        per = np.array([self.per_x, self.per_y] * 2, np.float32)
        moved: NDArray[np.float32] = (boxes + 0.5) * per - 0.5
        return moved


def fit_frame(
    image: Image, longest_side: int = LONGEST_SIDE, enlarge: float = ENLARGE
) -> DetectorInput:
    """Resize a frame (H, W, 3) uint8 BGR and pad it at right and below with black."""
    height, width = image.shape[:2]
    scale = min(enlarge, longest_side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size != (width, height):
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = cv2.resize(image, size, interpolation=how).astype(np.uint8, copy=False)
    planes = np.zeros((1, 3, size[1] + -size[1] % BLOCK, size[0] + -size[0] % BLOCK), np.uint8)
    cv2.split(image, [plane[: size[1], : size[0]] for plane in planes[0]])
    return DetectorInput(planes, width / size[0], height / size[1])
