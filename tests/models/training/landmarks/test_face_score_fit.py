"""The face score is fitted on places that the detector takes for faces."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.new_faces import DOUBTFUL_FIND_FROM
from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back
from steadymark.models.errors import DataError
from steadymark.models.face.schema import assets_root
from steadymark.models.networks.heatmap1d import Heatmap1d, Heatmap1dConfig, face_head
from steadymark.models.runtime.zoo import find_model, read_card, weights_folder
from steadymark.models.training.export_run import export_run
from steadymark.models.training.landmarks import dan_system, heatmap1d_system
from steadymark.models.training.landmarks.face_candidates import FaceCrops, face_crops
from steadymark.models.training.landmarks.face_score_fit import (
    LOST_SCORE,
    SURE_SCORE,
    Examples,
    fit_face_score,
    fit_head,
    gather,
)
from steadymark.models.training.loop.checkpoint import load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

CHANNELS = 160


def demo_face() -> tuple[np.ndarray, np.ndarray]:
    """The first frame of the demo clip and its true landmarks (68, 2)."""
    clips = assets_root() / "clips"
    with (clips / "demo_truth.csv").open(newline="") as file:
        row = next(csv.DictReader(line for line in file if not line.startswith("#")))
    points = [[float(row[f"{axis}_{i}"]) for axis in "xy"] for i in range(68)]
    return VideoFile(clips / "demo.mp4").frame_at(0).image, np.array(points)


def free_names(prefix: str, count: int, part: str) -> list[str]:
    """Names of photos that are not held back."""
    names = (f"{prefix}{i:04}" for i in range(1000))
    return [name for name in names if not is_held_back(name, HELD_BACK[part])][:count]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with two photos without faces and two with the face of the demo clip."""
    folder = tmp_path_factory.mktemp("data")
    none, train = folder / "faces" / "none", folder / "300w" / "train"
    none.mkdir(parents=True)
    train.mkdir(parents=True)
    for seed, name in enumerate(free_names("empty", 2, "none")):
        noise = np.random.default_rng(seed).integers(0, 255, (240, 320, 3), np.uint8)
        cv2.imwrite(str(none / f"{name}.jpg"), cv2.GaussianBlur(noise, (0, 0), 6) * 3)
    (none / "boxes.csv").write_text("image,left,top,right,bottom\n")
    image, points = demo_face()
    rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
    for name in free_names("helen_", 2, "train"):
        cv2.imwrite(str(train / f"{name}.jpg"), image)
        (train / f"{name}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    return folder


def test_places_on_photos_are_told_to_be_faces_or_background(data: Path) -> None:
    found = list(face_crops(data, find_model("heatmap1d-lite", "landmarks"), seed=1))
    of_faces = [each for each in found if not each.is_background]
    assert of_faces
    assert all(each.is_face.any() for each in of_faces)
    assert not any(each.is_face.any() for each in found if each.is_background)
    assert all(each.crops.shape[1:] == (3, 128, 128) for each in found)
    first = of_faces[0].crops[int(of_faces[0].is_face.argmax())]
    shown = Heatmap1d(Heatmap1dConfig())(torch.from_numpy(first[None]).float())
    assert shown.face.shape == (1,)


def test_a_data_folder_without_faces_is_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "none").symlink_to(data / "faces" / "none")
    with pytest.raises(DataError, match="300w/train"):
        list(face_crops(tmp_path, find_model("heatmap1d-lite", "landmarks"), seed=1))


def made_examples(photos: int = 300) -> Examples:
    """Features whose mean tells faces from background, with some overlap."""
    rng = np.random.default_rng(3)
    is_face = np.repeat(np.arange(photos) % 2, 4).astype(np.float32)
    mean = np.where(is_face, 0.5, -0.5) + rng.normal(0, 0.35, len(is_face))
    features = rng.normal(0, 1, (len(is_face), CHANNELS, 4, 4)) + mean[:, None, None, None]
    return Examples(
        torch.from_numpy(features).half(),
        torch.from_numpy(is_face),
        np.repeat(np.arange(photos), 4),
        is_face == 0,
        tuple(f"photo {i}" for i in range(photos)),
    )


def test_scores_of_a_fitted_head_keep_the_trackers_thresholds() -> None:
    examples = made_examples()
    head = face_head(Heatmap1dConfig().backbone, 128)
    fitted, figures = fit_head(head, examples, seed=7)
    with torch.no_grad():
        scores = fitted(examples.features.float()).flatten().sigmoid().numpy()
    background = scores[examples.background]
    assert (background >= SURE_SCORE).mean() < 0.01
    assert (background >= LOST_SCORE).mean() < 0.2
    assert figures.faces == int(examples.is_face.sum())
    assert figures.kept > 0.9
    assert figures.sure > 0.3


def test_the_thresholds_are_those_of_the_tracker() -> None:
    assert SURE_SCORE == DOUBTFUL_FIND_FROM
    assert TrackerConfig().lose_below == LOST_SCORE


def run_of(system: object, folder: Path) -> Path:
    """Write the checkpoint of a network with its first weights."""
    network = system.build()  # type: ignore[attr-defined]
    weights = network.state_dict()
    folder.mkdir()
    (folder / "curve.csv").write_text("minute,step\n")
    facts = {"step": 1, "seed": 7, "ranks": 1, "elapsed_s": 60.0, "commit": "c", "history": []}
    recipe = system.describe()  # type: ignore[attr-defined]
    content = {"recipe": recipe, "weights": weights, "averaged": weights, **facts}
    save_checkpoint(folder / "last.pt", content)
    return folder


def test_only_the_head_of_the_face_score_changes_and_the_card_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, out = run_of(heatmap1d_system.LITE, tmp_path / "run"), tmp_path / "out"
    fitting = "steadymark.models.training.landmarks.face_score_fit"
    shipped = weights_folder() / "heatmap1d-lite.onnx"
    monkeypatch.setattr(f"{fitting}.export_run", lambda *_: shipped)  # an export takes seconds
    monkeypatch.setattr(f"{fitting}.face_crops", lambda *_: iter(()))
    monkeypatch.setattr(f"{fitting}.gather", lambda *_: made_examples(40))
    out.mkdir()
    fit_face_score(run, tmp_path, out, seed=7)
    before, after = (load_checkpoint(folder / "last.pt")["averaged"] for folder in (run, out))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("face.") for name in changed)
    card = read_card(export_run(out, tmp_path / "zoo", "fitted").with_suffix(".json"))
    assert card.judges_candidates


def test_a_network_without_such_a_head_is_refused(tmp_path: Path) -> None:
    run = run_of(dan_system.LITE, tmp_path / "run")
    with pytest.raises(ValueError, match="no head of this form"):
        fit_face_score(run, tmp_path, tmp_path / "out", seed=7)


def test_features_are_gathered_with_their_photos() -> None:
    network = Heatmap1d(Heatmap1dConfig()).eval()
    crops = np.zeros((2, 3, 128, 128), np.uint8)
    parts = [
        FaceCrops("a", True, crops, np.array([False, False])),
        FaceCrops("b", False, crops[:1], np.array([True])),
    ]
    examples = gather(network.backbone, iter(parts))
    assert examples.features.shape == (3, CHANNELS, 4, 4)
    assert examples.is_face.tolist() == [0, 0, 1]
    assert examples.photo.tolist() == [0, 0, 1]
    assert examples.background.tolist() == [True, True, False]
    assert examples.names == ("a", "b")
