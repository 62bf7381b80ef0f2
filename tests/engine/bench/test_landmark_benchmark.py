"""Accuracy of landmark models by kind of face, and the proxy for groups of people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.bench import landmark_benchmark as benchmark
from steadymark.engine.bench.group_proxies import measure_groups
from steadymark.engine.bench.hard_face_set import AFW, EXACT, TURNED
from steadymark.engine.bench.landmark_benchmark import (
    COMMON,
    DETECTOR,
    TRAIN_HELD_BACK,
    TRUTH,
    measure_landmarks,
    prepare_sets,
    yaw_group,
)
from steadymark.engine.core.errors import UsageError
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.models.datasets.utkface_names import read_people
from steadymark.models.errors import DataError
from support.fakes.data_folder import write_data_folder, write_face
from support.fakes.fake_engine import SquareNetwork, square_image
from support.videos.square_video import square_models

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.bench.landmark_benchmark import AccuracyRow, FaceSet
    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Moves, Prediction

SCHEMA = SquareNetwork().schema


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    folder = write_data_folder(tmp_path / "data")
    write_face(folder / "300w" / "common", "one", SCHEMA.mean_shape * 99 + 150)
    return folder


def test_the_sets_are_written_and_those_that_are_only_reported_need_the_option(
    data_folder: Path, tmp_path: Path
) -> None:
    names = [each.name for each in prepare_sets(data_folder, tmp_path / "a", reported=False)]
    assert names[0] == TRAIN_HELD_BACK
    assert {AFW, TURNED, "rolled", "dark", "40 px"} < set(names)
    assert not {COMMON, EXACT} & set(names)
    sets = {s.name: s for s in prepare_sets(data_folder, tmp_path / "b", reported=True)}
    assert set(sets) == {*names, COMMON, EXACT}
    assert len(list(sets[EXACT].folder.glob("*.pts"))) == 2
    assert len(list(sets[TRAIN_HELD_BACK].folder.glob("*.jpg"))) == 1
    turned = {path.stem for path in sets[TURNED].folder.glob("*.pts")}
    assert set().union(*sets[TURNED].groups.values()) == turned
    assert sets[TURNED].groups[yaw_group(TURNED, (0, 30))] <= {f"{i:04}" for i in range(6)}
    assert [n for n, each in sets.items() if not each.from_train] == [TURNED, COMMON, EXACT]


def test_a_folder_without_300w_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no \.pts files"):
        prepare_sets(tmp_path, tmp_path / "out", reported=False)


def write_squares(folder: Path, names: list[str]) -> Path:
    """Write a bright square with the mean shape as landmarks for each name."""
    folder.mkdir()
    for number, name in enumerate(names):
        x = 120.0 + 3 * number
        cv2.imwrite(str(folder / f"{name}.png"), square_image((x, 110, 80)))
        points = SCHEMA.mean_shape * 79 + (x - 0.5, 109.5) + 1
        rows = "\n".join(f"{a:.3f} {b:.3f}" for a, b in points)
        (folder / f"{name}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    return folder


def rows_of(sets: list[FaceSet], *, left_out: bool) -> dict[tuple[str, str], AccuracyRow]:
    rows = measure_landmarks(
        square_models(), sets, config=TrackerConfig(), hard_were_left_out=left_out
    )
    return {(row.faces_of, row.boxes): row for row in rows}


def test_a_model_is_measured_from_both_boxes_by_part_and_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "LEAST_FACES", 2)
    names = ["a", "b", "c", "d"]
    folder = write_squares(tmp_path / "faces", names)
    groups = {"left": frozenset("ab"), "right": frozenset("cd"), "few": frozenset("a")}
    rows = rows_of([benchmark.FaceSet("set", folder, groups, False)], left_out=True)
    expected = {(name, boxes) for name in ("set", "left", "right") for boxes in (TRUTH, DETECTOR)}
    assert set(rows) == expected
    whole, left = rows["set", DETECTOR], rows["left", TRUTH]
    assert (whole.faces, left.faces) == (4, 2)
    assert (whole.missed, whole.fr8_percent) == (0, 0)
    assert 0 < whole.nrmse_percent < 3
    assert set(whole.regions_nrmse_percent) == set(SCHEMA.regions)
    halves = [rows[part, TRUTH].nrmse_percent for part in ("left", "right")]
    assert np.mean(halves) == pytest.approx(rows["set", TRUTH].nrmse_percent, abs=2e-3)


def test_faces_that_the_training_has_seen_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "LEAST_FACES", 1)
    monkeypatch.setattr(benchmark, "is_held_back", lambda photo, _: photo == "b")
    folder = write_squares(tmp_path / "faces", ["a", "b", "c"])
    hard = benchmark.FaceSet("dark", folder, {}, True)
    other = benchmark.FaceSet("other", folder, {}, False)
    seen = rows_of([hard, other], left_out=False)
    assert seen["dark", TRUTH].faces == 1
    assert seen["other", TRUTH].faces == 3
    assert rows_of([hard], left_out=True)["dark", TRUTH].faces == 3
    rolled = rows_of([hard._replace(name="rolled")], left_out=True)
    assert set(rolled) == {("rolled", DETECTOR)}


def write_people(data: Path, names: dict[str, str]) -> None:
    """Write pictures of squares in faces/unlabelled; names of UTKFace by file name."""
    folder = data / "faces" / "unlabelled"
    folder.mkdir(parents=True)
    for file in names:
        cv2.imwrite(str(folder / file), square_image((100, 110, 80), width=200, height=200))
    lines = [f"{file},somebody,data/{name}" for file, name in names.items()]
    (folder / "sources.csv").write_text("\n".join(["file,repository,original", *lines]) + "\n")


def test_names_of_utkface_tell_age_sex_and_group(tmp_path: Path) -> None:
    names = {
        "a.jpg": "9_1_4_20170103213057382.jpg.chip.jpg",
        "b.jpg": "70_0_1_20170117195501575.jpg.chip.jpg",
        "c.jpg": "61_1_20170109150557335.jpg.chip.jpg",  # a few names lack a part
        "d.jpg": "ftw1.jpg",
    }
    write_people(tmp_path, names)
    people = read_people(tmp_path / "faces" / "unlabelled")
    assert [person.labels for person in people] == [
        ("age 0 to 12", "female", "other"),
        ("age 70 to 120", "male", "Black"),
    ]
    assert read_people(tmp_path) == ()
    (tmp_path / "sources.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="columns file and original"):
        read_people(tmp_path)


class LeaningNetwork(SquareNetwork):
    """Puts all landmarks too far to the right, so that mirrored pictures disagree."""

    def step(
        self,
        crops: Image,
        state: tuple[object, ...] | None = None,
        moved: Moves | None = None,
    ) -> Prediction:
        found = super().step(crops)
        points = found.points + np.array([2, 0], np.float32)
        return found._replace(points=points, raw=points)


def test_the_proxy_tells_how_far_mirrored_pictures_disagree(tmp_path: Path) -> None:
    people = {f"{i}.jpg": f"{20 + 5 * (i % 2)}_{i % 2}_0_2017" for i in range(24)}
    write_people(tmp_path, people)
    models = {
        "even": square_models(),
        "leaning": replace(square_models(), network=LeaningNetwork()),
    }
    told: list[tuple[int, int]] = []
    found = measure_groups(
        models, tmp_path, per_cell=12, on_face=lambda done, total: told.append((done, total))
    )
    even, leaning = ({row.group: row for row in found[name]} for name in models)
    assert list(even) == ["all", "age 13 to 29", "male", "female", "White"]
    assert even["all"].faces == 24
    assert even["male"].faces == 12
    assert even["all"].found_percent == 100
    assert even["all"].mirror_percent < 3
    assert leaning["all"].mirror_percent > even["all"].mirror_percent + 5
    assert told[-1] == (24, 24)
    fewer = measure_groups(models, tmp_path, per_cell=5)
    assert [row.faces for row in fewer["even"]] == [10, 10, 10]  # of each sex there are too few
    assert measure_groups(models, tmp_path / "nowhere") == {}
