"""Synthetic videos with exactly known landmarks, rendered from labelled photos.

The head moves along a path (`head_path`). The face talks, blinks, smiles and turns in depth
(`moving_face`) in changing light (`lighting`). The camera has a rolling shutter, automatic exposure
and realistic noise, and the frames pass through a video encoder. A frame is the mean over its
exposure time, so that motion blur lies along the path; its ground truth belongs to the middle of
that time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.models.synthesis.conditions.lighting import KINDS, Lighting, round_to_uint8
from steadymark.models.synthesis.conditions.occluders import OBJECTS, Occluder
from steadymark.models.synthesis.conditions.sensor_noise import FRAME_CORRELATION, SensorNoise
from steadymark.models.synthesis.conditions.video_compression import compressed
from steadymark.models.synthesis.faces.expression_curves import expression_curves
from steadymark.models.synthesis.faces.face_fit import MOVEMENTS
from steadymark.models.synthesis.faces.face_model import LANDMARKS
from steadymark.models.synthesis.faces.moving_face import MovingFace
from steadymark.models.synthesis.head_path import head_path_of_scene
from steadymark.models.synthesis.scene_camera import SceneCamera

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.face.schema import LandmarkSchema

    Change = Callable[[NDArray[np.float32]], NDArray[np.float32]]

Array = NDArray[np.float64]
Light = NDArray[np.float32]
NOISE = {0: 0.7, 1: 2.0, 2: 5.0, 3: 10.0, 4: 20.0}  # level → standard deviation, grey levels
FPS = (25, 30, 60)
CODECS = ("none", "h264-23", "h264-32")
LIVING_FPS = (30, 25, 60, 24, 50, 30)
LIVING_CODECS = ("none", "h264-23", "jpeg-80", "h264-28", "mpeg4-6", "h264-33", "jpeg-60")
SHUTTER = 0.5  # exposure time, as a share of the frame interval
_READOUT = (0.3, 0.9)  # readout time of a rolling shutter, as a share of the frame interval
_EXPOSURE_S = (0.15, 0.5)  # time constant of automatic exposure
_GAIN_LIMITS = (0.5, 2.0)  # smallest and largest gain of automatic exposure
_DROP_SHARES = (0.02, 0.12)  # shares of frames at which a drop starts, in scenes that drop frames
_MAX_CONSECUTIVE_DROPS = 3  # most consecutive frames that are dropped together


@dataclass(frozen=True, slots=True)
class SceneConfig:
    """Contents of synthetic scenes. Use `rigid` for photos that only move as a whole.

    Attributes:
        frames: Number of frames of a scene.
        noise: Noise level, a key of `NOISE`.
        flicker: Largest amplitude of flicker, as a share of the light.
        expressions: Strength of the expressions; 0 disables them.
        turns_deg: Largest yaw relative to the photo's own yaw, in degrees; 0 disables head
            rotation.
        light: Share (0 to 1) of scenes in which the light changes.
        camera_noise: Share of scenes whose noise has the spectrum of a real camera.
        rolling: Share of scenes with a rolling shutter.
        exposure: Share of scenes with automatic exposure.
        things: Share of scenes in which an object passes in front of the face.
        drops: Share of scenes that drop frames.
        reach: Size of the head's movements relative to the usual size.
        fps: Frame rates; consecutive scenes cycle through them.
        codecs: Codecs, as in `compressed`; consecutive scenes cycle through them.
    """

    frames: int = 60
    noise: int = 2
    flicker: float = 0.0
    expressions: float = 1.0
    turns_deg: float = 15.0
    light: float = 0.65
    camera_noise: float = 1.0
    rolling: float = 0.5
    exposure: float = 0.3
    things: float = 0.2
    drops: float = 0.3
    reach: float = 1.0
    fps: tuple[int, ...] = LIVING_FPS
    codecs: tuple[str, ...] = LIVING_CODECS

    @property
    def moving(self) -> bool:
        """Whether the faces move non-rigidly, by expressions or head rotation."""
        return self.expressions > 0 or self.turns_deg > 0


def rigid(frames: int = 60, noise: int = 2, flicker: float = 0.04) -> SceneConfig:
    """Return a configuration of photos that move as a whole, with white noise.

    The first tables of the benchmark used this configuration.
    """
    none = SceneConfig(frames, noise, flicker, expressions=0, turns_deg=0, light=0)
    none = replace(none, camera_noise=0, rolling=0, exposure=0, things=0, drops=0)
    return replace(none, fps=FPS, codecs=CODECS)


def seated(frames: int = 60, noise: int = 2) -> SceneConfig:
    """Return a configuration of people who sit before a camera and move the head little."""
    return SceneConfig(frames, noise, turns_deg=4.0, light=0.3, things=0.1, reach=0.06)


def resting(frames: int = 60, noise: int = 2) -> SceneConfig:
    """Return a configuration of people who hardly move, so that noise dominates."""
    return replace(seated(frames, noise), expressions=0.0, turns_deg=0.0, reach=0.02)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A synthetic video of T frames.

    `visible`, `places`, `strengths` and `turns_deg` may be left empty. They then mean that all
    landmarks are visible, that no frame is dropped, and that the face does not move non-rigidly.

    Attributes:
        name: Name of the scene.
        images: (T, SIDE, SIDE, 3) uint8 BGR.
        truth: (T, 68, 2) landmarks in pixels.
        fps: Nominal frame rate.
        crf: Constant rate factor of H.264, or None for other codecs.
        visible: (T, 68) bool, False where an object or the face itself hides a landmark.
        places: (T,) frame numbers in the video before frames were dropped.
        light: A key of `lighting.KINDS`.
        codec: Codec, as in `compressed`.
        thing: Kind of the object that passes in front of the face, or an empty string.
        strengths: (T, J) strengths of `MOVEMENTS`.
        turns_deg: (T, 2) yaw and pitch relative to the photo's own, in degrees.
    """

    name: str
    images: Image
    truth: Points
    fps: int
    crf: int | None
    visible: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    places: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    light: str = "steady"
    codec: str = "none"
    thing: str = ""
    strengths: Array = field(default_factory=lambda: np.empty(0))
    turns_deg: Array = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        count = len(self.images)
        given: dict[str, NDArray[np.generic]] = {
            "visible": np.ones(self.truth.shape[:2], bool),
            "places": np.arange(count),
            "strengths": np.zeros((count, len(MOVEMENTS))),
            "turns_deg": np.zeros((count, 2)),
        }
        for name, default in given.items():
            if not getattr(self, name).size:
                object.__setattr__(self, name, default)

    @property
    def times_s(self) -> Array:
        """Presentation times (T,) in seconds; dropped frames leave gaps."""
        times: Array = self.places / self.fps
        return times


