"""The flow cell's training: scenes in the face's own measure, mirrors, aims, banks that resume."""

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
from steadymark.models.training.stabilizer import flow_cache
from steadymark.models.training.stabilizer.flow_cache import FlowCacheConfig, fill_flow_cache
from steadymark.models.training.stabilizer.flow_cell_system import (
    FLOW_CELL,
    FlowTask,
    aimed_at,
    mirrored,
    scaled,
    unrolled,
)
from support.fakes.flow_scenes import FRAMES, made_scenes
from support.videos.textured_images import FACE, face_in, painted, seen

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


def carried(seen: dict[str, Tensor], name: str) -> Tensor:
    """Places of each frame but the last, moved along with the face."""
    face = seen["face"][:, 1:]
    moved = seen[name][:, :-1] @ face[..., :2].transpose(-1, -2) + face[..., None, :, 2]
    return moved


def test_scenes_in_percent_of_the_face_keep_their_geometry() -> None:
    bank = made_scenes(2)
    seen = scaled(bank)
    size = np.median(bank["size"], 1)
    for name in ("raw", "truth"):
        lengths = [np.linalg.norm(bank[name][:, :, 36] - bank[name][:, :, 45], axis=-1)]
        lengths.append(torch.linalg.norm(seen[name][:, :, 36] - seen[name][:, :, 45], dim=-1))
        np.testing.assert_allclose(lengths[1], 100 * lengths[0] / size[:, None], rtol=1e-4)
    apart = bank["raw"] - bank["truth"]
    np.testing.assert_allclose(
        seen["raw"] - seen["truth"], 100 * apart / size[:, None, None, None], atol=1e-3
    )
    beside, unsure = 100 * bank["beside"] / size[:, None, None, None], bank["unsure"]
    np.testing.assert_allclose(seen["beside"], beside, atol=1e-4)
    np.testing.assert_allclose(seen["unsure"], 100 * unsure / size[:, None, None], atol=1e-4)
    for name in ("visible", "score", "agreed", "upright"):
        np.testing.assert_array_equal(seen[name], bank[name])
    nose = slice(27, 36)  # it moves by nothing but the face
    torch.testing.assert_close(
        carried(seen, "truth")[:, :, nose], seen["truth"][:, 1:, nose], atol=2e-3, rtol=0
    )
    assert seen["raw"].abs().max() < 400  # near the face, wherever it is in the picture


def test_mirrored_twice_is_as_before_and_unmirrored_scenes_stay() -> None:
    seen = scaled(made_scenes(2))
    twice = mirrored(mirrored(seen, ALL, MIRROR), ALL, MIRROR)
    one = mirrored(seen, torch.tensor([False, True]), MIRROR)
    for name, value in seen.items():
        torch.testing.assert_close(twice[name], value)
        torch.testing.assert_close(one[name][0], value[0])
        assert name == "agreed" or not torch.allclose(one[name][1], value[1])


def test_the_mirror_image_of_a_scene_hangs_together() -> None:
    seen = mirrored(scaled(made_scenes(2)), ALL, MIRROR)
    nose = slice(27, 36)
    torch.testing.assert_close(
        carried(seen, "truth")[:, :, nose], seen["truth"][:, 1:, nose], atol=2e-3, rtol=0
    )
    right, left = (seen["truth"][..., eye, :].mean(2) for eye in (range(36, 42), range(42, 48)))
    assert (right[..., 0] < left[..., 0]).all()
    roll = torch.atan2((left - right)[..., 1], (left - right)[..., 0])
    torch.testing.assert_close(seen["upright"][..., 1], roll.sin(), atol=0.02, rtol=0)


def test_a_mirrored_scene_is_stabilized_as_in_a_mirror_but_for_the_cells_own_left_and_right() -> (
    None
):
    """What differs comes from the directions of motion alone, which are not quite symmetrical."""
    torch.manual_seed(0)
    cell, seen = FlowCell(FlowCellConfig(width=12, hidden=6)), scaled(made_scenes(2))
    for parameter in cell.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    cell.into.weight.data[:, :16] = 0  # of vectors only lengths would be the same in a mirror
    without = parts()._replace(modes=torch.zeros(68, 2, 24))
    with torch.no_grad():
        plain = unrolled(cell, seen, without)
        other = unrolled(cell, mirrored(seen, ALL, MIRROR), without)
    back = other[:, :, MIRROR] * torch.tensor([-1.0, 1.0])
    torch.testing.assert_close(back, plain, atol=2e-3, rtol=0)
    assert (plain - seen["raw"]).abs().mean() > 0.1


