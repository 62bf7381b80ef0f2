"""Synthetic image sequences with exactly known landmarks, from still images of faces.

Head and camera move, and so do mouth, eyes and head rotation (`expression_warp`). The crop follows
the face as in tracking, and each frame has its own noise and motion blur (convlstm_jitter_pdc,
section 4.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.models.face.crop import Crop, compose, cut, fit_crop, follow, inverse, transform
from steadymark.models.face.face_motion import face_motion, flow_picture, is_on_the_head
from steadymark.models.training.data.expression_warp import ExpressionWarp, face_path, shift_points
from steadymark.models.training.data.image_degradation import relight

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.training.data.face_images import FaceImages

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SequenceConfig:
    """Parameters of synthetic sequences.

    Attributes:
        frames: Number of frames.
        margin: Side of the crop relative to the fitted size of the face.
        dead_band: Dead band of the crop, as a share of its side, see `keep_crop_if_still`.
        noise: Largest standard deviation of the noise, in grey levels.
        rest: Probability that a stretch of frames stands still.
        slip: Deviation of the first crop from the true landmarks, as a share of its side.
        lips: Probability that mouth and eyes move.
        turns: Probability that the head turns.
    """

    frames: int = 48
    margin: float = 1.4
    dead_band: float = 0.01
    noise: float = 14.0
    rest: float = 0.45
    slip: float = 0.03
    lips: float = 0.8
    turns: float = 0.6


class ImageSequence(NamedTuple):
    """A sequence of T crops that follow a face.

    Attributes:
        crops: (T, F, F, 3) uint8 BGR.
        points: (T, K, 2) landmarks in crop pixels.
        moved: (T, 2, 3) affine transforms from pixels of a crop to those of the crop before it,
            which follow the face as `face_motion` estimates from the images.
    """

    crops: Image
    points: Points
    moved: Points


def make_sequence(
    faces: FaceImages,
    schema: LandmarkSchema,
    size: int,
    number: int,
    *,
    seed: int,
    config: SequenceConfig,
) -> ImageSequence:
    """Return sequence `number` of the endless stream of this seed.

    Args:
        faces: Labelled faces.
        schema: Schema of the landmarks.
        size: Side F of the crops in pixels.
        number: Number of the sequence, from 0.
        seed: Seed of the stream.
        config: Parameters of the sequence.
    """
    rng = np.random.default_rng((seed, number, 2))
    index = int(rng.integers(len(faces)))
    picture, still = faces.pictures[index], faces.points[index]
    mirrored = rng.random() < 0.5
    if mirrored:
        picture = np.ascontiguousarray(picture[:, ::-1])
        still = schema.mirrored(still, picture.shape[1])
    picture = relight(picture, rng)
    base = fit_crop(still, schema.mean_shape, margin=config.margin)
    path = head_path(config.frames, rng, rest=config.rest)
    face = face_path(config.frames, rng, lips=config.lips, turns=config.turns)
    shifted, bending = shift_points(still, base, face), ExpressionWarp(picture, base)
    sigma = config.noise * rng.random() ** 2
    grey = rng.random() < 0.15
    kept: Crop | None = None
    fitted: Crop | None = None
    last_seen = still
    crops: list[Image] = []
    told: list[Points] = []
    moves: list[Floats] = []
    for t in range(config.frames):
        # the frame shows the still image, moved by the head's movement
        moved = _moved(base, path[t])
        in_head = transform(inverse(moved.to_picture(size)), shifted[t])
        in_frame = transform(base.to_picture(size), in_head)
        # as in tracking, the crop follows the previous frame's landmarks
        guess = last_seen + rng.normal(0, 0.004 * base.side, in_frame.shape)
        last_seen = in_frame
        wanted = fit_crop(guess, schema.mean_shape, margin=config.margin)
        if kept is None:
            slip = rng.normal(0, config.slip, 3)
            kept = Crop(
                wanted.x + slip[0] * wanted.side,
                wanted.y + slip[1] * wanted.side,
                wanted.side * float(np.exp(slip[2])),
                wanted.roll_deg + float(rng.normal(0, 2)),
            )
        before, kept = kept, follow(kept, wanted, fitted, dead_band=config.dead_band)
        fitted = wanted
        to_still = compose(moved.to_picture(size), inverse(base.to_picture(size)))
        matrix = compose(to_still, kept.to_picture(size))
        image = cut(bending.bent(face[t]), matrix, size)
        in_crop = transform(inverse(kept.to_picture(size)), in_frame)
        if t:
            image = _smear(image, told[-1], in_crop)
        noise = rng.standard_normal(image.shape, np.float32) * sigma
        image = (image + noise * rng.uniform(0.7, 1.3)).clip(0, 255).astype(np.uint8)
        if grey:
            image = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, 2)
        moves.append(np.eye(2, 3))
        if t:
            head = told[-1][is_on_the_head(schema)]
            seen = flow_picture(crops[-1]), flow_picture(image)
            moves[-1] = face_motion(*seen, head, kept.onto(before, size))
        crops.append(image)
        told.append(in_crop)
    return ImageSequence(
        np.stack(crops), np.stack(told).astype(np.float32), np.stack(moves).astype(np.float32)
    )


def _moved(base: Crop, change: Floats) -> Crop:
    """Return the crop that shows the head moved by `change`.

    `change` is x and y (shares of the side), log scale and roll in degrees.
    """
    return Crop(
        base.x - change[0] * base.side,
        base.y - change[1] * base.side,
        base.side * float(np.exp(-change[2])),
        base.roll_deg - float(change[3]),
    )


_SPEEDS = np.array([0.015, 0.015, 0.008, 0.8])  # change per frame at medium speed


def head_path(frames: int, rng: np.random.Generator, *, rest: float) -> Floats:
    """Return a random head path (T, 4) of rests, slow and fast stretches.

    The columns are those of `change` in `_moved`. Half of the stretches change the speed abruptly.
    """
    speed, velocity = np.zeros((frames, 4)), np.zeros(4)
    t = 0
    while t < frames:
        length = int(rng.integers(3, 12))
        if rng.random() < rest:
            wanted, length = np.zeros(4), 2 * length
        else:
            pace = float(np.exp(rng.uniform(np.log(0.1), np.log(5.0))))
            wanted = rng.normal(0, 1, 4) * _SPEEDS * pace
        sudden = rng.random() < 0.5
        for _ in range(min(length, frames - t)):
            velocity = wanted if sudden else velocity + 0.4 * (wanted - velocity)
            speed[t] = velocity
            t += 1
    path = np.cumsum(speed, 0)
    path -= path[0]
    tremor = rng.normal(0, 1, (frames, 4)) * _SPEEDS * 0.01
    shaken: Floats = path + tremor * (rng.random() < 0.3)
    return shaken


def _smear(image: Image, before: Points, now: Points) -> Image:
    """Add motion blur over half of the motion since the last frame, as a 180 degree shutter does.

    The blur is centred on the instant of the landmarks.
    """
    way = (now - before).mean(0) / 2
    length = float(np.hypot(*way))
    if length < 1:
        return image
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for s in np.linspace(-0.5, 0.5, 4 * reach + 1):
        x, y = reach + s * way
        i, j = int(np.floor(x)), int(np.floor(y))
        fx, fy = x - i, y - j
        for dy, dx, w in (
            (0, 0, (1 - fx) * (1 - fy)),
            (0, 1, fx * (1 - fy)),
            (1, 0, (1 - fx) * fy),
            (1, 1, fx * fy),
        ):
            kernel[min(j + dy, 2 * reach), min(i + dx, 2 * reach)] += w
    return cv2.filter2D(image, -1, kernel / kernel.sum()).astype(np.uint8, copy=False)