def make_scene(
    image: Image,
    points: Points,
    schema: LandmarkSchema,
    number: int,
    *,
    name: str = "",
    seed: int = 0,
    config: SceneConfig | None = None,
) -> Scene:
    """Render scene `number` of a seed from one labelled photo.

    Scenes that differ only in the noise level are the same except for the noise.

    Args:
        image: (H, W, 3) uint8 BGR.
        points: (68, 2) landmarks in pixels of the image, in iBUG order if the face moves
            non-rigidly.
        schema: Schema of the landmarks.
        number: Number of the scene; it selects the frame rate, the codec and all random choices.
        name: Name of the scene; by default it is "scene" and the number.
        seed: Seed of the random choices.
        config: Contents of the scene; by default `SceneConfig()`.

    Raises:
        ValueError: The face moves non-rigidly, but there are not 68 landmarks.
    """
    config = config or SceneConfig()
    if config.moving and points.shape != (LANDMARKS, 2):
        raise ValueError(f"a face that moves needs 68 landmarks, not {points.shape}")
    renderer = _SceneMaker(image, points, schema, number, seed, config)
    return renderer.scene(name or f"scene {number}")


class _SceneMaker:
    """Renders one scene; each random property has a random generator of its own."""

    def __init__(
        self,
        image: Image,
        points: Points,
        schema: LandmarkSchema,
        number: int,
        seed: int,
        config: SceneConfig,
    ) -> None:
        self.config, self.number, self.seed = config, number, seed
        self.fps = config.fps[number % len(config.fps)]
        # Then every codec occurs at every rate.
        is_coprime = math.gcd(len(config.fps), len(config.codecs)) == 1
        codec_number = number if is_coprime else number // len(config.fps)
        self.codec = config.codecs[codec_number % len(config.codecs)]
        self.places = self._kept_frames()
        self.length_s = (int(self.places[-1]) + 2) / self.fps
        rng = np.random.default_rng((seed, number))
        path = head_path_of_scene(self.length_s, rng, reach=config.reach)
        zoom = float(rng.uniform(0.75, 1.0))
        self.gains = _flicker(self.places, config.flicker, self.fps, rng)
        self.face = self._moving_face(points) if config.moving else None
        self.camera = SceneCamera(
            image,
            points,
            path,
            zoom=zoom,
            eyes=schema.eyes,
            face=self.face,
            readout_s=self._readout_s(),
        )
        self.light = self._light()
        self.thing = self._make_occluder(image, points)

    def scene(self, name: str) -> Scene:
        """Render all frames in order."""
        add_noise = self._noise()
        expose = self._exposure()
        lighting = Lighting(self.light, self.fps, self.number)
        images, truths, visible = [], [], []
        for frame, number in enumerate(self.places):
            t_s = (int(number) + 0.5) / self.fps
            truth = self.camera.truth(t_s)
            light, is_visible = self._add_occluder(
                self.camera.render_exposure(t_s, SHUTTER / self.fps), truth, t_s
            )
            if self.config.flicker:
                light = light * self.gains[frame]
            if self.light != "steady":
                light = lighting.relit(round_to_uint8(light), int(number)).astype(np.float32)
            images.append(round_to_uint8(add_noise(expose(light))))
            truths.append(truth)
            visible.append(is_visible)
        decoded = compressed(images, self.fps, self.codec)
        crf = int(self.codec[5:]) if self.codec.startswith("h264") else None
        thing = self.thing.kind if self.thing else ""
        properties = (np.stack(visible), self.places, self.light, self.codec, thing, *self._moved())
        return Scene(name, np.stack(decoded), np.stack(truths), self.fps, crf, *properties)

    def _rng(self, property_number: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, self.number, 1000 + property_number))

    def _kept_frames(self) -> NDArray[np.int64]:
        """Return the numbers (frames,) of the frames that are not dropped."""
        rng, count = self._rng(0), self.config.frames
        if rng.random() >= self.config.drops:
            return np.arange(count)
        drop_probability = rng.uniform(*_DROP_SHARES)
        kept, number = [0], 1
        while len(kept) < count:
            if rng.random() < drop_probability:
                number += int(rng.integers(1, _MAX_CONSECUTIVE_DROPS + 1))
            kept.append(number)
            number += 1
        return np.array(kept)

    def _moving_face(self, points: Points) -> MovingFace:
        curves = expression_curves(
            self.length_s,
            self._rng(1),
            strength=self.config.expressions,
            turns_deg=self.config.turns_deg,
        )
        return MovingFace(points, curves)

    def _moved(self) -> tuple[Array, Array]:
        if self.face is None:
            return np.empty(0), np.empty(0)
        states = [self.face.curves.at((int(place) + 0.5) / self.fps) for place in self.places]
        angles = [(state.yaw_deg, state.pitch_deg) for state in states]
        return np.stack([state.strengths for state in states]), np.array(angles)

    def _readout_s(self) -> float:
        rng = self._rng(2)
        has_rolling_shutter = rng.random() < self.config.rolling
        return float(rng.uniform(*_READOUT)) / self.fps if has_rolling_shutter else 0.0

    def _light(self) -> str:
        """Choose the kind of light; scenes cycle through all kinds at every frame rate."""
        if self._rng(3).random() >= self.config.light:
            return "steady"
        kinds = [kind for kind in KINDS if kind != "steady"]
        return kinds[(5 * self.number + self.number // len(kinds)) % len(kinds)]

    def _make_occluder(self, image: Image, points: Points) -> Occluder | None:
        rng = self._rng(4)
        if rng.random() >= self.config.things:
            return None
        kind = OBJECTS[int(rng.choice(len(OBJECTS), p=(0.6, 0.2, 0.2)))]
        return Occluder(kind, image, points, self.length_s, rng)

    def _add_occluder(
        self, light: Light, truth: Points, t_s: float
    ) -> tuple[Light, NDArray[np.bool_]]:
        is_visible = (
            np.ones(len(truth), bool) if self.face is None else self.face.visible_landmarks(t_s)
        )
        if self.thing is None:
            return light, is_visible
        pose = self.camera.pose(t_s)
        centre = pose[:, :2] @ self.camera.centre + pose[:, 2]
        extent = float(np.ptp(self.camera.points, axis=0).max()) * self.camera.zoom
        covered, not_covered = self.thing.before(light, truth, t_s, centre, extent)
        return covered, is_visible & not_covered

    def _noise(self) -> Change:
        rng = np.random.default_rng((self.seed, self.number, self.config.noise))
        deviation = NOISE[self.config.noise]
        if self._rng(5).random() < self.config.camera_noise:
            correlation = (0.0, FRAME_CORRELATION / 2, FRAME_CORRELATION)[self.number % 3]
            return SensorNoise(deviation, correlation, rng).add_to
        return lambda light: light + rng.standard_normal(light.shape, np.float32) * deviation

    def _exposure(self) -> Change:
        rng = self._rng(6)
        if rng.random() >= self.config.exposure:
            return lambda light: light
        rate = 1 - np.exp(-1 / (self.fps * rng.uniform(*_EXPOSURE_S)))
        return _AutoExposure(float(rate)).next


class _AutoExposure:
    """Automatic exposure: it moves the brightness gradually back to that of the first frame."""

    def __init__(self, rate: float) -> None:
        self.follows = rate
        self.gain, self.aim = 1.0, 0.0

    def next(self, light: Light) -> Light:
        brightness = float(light.mean()) + 1
        self.aim = self.aim or brightness
        exposed: Light = light * np.float32(self.gain)
        target_gain = float(np.clip(self.aim / brightness, *_GAIN_LIMITS))
        self.gain += self.follows * (target_gain - self.gain)
        return exposed


def _flicker(
    places: NDArray[np.int64], max_amplitude: float, fps: int, rng: np.random.Generator
) -> Light:
    """Return the gain (T,) of each frame for the slow flicker of mains light in a video."""
    t = places / fps
    amplitude = max_amplitude * rng.random()
    wave = np.sin(2 * np.pi * rng.uniform(0.5, fps / 2) * t + rng.uniform(0, 6.3))
    return (1 + amplitude * wave).astype(np.float32)
