"""face_net is trained by the one training loop, and its export is a detector of the engine."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import torch

from models.training.test_training import averaged_weights, interrupt_at
from steadymark.engine.tracking.detection import FaceNetDetector, open_face_net
from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back, photo_of
from steadymark.models.errors import DataError
from steadymark.models.face.schema import load_schema
from steadymark.models.networks.face_net import FaceNetConfig, FaceNetDecoded
from steadymark.models.runtime.onnx_session import open_session
from steadymark.models.runtime.zoo import find_model
from steadymark.models.training.detector.detector_tiles import TileConfig
from steadymark.models.training.detector.face_net_card import LICENCE
from steadymark.models.training.detector.face_net_start import load_face_net
from steadymark.models.training.detector.face_net_system import FaceNetSystem
from steadymark.models.training.detector.hard_negatives import HardNegatives
from steadymark.models.training.export_run import export_run
from steadymark.models.training.loop.checkpoint import load_checkpoint
from steadymark.models.training.loop.training_run import RunSettings, train

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

TINY = FaceNetSystem(
    batch=1,
    profiled=2,
    hard_every=2,
    tiles=TileConfig(sizes=(64, 96)),
    network=FaceNetConfig(
        stem=16, widths=(16, 16, 16, 16), blocks=(0, 1, 1, 1), head=16, head_blocks=(1, 1, 1), top=9
    ),
)
SETTINGS = RunSettings(steps=9, workers=0, save_s=0.0, check_s=1e9, seed=68, device="cpu")


def photo_names(kind: str, *, trained: int, held: int) -> Iterator[str]:
    """Yield names of photos, so many of which are trained on and so many held back."""
    left = {False: trained, True: held}
    number = 0
    while any(left.values()):
        stem, number = f"helen_{number}_1", number + 1
        photo = photo_of(stem) if kind == "train" else stem
        held_back = is_held_back(photo, HELD_BACK[kind])
        if left[held_back]:
            left[held_back] -= 1
            yield stem


@pytest.fixture
def photo_folder(tmp_path: Path) -> Path:
    """Pictures of noise with a box each, the same with landmarks, and pictures without faces."""
    rng = np.random.default_rng(0)
    points = load_schema("ibug68").mean_shape * 60 + 64
    rows = "\n".join(f"{x + 1:.3f} {y + 1:.3f}" for x, y in points)
    (tmp_path / "300w" / "train").mkdir(parents=True)
    for kind in ("train", "crowds", "none"):
        folder = tmp_path / "faces" / kind
        folder.mkdir(parents=True)
        boxes = ["image,left,top,right,bottom"]
        for stem in photo_names(kind, trained=3, held=2):
            noise = rng.integers(0, 256, (128, 128, 3), np.uint8)
            cv2.imwrite(str(folder / f"{stem}.jpg"), noise)
            sides = np.concatenate((points.min(0), points.max(0)))
            boxes.append(",".join((f"{stem}.jpg", *map(str, sides))))
            if kind == "train":
                landmarks = tmp_path / "300w" / "train" / f"{stem}.pts"
                landmarks.write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
                cv2.imwrite(str(landmarks.with_suffix(".jpg")), noise)
        if kind != "none":
            (folder / "boxes.csv").write_text("\n".join(boxes) + "\n")
    return tmp_path


def test_a_killed_training_of_the_detector_resumes_to_the_same_weights(
    photo_folder: Path, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(TINY, photo_folder, whole, SETTINGS)
    with pytest.raises(KeyboardInterrupt):
        train(TINY, photo_folder, parts, SETTINGS, report=interrupt_at(5))
    train(TINY, photo_folder, parts, SETTINGS, resume=True)
    a, b = averaged_weights(whole), averaged_weights(parts)
    assert all(torch.equal(a[name], b[name]) for name in a)
    one, two = (load_checkpoint(run / "last.pt") for run in (whole, parts))
    assert torch.equal(one["feedback"]["scores"], two["feedback"]["scores"])
    assert one["feedback"]["measured"] == two["feedback"]["measured"] == 4
    assert one["feedback"]["scores"].max() < 1
    assert one["samples"] == two["samples"] > 9  # tiles of 64 pixels: 25 in a batch


@pytest.mark.slow
def test_the_exported_detector_is_opened_by_the_engine_with_the_threshold_of_the_validation(
    photo_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train(TINY, photo_folder, run, SETTINGS)
    columns = (run / "curve.csv").read_text().splitlines()[0].split(",")
    assert columns[5:] == ["missed", "threshold", "crowds", "train", "iou", "hard", "turned"]
    file = export_run(run, tmp_path / "zoo", "face_net").with_suffix(".json")
    card, told = find_model("face_net", "face_detector", file.parent), json.loads(file.read_text())
    figures = load_checkpoint(run / "last.pt")["figures"]
    assert card.threshold == pytest.approx(figures["threshold"], abs=1e-3)
    assert (told["schema"], told["licence"]) == (None, LICENCE)
    assert told["data"][:3] == [
        "300W training split, whole photos (faces/train)",
        "faces/crowds, boxes moved to the extent of the landmarks",
        "faces/none",
    ]
    assert told["recipe"] == {**told["recipe"], **json.loads(json.dumps(TINY.describe()))}
    detector = FaceNetDetector(open_face_net(open_session(card, device="cpu")))
    assert detector.detect(np.zeros((100, 140, 3), np.uint8)) is not None


@pytest.mark.slow
def test_a_card_takes_the_threshold_that_the_user_gives(photo_folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(TINY, photo_folder, run, replace(SETTINGS, steps=1))
    model = export_run(run, tmp_path / "zoo", "face_net", threshold=0.61, scores_note="by hand")
    told = json.loads(model.with_suffix(".json").read_text())
    assert (told["threshold"], told["scores_note"]) == (0.61, "by hand")
    assert "Boxes of faces" in told["intended_use"]
    assert len(told["limits"]) == 3
    with pytest.raises(ValueError, match="not those of face-net"):
        export_run(run, tmp_path / "zoo", "face_net", scores={"recall": 3})


@pytest.mark.slow
def test_a_training_begins_with_the_weights_of_an_exported_detector(
    photo_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train(TINY, photo_folder, run, SETTINGS)
    file = export_run(run, tmp_path / "zoo", "face_net")
    images = torch.from_numpy(np.random.default_rng(3).integers(0, 256, (4, 3, 96, 96), np.uint8))
    trained, copied = TINY.build(), TINY.build()
    trained.load_state_dict(averaged_weights(run))
    load_face_net(file, copied, images)
    for image in images[:, None]:
        expected, found = (FaceNetDecoded(n.eval())(image) for n in (trained, copied))
        torch.testing.assert_close(found[:, :5], expected[:, :5], atol=0.05, rtol=0.01)
    other = replace(TINY, network=replace(TINY.network, head=24))
    with pytest.raises(ValueError, match="is of another network"):
        load_face_net(file, other.build(), images)


def test_photos_are_prepared_again_if_another_recipe_needs_others(
    photo_folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    tasks = [replace(TINY, profiled=count).open(photo_folder, run, seed=68) for count in (2, 2, 3)]
    assert [len(task.tile_maker.sets[-1]) for task in tasks] == [2, 2, 3]


def test_a_folder_without_photos_of_no_face_is_refused(photo_folder: Path, tmp_path: Path) -> None:
    for photo in (photo_folder / "faces" / "none").glob("*.jpg"):
        photo.unlink()
    with pytest.raises(DataError, match="no photo to learn from"):
        train(TINY, photo_folder, tmp_path / "run", SETTINGS)


def test_a_measurement_applies_to_batches_that_no_worker_has_prepared_yet() -> None:
    count = 0

    def measure(_: object) -> NDArray[np.float32]:
        nonlocal count
        count += 1
        return np.full(3, count / 10, np.float32)

    hard = HardNegatives(3, 4, measure)
    seen = []
    for number in range(20):
        seen.append(round(float(hard.at(number)[0]), 1))
        ahead = float(hard.at(number + 3)[0])
        hard.update(None, number + 1)
        assert float(hard.at(number + 3)[0]) == ahead
    assert seen == [1.0] * 8 + [0.1] * 4 + [0.2] * 4 + [0.3] * 4


def test_faces_that_no_photo_shows_do_not_count_as_missed() -> None:
    from steadymark.models.training.detector.detector_validation import DetectorScores

    assert DetectorScores(0.5, 0.8, 1.0, 0.9).missed == pytest.approx(10)
    assert DetectorScores(0.5, 0.8, 1.0, 0.9, 0.6, math.nan).missed == pytest.approx(20)
