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
from steadymark.models.face.face_motion import face_motion, flow_image, inner_landmarks
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
    image, still_points = faces.images[index], faces.points[index]
    mirrored = rng.random() < 0.5
    if mirrored:
        image = np.ascontiguousarray(image[:, ::-1])
        still_points = schema.mirrored(still_points, image.shape[1])
    image = relight(image, rng)
    base = fit_crop(still_points, schema.mean_shape, margin=config.margin)
    path = head_path(config.frames, rng, rest=config.rest)
    face = face_path(config.frames, rng, lips=config.lips, turns=config.turns)
    shifted, warp = shift_points(still_points, base, face), ExpressionWarp(image, base)
    sigma = config.noise * rng.random() ** 2
    is_grey = rng.random() < 0.15
    crop: Crop | None = None
    fitted: Crop | None = None
    last_seen = still_points
    crops: list[Image] = []
    crop_points: list[Points] = []
    moves: list[Floats] = []
    for t in range(config.frames):
        # the frame shows the still image, moved by the head's movement
        head_crop = _moved(base, path[t])
        in_head = transform(inverse(head_crop.matrix_to_image(size)), shifted[t])
        in_frame = transform(base.matrix_to_image(size), in_head)
        # as in tracking, the crop follows the previous frame's landmarks
        noisy_points = last_seen + rng.normal(0, 0.004 * base.side, in_frame.shape)
        last_seen = in_frame
        wanted = fit_crop(noisy_points, schema.mean_shape, margin=config.margin)
        if crop is None:
            slip = rng.normal(0, config.slip, 3)
            crop = Crop(
                wanted.x + slip[0] * wanted.side,
                wanted.y + slip[1] * wanted.side,
                wanted.side * float(np.exp(slip[2])),
                wanted.roll_deg + float(rng.normal(0, 2)),
            )
        before, crop = crop, follow(crop, wanted, fitted, dead_band=config.dead_band)
        fitted = wanted
        to_still = compose(head_crop.matrix_to_image(size), inverse(base.matrix_to_image(size)))
        matrix = compose(to_still, crop.matrix_to_image(size))
        frame_image = cut(warp.warped(face[t]), matrix, size)
        in_crop = transform(inverse(crop.matrix_to_image(size)), in_frame)
        if t:
            frame_image = _add_motion_blur(frame_image, crop_points[-1], in_crop)
        noise = rng.standard_normal(frame_image.shape, np.float32) * sigma
        frame_image = (frame_image + noise * rng.uniform(0.7, 1.3)).clip(0, 255).astype(np.uint8)
        if is_grey:
            frame_image = np.repeat(cv2.cvtColor(frame_image, cv2.COLOR_BGR2GRAY)[..., None], 3, 2)
        moves.append(np.eye(2, 3))
        if t:
            inner_points = crop_points[-1][inner_landmarks(schema)]
            flow_images = flow_image(crops[-1]), flow_image(frame_image)
            moves[-1] = face_motion(*flow_images, inner_points, crop.matrix_to_crop(before, size))
        crops.append(frame_image)
        crop_points.append(in_crop)
    return ImageSequence(
        np.stack(crops),
        np.stack(crop_points).astype(np.float32),
        np.stack(moves).astype(np.float32),
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
            target, length = np.zeros(4), 2 * length
        else:
            pace = float(np.exp(rng.uniform(np.log(0.1), np.log(5.0))))
            target = rng.normal(0, 1, 4) * _SPEEDS * pace
        is_abrupt = rng.random() < 0.5
        for _ in range(min(length, frames - t)):
            velocity = target if is_abrupt else velocity + 0.4 * (target - velocity)
            speed[t] = velocity
            t += 1
    path = np.cumsum(speed, 0)
    path -= path[0]
    tremor = rng.normal(0, 1, (frames, 4)) * _SPEEDS * 0.01
    shaken: Floats = path + tremor * (rng.random() < 0.3)
    return shaken


def _add_motion_blur(image: Image, before: Points, now: Points) -> Image:
    """Add motion blur over half of the motion since the last frame, as a 180 degree shutter does.

    The blur is centred on the instant of the landmarks.
    """
    motion = (now - before).mean(0) / 2
    length = float(np.hypot(*motion))
    if length < 1:
        return image
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for position in np.linspace(-0.5, 0.5, 4 * reach + 1):
        x, y = reach + position * motion
        column, row = int(np.floor(x)), int(np.floor(y))
        column_share, row_share = x - column, y - row
        for next_row, next_column, weight in (
            (0, 0, (1 - column_share) * (1 - row_share)),
            (0, 1, column_share * (1 - row_share)),
            (1, 0, (1 - column_share) * row_share),
            (1, 1, column_share * row_share),
        ):
            kernel[min(row + next_row, 2 * reach), min(column + next_column, 2 * reach)] += weight
    return cv2.filter2D(image, -1, kernel / kernel.sum()).astype(np.uint8, copy=False)
