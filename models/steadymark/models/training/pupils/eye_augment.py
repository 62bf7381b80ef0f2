"""Random changes of an eye for training: gaze, lids, crop, glasses, occlusion, image quality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from steadymark.models.face.eye_crop import EYE_HEIGHT, EYE_WIDTH, MARGIN, TOP
from steadymark.models.training.data.image_degradation import cover, degrade_image
from steadymark.models.training.pupils.eye_pictures import EYE_SCALE, PICTURE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.training.pupils.eye_pictures import EyePicture

    Floats = NDArray[np.float32]

SEEN, UNSEEN, UNSURE = 1.0, 0.0, -1.0  # labels of the pupil being seen
_IRIS = 0.24 * EYE_SCALE  # radius that moves as a whole, picture pixels


@dataclass(frozen=True, slots=True)
class EyeAugment:
    """Probabilities and strengths of the changes.

    Attributes:
        move: Probability that the iris is moved between the lids.
        close: Probability that the upper lid is lowered.
        turn_deg: Standard deviation of the crop's roll.
        shift: Standard deviation of the crop's place, as a share of the eye's width: the landmarks
            of a tracked face have such errors.
        scale: Standard deviation of the logarithm of the crop's size.
        narrow: Least width of the eye, as a share of the wider eye's: that of turned heads.
        glasses: Probability of a rim, and of reflections of glass.
        cover: Probability that something hides the eye.
    """

    move: float = 0.4
    close: float = 0.25
    turn_deg: float = 4.0
    shift: float = 0.035
    scale: float = 0.07
    narrow: float = 0.6
    glasses: float = 0.2
    cover: float = 0.06


class EyeSample(NamedTuple):
    """A training sample.

    Attributes:
        image: (EYE_HEIGHT, EYE_WIDTH) uint8 grey crop.
        xy: (2,) centre of the pupil in pixels of the crop; 0 if it is not known.
        seen: `SEEN`, `UNSEEN` or `UNSURE`.
    """

    image: Image
    xy: Floats
    seen: float


def augment_eye(eye: EyePicture, settings: EyeAugment, rng: np.random.Generator) -> EyeSample:
    """Change an eye at random.

    Args:
        eye: The eye; without a pupil, it is a closed eye.
        settings: Probabilities and strengths.
        rng: Makes all random choices.
    """
    to_picture = _crop_matrix(settings, rng)
    ys, xs = np.mgrid[0:EYE_WIDTH, 0:EYE_WIDTH].astype(np.float32)
    x, y = (row[0] * xs + row[1] * ys + row[2] for row in to_picture.astype(np.float32))
    pupil, seen = eye.pupil, SEEN if eye.is_labelled else UNSEEN
    if eye.is_labelled:
        upper, lower = _lid_heights(eye, x)
        closing = rng.uniform(0.1, 1.05) if rng.random() < settings.close else 0.0
        moved = _moved_pupil(eye, rng) if rng.random() < settings.move else pupil
        lid = upper + closing * (lower - upper)
        seen = _visibility(eye, moved, closing)
        x, y = _moved_sources(x, y, eye.pupil, moved, upper, lower)
        y = _lowered_sources(y, upper, lid, closing)
        pupil = moved
    square = cv2.remap(eye.image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    image = cv2.merge((square, square, square)).astype(np.uint8, copy=False)
    if rng.random() < settings.glasses:
        image = _with_glasses(image, rng)
    if rng.random() < settings.cover:
        image, seen = cover(image, [image], rng, share=(0.5, 1.0)), UNSURE
        if rng.random() < 0.5:
            image, seen = _hidden(image, rng), UNSEEN
    image = degrade_image(image, rng)
    grey = image[TOP : TOP + EYE_HEIGHT, :, 1]
    if rng.random() < 0.12:
        grey = _darkened(grey, rng)
    back = np.linalg.inv(np.vstack((to_picture, (0, 0, 1))))[:2]
    xy = back[:, :2] @ pupil + back[:, 2] - (0, TOP) if seen == SEEN else np.zeros(2)
    return EyeSample(np.ascontiguousarray(grey), xy.astype(np.float32), seen)


def _crop_matrix(settings: EyeAugment, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the (2, 3) matrix from pixels of the square crop to those of the picture."""
    pixel = MARGIN * EYE_SCALE / EYE_WIDTH * np.exp(rng.normal(0, settings.scale))
    narrow = rng.uniform(settings.narrow, 1) if rng.random() < 0.3 else 1.0
    angle = np.radians(rng.normal(0, settings.turn_deg))
    cos, sin = np.cos(angle), np.sin(angle)
    turned = np.array(((cos / narrow, -sin / narrow), (sin, cos))) * pixel
    shift = rng.normal(0, settings.shift, 2) * EYE_SCALE
    centre = np.full(2, (PICTURE - 1) / 2) + shift
    return np.concatenate((turned, (centre - turned @ np.full(2, (EYE_WIDTH - 1) / 2))[:, None]), 1)


