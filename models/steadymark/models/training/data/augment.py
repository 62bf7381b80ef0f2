"""Augmented training samples for landmark networks.

A sample depends only on the seed and its number, so training can resume exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steadymark.models.face.crop import Crop, cut, fit_crop, inverse, mirror_image, transform
from steadymark.models.training.data.image_degradation import cover, degrade_image, draw_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Matrix, Points
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.training.data.face_images import FaceImages


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Random deviations of a sample's crop from the crop that the true landmarks define.

    Attributes:
        margin: Side of the crop relative to the fitted size of the face.
        tight: Standard deviations of shift (share of the side), scale (log) and roll (degrees) as
            in tracking, when the crop follows a face.
        wide: The same standard deviations as after a detector's box.
        wide_share: Share of samples that use `wide`.
        stretch: Standard deviation of anisotropic stretch and of shear.
        negatives: Share of samples without a face to track: background, far off-centre, or nearly
            covered.
    """

    margin: float = 1.4
    tight: tuple[float, float, float] = (0.025, 0.05, 6.0)
    wide: tuple[float, float, float] = (0.06, 0.11, 22.0)
    wide_share: float = 0.3
    stretch: float = 0.06
    negatives: float = 0.1


class Sample(NamedTuple):
    """A training sample.

    Attributes:
        crop: (F, F, 3) uint8 BGR.
        points: (K, 2) landmarks in crop pixels.
        face: 1 if the crop shows a face to track, otherwise 0.
    """

    crop: Image
    points: Points
    face: float


def clean_crop(faces: FaceImages, index: int, schema: LandmarkSchema, margin: float) -> Crop:
    """Return the crop that the true landmarks of face `index` define."""
    return fit_crop(faces.points[index], schema.mean_shape, margin=margin)


def make_sample(
    faces: FaceImages,
    backgrounds: tuple[Image, ...],
    schema: LandmarkSchema,
    size: int,
    number: int,
    *,
    seed: int,
    config: AugmentConfig,
) -> Sample:
    """Return sample `number` of the endless stream of this seed.

    Args:
        faces: Labelled faces; every epoch visits all of them in a new order.
        backgrounds: Images without faces.
        schema: Schema of the landmarks.
        size: Side F of the crop in pixels.
        number: Number of the sample, from 0.
        seed: Seed of the stream.
        config: Random deviations of the crop.
    """
    rng = np.random.default_rng((seed, number))
    epoch, position = divmod(number, len(faces))
    order = np.random.default_rng((seed, epoch, 1)).permutation(len(faces))
    index = int(order[position])
    source, points = faces.images[index], faces.points[index]
    crop = clean_crop(faces, index, schema, config.margin)
    face = 1.0
    kind = rng.random()
    if kind < config.negatives:
        face = 0.0
        source, crop = _without_face(source, crop, backgrounds, rng, kind / config.negatives)
    else:
        crop = _displaced(crop, config, rng)
    matrix = _stretched(crop.matrix_to_image(size), size, config.stretch, rng)
    flip = rng.random() < 0.5
    if flip:
        matrix = mirror_image(matrix, size)
    image = cut(source, matrix, size, border=_random_border(rng))
    crop_points = transform(inverse(matrix), points)
    if flip:
        crop_points = crop_points[schema.mirror]
    image = degrade_image(image, rng)
    if 0.9 * config.negatives <= kind < config.negatives:
        image = cover(image, faces.images, rng, share=(0.75, 1.0))
    elif rng.random() < 0.35:
        image = cover(image, faces.images, rng, share=(0.02, 0.3))
    return Sample(image, crop_points, face)


def _without_face(
    image: Image,
    crop: Crop,
    backgrounds: tuple[Image, ...],
    rng: np.random.Generator,
    kind: float,
) -> tuple[Image, Crop]:
    """Return an image and a crop without a face to track.

    Args:
        image: Image of a face.
        crop: The crop of that face.
        backgrounds: Images without faces.
        rng: Makes the random choices.
        kind: In [0, 1), selects the kind of negative; from 0.9 the crop is kept and the caller
            covers the face.
    """
    if kind < 0.3 and backgrounds:
        image = backgrounds[int(rng.integers(len(backgrounds)))]
        return image, _random_crop(image, rng)
    if kind < 0.4:
        image = draw_shapes(rng)
        return image, _random_crop(image, rng)
    if kind < 0.6:  # a crop that is far too small, such as an eye or a button
        height, width = image.shape[:2]
        side = crop.side * float(np.exp(rng.uniform(np.log(0.04), np.log(0.35))))
        return image, Crop(
            rng.uniform(0, width), rng.uniform(0, height), side, rng.uniform(-60, 60)
        )
    return image, _off_centre(crop, rng) if kind < 0.9 else crop


def _random_border(rng: np.random.Generator) -> int:
    return int((0, 0, 127, rng.integers(256))[int(rng.integers(4))])


def _displaced(crop: Crop, config: AugmentConfig, rng: np.random.Generator) -> Crop:
    wide = rng.random() < config.wide_share
    shift, scale, roll = config.wide if wide else config.tight
    dx, dy, dscale, droll = rng.standard_normal(4).clip(-2, 2)
    return Crop(
        crop.x + dx * shift * crop.side,
        crop.y + dy * shift * crop.side,
        crop.side * float(np.exp(dscale * scale)),
        crop.roll_deg + droll * roll,
    )


def _off_centre(crop: Crop, rng: np.random.Generator) -> Crop:
    """Return a crop so far from its face that the tracker should not continue from it."""
    angle = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.7:
        distance, scale = rng.uniform(0.35, 0.7), float(np.exp(rng.normal(0, 0.25)))
    else:
        distance, scale = rng.uniform(0, 0.4), float(rng.choice([0.35, 0.45, 2.2, 2.8]))
    return Crop(
        crop.x + distance * crop.side * float(np.cos(angle)),
        crop.y + distance * crop.side * float(np.sin(angle)),
        crop.side * scale,
        crop.roll_deg + rng.uniform(-60, 60),
    )


def _random_crop(image: Image, rng: np.random.Generator) -> Crop:
    height, width = image.shape[:2]
    side = min(height, width) * rng.uniform(0.2, 1.1)
    return Crop(rng.uniform(0, width), rng.uniform(0, height), side, rng.uniform(-45, 45))


def _stretched(matrix: Matrix, size: int, amount: float, rng: np.random.Generator) -> Matrix:
    """Add anisotropic stretch and shear about the crop's centre, in crop pixels."""
    stretch, shear = rng.normal(0, amount, 2).clip(-2 * amount, 2 * amount)
    middle = (size - 1) / 2
    inner: NDArray[np.float64] = np.array([[1 + stretch, shear, 0], [0, 1 - stretch, 0], [0, 0, 1]])
    inner[:2, 2] = middle - inner[:2, :2] @ (middle, middle)
    product: Matrix = matrix @ inner
    return product
