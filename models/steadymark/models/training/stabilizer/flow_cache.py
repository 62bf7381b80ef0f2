"""Cached landmarks and optical flow of synthetic scenes, from which the flow cell learns.

Each scene has its own file, so that an interrupted run can continue.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.models.face.crop import Crop, cut, fit_crop, follow, transform
from steadymark.models.face.face_motion import face_size
from steadymark.models.face.landmark_flow import FlowFrame, LandmarkFlow, landmark_flow
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.runtime.flow_stabilizer import flow_frame_of
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import find_model
from steadymark.models.synthesis.scenes import SceneConfig, make_scene, resting, seated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.synthesis.scenes import Scene
    from steadymark.models.training.data.face_images import FaceImages

Floats = NDArray[np.float32]
Arrays = dict[str, Floats]
KINDS = {"lively": SceneConfig, "seated": seated, "resting": resting}


@dataclass(frozen=True, slots=True)
class FlowCacheConfig:
    """Contents of a cache.

    Attributes:
        scenes: Numbers of lively scenes for training and validation.
        seated: Number of additional scenes of people who move little, as a share of `scenes`.
        resting: Number of additional scenes of people who hardly move, as a share of `scenes`.
        frames: Frames of each scene.
        noise: Levels of sensor noise of lively scenes, drawn with equal probability.
        calm_noise: The same for the other scenes.
        detectors: Models of the zoo; consecutive scenes use them in turn.
        slip: Deviation of the first crop, as a share of its side.
        bias: Deviation of the landmarks that the flow follows from the true ones, as a share of the
            face's size.
    """

    scenes: tuple[int, int] = (900, 60)
    seated: float = 0.5
    resting: float = 0.2
    frames: int = 60
    noise: tuple[int, ...] = (1, 2, 2, 3)
    calm_noise: tuple[int, ...] = (0, 0, 1, 2)
    detectors: tuple[str, ...] = (
        "heatmap1d-lite",
        "heatmap1d-lite",
        "heatmap1d-lite",
        "dan-lite",
    )
    slip: float = 0.02
    bias: float = 0.007

    def counts(self, part: int) -> dict[str, int]:
        """Return the number of scenes by kind, for training (part 0) or validation (part 1)."""
        lively = self.scenes[part]
        calm = {"seated": round(self.seated * lively), "resting": round(self.resting * lively)}
        return {"lively": lively, **calm}

    def made_of(self, kind: str) -> dict[str, object]:
        """Return all parameters that determine the scenes of a kind, except their number."""
        return {
            "kind": kind,
            "frames": self.frames,
            "noise": self.noise_of(kind),
            "detectors": self.detectors,
            "slip": self.slip,
            "bias": self.bias,
        }

    def noise_of(self, kind: str) -> tuple[int, ...]:
        """Return the levels of sensor noise of a kind of scene."""
        return self.noise if kind == "lively" else self.calm_noise


@dataclass(frozen=True, slots=True, eq=False)
class _SceneJob:
    """All that a process needs to generate one scene."""

    image: Image
    points: Points
    number: int
    seed: int
    config: FlowCacheConfig
    path: Path
    kind: str


def fill_flow_cache(
    folder: Path,
    faces: FaceImages,
    count: int,
    *,
    seed: int,
    config: FlowCacheConfig,
    kind: str = "lively",
    report: Callable[[int, int], None] = lambda _done, _count: None,
) -> Arrays:
    """Generate the missing scenes on all cores, and load all scenes.

    Args:
        folder: Folder of the cache.
        faces: Faces of the scenes.
        count: Number of scenes.
        seed: Seed of the scenes.
        config: Contents of the cache.
        kind: A key of KINDS.
        report: Called with the number of finished scenes and the number of all.

    Returns:
        The arrays of `track_scene`, each (N, T, ...).
    """
    parameters_hash = sha256(repr((config.made_of(kind), seed, faces.names)).encode()).hexdigest()[
        :12
    ]
    folder = folder / parameters_hash
    folder.mkdir(parents=True, exist_ok=True)
    order = np.random.default_rng((seed, 4)).permutation(len(faces))
    paths = [folder / f"{number:05d}.npz" for number in range(count)]
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    done = count - len(missing)
    with ProcessPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        jobs = (
            _SceneJob(faces.images[i], faces.points[i], number, seed, config, paths[number], kind)
            for number in missing
            for i in (int(order[number % len(faces)]),)
        )
        for _ in pool.map(_generate_scene, jobs):
            done += 1
            report(done, count)
    parts = [dict(np.load(path)) for path in paths]
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def _generate_scene(job: _SceneJob) -> None:
    """Generate one scene, track it, and write its file atomically."""
    cv2.setNumThreads(1)
    config = job.config
    rng = np.random.default_rng((job.seed, job.number, 9))
    level = int(rng.choice(config.noise_of(job.kind)))
    scene = make_scene(
        job.image,
        job.points,
        load_schema(IBUG68),
        job.number,
        seed=job.seed,
        config=KINDS[job.kind](config.frames, level),
    )
    detector = config.detectors[job.number % len(config.detectors)]
    arrays = track_scene(scene, _detector(detector), rng, config)
    part = job.path.with_suffix(".part.npz")
    np.savez(part, **arrays)  # type: ignore[arg-type]
    part.replace(job.path)


@cache
def _detector(name: str) -> LandmarkNetwork:
    return LandmarkNetwork(find_model(name, "landmarks"), device="cpu")


def track_scene(
    scene: Scene, network: LandmarkNetwork, rng: np.random.Generator, config: FlowCacheConfig
) -> Arrays:
    """Track a scene, and return what a stabilizer gets, in frame pixels.

    Args:
        scene: The scene of T frames.
        network: The landmark model.
        rng: Makes all random choices.
        config: Deviations of the crop and of the landmarks that flow follows.

    Returns:
        raw and truth (T, K, 2); visible, score and unsure (T, K); face (T, 2, 3), beside (T, K, 2)
        and agreed (T,) of `LandmarkFlow`; upright (T, 2), cosine and sine of the crop's roll;
        size (T,) of the face.
    """
    schema, margin = load_schema(IBUG68), network.card.margin
    first = fit_crop(scene.truth[0], schema.mean_shape, margin=margin)
    slip = rng.normal(0, config.slip, 3)
    crop = Crop(
        first.x + slip[0] * first.side,
        first.y + slip[1] * first.side,
        first.side * float(np.exp(slip[2])),
        first.roll_deg,
    )
    bias = rng.normal(0, config.bias * face_size(scene.truth[0]), scene.truth[0].shape)
    fitted: Crop | None = None
    previous: FlowFrame | None = None
    rows: list[tuple[NDArray[np.floating] | float, ...]] = []
    for t, image in enumerate(scene.images):
        network_crop = cut(image, crop.matrix_to_image(network.card.crop), network.card.crop)
        prediction = network.step(network_crop[None])
        raw = transform(crop.matrix_to_image(network.card.crop), prediction.points[0])
        now = flow_frame_of(image, network_crop, crop, raw)
        start_points = (scene.truth[t - 1] + bias).astype(np.float32)
        flow = (
            _no_motion(raw)
            if previous is None
            else landmark_flow(previous, now, start_points, schema)
        )
        roll = np.radians(crop.roll_deg)
        upright = np.array((np.cos(roll), np.sin(roll)))
        rows.append((raw, prediction.scores[0], *flow, upright, face_size(raw)))
        fitted_now = fit_crop(raw, schema.mean_shape, margin=margin)
        crop, fitted = follow(crop, fitted_now, fitted, dead_band=0.01), fitted_now
        previous = now
    names = ("raw", "score", "face", "beside", "unsure", "agreed", "upright", "size")
    found: Arrays = dict(zip(names, map(_as_float32, zip(*rows, strict=True)), strict=True))
    found |= {"truth": scene.truth, "visible": _as_float32(scene.visible)}
    return found


def _as_float32(values: Sequence[NDArray[np.floating] | float] | NDArray[np.bool_]) -> Floats:
    return np.array(values, np.float32)


def _no_motion(raw: Points) -> LandmarkFlow:
    return LandmarkFlow(np.eye(2, 3), np.zeros_like(raw), np.zeros(len(raw), np.float32), True)
