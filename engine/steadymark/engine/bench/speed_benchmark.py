"""Tracking time per face and frame on this machine, with one thread and without video decoding."""

from __future__ import annotations

import contextlib
import statistics
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.core.types import Frame
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.engine.tracking.face_pass import run_network
from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models
from steadymark.engine.tracking.stabilization import run_flow
from steadymark.models.face.crop import Crop
from steadymark.models.face.schema import assets_root
from steadymark.models.runtime.pupil_network import PUPILS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from steadymark.engine.tracking.face_pass import FaceOutput
    from steadymark.engine.tracking.settings import OpenModels
    from steadymark.engine.tracking.tracker import Tracker
    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.flow_stabilizer import FlowMemory

_WARM_UP = 10
STABILIZERS_TIMED = ("none", "flow", "convlstm")
SIZES = ((400, 300), (1920, 1080))
_DEMO_FRAMES = 60  # Frames of the demo clip in which the face is visible.


@dataclass(frozen=True, slots=True)
class StageSpeed:
    """Time of one processing stage.

    Attributes:
        name: Name of the stage.
        wall_ms: Median wall-clock time, in milliseconds.
        cpu_ms: Median CPU time of all threads of this process, in milliseconds.
    """

    name: str
    wall_ms: float
    cpu_ms: float