def test_the_aim_is_the_truth_beside_what_the_detector_differs_by_throughout() -> None:
    seen = scaled(made_scenes(2, noise=0.0))
    torch.testing.assert_close(seen["visible"].mean(), torch.tensor(0.9), atol=0.05, rtol=0)
    upright = {**seen, "upright": torch.tensor([1.0, 0.0]).expand_as(seen["upright"])}
    torch.testing.assert_close(aimed_at(upright), seen["raw"], atol=1e-3, rtol=0)
    noisy = {**upright, "raw": seen["raw"] + torch.randn(seen["raw"].shape)}
    noisy["raw"][0, 3, 5] += 50.0
    noisy["visible"] = noisy["visible"].clone()
    noisy["visible"][0, 3, 5] = 0  # what is hidden does not count
    away = (aimed_at(noisy) - seen["raw"]).abs()
    assert away.mean() < 0.4  # the mean of twelve frames of noise
    assert away[0, :, 5].max() < 1.5
    change = aimed_at(noisy).diff(dim=1) - noisy["truth"].diff(dim=1)
    assert change.abs().max() < 1e-3  # it moves as the truth does


def task(count: int = 4) -> FlowTask:
    system = replace(FLOW_CELL, opening=0.5, cell=FlowCellConfig(width=12, hidden=6), batch=2)
    training = {"lively": made_scenes(count - 2), "seated": made_scenes(2, seed=5)}
    held = {"lively": made_scenes(2, seed=9), "seated": made_scenes(2, seed=11)}
    return FlowTask(system, training, held, seed=3, told=["made"])


def test_a_batch_follows_from_its_number_and_every_scene_comes_once_an_epoch() -> None:
    made = task()
    again = task()
    for number in range(3):
        for one, other in zip(made.batch(number, 2), again.batch(number, 2), strict=True):
            torch.testing.assert_close(one, other)
    scores = torch.cat([made.batch(number, 2)[3] for number in range(2)])  # the same in no two
    per_scene = scores.flatten(1).sort(1).values.sum(1)
    wanted = made.training["score"].flatten(1).sort(1).values.sum(1)
    torch.testing.assert_close(per_scene.sort().values, wanted.sort().values)
    flips = {
        bool(made.batch(n, 1)[0][0, 0, 0, 0] > made.batch(n, 1)[0][0, 0, 16, 0]) for n in range(8)
    }
    assert flips == {False}  # mirrored or not, the right side of the face is to the left


@pytest.mark.slow
def test_the_loss_goes_down_and_the_held_back_scenes_get_steadier() -> None:
    made = task()
    torch.manual_seed(0)
    network = made.system.build()
    before = made.validate(network)
    assert set(before) == set(made.figures)
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3)
    losses = []
    for step in range(24):
        loss = made.loss(network, made.batch(step, 2), 0)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-4:]) < 0.9 * np.mean(losses[:4])
    after = made.validate(network)
    assert after["score"] < before["score"]
    assert after["mav"] < 0.3 * after["raw_mav"]


def test_a_calm_scene_weighs_as_much_in_the_loss_as_a_lively_one() -> None:
    """A tenth of all motion and noise, and nearly the same loss."""
    made, bank = task(), made_scenes(2, noise=2.0)
    calm = {**bank, "raw": bank["truth"] + 0.1 * (bank["raw"] - bank["truth"])}
    losses = [made.loss(_Raw(), tuple(scaled(each).values()), 0).item() for each in (bank, calm)]
    assert losses[0] > 1
    assert losses[1] > 0.5 * losses[0]


class _Raw(FlowCell):
    """Gives the raw landmarks out."""

    def forward(
        self, seen: FlowCellInput, state: FlowCellState, parts: FaceParts
    ) -> tuple[Tensor, Tensor, FlowCellState]:
        return seen.raw, seen.raw, state


