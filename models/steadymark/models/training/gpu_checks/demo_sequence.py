"""The demo clip's face in consecutive frames, as input of the checks; no data folder is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.crop import cut, transform
from steadymark.models.face.schema import IBUG68
from steadymark.models.own_models.demo_faces import demo_faces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.own_models.demo_faces import DemoFace

_MOST_FRAMES = 60  # That are read; more frames repeat them backwards and forwards.


@dataclass(frozen=True, slots=True, eq=False)
class DemoSequence:
    """Crops of one face in consecutive frames.

    Attributes:
        crops: (T, F, F, 3) uint8 BGR.
        points: (T, 68, 2) float32 true landmarks, crop pixels.
        moved: (T, 2, 3) float32 motion from pixels of each crop to those of the crop before.
    """

    crops: Image
    points: NDArray[np.float32]
    moved: NDArray[np.float32]


def first_demo_face() -> DemoFace:
    """Return the first frame of the demo clip with its true landmarks."""
    return demo_faces((0,))[0]


def demo_sequence(size: int, margin: float, count: int) -> DemoSequence:
    """Cut the face out of the first frames of the demo clip.

    All crops are at the same place of their frames, so that no face moves by its crop.

    Args:
        size: Side F of the crops, pixels.
        margin: Side of the crop divided by the fitted size of the face.
        count: Number of frames, T.
    """
    faces = demo_faces(tuple(range(min(count, _MOST_FRAMES))))
    order = [*range(len(faces)), *range(len(faces) - 2, 0, -1)]
    chosen = [faces[order[i % len(order)]] for i in range(count)]
    crop = faces[0].crop(IBUG68, margin)
    from_image, to_image = crop.matrix_from_image(size), crop.matrix_to_image(size)
    return DemoSequence(
        np.stack([cut(face.image, to_image, size) for face in chosen]),
        np.stack([transform(from_image, face.truth) for face in chosen]).astype(np.float32),
        np.eye(2, 3, dtype=np.float32)[None].repeat(count, 0),
    )
