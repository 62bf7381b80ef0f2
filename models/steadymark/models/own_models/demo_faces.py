"""Test images from the shipped demo clip: faces with known landmarks, and images without."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.models.face.crop import Crop, cut, fit_crop
from steadymark.models.face.schema import IBUG68, assets_root, load_schema
from steadymark.models.face.schema_conversion import map_points, matching_landmarks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image, Points

FRAMES = (0, 20, 70, 120, 170, 220)
_TRUTH_SCHEMA = IBUG68
_NOISE = 15.0  # grey levels
_BLUR_FACTOR = 3  # factor by which a crop is reduced and enlarged again


@dataclass(frozen=True, slots=True, eq=False)
class DemoFace:
    """A face with known landmarks.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        truth: (68, 2) true iBUG landmarks, image pixels.
    """

    image: Image
    truth: Points

    def crop(self, schema: str, margin: float) -> Crop:
        """Return the crop around this face that tracking with a schema would use.

        Args:
            schema: Name of the landmark schema.
            margin: Side of the crop divided by the fitted size of the face.

        Returns:
            The crop.
        """
        indices = matching_landmarks(_TRUTH_SCHEMA, schema)
        known = indices >= 0
        shape = load_schema(schema).mean_shape[known]
        return fit_crop(self.truth[indices[known]], shape, margin=margin)

    def error(self, points: NDArray[np.floating], schema: str) -> float:
        """Compute the mean error of landmarks.

        Args:
            points: (K, 2) landmarks, image pixels.
            schema: Name of their schema.

        Returns:
            The mean distance from the truth divided by the outer-eye distance, over the landmarks
            that both schemas have; infinite if no landmark can be compared.
        """
        mapped = map_points(points, schema, _TRUTH_SCHEMA, exact=True)
        exists = np.isfinite(mapped).all(1)
        if not exists.any():
            return float("inf")
        eye_distance = float(np.linalg.norm(self.truth[45] - self.truth[36]))
        return float(np.linalg.norm(mapped - self.truth, axis=1)[exists].mean()) / eye_distance


@cache
def demo_faces(frames: tuple[int, ...] = FRAMES) -> tuple[DemoFace, ...]:
    """Read faces of the demo clip.

    Args:
        frames: Frame numbers, from 0.

    Returns:
        The faces of the frames that can be read and whose landmarks are all known.
    """
    folder = assets_root() / "clips"
    video = cv2.VideoCapture(str(folder / "demo.mp4"))
    with (folder / "demo_truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = []
    for index in range(max(frames) + 1):
        is_read, image = video.read()
        if not is_read:
            break
        if index in frames:
            truth = np.array(
                [[float(rows[index][f"{axis}_{i}"]) for axis in "xy"] for i in range(68)],
                np.float32,
            )
            if np.isfinite(truth).all():
                found.append(DemoFace(image.astype(np.uint8, copy=False), truth))
    video.release()
    return tuple(found)


def face_crops(faces: tuple[DemoFace, ...], schema: str, margin: float, size: int) -> Image:
    """Cut four crops of each face, placed as in `displaced_crops`.

    Args:
        faces: The faces.
        schema: Name of the landmark schema.
        margin: Side of the crop divided by the fitted size of the face.
        size: Side F of the crops, pixels.

    Returns:
        (4n, F, F, 3) uint8 BGR for n faces.
    """
    places = displaced_crops(faces, schema, margin)
    parts = [cut(face.image, crop.matrix_to_image(size), size) for face, crop in places]
    return np.stack(parts)


def displaced_crops(
    faces: tuple[DemoFace, ...], schema: str, margin: float
) -> list[tuple[DemoFace, Crop]]:
    """Place four crops on each face: one exact, and three displaced as by a detector's box.

    Args:
        faces: The faces.
        schema: Name of the landmark schema.
        margin: Side of the crop divided by the fitted size of the face.

    Returns:
        Each face with each of its crops.
    """
    random = np.random.default_rng(5)
    found = []
    for face in faces:
        exact = face.crop(schema, margin)
        for share in (0.0, 0.5, 1.0, 1.0):
            right, down, growth, roll = share * random.uniform(-1, 1, 4)
            crop = Crop(
                exact.x + 0.07 * right * exact.side,
                exact.y + 0.07 * down * exact.side,
                exact.side * (1 + 0.12 * growth),
                exact.roll_deg + 10 * roll,
            )
            found.append((face, crop))
    return found


def hard_face_crops(faces: tuple[DemoFace, ...], schema: str, margin: float, size: int) -> Image:
    """Cut crops as `face_crops` does, and add blurred, noisy and partly covered copies.

    Args:
        faces: The faces.
        schema: Name of the landmark schema.
        margin: Side of the crop divided by the fitted size of the face.
        size: Side F of the crops, pixels.

    Returns:
        (16n, F, F, 3) uint8 BGR for n faces. The lowest third of a covered copy is hidden.
    """
    plain = face_crops(faces, schema, margin, size)
    random = np.random.default_rng(7)
    noisy = (plain + random.normal(0, _NOISE, plain.shape)).clip(0, 255).astype(np.uint8)
    covered = plain.copy()
    lowest_third = covered[:, 2 * size // 3 :]
    lowest_third[:] = lowest_third.mean((1, 2), keepdims=True).astype(np.uint8)
    small_side = max(4, size // _BLUR_FACTOR)
    blurred = [
        cv2.resize(
            cv2.resize(part, (small_side, small_side), interpolation=cv2.INTER_AREA), (size, size)
        )
        for part in plain
    ]
    return np.concatenate((plain, np.stack(blurred).astype(np.uint8), noisy, covered))


def faceless_crops(faces: tuple[DemoFace, ...], schema: str, margin: float, size: int) -> Image:
    """Make crops without a face.

    They are parts of the image beside the face, the face with shuffled blocks, and noise with the
    spectrum of the face.

    Args:
        faces: The faces.
        schema: Name of the landmark schema.
        margin: Side of the crop divided by the fitted size of the face.
        size: Side F of the crops, pixels.

    Returns:
        (5n, F, F, 3) uint8 BGR for n faces.
    """
    random = np.random.default_rng(6)
    parts = []
    for face in faces:
        crop = face.crop(schema, margin)
        part = cut(face.image, crop.matrix_to_image(size), size)
        for right, down in ((0.75, 0.0), (-0.75, 0.1), (0.1, 0.8)):
            beside = Crop(crop.x + right * crop.side, crop.y + down * crop.side, crop.side)
            parts.append(cut(face.image, beside.matrix_to_image(size), size))
        parts += [_shuffled(part, random), _random_phase(part, random)]
    return np.stack(parts)


def _shuffled(part: Image, random: np.random.Generator) -> Image:
    """Shuffle the 4×4 blocks of a crop."""
    block = len(part) // 4
    shuffled = part.copy()
    places = [(y * block, x * block) for y in range(4) for x in range(4)]
    for (y, x), (v, u) in zip(places, random.permutation(places), strict=True):
        shuffled[y : y + block, x : x + block] = part[v : v + block, u : u + block]
    return shuffled


def _random_phase(part: Image, random: np.random.Generator) -> Image:
    """Return noise with the amplitude spectrum of a crop."""
    size = len(part)
    phase = np.fft.fft2(random.standard_normal((size, size)))
    phase /= np.maximum(np.abs(phase), 1e-9)
    mean = part.mean((0, 1), keepdims=True)
    spectrum = np.fft.fft2(part - mean, axes=(0, 1)) * phase[..., None]
    noise: Image = (np.fft.ifft2(spectrum, axes=(0, 1)).real + mean).clip(0, 255).astype(np.uint8)
    return noise
