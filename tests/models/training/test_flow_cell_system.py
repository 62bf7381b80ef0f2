"""Training of the flow cell: scaled and mirrored scenes, targets, and the resumable cache."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from steadymark.models.face.deformation_modes import face_modes
from steadymark.models.face.schema import load_schema
from steadymark.models.networks.stabilizer.flow_cell import (
    FaceParts,
    FlowCell,
    FlowCellConfig,
    FlowCellInput,
    FlowCellState,
)
from steadymark.models.runtime.flow_stabilizer import FlowStabilizer, face_parts
from steadymark.models.runtime.zoo import find_model
from steadymark.models.training.cli import app
from steadymark.models.training.data.face_images import FaceImages
from steadymark.models.training.gpu_checks.synthetic_scenes import FRAMES, synthetic_scenes
from steadymark.models.training.stabilizer import flow_cache
from steadymark.models.training.stabilizer.flow_cache import FlowCacheConfig, fill_flow_cache
from steadymark.models.training.stabilizer.flow_cell_system import (
    FLOW_CELL,
    FlowTask,
    mirrored,
    scaled,
    stabilize_scenes,
    target_landmarks,
)
from support.videos.textured_images import FACE, face_in, flow_frame, random_texture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from torch import Tensor

SCHEMA = load_schema("ibug68")
MIRROR = list(SCHEMA.mirror)
ALL, NONE = torch.tensor([True, True]), torch.tensor([False, False])


def parts() -> FaceParts:
    return FaceParts(
        torch.from_numpy(face_parts(SCHEMA)), torch.from_numpy(face_modes(SCHEMA).copy())
    )


def moved_with_the_face(inputs: dict[str, Tensor], name: str) -> Tensor:
    """Return the points of all frames but the last, moved with the face."""
    face = inputs["face"][:, 1:]
    moved = inputs[name][:, :-1] @ face[..., :2].transpose(-1, -2) + face[..., None, :, 2]
    return moved


def test_scaled_scenes_keep_their_geometry() -> None:
    bank = synthetic_scenes(2)
    inputs = scaled(bank)
    size = np.median(bank["size"], 1)
    for name in ("raw", "truth"):
        lengths = [np.linalg.norm(bank[name][:, :, 36] - bank[name][:, :, 45], axis=-1)]
        lengths.append(torch.linalg.norm(inputs[name][:, :, 36] - inputs[name][:, :, 45], dim=-1))
        np.testing.assert_allclose(lengths[1], 100 * lengths[0] / size[:, None], rtol=1e-4)
    errors = bank["raw"] - bank["truth"]
    np.testing.assert_allclose(
        inputs["raw"] - inputs["truth"], 100 * errors / size[:, None, None, None], atol=1e-3
    )
    beside, unsure = 100 * bank["beside"] / size[:, None, None, None], bank["unsure"]
    np.testing.assert_allclose(inputs["beside"], beside, atol=1e-4)
    np.testing.assert_allclose(inputs["unsure"], 100 * unsure / size[:, None, None], atol=1e-4)
    for name in ("visible", "score", "agreed", "upright"):
        np.testing.assert_array_equal(inputs[name], bank[name])
    nose = slice(27, 36)  # the nose only moves with the face
    torch.testing.assert_close(
        moved_with_the_face(inputs, "truth")[:, :, nose],
        inputs["truth"][:, 1:, nose],
        atol=2e-3,
        rtol=0,
    )
    assert inputs["raw"].abs().max() < 400  # near the face, anywhere in the image


def test_mirroring_twice_restores_a_scene_and_others_stay_unchanged() -> None:
    inputs = scaled(synthetic_scenes(2))
    mirrored_twice = mirrored(mirrored(inputs, ALL, MIRROR), ALL, MIRROR)
    mirrored_second = mirrored(inputs, torch.tensor([False, True]), MIRROR)
    for name, value in inputs.items():
        torch.testing.assert_close(mirrored_twice[name], value)
        torch.testing.assert_close(mirrored_second[name][0], value[0])
        assert name == "agreed" or not torch.allclose(mirrored_second[name][1], value[1])


def test_a_mirrored_scene_is_consistent() -> None:
    inputs = mirrored(scaled(synthetic_scenes(2)), ALL, MIRROR)
    nose = slice(27, 36)
    torch.testing.assert_close(
        moved_with_the_face(inputs, "truth")[:, :, nose],
        inputs["truth"][:, 1:, nose],
        atol=2e-3,
        rtol=0,
    )
    right, left = (inputs["truth"][..., eye, :].mean(2) for eye in (range(36, 42), range(42, 48)))
    assert (right[..., 0] < left[..., 0]).all()
    roll = torch.atan2((left - right)[..., 1], (left - right)[..., 0])
    torch.testing.assert_close(inputs["upright"][..., 1], roll.sin(), atol=0.02, rtol=0)


def test_stabilization_of_a_mirrored_scene_is_the_mirrored_stabilization() -> None:
    """The deformation modes are left out, since they are not quite symmetric."""
    torch.manual_seed(0)
    cell, inputs = FlowCell(FlowCellConfig(width=12, hidden=6)), scaled(synthetic_scenes(2))
    for parameter in cell.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    cell.into.weight.data[:, :16] = 0  # mirroring changes the signs of vector inputs
    without_modes = parts()._replace(modes=torch.zeros(68, 2, 24))
    with torch.no_grad():
        plain = stabilize_scenes(cell, inputs, without_modes)
        other = stabilize_scenes(cell, mirrored(inputs, ALL, MIRROR), without_modes)
    mirrored_back = other[:, :, MIRROR] * torch.tensor([-1.0, 1.0])
    torch.testing.assert_close(mirrored_back, plain, atol=2e-3, rtol=0)
    assert (plain - inputs["raw"]).abs().mean() > 0.1


def test_the_target_is_the_ground_truth_plus_the_constant_detector_error() -> None:
    inputs = scaled(synthetic_scenes(2, noise=0.0))
    torch.testing.assert_close(inputs["visible"].mean(), torch.tensor(0.9), atol=0.05, rtol=0)
    upright = {**inputs, "upright": torch.tensor([1.0, 0.0]).expand_as(inputs["upright"])}
    torch.testing.assert_close(target_landmarks(upright), inputs["raw"], atol=1e-3, rtol=0)
    noisy = {**upright, "raw": inputs["raw"] + torch.randn(inputs["raw"].shape)}
    noisy["raw"][0, 3, 5] += 50.0
    noisy["visible"] = noisy["visible"].clone()
    noisy["visible"][0, 3, 5] = 0  # hidden landmarks are ignored
    differences = (target_landmarks(noisy) - inputs["raw"]).abs()
    assert differences.mean() < 0.4  # the mean of twelve frames of noise
    assert differences[0, :, 5].max() < 1.5
    change = target_landmarks(noisy).diff(dim=1) - noisy["truth"].diff(dim=1)
    assert change.abs().max() < 1e-3  # the target moves like the ground truth


def make_task(count: int = 4) -> FlowTask:
    system = replace(FLOW_CELL, opening=0.5, cell=FlowCellConfig(width=12, hidden=6), batch=2)
    training = {"lively": synthetic_scenes(count - 2), "seated": synthetic_scenes(2, seed=5)}
    held_back = {"lively": synthetic_scenes(2, seed=9), "seated": synthetic_scenes(2, seed=11)}
    return FlowTask(system, training, held_back, seed=3, descriptions=["made"])


def test_a_batch_is_determined_by_its_number_and_epochs_contain_every_scene_once() -> None:
    flow_task = make_task()
    same_task = make_task()
    for number in range(3):
        for part, other_part in zip(
            flow_task.batch(number, 2), same_task.batch(number, 2), strict=True
        ):
            torch.testing.assert_close(part, other_part)
    scores = torch.cat(
        [flow_task.batch(number, 2)[3] for number in range(2)]
    )  # no two scenes have the same scores
    per_scene = scores.flatten(1).sort(1).values.sum(1)
    expected = flow_task.training["score"].flatten(1).sort(1).values.sum(1)
    torch.testing.assert_close(per_scene.sort().values, expected.sort().values)
    flips = {
        bool(flow_task.batch(n, 1)[0][0, 0, 0, 0] > flow_task.batch(n, 1)[0][0, 0, 16, 0])
        for n in range(8)
    }
    assert flips == {False}  # mirrored or not, the right side of the face is left in the image


@pytest.mark.slow
def test_training_reduces_the_loss_and_the_mav_of_held_back_scenes() -> None:
    flow_task = make_task()
    torch.manual_seed(0)
    network = flow_task.system.build()
    before = flow_task.validate(network)
    assert set(before) == set(flow_task.figures)
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3)
    losses = []
    for step in range(24):
        loss = flow_task.loss(network, flow_task.batch(step, 2), 0)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])
    after = flow_task.validate(network)
    assert after["score"] < before["score"]
    assert after["mav"] < 0.3 * after["raw_mav"]


def test_calm_and_lively_scenes_have_similar_weights_in_the_loss() -> None:
    """A scene with a tenth of the errors has nearly the same loss."""
    flow_task, bank = make_task(), synthetic_scenes(2, noise=2.0)
    calm_bank = {**bank, "raw": bank["truth"] + 0.1 * (bank["raw"] - bank["truth"])}
    losses = [
        flow_task.loss(RawOutputCell(), tuple(scaled(each).values()), 0).item()
        for each in (bank, calm_bank)
    ]
    assert losses[0] > 1
    assert losses[1] > 0.5 * losses[0]


class RawOutputCell(FlowCell):
    """A cell that returns the raw landmarks."""

    def forward(
        self, seen: FlowCellInput, state: FlowCellState, parts: FaceParts
    ) -> tuple[Tensor, Tensor, FlowCellState]:
        return seen.raw, seen.raw, state


def noise_faces(count: int) -> FaceImages:
    rng = np.random.default_rng(0)
    points = (SCHEMA.mean_shape * 60 + 60 + rng.normal(0, 1, (count, 68, 2))).astype(np.float32)
    images = tuple(rng.integers(0, 256, (120, 120, 3), np.uint8) for _ in range(count))
    names = tuple(f"a_{i}" for i in range(count))
    return FaceImages(names, names, images, points)


class InProcessPool:
    """A pool without processes, which is interrupted after `most` scenes."""

    most = 10**9

    def __init__(self, max_workers: int) -> None:
        assert max_workers >= 1

    def __enter__(self) -> InProcessPool:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def map(self, make: object, orders: Iterable[object]) -> Iterator[object]:
        assert callable(make)
        for number, order in enumerate(orders):
            if number == self.most:
                raise KeyboardInterrupt
            yield make(order)


@pytest.mark.slow
def test_filling_a_cache_continues_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = FlowCacheConfig(frames=4, detectors=("heatmap1d-lite",))
    faces, progress = noise_faces(3), []
    monkeypatch.setattr(flow_cache, "ProcessPoolExecutor", InProcessPool)
    monkeypatch.setattr(InProcessPool, "most", 2)
    with pytest.raises(KeyboardInterrupt):
        fill_flow_cache(tmp_path, faces, 4, seed=1, config=config)
    (folder,) = tmp_path.iterdir()
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == ["00000.npz", "00001.npz"]
    modification_times = [path.stat().st_mtime_ns for path in files]
    (folder / "00002.part.npz").write_bytes(b"half a file")
    monkeypatch.setattr(InProcessPool, "most", 10**9)
    bank = fill_flow_cache(
        tmp_path, faces, 4, seed=1, config=config, report=lambda *each: progress.append(each)
    )
    assert [path.stat().st_mtime_ns for path in files] == modification_times
    assert progress == [(3, 4), (4, 4)]
    assert bank["raw"].shape == bank["truth"].shape == bank["beside"].shape == (4, 4, 68, 2)
    assert bank["face"].shape == (4, 4, 2, 3)
    assert all(np.isfinite(value).all() for value in bank.values())
    uninterrupted = fill_flow_cache(tmp_path / "other", faces, 4, seed=1, config=config)
    for name, value in uninterrupted.items():
        np.testing.assert_array_equal(bank[name], value)
    fill_flow_cache(tmp_path, faces, 1, seed=2, config=config)  # another seed uses another folder
    assert len([each for each in tmp_path.iterdir() if each.name != "other"]) == 2


def test_the_entries_of_the_cache_are_consistent(tmp_path: Path) -> None:
    config = FlowCacheConfig(frames=FRAMES, detectors=("heatmap1d-lite",))
    bank = fill_flow_cache(tmp_path, noise_faces(2), 1, seed=4, config=config)
    np.testing.assert_allclose(np.linalg.norm(bank["upright"], axis=-1), 1, atol=1e-5)
    assert set(np.unique(bank["agreed"])) <= {0.0, 1.0}
    np.testing.assert_array_equal(bank["face"][0, 0], np.eye(2, 3, dtype=np.float32))
    assert (bank["beside"][0, 0] == 0).all()
    assert (bank["size"] > 10).all()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write twelve noise images with landmarks in 300W format."""
    folder, rng = tmp_path / "data" / "300w" / "train", np.random.default_rng(0)
    folder.mkdir(parents=True)
    for i in range(12):
        points = SCHEMA.mean_shape * 90 + 80 + rng.normal(0, 2, (68, 2))
        rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
        (folder / f"helen_{i}_1.pts").write_text(
            f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n", encoding="ascii"
        )
        cv2.imwrite(str(folder / f"helen_{i}_1.jpg"), rng.integers(0, 256, (160, 160, 3), np.uint8))
    return tmp_path / "data"


