"""Batches of each training system that are made without data, and the tasks that own them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from steadymark.models.training.detector.detector_photos import DetectorPhoto, PhotoFace
from steadymark.models.training.detector.face_net_system import FaceNetSystem, FaceNetTask
from steadymark.models.training.gpu_checks.demo_sequence import demo_sequence, first_demo_face
from steadymark.models.training.gpu_checks.synthetic_scenes import synthetic_scenes
from steadymark.models.training.landmarks.landmark_system import LandmarkSystem
from steadymark.models.training.loop.checkpoint import to_image
from steadymark.models.training.pupils.eye_renders import render_eye
from steadymark.models.training.pupils.pupil_system import PupilSystem, PupilTask
from steadymark.models.training.stabilizer.flow_cell_system import FlowCellSystem, FlowTask
from steadymark.models.training.stabilizer.heatmap_cell_systems import RecurrentSystem

if TYPE_CHECKING:
    from torch import Tensor, nn

    from steadymark.models.training.pupils.eye_pictures import EyePicture
    from steadymark.models.training.system import Batch, System

_FRAMES = 32  # Of the sequences of recurrent systems: the mean of a training's lengths.
_SCENE_FRAMES = 60  # Of the flow cell's scenes, as in its training.
_NOISE_PX = 0.7  # Of the heatmaps of recurrent systems.


@dataclass(frozen=True, eq=False)
class StepTask:
    """A `Task` that gives one batch again and again.

    Attributes:
        system: The system.
        samples: The batch.
        figures: See `Task`; there are none.
        sources: See `Task`; there are none.
    """

    system: System[Any]
    samples: Batch
    figures: tuple[str, ...] = ()
    sources: dict[str, Any] = field(default_factory=dict)

    def batch(self, number: int, size: int) -> Batch:
        """Return the batch."""
        return self.samples

    def loss(self, network: nn.Module, batch: Batch, phase: int) -> Tensor:
        """Return the mean loss of a batch, as in the system's training."""
        if isinstance(self.system, LandmarkSystem):
            crops, points, face = batch
            return self.system.loss(network, to_image(crops), points, face, phase)
        assert isinstance(self.system, RecurrentSystem)
        *heats, moved, points = batch
        return self.system.loss(network, tuple(heats), moved, points)

    def validate(self, network: Any) -> dict[str, float]:
        """Return no figures."""
        return {}


def step_task(system: System[Any], size: int = 0) -> Any:
    """Return the task of a system on a batch that is made without data.

    Args:
        system: A system of the registry.
        size: Size of the batch; 0 takes the system's own.

    Returns:
        A `Task`. Its batches have the shapes of a training's; what they show matters little.
    """
    size = size or system.batch
    if isinstance(system, FlowCellSystem):
        scenes = synthetic_scenes(size, frames=_SCENE_FRAMES)
        held = synthetic_scenes(1, seed=1)
        return FlowTask(system, {"lively": scenes}, {"lively": held}, seed=7, descriptions=[])
    if isinstance(system, FaceNetSystem):
        return _detector_task(system)
    if isinstance(system, PupilSystem):
        eyes = [render_eye(np.random.default_rng(seed)) for seed in range(8)]
        kinds: dict[str, list[EyePicture]] = {"labelled": eyes, "closed": [], "taught": []}
        return PupilTask(system, kinds, {"labelled": eyes, "closed": [], "open": []}, seed=7)
    if isinstance(system, RecurrentSystem):
        return StepTask(system, _sequences(system, size))
    assert isinstance(system, LandmarkSystem)
    faces = demo_sequence(system.crop, system.augment.margin, size)
    parts = (torch.from_numpy(faces.crops), torch.from_numpy(faces.points), torch.ones(size))
    return StepTask(system, parts)


def _sequences(system: RecurrentSystem, size: int) -> Batch:
    """Return heatmaps (B, T, K, L) of noisy landmarks, motion, and true landmarks (B, T, K, 2)."""
    faces = demo_sequence(system.backbone.crop, system.backbone.margin, _FRAMES)
    points = torch.from_numpy(faces.points)[None].repeat(size, 1, 1, 1)
    noise = torch.randn(points.shape, generator=torch.Generator().manual_seed(7))
    heats = system.targets(points + _NOISE_PX * noise)
    moved = torch.from_numpy(faces.moved)[None].repeat(size, 1, 1, 1)
    return (*heats, moved, points)


def _detector_task(system: FaceNetSystem) -> FaceNetTask:
    """Return the detector's task on one photo with a face and one without."""
    face = first_demo_face()
    box = np.concatenate((face.truth.min(0), face.truth.max(0))).astype(np.float32)
    empty = face.image[:, : max(32, int(box[0]))]
    seen = DetectorPhoto(_jpeg(face.image), (PhotoFace(box, None, 0.0),))
    nobody = DetectorPhoto(_jpeg(np.ascontiguousarray(empty)))
    return FaceNetTask(system, ([seen], [seen], [nobody]), Path(), Path(), seed=7)


def _jpeg(image: Any) -> Any:
    return cv2.imencode(".jpg", image)[1].ravel().astype(np.uint8)