def _without_face() -> Image:
    """Return a 640×480 image with texture at every scale, so that no stage is skipped."""
    rng = np.random.default_rng(0)
    image = np.zeros((480, 640, 3), np.float32)
    for cell in (4, 16, 80):
        noise = rng.uniform(0, 80, (480 // cell, 640 // cell, 3)).astype(np.float32)
        image += noise.repeat(cell, 0).repeat(cell, 1)
    return image.clip(0, 255).astype(np.uint8)


def _with_face() -> Image:
    """Return the first frame of the demo clip, 640×480."""
    with contextlib.closing(VideoFile(assets_root() / "clips" / "demo.mp4")) as clip:
        return clip.frame_at(0).image


def _measure(name: str, step: Callable[[], object], rounds: int) -> StageSpeed:
    for _ in range(_WARM_UP):
        step()
    wall, cpu = [], []
    for _ in range(rounds):
        before, before_cpu = time.perf_counter(), time.process_time()
        step()
        wall.append((time.perf_counter() - before) * 1e3)
        cpu.append((time.process_time() - before_cpu) * 1e3)
    return StageSpeed(name, statistics.median(wall), statistics.median(cpu))


def measure_speed(settings: TrackSettings | None = None, *, rounds: int = 200) -> list[StageSpeed]:
    """Measure the landmark model alone and with its stabilizer, the face detector, and the pupils.

    Args:
        settings: Tracking settings; None means one CPU thread.
        rounds: Number of measurements per stage.

    Returns:
        One row per stage, for one face in a 640×480 frame.
    """
    settings = settings or TrackSettings(device="cpu", threads=1)
    models = open_models(replace(settings, stabilizer="none"))
    steady = open_models(settings)
    face, nothing = _with_face(), _without_face()
    crop = Crop(320.3, 240.6, 260.0, 7.0)
    before = run_network(steady.network, face, [crop])
    flow = steady.flow
    memories = [m for _, m in run_flow(flow, face, before, [None])] if flow is not None else []
    stages: list[tuple[str, Callable[[], object]]] = [
        (
            f"{models.cards[0].name}: crop to points, one face, {models.device}",
            lambda: run_network(models.network, face, [crop]),
        ),
        (
            f"{_named(steady)}: following one face, {steady.device}",
            lambda: _followed(steady, face, before, memories),
        ),
        ("face detector: a 640x480 frame with a face", lambda: models.detector.detect(face)),
        ("face detector: one without", lambda: models.detector.detect(nothing)),
    ]
    if models.pupil_tracker is not None:
        stages.append((f"{PUPILS}: one face", partial(_find_pupils, models, face, before)))
    return [_measure(name, step, rounds) for name, step in stages]


def _find_pupils(models: OpenModels, image: Image, faces: list[FaceOutput]) -> object:
    assert models.pupil_tracker is not None
    points = [face.raw.xy_px for face in faces]
    return models.pupil_tracker.find(image, points, [None] * len(points), 0.0)


def _followed(
    models: OpenModels, image: Image, before: list[FaceOutput], memories: list[FlowMemory]
) -> object:
    """Run the network and the stabilizer on faces that were there in the last frame."""
    outputs = run_network(models.network, image, [each.crop for each in before], before)
    return outputs if models.flow is None else run_flow(models.flow, image, outputs, memories)


def _named(models: OpenModels) -> str:
    name = models.cards[0].name
    return name if models.flow is None else f"{name} and {models.flow.card.name}"


def measure_crops(models: Mapping[str, OpenModels], *, rounds: int = 100) -> dict[str, float]:
    """Measure the CPU time from a crop to landmarks, for several models by turns.

    Args:
        models: Open landmark models by name.
        rounds: Number of measurements per model.

    Returns:
        The median CPU time per face in milliseconds, by name.
    """
    face, crop = _with_face(), Crop(320.3, 240.6, 260.0, 7.0)
    times: dict[str, list[float]] = {name: [] for name in models}
    for _ in range(rounds):
        for name, opened in models.items():
            run_network(opened.network, face, [crop])  # the caches hold another model's weights
            before = time.process_time()
            run_network(opened.network, face, [crop])
            times[name].append((time.process_time() - before) * 1e3)
    return {name: statistics.median(found) for name, found in times.items()}


@dataclass(frozen=True, slots=True)
class FacesSpeed:
    """Time to track one frame with a number of faces.

    Attributes:
        faces: Number of faces.
        wall_ms: Median wall-clock time, in milliseconds.
        cpu_ms: Median CPU time, in milliseconds.
    """

    faces: int
    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class StabilizerSpeed:
    """Time to track one frame of one face with a stabilizer.

    Attributes:
        stabilizer: Name of the stabilizer.
        size: Size of the frames, as WIDTHxHEIGHT.
        wall_ms: Median wall-clock time, in milliseconds.
        cpu_ms: Median CPU time, in milliseconds.
        follow_ms: Median CPU time of the part that the next frame waits for, see `Tracker.follow`.
        ratio: CPU time divided by that of the first stabilizer of the list (`none` by default).
    """

    stabilizer: str
    size: str
    wall_ms: float
    cpu_ms: float
    follow_ms: float
    ratio: float


def measure_stabilizers(
    settings: TrackSettings | None = None,
    *,
    rounds: int = 200,
    names: Sequence[str] = STABILIZERS_TIMED,
) -> list[StabilizerSpeed]:
    """Measure the whole tracking step of one face with each stabilizer, without decoding.

    The frames come from the demo clip, scaled to a small and a large size. All stabilizers track
    each frame in turn, so that a moment of high system load affects all of them. Frames in which
    the detector runs do not count.

    Args:
        settings: Tracking settings; None means one CPU thread.
        rounds: Number of measured frames per size.
        names: Names of the stabilizers.

    Returns:
        One row per size and stabilizer.

    Raises:
        WeightsError: A model file is missing or unusable.
        UsageError: The model does not have such a stabilizer.
    """
    settings = settings or TrackSettings(device="cpu", threads=1)
    chosen = {name: replace(settings, stabilizer=name) for name in names}
    models = {name: open_models(each) for name, each in chosen.items()}
    lines: list[StabilizerSpeed] = []
    for width, height in SIZES:
        trackers = {name: make_tracker(models[name], each) for name, each in chosen.items()}
        times: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
        for frame in _frames_of_demo(rounds + _WARM_UP, (width, height)):
            for name, tracker in trackers.items():
                measured, detected = _timed_track(tracker, frame)
                if frame.index >= _WARM_UP and not detected:
                    times[name].append(measured)
        each = {name: np.median(measured, axis=0) for name, measured in times.items()}
        lines += [
            StabilizerSpeed(name, f"{width}x{height}", wall, cpu, follow, cpu / each[names[0]][1])
            for name, (wall, cpu, follow) in each.items()
        ]
    return lines


def _timed_track(tracker: Tracker, frame: Frame) -> tuple[tuple[float, float, float], bool]:
    """Track a frame; return wall, CPU and `follow_ms`, and whether the detector ran."""
    before, before_cpu = time.perf_counter(), time.process_time()
    followed = tracker.follow(frame)
    follow_cpu = time.process_time()
    result = tracker.finish(followed)
    after, after_cpu = time.perf_counter(), time.process_time()
    spans = (after - before, after_cpu - before_cpu, follow_cpu - before_cpu)
    wall, cpu, follow = (span * 1e3 for span in spans)
    return (wall, cpu, follow), result.stage_ms["detect"] > 0


def _frames_of_demo(count: int, size: tuple[int, int]) -> Iterator[Frame]:
    """Yield frames of the demo clip at this size, played forwards and backwards in turn."""
    with contextlib.closing(VideoFile(assets_root() / "clips" / "demo.mp4")) as clip:
        frames = [clip.frame_at(index) for index in range(min(count, _DEMO_FRAMES))]
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    for index in range(count):
        image = frames[order[index % len(order)]].image
        given = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
        yield Frame(given, index, index / 25)


def _many_faces() -> Image:
    """Return a 1280×960 image that shows the demo clip's face sixteen times."""
    small = cv2.resize(_with_face(), (320, 240), interpolation=cv2.INTER_AREA)
    return np.tile(small.astype(np.uint8, copy=False), (4, 4, 1))


def measure_faces(
    settings: TrackSettings | None = None, *, rounds: int = 60, most: int = 16
) -> list[FacesSpeed]:
    """Measure a whole tracking step with 1 to `most` known faces, without decoding.

    All numbers of faces are measured in turn in each round, so that a moment of high system load
    affects all of them.

    Args:
        settings: Tracking settings; None means one CPU thread.
        rounds: Number of measured rounds.
        most: Largest number of faces.

    Returns:
        One row per number of faces.

    Raises:
        SteadymarkError: Not all faces of the image were found and tracked.
    """
    settings = settings or TrackSettings(device="cpu", threads=1)
    models, image = open_models(settings), _many_faces()
    runs: dict[int, tuple[Tracker, list[float], list[float]]] = {}
    for faces in range(1, most + 1):
        config = replace(settings.tracker, max_faces=faces)
        runs[faces] = make_tracker(models, replace(settings, tracker=config)), [], []
    for index in range(rounds + _WARM_UP):
        for faces, (tracker, wall, cpu) in runs.items():
            before, before_cpu = time.perf_counter(), time.process_time()
            result = tracker.track(Frame(image, index, index / 25))
            wall.append((time.perf_counter() - before) * 1e3)
            cpu.append((time.process_time() - before_cpu) * 1e3)
            if len(result.faces) != faces:
                raise SteadymarkError(f"{len(result.faces)} of {faces} faces were followed")
    return [
        FacesSpeed(faces, statistics.median(wall[_WARM_UP:]), statistics.median(cpu[_WARM_UP:]))
        for faces, (_, wall, cpu) in runs.items()
    ]