@pytest.mark.slow
def test_the_flow_cell_can_be_trained_resumed_and_exported_by_commands(
    data: Path, tmp_path: Path
) -> None:
    run, models = tmp_path / "run", tmp_path / "models"
    small = ["--set", "bank.scenes=[2,1]", "--set", "bank.frames=4", "--set", "batch=2"]
    train = ["flow-cell", "--data", str(data), "--out", str(run), "--device", "cpu", *small]

    def run_command(*words: str) -> str:
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        return result.output

    assert "last.pt" in run_command(*train, "--steps", "1")
    modification_times = [
        path.stat().st_mtime_ns for path in sorted((run / "train").rglob("*.npz"))
    ]
    assert len(modification_times) == 3  # two lively scenes and one with a seated person
    run_command(*train, "--steps", "2", "--resume")
    assert [
        p.stat().st_mtime_ns for p in sorted((run / "train").rglob("*.npz"))
    ] == modification_times
    run_command("export", str(run), "--out", str(models), "--name", "flow-cell")
    card = find_model("flow-cell", "stabilizer", models)
    assert (card.cell, card.schema) == ("flow", "ibug68")
    stabilizer = FlowStabilizer(card, load_schema("wflw98"))
    face = flow_frame(random_texture(), face_in(FACE, stabilizer.schema))
    ((points, _),) = stabilizer.step([face], np.ones((1, 98), np.float32), [None])
    assert points.shape == (98, 2)
