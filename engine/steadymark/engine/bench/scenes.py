"""Short videos with exactly known landmarks, made from labelled still pictures.

Head and camera move along a path (scene_paths) at 25, 30 or 60 frames a second. A frame is the mean
over the time its shutter is open, so that blur lies along the path, and the truth is that of the
middle of this time. Light flickers, the sensor adds noise, and some scenes go through H.264.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, BinaryIO, Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.engine.bench.scene_paths import Array, ScenePath, scene_path
from steadymark.models.cropping import Image, Points, inverse, transform

if TYPE_CHECKING:
    from collections.abc import Iterable

    from steadymark.models.schema import LandmarkSchema

SIDE = 320  # of a frame, pixels
NOISE = {1: 2.0, 2: 5.0, 3: 10.0, 4: 20.0}  # level → standard deviation, grey levels
FPS = (25, 30, 60)
CRF = (None, 23, 32)  # uncompressed, and two rates of H.264
SHUTTER = 0.5  # of a frame's time
Light = NDArray[np.float32]
# as live encoders do; what looks ahead gives another video once in a while, from the same frames
_LIVE = {"x264-params": "bframes=0:mbtree=0:rc-lookahead=0:threads=1"}
_MOST_SHOTS = 15  # pictures averaged for one frame


@dataclass(frozen=True, slots=True)
class SceneConfig:
    """frames: of a scene. noise: a level of NOISE. flicker: greatest, share of the light."""

    frames: int = 60
    noise: int = 2
    flicker: float = 0.04


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """images: (T, SIDE, SIDE, 3) uint8 BGR. truth: (T, 68, 2) pixels. crf: H.264's, or None."""

    name: str
    images: Image
    truth: Points
    fps: int
    crf: int | None

    @property
    def times_s(self) -> Array:
        """(T,) presentation times."""
        return np.arange(len(self.images)) / self.fps


def make_scene(
    picture: Image,
    points: Points,
    schema: LandmarkSchema,
    number: int,
    *,
    name: str = "",
    seed: int = 0,
    config: SceneConfig | None = None,
) -> Scene:
    """Scene `number` of this seed, of one face. Path, light and rate are the same at every noise.

    picture: (H, W, 3) uint8 BGR; points: (68, 2) its pixels.
    """
    config = config or SceneConfig()
    rng = np.random.default_rng((seed, number))
    fps, crf = FPS[number % len(FPS)], CRF[number // len(FPS) % len(CRF)]
    camera = _Camera(picture, points, schema, scene_path((config.frames + 1) / fps, rng), rng)
    gains = _flicker(config, fps, rng)
    noise = np.random.default_rng((seed, number, config.noise))
    images, truth = [], []
    for frame in range(config.frames):
        t_s = (frame + 0.5) / fps
        light = camera.exposed(t_s, SHUTTER / fps) * gains[frame]
        light += noise.standard_normal(light.shape, np.float32) * NOISE[config.noise]
        images.append(np.rint(light).clip(0, 255).astype(np.uint8))
        truth.append(transform(camera.pose(t_s), points))
    shown = images if crf is None else _compressed(images, fps, crf)
    return Scene(name or f"scene {number}", np.stack(shown), np.stack(truth), fps, crf)


class _Camera:
    """Looks at a picture whose face moves along a path."""

    def __init__(
        self,
        picture: Image,
        points: Points,
        schema: LandmarkSchema,
        path: ScenePath,
        rng: np.random.Generator,
    ) -> None:
        right, left = schema.eyes
        self.zoom = float(rng.uniform(0.75, 1.0))
        self.eyes_px = self.zoom * float(np.linalg.norm(points[right] - points[left]))
        self.picture, self.middle, self.path = picture, points.mean(0), path

    def pose(self, t_s: float) -> Array:
        """(2, 3), from pixels of the picture to those of the frame."""
        x, y, growth, roll_deg = self.path.at(t_s)
        scale, angle = self.zoom * np.exp(growth), np.radians(roll_deg)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        shift = (SIDE - 1) / 2 + self.eyes_px * np.array([x, y]) - turn @ self.middle
        return np.concatenate((turn, shift[:, None]), 1)

    def exposed(self, t_s: float, open_s: float) -> Light:
        """(SIDE, SIDE, 3): the mean over an exposure about t_s, a picture for each pixel of way."""
        before, after = self.path.at(np.array([t_s - open_s / 2, t_s + open_s / 2]))
        x, y, growth, roll_deg = np.abs(after - before)
        way_px = self.eyes_px * max(x, y, 1.5 * growth, 1.5 * np.radians(roll_deg))
        shots = 1 if way_px < 0.05 else min(_MOST_SHOTS, 3 + 2 * int(way_px / 2))
        light = np.zeros((SIDE, SIDE, 3), np.float32)
        for shot in range(shots):
            at_s = t_s + open_s * ((shot + 0.5) / shots - 0.5)
            light += cv2.warpAffine(
                self.picture,
                inverse(self.pose(at_s)),
                (SIDE, SIDE),
                flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REFLECT_101,
            )
        return light / np.float32(shots)


def _flicker(config: SceneConfig, fps: int, rng: np.random.Generator) -> Light:
    """(T,) gain of each frame: what mains light leaves, slower than the frames."""
    t = np.arange(config.frames) / fps
    amount = config.flicker * rng.random()
    wave = np.sin(2 * np.pi * rng.uniform(0.5, fps / 2) * t + rng.uniform(0, 6.3))
    return (1 + amount * wave).astype(np.float32)


def encode(
    file: BinaryIO | str,
    images: Iterable[Image],
    fps: int,
    codec: Literal["libx264", "ffv1"],
    pix_fmt: str,
    options: dict[str, str] | None = None,
) -> None:
    """Write a Matroska video of pictures (SIDE, SIDE, 3) BGR."""
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream(codec, rate=fps, options=options or {})
        stream.width = stream.height = SIDE
        stream.pix_fmt, stream.time_base = pix_fmt, Fraction(1, fps)
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _compressed(images: list[Image], fps: int, crf: int) -> list[Image]:
    """What H.264 at this rate factor leaves of them."""
    file = io.BytesIO()
    encode(file, images, fps, "libx264", "yuv420p", {"crf": str(crf), **_LIVE})
    file.seek(0)
    with av.open(file, "r") as source:
        decoded = [frame.to_ndarray(format="bgr24") for frame in source.decode(video=0)]
    if len(decoded) != len(images):
        raise RuntimeError(f"H.264 gave back {len(decoded)} of {len(images)} frames")
    return [np.asarray(image, np.uint8) for image in decoded]
