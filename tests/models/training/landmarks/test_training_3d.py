"""Training of every landmark system in the 3D scheme, from the training half of aflw2000."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from steadymark.models.datasets import open_dataset
from steadymark.models.datasets.hard_faces import exact_faces, turned_faces
from steadymark.models.errors import DataError
from steadymark.models.face.schema import load_schema
from steadymark.models.runtime.zoo import read_card
from steadymark.models.training.data.face_images import load_faces
from steadymark.models.training.export_run import export_run
from steadymark.models.training.landmarks.landmark_system import LandmarkSystem
from steadymark.models.training.landmarks.landmark_task import open_faces, sources_of
from steadymark.models.training.loop.checkpoint import save_checkpoint, to_image
from steadymark.models.training.registry import altered, find_system
from support.two_schemes import SHAPE, write_pts, write_two_schemes

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.training.landmarks.landmark_task import LandmarkTask

SYSTEMS = ("heatmap1d", "heatmap2d", "dan", "local_global")


def system_3d(name: str) -> LandmarkSystem[Any]:
    system = altered(find_system(name, "lite"), ["schema=ibug68_3d"])
    assert isinstance(system, LandmarkSystem)
    return system


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_two_schemes(tmp_path / "aflw2000")
    return tmp_path


@pytest.mark.parametrize("name", SYSTEMS)
def test_one_setting_trains_each_system_in_the_3d_scheme(
    name: str, data: Path, tmp_path: Path
) -> None:
    system = system_3d(name)
    task: LandmarkTask[nn.Module] = system.open(data, tmp_path / "run", seed=1)
    assert set(task.training.names) == set(turned_faces(data, held_back=False))
    assert set(task.held_back.names) == set(turned_faces(data, held_back=True))
    assert not exact_faces(data).keys() & {*task.training.names, *task.held_back.names}
    truth = {f.name: f for f in open_dataset(data / "aflw2000", schema="ibug68_3d").faces}
    for faces in (task.training, task.held_back):
        np.testing.assert_array_equal(faces.points[2], truth[faces.names[2]].points)
    network = system.build()
    crops, points, face = task.batch(0, 2)
    loss = system.loss(network, to_image(crops), points, face.float(), 0)
    assert torch.isfinite(loss)


def test_the_network_of_dan_has_the_schema_of_the_training() -> None:
    assert system_3d("dan").describe()["network"]["schema"] == "ibug68_3d"
    with pytest.raises(ValueError, match="set the schema alone, as in --set schema=wflw98"):
        altered(find_system("dan", "lite"), ["network.schema=wflw98"])


def test_errors_are_divided_by_the_box_where_the_eyes_may_coincide(
    data: Path, tmp_path: Path
) -> None:
    task: LandmarkTask[nn.Module] = system_3d("heatmap1d").open(data, tmp_path, seed=1)
    schema = load_schema("ibug68_3d")
    points = SHAPE * 100
    assert load_schema("ibug68").length_px(points) == pytest.approx(100 * 2 * 0.30337)
    assert schema.length_px(points) == pytest.approx(100 * np.sqrt(0.96476), rel=1e-4)
    profile = points * (0.0, 1.0) + (np.linspace(0, 50, 68)[:, None] * (1.0, 0.0))
    profile[[36, 45]] = 0
    assert schema.length_px(profile) == pytest.approx(np.sqrt(50 * 96.476), rel=1e-4)
    assert task.schema.error_length == "box"


def test_the_folder_itself_is_data_too_and_another_data_set_may_validate(
    data: Path, tmp_path: Path
) -> None:
    training, held_back, _ = open_faces(data / "aflw2000", "ibug68")
    assert set(training.names) == set(turned_faces(data, held_back=False))
    assert set(held_back.names) == set(turned_faces(data, held_back=True))
    _, held_back, _ = open_faces(data, "ibug68_3d", data / "aflw2000")
    assert set(held_back.names) == set(turned_faces(data, held_back=True))
    half = "aflw2000: half of the faces whose alignment is not exact"
    assert sources_of(data, schema="ibug68_3d") == [half]


def test_the_visible_edge_is_not_learned_as_the_jaw(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    (folder / "a.jpg").write_bytes((data / "aflw2000" / "0001.jpg").read_bytes())
    write_pts(folder / "a.pts", SHAPE * 79 + 119)
    with pytest.raises(DataError, match=r"1 of the 1 faces in .* lack landmarks of ibug68_3d"):
        load_faces(folder, "ibug68_3d")


def test_the_card_of_an_export_names_terms_schema_and_follower(data: Path, tmp_path: Path) -> None:
    sizes = ("stacks=1", "depth=1", "channels=16")
    system = altered(system_3d("local_global"), [f"network.hourglass.{size}" for size in sizes])
    assert isinstance(system, LandmarkSystem)
    task: LandmarkTask[nn.Module] = system.open(data, tmp_path, seed=1)
    network = system.build()
    checkpoint = {
        "recipe": json.loads(json.dumps(system.describe())),
        "sources": task.sources,
        "averaged": network.state_dict(),
        "seed": 1,
        "step": 1,
        "ranks": 1,
        "elapsed_s": 1.0,
        "commit": "x",
        "history": [],
    }
    save_checkpoint(tmp_path / "last.pt", checkpoint)
    file = export_run(tmp_path, tmp_path / "zoo", "first", follower="second")
    card = read_card(file.with_suffix(".json"))
    assert (card.schema, card.follower) == ("ibug68_3d", "second")
    assert "AFLW2000-3D: for research purposes only" in card.licence
    with pytest.raises(ValueError, match="--follower a/b: give letters"):
        export_run(tmp_path, tmp_path / "zoo", "first", follower="a/b")