def noise_faces(count: int) -> FaceImages:
    rng = np.random.default_rng(0)
    points = (SCHEMA.mean_shape * 60 + 60 + rng.normal(0, 1, (count, 68, 2))).astype(np.float32)
    pictures = tuple(rng.integers(0, 256, (120, 120, 3), np.uint8) for _ in range(count))
    names = tuple(f"a_{i}" for i in range(count))
    return FaceImages(names, names, pictures, points)


class Here:
    """A pool of no processes. Stops as a kill would after `most` scenes."""

    most = 10**9

    def __init__(self, max_workers: int) -> None:
        assert max_workers >= 1

    def __enter__(self) -> Here:
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
def test_a_bank_goes_on_after_a_kill_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = FlowCacheConfig(frames=4, detectors=("heatmap1d-lite",))
    faces, told = noise_faces(3), []
    monkeypatch.setattr(flow_cache, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(Here, "most", 2)
    with pytest.raises(KeyboardInterrupt):
        fill_flow_cache(tmp_path, faces, 4, seed=1, config=config)
    (folder,) = tmp_path.iterdir()
    there = sorted(folder.iterdir())
    assert [path.name for path in there] == ["00000.npz", "00001.npz"]
    written = [path.stat().st_mtime_ns for path in there]
    (folder / "00002.part.npz").write_bytes(b"half a file")
    monkeypatch.setattr(Here, "most", 10**9)
    bank = fill_flow_cache(
        tmp_path, faces, 4, seed=1, config=config, report=lambda *each: told.append(each)
    )
    assert [path.stat().st_mtime_ns for path in there] == written
    assert told == [(3, 4), (4, 4)]
    assert bank["raw"].shape == bank["truth"].shape == bank["beside"].shape == (4, 4, 68, 2)
    assert bank["face"].shape == (4, 4, 2, 3)
    assert all(np.isfinite(value).all() for value in bank.values())
    whole = fill_flow_cache(tmp_path / "other", faces, 4, seed=1, config=config)
    for name, value in whole.items():
        np.testing.assert_array_equal(bank[name], value)
    fill_flow_cache(tmp_path, faces, 1, seed=2, config=config)  # made otherwise: another folder
    assert len([each for each in tmp_path.iterdir() if each.name != "other"]) == 2


def test_what_is_watched_fits_together(tmp_path: Path) -> None:
    config = FlowCacheConfig(frames=FRAMES, detectors=("heatmap1d-lite",))
    bank = fill_flow_cache(tmp_path, noise_faces(2), 1, seed=4, config=config)
    np.testing.assert_allclose(np.linalg.norm(bank["upright"], axis=-1), 1, atol=1e-5)
    assert set(np.unique(bank["agreed"])) <= {0.0, 1.0}
    np.testing.assert_array_equal(bank["face"][0, 0], np.eye(2, 3, dtype=np.float32))
    assert (bank["beside"][0, 0] == 0).all()
    assert (bank["size"] > 10).all()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twelve noise pictures with landmarks, in 300W form."""
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
def test_it_is_trained_resumed_and_exported_from_the_command_line(
    data: Path, tmp_path: Path
) -> None:
    run, models = tmp_path / "run", tmp_path / "models"
    small = ["--set", "bank.scenes=[2,1]", "--set", "bank.frames=4", "--set", "batch=2"]
    train = ["flow-cell", "--data", str(data), "--out", str(run), "--device", "cpu", *small]

    def done(*words: str) -> str:
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        return result.output

    assert "last.pt" in done(*train, "--steps", "1")
    made = [path.stat().st_mtime_ns for path in sorted((run / "train").rglob("*.npz"))]
    assert len(made) == 3  # two lively scenes and one of a face that sits still
    done(*train, "--steps", "2", "--resume")
    assert [p.stat().st_mtime_ns for p in sorted((run / "train").rglob("*.npz"))] == made
    done("export", str(run), "--out", str(models), "--name", "flow-cell")
    card = find_model("flow-cell", "stabilizer", models)
    assert (card.cell, card.schema) == ("flow", "ibug68")
    stabilizer = FlowStabilizer(card, load_schema("wflw98"))
    face = seen(painted(), face_in(FACE, stabilizer.schema))
    ((points, _),) = stabilizer.step([face], np.ones((1, 98), np.float32), [None])
    assert points.shape == (98, 2)