def _lid_heights(eye: EyePicture, x: Floats) -> tuple[Floats, Floats]:
    """Return the y of the upper and the lower lid at positions x, in picture pixels."""
    lids = eye.lids
    upper = np.interp(x, *_increasing(lids[[0, 1, 2, 3]])).astype(np.float32)
    lower = np.interp(x, *_increasing(lids[[0, 5, 4, 3]])).astype(np.float32)
    return upper, np.maximum(upper, lower)


def _increasing(points: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(points[:, 0])
    return points[order, 0], points[order, 1]


def _moved_pupil(eye: EyePicture, rng: np.random.Generator) -> Floats:
    """Return another place of the pupil between the lids, or its own."""
    wanted = eye.pupil + rng.normal(0, (0.13, 0.05)) * EYE_SCALE
    left, right = sorted((float(eye.lids[0, 0]), float(eye.lids[3, 0])))
    room = 0.17 * EYE_SCALE
    if not left + room < wanted[0] < right - room:
        return eye.pupil
    upper, lower = _lid_heights(eye, wanted[:1].astype(np.float32))
    if not upper[0] + 1 < wanted[1] < lower[0] - 1:
        wanted[1] = eye.pupil[1]
    return np.asarray(wanted, np.float32)


def _visibility(eye: EyePicture, pupil: Floats, closing: float) -> float:
    """Tell whether a lid that is lowered by a share of the opening hides the pupil."""
    if closing == 0:
        return SEEN
    upper, lower = _lid_heights(eye, pupil[:1])
    gap = float(pupil[1] - (upper[0] + closing * (lower[0] - upper[0]))) / EYE_SCALE
    if gap > 0.03:
        return SEEN
    return UNSEEN if gap < -0.05 or closing > 0.95 else UNSURE


def _moved_sources(
    x: Floats, y: Floats, pupil: Floats, moved: Floats, upper: Floats, lower: Floats
) -> tuple[Floats, Floats]:
    """Return from where the picture is taken, so that the iris moves and the lids do not."""
    shift = moved - pupil
    if not shift.any():
        return x, y
    reach = 1.6 * float(np.hypot(*shift)) + 0.05 * EYE_SCALE
    distance = np.hypot(x - moved[0], y - moved[1])
    share = ((_IRIS + reach - distance) / reach).clip(0, 1)
    within = np.minimum(y - upper, lower - y)
    share = share * (within / (0.02 * EYE_SCALE)).clip(0, 1)
    source_y = (y - share * shift[1]).astype(np.float32)
    kept = np.maximum(np.minimum(source_y, lower - 1), upper + 1)
    source_y = np.where(within > 0, kept, source_y).astype(np.float32)
    return (x - share * shift[0]).astype(np.float32), source_y


def _lowered_sources(y: Floats, upper: Floats, lid: Floats, closing: float) -> Floats:
    """Return from which rows the picture is taken, so that the upper lid lies at `lid`."""
    if closing == 0:
        return y
    top = upper - 0.45 * EYE_SCALE
    stretched = top + (y - top) * (upper - top) / np.maximum(lid - top, 1)
    is_lid = (y > top) & (y < lid)
    return np.where(is_lid, stretched, y).astype(np.float32)


def _with_glasses(image: Image, rng: np.random.Generator) -> Image:
    """Draw a part of a rim, and soft reflections."""
    side, shown = len(image), image.copy()
    if rng.random() < 0.6:
        centre = (rng.uniform(0.3, 0.7, 2) * side).astype(int).tolist()
        axes = (rng.uniform(0.35, 0.7, 2) * side).astype(int).tolist()
        grey = int(rng.choice((rng.integers(0, 70), rng.integers(0, 256))))
        thick = int(rng.integers(1, 5))
        cv2.ellipse(
            shown, centre, axes, rng.uniform(-20, 20), 0, 360, [grey] * 3, thick, cv2.LINE_AA
        )
    if rng.random() < 0.6:
        glare = np.zeros((side, side), np.float32)
        for _ in range(int(rng.integers(1, 4))):
            at = (rng.uniform(0.1, 0.9, 2) * side).astype(int).tolist()
            size = rng.integers(1, 12, 2).tolist()
            strength = float(rng.uniform(40, 255))
            cv2.ellipse(glare, at, size, rng.uniform(0, 180), 0, 360, strength, -1, cv2.LINE_AA)
        soft = cv2.GaussianBlur(glare, (0, 0), rng.uniform(0.5, 3))
        shown = (shown + soft[..., None]).clip(0, 255).astype(np.uint8)
    return shown


def _hidden(image: Image, rng: np.random.Generator) -> Image:
    """Hide the eye behind a dark glass or a flat surface."""
    grey = rng.uniform(0, 60) if rng.random() < 0.6 else rng.uniform(0, 255)
    kept = rng.uniform(0, 0.08)
    flat = image * kept + grey * (1 - kept) + rng.normal(0, 2, image.shape)
    return _with_glasses(flat.clip(0, 255).astype(np.uint8), rng)


def _darkened(grey: Image, rng: np.random.Generator) -> Image:
    """Show the eye as a camera does in the dark: few grey levels, with noise."""
    light = rng.uniform(0.06, 0.4)
    noise = rng.normal(0, rng.uniform(0.5, 4), grey.shape)
    return (grey * light + noise).clip(0, 255).astype(np.uint8)
