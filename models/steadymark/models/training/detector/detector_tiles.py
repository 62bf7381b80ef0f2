"""Training tiles of face_net: photos that are rotated, scaled, combined and degraded."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.models.face.crop import Crop, Image, cut
from steadymark.models.synthesis.conditions.face_occlusion import cover_box
from steadymark.models.training.detector.detector_negatives import colour_grey, draw_text, scramble
from steadymark.models.training.detector.detector_photos import (
    DetectorPhoto,
    PhotoFace,
    mirror_face,
    move_face,
)

if TYPE_CHECKING:
    from numpy.random import Generator

Floats = NDArray[np.float32]


KINDS = ("train", "crowds", "none", "turned", "unlabelled", "profiled")
# Number of leading kinds whose decoded images are cached; images of the other kinds are small.
_CACHED_KINDS = 3


@dataclass(frozen=True, slots=True)
class TileConfig:
    """Probabilities and ranges of the tiles.

    Lengths are in pixels of the tile. The length of a face is the longer side of its box.

    Attributes:
        sizes: Sides of the tiles.
        share: Probability of each of `KINDS`.
        smallest: Least length of the face that a view is centred on.
        enlarge: Largest factor by which a face is enlarged.
        large: Probability that this face takes up about half the tile or more, as with a webcam.
        ignore_below: Faces shorter than this are ignored.
        seen: Share of a box that must be inside the tile for the face to count.
        hinted: A face with a share between `hinted` and `seen` is ignored.
        mosaic: Probability that a tile consists of four photos.
        occluded: Probability that faces are partly occluded.
        backed: Probability that a photo without faces fills the area outside the photo.
        crowded: Probability that a crowd photo is scaled only within `own_scale`, since its faces
            are blurred if they are enlarged further.
        own_scale: Least and largest scale of such photos.
        anywhere: Probability that a photo with faces is cropped at a random place, for its
            background.
        coloured: Probability that a photo without faces is coloured; these photos are grey, which
            would reveal them.
        lettered: Probability that text and blobs are drawn on a view without a face.
        scrambled: Probability that a photo without faces is blended, mirrored or distorted, since
            there are few and false detections are often unlike any photo.
        rolled: Probability of a rotation by up to 50 instead of 12 degrees, for normal and for
            crowd photos, whose upright boxes follow a rotation only roughly.
        whirled: Probability of a rotation by any angle, likewise; it takes precedence over
            `rolled`.
    """

    sizes: tuple[int, ...] = (320, 448, 640)
    share: tuple[float, ...] = (0.16, 0.38, 0.24, 0.06, 0.06, 0.1)
    smallest: float = 14.0
    enlarge: float = 3.0
    large: float = 0.3
    ignore_below: float = 10.0
    seen: float = 0.4
    hinted: float = 0.08
    mosaic: float = 0.45
    occluded: float = 0.25
    backed: float = 0.6
    crowded: float = 0.75
    own_scale: tuple[float, float] = (0.8, 2.0)
    anywhere: float = 0.2
    coloured: float = 0.5
    lettered: float = 0.25
    scrambled: float = 0.5
    rolled: tuple[float, float] = (0.7, 0.25)
    whirled: tuple[float, float] = (0.4, 0.1)


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """A square training image with labels in its pixels.

    Attributes:
        image: (S, S, 3) uint8 BGR.
        boxes: (n, 4) faces.
        rolls: (n,) degrees, or NaN.
        ignored: (m, 4) regions that are ignored.
    """

    image: Image
    boxes: Floats
    rolls: Floats
    ignored: Floats


class TileMaker:
    """Makes tiles; a tile depends only on its random generator and on `hard`.

    Attributes:
        hard: Best score so far in each photo without faces; photos with high scores are drawn more
            often. None draws all equally often.
    """

    def __init__(
        self, sets: tuple[list[DetectorPhoto], ...], config: TileConfig, hard: Floats | None = None
    ) -> None:
        """Set the photos and the configuration.

        Args:
            sets: Photos of each of `KINDS`.
            config: Probabilities and ranges.
            hard: Best score so far in each photo without faces, or None.
        """
        self.sets = sets
        share = np.array(config.share[: len(sets)]) * [len(photos) > 0 for photos in sets]
        self._share = share / share.sum()
        self.hard = hard
        self.config = config
        self._decoded: dict[tuple[int, int], Image] = {}

    def _image(self, kind: int, index: int) -> Image:
        """Return a decoded image; the large ones are cached, which takes 1.5 GB."""
        if kind >= _CACHED_KINDS:
            return self.sets[kind][index].image()
        key = (kind, index)
        if key not in self._decoded:
            self._decoded[key] = self.sets[kind][index].image()
        return self._decoded[key]

    def _without_face(self, rng: Generator) -> int:
        """Draw a photo without faces; those with high scores are drawn more often."""
        probabilities = None
        if self.hard is not None:
            probabilities = 0.05 + self.hard.astype(np.float64) ** 2
            probabilities /= probabilities.sum()
        return int(rng.choice(len(self.sets[2]), p=probabilities))

    def tile(self, rng: Generator, size: int) -> Tile:
        """Make a tile from one photo, or from four of half the size.

        Args:
            rng: Makes all random choices.
            size: Side of the tile in pixels.
        """
        if rng.random() >= self.config.mosaic:
            tile = self._cut_view(rng, size)
        else:
            tile = self._mosaic(rng, size)
        if rng.random() < self.config.occluded:
            _occlude(tile, rng)
        return Tile(degrade_tile(tile.image, rng), tile.boxes, tile.rolls, tile.ignored)

    def _mosaic(self, rng: Generator, size: int) -> Tile:
        parts = [self._cut_view(rng, size // 2) for _ in range(4)]
        image = np.concatenate(
            [np.concatenate([parts[2 * r + c].image for c in (0, 1)], 1) for r in (0, 1)]
        )
        moves = [np.array([i % 2, i // 2] * 2, np.float32) * (size // 2) for i in range(4)]
        return Tile(
            image,
            np.concatenate([p.boxes + m for p, m in zip(parts, moves, strict=True)]),
            np.concatenate([p.rolls for p in parts]),
            np.concatenate([p.ignored + m for p, m in zip(parts, moves, strict=True)]),
        )

    def _cut_view(self, rng: Generator, size: int) -> Tile:
        """Cut a square view from one photo."""
        kind = int(rng.choice(len(self.sets), p=self._share))
        drawn = self._without_face(rng) if kind == 2 else int(rng.integers(len(self.sets[kind])))
        photo, image = self.sets[kind][drawn], self._image(kind, drawn)
        faces = photo.faces
        ignored = [PhotoFace(box) for box in photo.ignored]
        if kind == 2:
            image = self._distort(image, rng)
        if rng.random() < 0.5:
            width = image.shape[1]
            image = np.ascontiguousarray(image[:, ::-1])
            faces = tuple(mirror_face(face, width) for face in faces)
            ignored = [mirror_face(face, width) for face in ignored]
        crop = self._crop(rng, size, image, faces, upright=kind == 1)
        border = int(rng.choice((0, int(rng.integers(256)))))
        view = cut(image, crop.matrix_to_image(size), size, border=border)
        if crop.side > 1.2 * max(image.shape[:2]) and rng.random() < self.config.backed:
            outside = cut(np.full_like(image, 255), crop.matrix_to_image(size), size)[..., :1] < 255
            view = np.where(outside, self._background(rng, size), view)
        matrix = crop.matrix_from_image(size)
        moved = [move_face(face, matrix, -crop.roll_deg) for face in faces]
        uncertain = [move_face(face, matrix, 0.0).box for face in ignored]
        tile = self._labelled(view, moved, uncertain, size)
        if not len(tile.boxes) and rng.random() < self.config.lettered:
            tile = replace(tile, image=draw_text(view, rng))
        return tile

    def _background(self, rng: Generator, size: int) -> Image:
        """Return a photo without faces, stretched to the tile."""
        image = self._image(2, int(rng.integers(len(self.sets[2]))))
        return cv2.resize(image, (size, size)).astype(np.uint8, copy=False)

    def _distort(self, image: Image, rng: Generator) -> Image:
        """Distort or colour a photo without faces."""
        if rng.random() < self.config.scrambled:
            other = self._image(2, int(rng.integers(len(self.sets[2]))))
            image = scramble(image, other, rng)
        return colour_grey(image, rng) if rng.random() < self.config.coloured else image

    def _crop(
        self,
        rng: Generator,
        size: int,
        image: Image,
        faces: tuple[PhotoFace, ...],
        *,
        upright: bool,
    ) -> Crop:
        """Choose a crop around a face, whose length is drawn uniformly in its logarithm."""
        height, width = image.shape[:2]
        max_roll = 50.0 if rng.random() < self.config.rolled[int(upright)] else 12.0
        max_roll = 180.0 if rng.random() < self.config.whirled[int(upright)] else max_roll
        roll = float(rng.uniform(-max_roll, max_roll))
        if not faces:
            side = max(height, width) * math.exp(rng.uniform(math.log(0.25), math.log(1.2)))
            x, y = rng.uniform(0.2, 0.8, 2) * (width, height)
            return Crop(float(x), float(y), side, roll)
        if rng.random() < self.config.anywhere:
            side = min(height, width) * math.exp(rng.uniform(math.log(0.2), math.log(0.8)))
            return Crop(rng.uniform(0, width), rng.uniform(0, height), side, roll)
        face = faces[int(rng.integers(len(faces)))]
        length = float((face.box[2:] - face.box[:2]).max())
        longest = min(length * self.config.enlarge, 0.97 * size)
        is_large = rng.random() < self.config.large
        shortest = min(0.45 * size if is_large else self.config.smallest, longest)
        if upright and rng.random() < self.config.crowded:
            shortest, longest = (
                min(length * scale, 0.97 * size) for scale in self.config.own_scale
            )
        drawn_length = math.exp(rng.uniform(math.log(shortest), math.log(longest)))
        side = size * length / drawn_length
        x, y = (face.box[:2] + face.box[2:]) / 2
        max_shift = max(0.5 * side - 0.35 * length, 0.1 * side)
        return Crop(
            x + rng.uniform(-max_shift, max_shift),
            y + rng.uniform(-max_shift, max_shift),
            side,
            roll,
        )

    def _labelled(
        self, view: Image, faces: list[PhotoFace], uncertain: list[Floats], size: int
    ) -> Tile:
        """Sort the faces into those to detect, those to ignore and those outside the tile."""
        boxes, rolls = [], []
        for face in faces:
            sides = face.box[2:] - face.box[:2]
            inside = (face.box[2:].clip(max=size) - face.box[:2].clip(0)).clip(0).prod()
            visible_share = float(inside / sides.prod().clip(1e-6))
            if visible_share >= self.config.seen and sides.max() >= self.config.ignore_below:
                boxes.append(face.box)
                rolls.append(face.roll_deg)
            elif visible_share > self.config.hinted:
                uncertain.append(face.box)
        clipped = [box.clip(0, size) for box in uncertain]
        ignored = [box for box in clipped if (box[2:] > box[:2]).all()]
        return Tile(
            view,
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(rolls, np.float32),
            np.array(ignored, np.float32).reshape(-1, 4),
        )


def _occlude(tile: Tile, rng: Generator) -> None:
    """Occlude some faces in place, or another region if there is no face."""
    if not len(tile.boxes):
        size = len(tile.image)
        half = size * math.exp(rng.uniform(-3.5, -1.5)) * np.ones(2)
        middle = rng.uniform(0, size, 2)
        cover_box(tile.image, np.concatenate((middle - half, middle + half)), math.nan, rng)
        return
    for index in rng.permutation(len(tile.boxes))[: int(rng.integers(1, 4))]:
        cover_box(tile.image, tile.boxes[index], float(tile.rolls[index]), rng)


def degrade_tile(image: Image, rng: Generator) -> Image:
    """Degrade light, colour, sharpness, resolution and noise as poor cameras do."""
    degraded = image
    if rng.random() < 0.3:
        degraded = np.repeat(cv2.cvtColor(degraded, cv2.COLOR_BGR2GRAY)[..., None], 3, 2)
    degraded = _random_tones(degraded, rng)
    if rng.random() < 0.15:
        kernel = int(rng.choice((3, 5)))
        degraded = cv2.GaussianBlur(degraded, (kernel, kernel), 0).astype(np.uint8, copy=False)
    if rng.random() < 0.12:
        degraded = _add_motion_blur(degraded, rng)
    if rng.random() < 0.08:
        size = len(degraded)
        small = int(size * rng.uniform(0.45, 0.8))
        shrunk = cv2.resize(degraded, (small, small), interpolation=cv2.INTER_AREA)
        degraded = cv2.resize(shrunk, (size, size)).astype(np.uint8, copy=False)
    if rng.random() < 0.25:
        noise = rng.standard_normal(degraded.shape[:2], np.float32)[..., None] * rng.uniform(2, 14)
        degraded = (degraded + noise).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 90))]
        encoded = cv2.imencode(".jpg", degraded, quality)[1]
        degraded = cv2.imdecode(encoded, cv2.IMREAD_COLOR).astype(np.uint8, copy=False)  # type: ignore[union-attr]
    return degraded


def _add_motion_blur(image: Image, rng: Generator) -> Image:
    """Add motion blur of 3 to 13 pixels in a random direction."""
    kernel = np.zeros((15, 15), np.float32)
    angle = rng.uniform(0, math.pi)
    reach = np.array([math.cos(angle), math.sin(angle)]) * math.exp(rng.uniform(0, 1.9))
    ends = [tuple(round(7 + sign * float(v)) for v in reach) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum()).astype(np.uint8, copy=False)


def _random_tones(image: Image, rng: Generator) -> Image:
    """Apply a random tone curve per channel: gamma, contrast, brightness, tint or darkness."""
    ramp = np.linspace(0, 1, 256)[:, None] ** math.exp(rng.uniform(-0.4, 0.4))
    ramp = (ramp - 0.5) * rng.uniform(0.6, 1.3) + 0.5 + rng.uniform(-0.15, 0.15)
    if rng.random() < 0.5:
        strength = 0.25 if rng.random() < 0.8 else 0.6
        ramp = ramp * np.exp(rng.uniform(-strength, strength, 3))
    if rng.random() < 0.15:
        ramp = ramp * rng.uniform(0.06, 0.5)
    table = (np.broadcast_to(ramp, (256, 3)) * 255).clip(0, 255).astype(np.uint8)
    return cv2.LUT(image, np.ascontiguousarray(table)[None]).astype(np.uint8, copy=False)
