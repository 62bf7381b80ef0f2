"""Random textures for optical flow, and faces in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.face.crop import Crop, transform
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.flow_stabilizer import FLOW_SIDE, flow_frame_of

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Matrix, Points
    from steadymark.models.face.landmark_flow import FlowFrame
    from steadymark.models.face.schema import LandmarkSchema

FACE = Crop(160, 150, 170, 3)  # of 320 × 320 pixels


def random_texture(seed: int = 0) -> Image:
    """A smooth random image, (320, 320) grey."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 256, (40, 40)).astype(np.uint8)
    return cv2.resize(rough, (320, 320), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def grey_to_bgr(image: Image) -> Image:
    """The grey image with three equal channels."""
    return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR).astype(np.uint8)


def warped_image(image: Image, motion: Matrix) -> Image:
    """The image warped by `motion` (2, 3)."""
    size = (image.shape[1], image.shape[0])
    border = cv2.BORDER_REFLECT
    return cv2.warpAffine(image, motion, size, borderMode=border).astype(np.uint8)


def similarity(x: float, y: float, growth: float = 1.0, roll_deg: float = 0.0) -> Matrix:
    """(2, 3): rotation and scale about the centre of the face, then a shift by (x, y)."""
    matrix = np.array(cv2.getRotationMatrix2D((FACE.x, FACE.y), roll_deg, growth), np.float64)
    matrix[:, 2] += (x, y)
    return matrix


def face_in(crop: Crop = FACE, schema: LandmarkSchema | None = None) -> Points:
    """(K, 2) frame pixels: the mean face in this crop."""
    shape = (schema or load_schema("ibug68")).mean_shape
    inside = shape * FLOW_SIDE / 1.4 + (FLOW_SIDE - 1) / 2
    points: Points = transform(crop.matrix_to_image(FLOW_SIDE), inside).astype(np.float32)
    return points


def flow_frame(image: Image, raw: Points, crop: Crop = FACE) -> FlowFrame:
    """A frame of a face, as input of the flow stabilizer."""
    colour = grey_to_bgr(image) if image.ndim == 2 else image
    return flow_frame_of(colour, colour[:1], crop, raw)
