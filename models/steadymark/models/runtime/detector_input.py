"""Prepare a frame for the face detector face_net, and map its boxes back to the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image

BLOCK = 32  # height and width of the network's input are multiples of this
LONGEST_SIDE = 640  # pixels
ENLARGE = 1.6  # largest enlargement, which helps to find small faces in small images


class DetectorInput(NamedTuple):
    """A frame that is resized and padded for the detector.

    Attributes:
        planes: (1, 3, H, W) uint8 BGR; H and W are multiples of `BLOCK`.
        scale_x: Frame pixels per input pixel along x.
        scale_y: Frame pixels per input pixel along y.
    """

    planes: NDArray[np.uint8]
    scale_x: float
    scale_y: float

    def to_frame(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert boxes from input pixels to frame pixels.

        Args:
            boxes: (n, 4) left, top, right, bottom, input pixels.

        Returns:
            (n, 4) float32, frame pixels.
        """
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        frame_boxes: NDArray[np.float32] = (boxes + 0.5) * scale - 0.5
        return frame_boxes


def fit_frame(
    image: Image, longest_side: int = LONGEST_SIDE, enlarge: float = ENLARGE
) -> DetectorInput:
    """Resize a frame and pad it with black on the right and at the bottom.

    Args:
        image: (H, W, 3) uint8 BGR.
        longest_side: Longest side after resizing, pixels.
        enlarge: Largest allowed scale.

    Returns:
        The detector's input.
    """
    height, width = image.shape[:2]
    scale = min(enlarge, longest_side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # empty, since new memory that is zero costs more time than the copy
    planes = np.empty((1, 3, size[1] + -size[1] % BLOCK, size[0] + -size[0] % BLOCK), np.uint8)
    planes[:, :, size[1] :] = 0
    planes[..., size[0] :] = 0
    covered = [plane[: size[1], : size[0]] for plane in planes[0]]
    if scale > 1:
        for channel, plane in zip(cv2.split(image), covered, strict=True):
            cv2.resize(channel, size, dst=plane, interpolation=cv2.INTER_LINEAR)
    else:
        if size != (width, height):
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        cv2.split(image, covered)
    return DetectorInput(planes, width / size[0], height / size[1])
