"""Objects that pass in front of a face: hands, mugs and microphones, drawn from simple shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.models.synthesis.conditions.sensor_noise import to_three_channels

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Points

Floats = NDArray[np.float64]
Light = NDArray[np.float32]
# Side of the square that holds the object's head, pixels; the arm or handle continues below it.
_SIZE = 256
_LENGTH = 640  # height of an object's image, pixels
_HIDING_OPACITY = 0.5  # opacity from which a landmark counts as hidden
OBJECTS = ("hand", "mug", "microphone")


class Occluder:
    """One object that enters from a side, stays in front of the face for a while and then leaves.

    Its position and size are multiples of the landmarks' extent.

    Args:
        kind: One of `OBJECTS`.
        image: (H, W, 3) uint8 BGR photo, from which the skin colour of a hand is taken.
        points: (68, 2) landmarks in pixels of the photo.
        length_s: Duration of the scene in seconds.
        rng: Makes all random choices.
    """

    def __init__(
        self, kind: str, image: Image, points: Points, length_s: float, rng: np.random.Generator
    ) -> None:
        self.kind = kind
        self.colour, self.cover = _DRAWING_FUNCTIONS[kind](_skin_colour(image, points), rng)
        self.size = rng.uniform(0.75, 1.15)
        # Direction from which the object enters: below or a side.
        direction = np.pi / 2 + rng.uniform(-1.2, 1.2)
        # The arm or handle points in that direction.
        self.roll = direction - np.pi / 2 + rng.uniform(-0.2, 0.2)
        self.away = 2.0 * np.array((np.cos(direction), np.sin(direction)))
        self.aim = np.array((rng.uniform(-0.35, 0.35), rng.uniform(-0.15, 0.45)))
        self.comes_s = rng.uniform(-0.3, 0.4 * length_s)
        self.takes_s, self.stays_s = rng.uniform(0.25, 0.8), rng.uniform(0.1, 0.8)
        self.sway = rng.uniform(0, 0.06, 2)

    def pose(self, t_s: float, centre: Floats, extent: float) -> Floats:
        """Return the affine transform (2, 3) from pixels of the object's image to frame pixels.

        Args:
            t_s: Time in seconds.
            centre: (2,) centre of the face in frame pixels.
            extent: Extent of the landmarks in frame pixels.
        """
        elapsed_s = t_s - self.comes_s
        presence = _smooth_step(elapsed_s / self.takes_s)
        presence -= _smooth_step((elapsed_s - self.takes_s - self.stays_s) / self.takes_s)
        sway = self.sway * np.sin(2 * np.pi * np.array((0.9, 1.3)) * t_s)
        position = centre + extent * ((1 - presence) * self.away + presence * (self.aim + sway))
        scale = self.size * extent / _SIZE
        cos, sin = scale * np.cos(self.roll), scale * np.sin(self.roll)
        linear = np.array([[cos, -sin], [sin, cos]])
        object_centre = np.full(2, (_SIZE - 1) / 2)
        return np.concatenate((linear, (position - linear @ object_centre)[:, None]), 1)

    def before(
        self, light: Light, truth: Points, t_s: float, centre: Floats, extent: float
    ) -> tuple[Light, NDArray[np.bool_]]:
        """Draw the object in front of the face.

        Args:
            light: (H, W, 3) float32 frame.
            truth: (K, 2) landmarks in frame pixels.
            t_s: Time in seconds.
            centre: (2,) centre of the face in frame pixels.
            extent: Extent of the landmarks in frame pixels.

        Returns:
            The frame (H, W, 3) with the object, and (K,) bool, True where a landmark is still
            visible.
        """
        height, width = light.shape[:2]
        pose = self.pose(t_s, centre, extent)
        corners = np.array([[0, 0], [_SIZE, 0], [0, _LENGTH], [_SIZE, _LENGTH]]) @ pose[:, :2].T
        corners += pose[:, 2]
        if (corners.max(0) < 0).any() or (corners.min(0) > (width, height)).any():
            return light, np.ones(len(truth), bool)
        cover = cv2.warpAffine(self.cover, pose, (width, height), flags=cv2.INTER_LINEAR)
        colour = cv2.warpAffine(self.colour, pose, (width, height), borderMode=cv2.BORDER_REPLICATE)
        covered = light + to_three_channels(np.asarray(cover, np.float32)) * (colour - light)
        pixels = np.rint(truth).astype(int)
        is_inside = ((pixels >= 0) & (pixels < (width, height))).all(1)
        is_visible = np.ones(len(truth), bool)
        is_visible[is_inside] = cover[pixels[is_inside, 1], pixels[is_inside, 0]] < _HIDING_OPACITY
        return np.asarray(covered, np.float32), is_visible


def _smooth_step(progress: float) -> float:
    progress = min(max(progress, 0.0), 1.0)
    return progress * progress * (3 - 2 * progress)


def _skin_colour(image: Image, points: Points) -> Floats:
    """Return the mean colour (3,) of the cheeks and nose."""
    pixels = (points[[2, 14, 30]] * 0.5 + points[[31, 35, 28]] * 0.5).round().astype(int)
    pixels = pixels.clip(0, np.array(image.shape[1::-1]) - 1)
    colour: Floats = image[pixels[:, 1], pixels[:, 0]].mean(0)
    return colour


def _texture(rng: np.random.Generator, depth: float, cells: int) -> Light:
    """Return smooth random factors (length, size) around 1."""
    small = rng.uniform(-depth, depth, (cells * _LENGTH // _SIZE, cells)).astype(np.float32)
    big = cv2.resize(small, (_SIZE, _LENGTH), interpolation=cv2.INTER_CUBIC)
    return 1 + np.asarray(big, np.float32)


def _shade(cover: Light, shade: Light, colour: Floats) -> tuple[Light, Light]:
    """Return colour (length, size, 3) and opacity (length, size), darker towards the edges."""
    soft = cv2.GaussianBlur(cover, (0, 0), 1.0)
    inner = cv2.GaussianBlur(cover, (0, 0), 9.0)
    lit = (0.45 + 0.55 * np.clip(1.6 * inner - 0.6, 0, 1)) * shade
    painted = (lit[..., None] * colour.astype(np.float32)).clip(0, 255)
    return painted.astype(np.float32), np.asarray(soft, np.float32)


def _capsule(mask: Light, a: Floats, b: Floats, width: float) -> None:
    ends = [(round(float(x) * 16), round(float(y) * 16)) for x, y in (a, b)]
    cv2.line(mask, ends[0], ends[1], 1.0, max(1, round(width)), cv2.LINE_8, 4)
    for end in ends:
        cv2.circle(mask, end, round(width * 8), 1.0, -1, cv2.LINE_8, 4)


def _hand(skin: Floats, rng: np.random.Generator) -> tuple[Light, Light]:
    """Draw a palm, four fingers and a thumb, with creases between the fingers."""
    cover = np.zeros((_LENGTH, _SIZE), np.float32)
    crease = np.zeros_like(cover)
    spread = rng.uniform(0.08, 0.22)
    cv2.ellipse(cover, (128, 180), (50, 56), 0, 0, 360, 1.0, -1)
    _capsule(cover, np.array((128.0, 200)), np.array((128.0, _LENGTH)), 62)
    for finger in range(4):
        angle = (finger - 1.5) * spread - np.pi / 2
        root = np.array((128 + (finger - 1.5) * 25, 152.0))
        tip = root + rng.uniform(75, 100) * np.array((np.cos(angle), np.sin(angle)))
        finger_mask = np.zeros_like(cover)
        _capsule(finger_mask, root, tip, rng.uniform(20, 24))
        crease += np.abs(cv2.Laplacian(cv2.GaussianBlur(finger_mask, (0, 0), 1.5), cv2.CV_32F))
        cover = np.maximum(cover, finger_mask)
    _capsule(cover, np.array((168.0, 205)), np.array((212.0, 150)), 27)
    shade = _texture(rng, 0.05, 12) * _texture(rng, 0.03, 60) * (1 - 0.5 * crease.clip(0, 1))
    return _shade(cover, shade.astype(np.float32), skin * rng.uniform(0.85, 1.1))


def _mug(skin: Floats, rng: np.random.Generator) -> tuple[Light, Light]:
    """Draw a cylinder with a handle and a stripe."""
    cover = np.zeros((_LENGTH, _SIZE), np.float32)
    cv2.ellipse(cover, (190, 140), (36, 44), 0, 0, 360, 1.0, 13)
    cv2.rectangle(cover, (60, 70), (190, 210), 1.0, -1)
    cv2.ellipse(cover, (125, 210), (65, 14), 0, 0, 360, 1.0, -1)
    cv2.ellipse(cover, (125, 70), (65, 14), 0, 0, 360, 1.0, -1)
    across = np.linspace(-1, 1, _SIZE, dtype=np.float32)
    shade = _texture(rng, 0.04, 10) * (1 - 0.35 * (across - 0.2) ** 2)
    low = int(rng.integers(100, 160))
    shade[low : low + 24] *= rng.uniform(0.4, 0.8)
    return _shade(cover, shade.astype(np.float32), rng.uniform(30, 235, 3))


def _microphone(skin: Floats, rng: np.random.Generator) -> tuple[Light, Light]:
    """Draw a ball of wire mesh on a dark handle."""
    cover = np.zeros((_LENGTH, _SIZE), np.float32)
    _capsule(cover, np.array((128.0, 110)), np.array((128.0, 330)), 34)
    _capsule(cover, np.array((128.0, 330)), np.array((128.0, _LENGTH)), 16)
    cv2.circle(cover, (128, 85), 44, 1.0, -1)
    rows, columns = np.mgrid[:_LENGTH, :_SIZE]
    mesh = 0.75 + 0.25 * np.sin((rows + columns) * 0.9) * np.sin((rows - columns) * 0.9)
    ball = np.hypot(columns - 128, rows - 85) < 44
    shade = np.where(ball, 1.9 * mesh, 0.6).astype(np.float32) * _texture(rng, 0.05, 10)
    return _shade(cover, shade, np.full(3, rng.uniform(40, 90)))


_DRAWING_FUNCTIONS = {"hand": _hand, "mug": _mug, "microphone": _microphone}


def draw_object(
    kind: str, skin: NDArray[np.floating], rng: np.random.Generator
) -> tuple[Light, Light]:
    """Draw one of `OBJECTS` upright.

    The head of the object fills the upper square; its arm or handle continues below.

    Args:
        kind: One of `OBJECTS`.
        skin: (3,) BGR colour of the skin, 0 to 255.
        rng: Chooses the shape and the colour.

    Returns:
        Colour (640, 256, 3) from 0 to 255 and opacity (640, 256) from 0 to 1.
    """
    return _DRAWING_FUNCTIONS[kind](skin.astype(np.float64), rng)
