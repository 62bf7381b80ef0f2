"""The contract of every training system at every size."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from steadymark.models.face.schema import load_schema
from steadymark.models.networks.stabilizer.heatmap_stabilizer import StabilizedDecoded, flat
from steadymark.models.runtime.flow_stabilizer import FlowStabilizer
from steadymark.models.runtime.onnx_session import LandmarkNetwork
from steadymark.models.runtime.zoo import ModelCard
from steadymark.models.training.detector.detector_photos import DetectorPhoto, PhotoFace
from steadymark.models.training.detector.face_net_system import FaceNetSystem, FaceNetTask
from steadymark.models.training.gpu_checks.synthetic_scenes import synthetic_scenes
from steadymark.models.training.landmarks.landmark_system import LandmarkSystem
from steadymark.models.training.loop.checkpoint import save_checkpoint, to_image
from steadymark.models.training.pupils.eye_renders import render_eye
from steadymark.models.training.pupils.pupil_system import PupilSystem, PupilTask
from steadymark.models.training.registry import SYSTEMS, altered, system_of
from steadymark.models.training.stabilizer.flow_cell_system import FlowCellSystem, FlowTask
from steadymark.models.training.stabilizer.frozen_backbone import BackboneInfo
from steadymark.models.training.stabilizer.heatmap_cell_systems import RecurrentSystem
from steadymark.models.training.stabilizer.open_backbone import open_backbone
from steadymark.models.training.stabilizer.torch_backbone import TorchBackbone
from support.exported_networks import exported, with_random_weights
from support.videos.textured_images import FACE, face_in, flow_frame, random_texture

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.training.system import System

SCHEMA = load_schema("ibug68")
ALL_SYSTEMS = [system for presets in SYSTEMS.values() for system in presets.values()]
LANDMARK_SYSTEMS = [system for system in ALL_SYSTEMS if isinstance(system, LandmarkSystem)]
RECURRENT_SYSTEMS = [system for system in ALL_SYSTEMS if isinstance(system, RecurrentSystem)]
FLOW_CELL_SYSTEMS = [system for system in ALL_SYSTEMS if isinstance(system, FlowCellSystem)]
DETECTOR_SYSTEMS = [system for system in ALL_SYSTEMS if isinstance(system, FaceNetSystem)]
PUPIL_SYSTEMS = [system for system in ALL_SYSTEMS if isinstance(system, PupilSystem)]


def system_id(system: System[Any]) -> str:
    return f"{system.name}-{system.preset}"


def shortened(system: LandmarkSystem[Any]) -> LandmarkSystem[Any]:
    """Repeat the parts of a large network less often, since each costs seconds in an export."""
    changes: dict[tuple[str, str], list[str]] = {
        ("heatmap1d", "base"): ["network.backbone.blocks=[1, 2, 2, 1]"],
        ("heatmap1d", "paper"): ["network.backbone.stacks=2", "network.backbone.channels=32"],
        ("dan", "paper"): ["network.widths=[16, 16, 32, 32]"],
        ("local_global", "paper"): [
            "network.hourglass.stacks=2",
            "network.hourglass.channels=32",
        ],
    }
    shorter = altered(system, changes.get((system.name, system.preset), []))
    assert isinstance(shorter, LandmarkSystem)
    return shorter


def test_every_system_is_tested_by_one_contract() -> None:
    count = len(LANDMARK_SYSTEMS) + len(RECURRENT_SYSTEMS)
    count += len(FLOW_CELL_SYSTEMS) + len(DETECTOR_SYSTEMS) + len(PUPIL_SYSTEMS)
    assert count == len(ALL_SYSTEMS)


@pytest.mark.parametrize("system", ALL_SYSTEMS, ids=system_id)
def test_the_recipe_of_a_system_can_be_read_back(system: System[Any]) -> None:
    recipe = json.loads(json.dumps(system.describe()))
    assert system_of(recipe) == system


def batch(size: int, count: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    crops = torch.from_numpy(rng.integers(0, 256, (count, size, size, 3), np.uint8))
    shape = SCHEMA.mean_shape * (size / 1.4) + (size - 1) / 2
    points = torch.from_numpy(shape + rng.normal(0, 1, (count, 68, 2))).float()
    return crops, points, torch.ones(count)


SHORTENED = [system for system in LANDMARK_SYSTEMS if shortened(system) != system]


@pytest.mark.parametrize("system", SHORTENED, ids=system_id)
def test_a_network_that_is_tested_shortened_has_the_same_outputs_in_full(
    system: LandmarkSystem[Any],
) -> None:
    with FakeTensorMode(), torch.no_grad():  # this computes shapes only
        crops = torch.zeros(2, 3, system.crop, system.crop, dtype=torch.uint8)
        points, scores, face, *_ = system.decoded(system.build().eval())(crops)
    assert (points.shape, scores.shape, face.shape) == ((2, 68, 2), (2, 68), (2,))


@pytest.mark.slow
@pytest.mark.parametrize("system", LANDMARK_SYSTEMS, ids=system_id)
def test_the_loss_is_finite_and_gives_every_parameter_a_gradient(
    system: LandmarkSystem[Any],
) -> None:
    system = shortened(system)
    network = with_random_weights(system.build())
    crops, points, face = batch(system.crop)
    with_gradient: set[str] = set()
    for phase in range(system.phases):
        network.zero_grad(set_to_none=True)
        chosen = {id(p) for p in system.parameters(network, phase)}
        for parameter in network.parameters():
            parameter.requires_grad_(id(parameter) in chosen)
        system.train_mode(network, phase)
        loss = system.loss(network, to_image(crops), points, face, phase)
        assert loss.shape == ()
        assert torch.isfinite(loss)
        loss.backward()  # type: ignore[no-untyped-call]
        with_gradient |= {
            n for n, p in network.named_parameters() if p.grad is not None and p.grad.any()
        }
    assert {n for n, _ in network.named_parameters()} - with_gradient == set()


@pytest.mark.slow
@pytest.mark.parametrize("system", LANDMARK_SYSTEMS, ids=system_id)
def test_onnx_equals_torch_and_batches_equal_single_crops(system: LandmarkSystem[Any]) -> None:
    system, network, path, facts = exported(shortened(system))
    size = system.crop
    crops = batch(size)[0]
    runner = open_network(path, size)
    both = runner.step(crops.numpy())
    one = runner.step(crops[:1].numpy())
    assert both.points.shape == (2, 68, 2)
    assert both.scores.shape == (2, 68)
    assert both.face.shape == (2,)
    for part in (both.points, both.scores, both.face):
        assert np.isfinite(part).all()
    assert both.scores.min() >= 0
    assert both.scores.max() <= 1
    np.testing.assert_allclose(one.points[0], both.points[0], atol=0.02)
    decoded = system.decoded(network)
    with torch.no_grad():
        points, scores, face, *_ = decoded(crops.permute(0, 3, 1, 2))
    np.testing.assert_allclose(points.numpy(), both.points, atol=0.02)
    np.testing.assert_allclose(scores.numpy(), both.scores, atol=1e-3)
    np.testing.assert_allclose(face.numpy(), both.face, atol=1e-3)
    assert facts["params"] == sum(p.numel() for p in network.parameters())
    assert facts["macs"] > 1e6


def open_network(path: Path, size: int) -> LandmarkNetwork:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = ModelCard("net", "landmarks", path, digest, "MIT", crop=size)
    return LandmarkNetwork(card, device="cpu")


def check_nearly_all_equal(actual: NDArray[np.float32], expected: NDArray[np.float32]) -> None:
    """Check equality; PDC enlarges rounding on the nearly flat rows of a random network."""
    apart = np.abs(actual - expected)
    assert np.quantile(apart, 0.95) < 0.02
    assert apart.max() < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("system", RECURRENT_SYSTEMS, ids=system_id)
def test_a_recurrent_onnx_file_has_the_same_memory_as_torch(
    system: RecurrentSystem, tmp_path: Path
) -> None:
    torch.manual_seed(2)
    detector = SYSTEMS["heatmap1d"]["lite"]
    checkpoint = {
        "recipe": detector.describe(),
        "averaged": with_random_weights(detector.build()).state_dict(),
    }
    save_checkpoint(tmp_path / "backbone.pt", checkpoint)
    backbone = open_backbone(BackboneInfo(file=str(tmp_path / "backbone.pt")))
    assert isinstance(backbone, TorchBackbone)
    system = replace(system, backbone=backbone.info)
    network = with_random_weights(
        system.build(), 0.003
    ).eval()  # larger noise makes heatmaps rough, and peaks may tie
    path = tmp_path / "net.onnx"
    system.export(network, tmp_path, path)
    runner = open_network(path, backbone.info.crop)
    decoded = StabilizedDecoded(backbone.module, network).eval()
    rng = np.random.default_rng(3)
    base = rng.integers(6, 250, (2, 128, 128, 3))
    memory = tuple(flat(network.start(2)))
    state = None
    for _ in range(4):
        crops = (base + rng.integers(-6, 7, base.shape)).astype(np.uint8)  # as frames of a video
        motions = (np.eye(2, 3) + rng.normal(0, (0.02, 0.02, 2), (2, 2, 3))).astype(np.float32)
        prediction = runner.step(crops, state, motions)
        with torch.no_grad():
            out = decoded(
                torch.from_numpy(crops).permute(0, 3, 1, 2), torch.from_numpy(motions), memory
            )
        points, raw, scores, face = out[:4]
        check_nearly_all_equal(prediction.points, points.numpy())
        np.testing.assert_allclose(prediction.raw, raw.numpy(), atol=0.02)
        np.testing.assert_allclose(prediction.scores, scores.numpy(), atol=1e-3)
        np.testing.assert_allclose(prediction.face, face.numpy(), atol=1e-3)
        state = prediction.state
        for torch_state, onnx_state in zip(out[4:], state, strict=True):
            check_nearly_all_equal(onnx_state.numpy(), torch_state.numpy())
        # both continue with the same state, since rounding errors of random networks grow
        memory = tuple(torch.from_numpy(part.numpy().copy()) for part in state)


@pytest.mark.slow
@pytest.mark.parametrize("system", FLOW_CELL_SYSTEMS, ids=system_id)
def test_a_flow_cell_trains_every_parameter_and_stabilizes_any_schema(
    system: FlowCellSystem, tmp_path: Path
) -> None:
    network = with_random_weights(system.build())
    task = FlowTask(
        system,
        {"lively": synthetic_scenes(2)},
        {"lively": synthetic_scenes(1, seed=1)},
        seed=0,
        descriptions=[],
    )
    loss = task.loss(network, task.batch(0, 2), 0)
    assert loss.shape == ()
    assert torch.isfinite(loss)
    loss.backward()  # type: ignore[no-untyped-call]
    without_gradient = [
        n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert without_gradient == []
    path = tmp_path / "cell.onnx"
    facts = system.export(network.eval(), tmp_path, path)
    assert (facts["kind"], facts["cell"]) == ("stabilizer", "flow")
    assert facts["params"] == sum(p.numel() for p in network.parameters())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    card = ModelCard("cell", "stabilizer", path, digest, "MIT", cell="flow")
    for name in ("ibug68", "wflw98"):
        stabilizer = FlowStabilizer(card, load_schema(name))
        face = flow_frame(random_texture(), face_in(FACE, stabilizer.schema))
        scores = np.ones((1, stabilizer.schema.count), np.float32)
        ((_, memory),) = stabilizer.step([face], scores, [None])
        ((points, _),) = stabilizer.step([face], scores, [memory])
        np.testing.assert_allclose(points, face.raw, atol=1.0)


@pytest.mark.slow
@pytest.mark.parametrize("system", DETECTOR_SYSTEMS, ids=system_id)
def test_a_detector_learns_by_every_parameter_and_its_batches_are_alike_in_size(
    system: FaceNetSystem, tmp_path: Path
) -> None:
    network = with_random_weights(system.build()).train()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", noise)[1].ravel()
    face = PhotoFace(np.array([50, 40, 150, 160], np.float32), None, 10.0)
    seen, empty = DetectorPhoto(jpeg, (face,)), DetectorPhoto(jpeg)
    task = FaceNetTask(system, ([seen], [seen], [empty]), tmp_path, tmp_path, seed=0)
    batches = [task.batch(number, 16) for number in range(6)]
    assert len({images.shape[1] for images, *_ in batches}) > 1
    assert all(12e5 < images[..., 0].numel() <= 16 * 320**2 for images, *_ in batches)
    loss = task.loss(network, task.batch(0, 1), 0)
    assert loss.shape == ()
    assert torch.isfinite(loss)
    loss.backward()  # type: ignore[no-untyped-call]
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []
    facts = system.export(network.eval(), tmp_path, tmp_path / "net.onnx")
    assert (facts["kind"], facts["schema"]) == ("face_detector", None)
    assert facts["params"] == sum(p.numel() for p in network.parameters())
    assert facts["macs"] > 1e6


@pytest.mark.parametrize("system", PUPIL_SYSTEMS, ids=system_id)
def test_a_pupil_network_learns_by_every_parameter(system: PupilSystem, tmp_path: Path) -> None:
    network = with_random_weights(system.build()).train()
    rng = np.random.default_rng(0)
    eyes = [render_eye(rng) for _ in range(4)]
    closed = [replace(eye, pupil=np.full(2, np.nan, np.float32)) for eye in eyes]
    training = {"labelled": eyes, "closed": closed, "taught": eyes}
    held_back = {"labelled": eyes, "closed": closed, "open": eyes}
    task = PupilTask(system, training, held_back, seed=0)
    assert all(map(torch.equal, task.batch(3, 8), task.batch(3, 8)))
    loss = task.loss(network, task.batch(0, 16), 0)
    assert loss.shape == ()
    assert torch.isfinite(loss)
    loss.backward()  # type: ignore[no-untyped-call]
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still in ([], ["heat.bias"])  # a softmax ignores a constant
    assert set(task.validate(network.eval())) == set(task.figures)
    facts = system.export(network, tmp_path, tmp_path / "net.onnx")
    assert (facts["kind"], facts["schema"]) == ("pupils", None)
    assert facts["params"] == sum(p.numel() for p in network.parameters())
    assert facts["macs"] > 1e6
