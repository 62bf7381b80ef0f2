"""Short synthetic videos of two faces that cross, meet, are occluded or leave, with ground truth.

Faces are cut out of labelled images and moved over a synthetic background. It is known which face
is in front and how much of each is visible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.models.face.crop import transform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.models.face.crop import Image, Points

WIDTH, HEIGHT, FPS, FRAMES = 640, 360, 25, 90
CROSSINGS = ("pass", "overtake", "meet")
KINDS = (*CROSSINGS, "bar", "exit")
SEEN = 0.6  # Share of visible landmarks from which on a face must be found.
_NOISE = 3.0  # Standard deviation, in grey levels.
_FRONT, _MARGIN = 0.55, 12  # Share of the head that is cut out; soft edge in pixels.
Array = NDArray[np.float64]
Light = NDArray[np.float32]


class PortraitFace(NamedTuple):
    """A labelled image of a face.

    Attributes:
        image: The image, (H, W, 3) uint8 BGR.
        points: Landmarks, (68, 2), in pixels.
    """

    image: Image
    points: Points


class CrossingFrame(NamedTuple):
    """One frame of a video with its ground truth.

    Attributes:
        image: The frame, (H, W, 3) uint8 BGR.
        points: Landmarks of all faces, (faces, 68, 2), in pixels.
        visible: Share of each face's landmarks that are visible, (faces,).
    """

    image: Image
    points: Points
    visible: Array


@dataclass(frozen=True, slots=True, eq=False)
class FacePath:
    """Motion of one face over the FRAMES frames of a video.

    Attributes:
        xy: Centre of the face, (FRAMES, 2), in pixels.
        size: Longer side of the face, (FRAMES,), in pixels.
        roll_deg: Roll of the face, (FRAMES,), in degrees.
    """

    xy: Array
    size: Array
    roll_deg: Array


def render_crossing(
    kind: str, portraits: tuple[PortraitFace, PortraitFace], rng: np.random.Generator
) -> Iterator[CrossingFrame]:
    """Render the frames of one video; the second face is in front of the first.

    Args:
        kind: Kind of video, one of KINDS.
        portraits: The two faces.
        rng: Random generator.

    Yields:
        The frames with their ground truth.
    """
    paths = _paths(kind, rng)
    background = _background(rng)
    bar = _bar(rng) if kind == "bar" else None
    heads = [_head_mask(portrait) for portrait in portraits]
    noise = np.random.default_rng(rng.integers(2**32))
    for frame in range(FRAMES):
        light = background.copy()
        points, covers = [], []
        for portrait, head, path in zip(portraits, heads, paths, strict=True):
            matrix = _pose(portrait.points, path, frame)
            size = (WIDTH, HEIGHT)
            cover = cv2.warpAffine(head, matrix, size).astype(np.float32)
            face = cv2.warpAffine(portrait.image, matrix, size).astype(np.uint8, copy=False)
            _blend(light, face, cover)
            points.append(transform(matrix, portrait.points))
            covers.append(cover)
        if bar is not None:
            _blend(light, *bar)
            covers.append(bar[1])
        light += noise.standard_normal(light.shape, np.float32) * _NOISE
        visible = [_visible(xy, covers[i + 1 :]) for i, xy in enumerate(points)]
        image = np.rint(light).clip(0, 255).astype(np.uint8)
        yield CrossingFrame(image, np.stack(points), np.array(visible))


def _blend(light: Light, colour: Light | Image, cover: Light) -> None:
    """Draw a colour, (H, W, 3), over the light where its cover, (H, W), is above zero."""
    x, y, width, height = cv2.boundingRect((cover > 0).astype(np.uint8))
    part = np.s_[y : y + height, x : x + width]
    light[part] += cover[part][..., None] * (colour[part] - light[part])


def _paths(kind: str, rng: np.random.Generator) -> tuple[FacePath, FacePath]:
    t = np.linspace(0, 1, FRAMES)
    left, right = rng.uniform(110, 150), WIDTH - rng.uniform(110, 150)
    middle = WIDTH / 2 + rng.uniform(-30, 30)
    first, second = {
        "pass": lambda: (_eased(left, right, t, 0.15, 0.85), _eased(right, left, t, 0.1, 0.9)),
        "overtake": lambda: (
            _eased(left + 90, right - 60, t, 0, 1),
            _eased(left, right, t, 0.2, 0.8),
        ),
        "meet": lambda: (
            left + (middle - left) * np.sin(np.pi * t) ** 2,
            right + (middle + rng.uniform(0, 50) - right) * np.sin(np.pi * t) ** 2,
        ),
        "bar": lambda: (_eased(left - 20, right + 20, t, 0.1, 0.9), _eased(60, 120, t, 0, 1)),
        "exit": lambda: (_leave_and_return(left, rng, t), _eased(right, right - 120, t, 0, 1)),
    }[kind]()
    if rng.random() < 0.5:
        first, second = WIDTH - 1 - first, WIDTH - 1 - second
    heights = HEIGHT / 2 + rng.uniform(-25, 25, 2)
    if kind == "bar":
        heights = np.array([HEIGHT * 0.32, HEIGHT * 0.74])
    sizes = rng.uniform(95, 130) * np.array([1.0, rng.uniform(1.0, 1.25)])
    paths = []
    for x, y, size in zip((first, second), heights, sizes, strict=True):
        bob = 6 * np.sin(2 * np.pi * (rng.uniform(1, 3) * t + rng.random()))
        grow = 1 + 0.05 * np.sin(2 * np.pi * (t * rng.uniform(0.5, 1) + rng.random()))
        roll = rng.uniform(-10, 10) + 4 * np.sin(2 * np.pi * (t + rng.random()))
        paths.append(FacePath(np.stack((x, y + bob), 1), size * grow, roll))
    return paths[0], paths[1]


def _eased(start: float, end: float, t: Array, begin: float, stop: float) -> Array:
    """Return a smooth motion from start to end between two moments, as shares of the video."""
    share = ((t - begin) / (stop - begin)).clip(0, 1)
    eased: Array = start + (end - start) * share * share * (3 - 2 * share)
    return eased


def _leave_and_return(left: float, rng: np.random.Generator, t: Array) -> Array:
    """Return a motion out of the image and back; the face is out of sight for 1 to 2 s."""
    half = rng.uniform(0.25, 0.75) * FPS / FRAMES
    near = _eased(0.0, 1.0, np.abs(t - 0.5), half, half + 0.25)
    x: Array = -110 + (left + 110) * near
    return x


def _pose(points: Points, path: FacePath, frame: int) -> Array:
    """Return the transform, (2, 3), from pixels of the portrait to pixels of the frame."""
    low, high = points.min(0).astype(np.float64), points.max(0).astype(np.float64)
    scale = path.size[frame] / (high - low).max()
    angle = np.radians(path.roll_deg[frame])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.concatenate((turn, (path.xy[frame] - turn @ ((low + high) / 2))[:, None]), 1)


def _head_mask(portrait: PortraitFace) -> Light:
    """Return a mask, (H, W) in [0, 1]: an ellipse around face and forehead with a soft edge."""
    low, high = portrait.points.min(0), portrait.points.max(0)
    width, height = (float(v) for v in high - low)
    centre = ((low[0] + high[0]) / 2, high[1] - height * _FRONT - height * 0.1)
    mask = np.zeros(portrait.image.shape[:2], np.float32)
    axes = (round(width * _FRONT), round(height * 0.78))
    cv2.ellipse(mask, (round(centre[0]), round(centre[1])), axes, 0, 0, 360, 1.0, cv2.FILLED)
    blurred: Light = cv2.GaussianBlur(mask, (0, 0), _MARGIN / 3).astype(np.float32)
    return blurred


def _background(rng: np.random.Generator) -> Light:
    """Return a cloudy background without face-like structure."""
    light = np.full((HEIGHT, WIDTH, 3), 60, np.float32)
    for cell in (20, 60, 180):
        rows, columns = HEIGHT // cell + 2, WIDTH // cell + 2
        coarse = rng.uniform(0, 45, (rows, columns, 3)).astype(np.float32)
        light += cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return light


def _bar(rng: np.random.Generator) -> tuple[Light, Light]:
    """Return a vertical bar in the middle: its colour, (H, W, 3), and its mask, (H, W)."""
    cover = np.zeros((HEIGHT, WIDTH), np.float32)
    width, at = round(rng.uniform(110, 170)), WIDTH // 2
    cover[: round(HEIGHT * 0.85), at - width // 2 : at + width // 2] = 1
    return np.full((HEIGHT, WIDTH, 3), rng.uniform(40, 160), np.float32), cover


def _visible(xy: Points, covers: list[Light]) -> float:
    """Return the share of landmarks (68, 2) that lie inside the image and are not covered."""
    x, y = np.rint(xy).astype(int).T
    inside = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT)
    seen = inside.copy()
    for cover in covers:
        seen[inside] &= cover[y[inside], x[inside]] < 0.5
    return float(seen.mean())
