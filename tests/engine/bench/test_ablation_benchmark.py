"""The ablation: variants remove parts; filters are tuned on faces that are not reported."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from steadymark.app.cli import error_boundary
from steadymark.app.cli import main as cli
from steadymark.engine.bench.scenes import ablation_benchmark
from steadymark.engine.bench.scenes.ablation_benchmark import (
    VARIANTS,
    AblationConfig,
    AblationVariant,
    _best,
    _faces,
    run_ablation,
)
from steadymark.engine.bench.scenes.scene_presets import Scene
from steadymark.engine.core.errors import UsageError
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.datasets.photo_splits import HELD_BACK, is_held_back
from steadymark.models.face.schema import assets_root, load_schema
from steadymark.models.runtime.heatmap_cell_ablation import with_constant_mean

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = TrackSettings(device="cpu")
SMALL = AblationConfig(sequences=1, frames=16, tuned_by=1)
HELD_BACK_PHOTOS = [
    name for name in map("photo{}".format, range(200)) if is_held_back(name, HELD_BACK["train"])
]
OTHER_PHOTOS = [name for name in map("photo{}".format, range(9)) if name not in HELD_BACK_PHOTOS]


@pytest.fixture(scope="module")
def frame_of_demo() -> tuple[np.ndarray, np.ndarray]:
    clips = assets_root() / "clips"
    with av.open(str(clips / "demo.mp4")) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24")
    ground_truth = np.genfromtxt(clips / "demo_truth.csv", delimiter=",", names=True)[0]
    return image, np.array([[ground_truth[f"x_{k}"], ground_truth[f"y_{k}"]] for k in range(68)])


@pytest.fixture
def data(tmp_path: Path, frame_of_demo: tuple[np.ndarray, np.ndarray]) -> Path:
    """Write a training split with two held-back faces, and a test split."""
    image, points = frame_of_demo
    for split, names in (
        ("train", (HELD_BACK_PHOTOS[0], HELD_BACK_PHOTOS[1], OTHER_PHOTOS[0])),
        ("test", (OTHER_PHOTOS[1],)),
    ):
        (tmp_path / split).mkdir()
        for number, name in enumerate(names):
            rows = "\n".join(f"{x + 1 + number:.3f} {y + 1:.3f}" for x, y in points)
            file = tmp_path / split / f"{name}.pts"
            file.write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
            cv2.imwrite(str(file.with_suffix(".png")), np.roll(image, number, axis=1))
    return tmp_path


@pytest.mark.slow
def test_the_table_has_a_row_for_each_variant_and_filter(data: Path) -> None:
    progress: list[tuple[int, int]] = []
    rows = list(
        run_ablation(
            data / "test",
            SETTINGS,
            SMALL,
            report=lambda done, every: progress.append((done, every)),
        )
    )
    names = [row.name.partition(", gain")[0] for row in rows]
    assert names == [*(variant.name for variant in VARIANTS), "one-euro", "butterworth"]
    reached = {row.name: row.reached for row in rows}
    assert len({row.reached.mav for row in rows[:-2] if row.reached}) == len(VARIANTS)
    gain_rows = [row.name for row in rows if ", gain " in row.name]
    assert len(gain_rows) == 2
    assert all(float(name.split()[-1]) > 0 for name in gain_rows)
    assert all(r is not None and r.lost == 0 for r in reached.values())
    none, trained, fixed = (reached[n] for n in ("none", "trained cell", "paper's cell, no flow"))
    assert none is not None
    assert trained is not None
    assert fixed is not None
    assert none.furthest == 0
    assert trained.mav < none.mav < fixed.mav  # memory that does not move with the face blurs
    assert "Hz" in rows[-1].note
    assert progress[-1][0] == progress[-1][1]


def test_a_variant_without_its_part_is_empty_and_own_variants_can_be_added(
    data: Path,
) -> None:
    variants = (
        AblationVariant("none", "none"),
        AblationVariant("mean of nothing", "none", with_constant_mean),
        AblationVariant("other", "convlstm", lambda content: with_constant_mean(content)),
        AblationVariant("another model", "none", model="heatmap1d-lite"),
    )
    rows = {r.name: r for r in run_ablation(data / "test", SETTINGS, SMALL, variants=variants)}
    assert rows["mean of nothing"].reached is None
    assert "no ConvLSTM" in rows["mean of nothing"].note
    known = {name: row.reached.mav for name, row in rows.items() if row.reached}
    assert known["another model"] == known["none"] != known["other"]


def test_filters_are_tuned_on_other_faces_than_those_reported(data: Path) -> None:
    reported, others = _faces(data / "test", None, held_back=False)
    assert [face.source_photo for face in reported] == [OTHER_PHOTOS[1]]
    assert {face.source_photo for face in others} == {HELD_BACK_PHOTOS[0], HELD_BACK_PHOTOS[1]}
    reported, others = _faces(data / "train", None, held_back=False)
    assert {face.source_photo for face in (*reported, *others)} == {
        HELD_BACK_PHOTOS[0],
        HELD_BACK_PHOTOS[1],
    }
    assert reported[0].source_photo != others[0].source_photo
    with pytest.raises(UsageError, match="name a training split with --tune"):
        _faces(data / "test", data / "test", held_back=False)
    for file in (data / "train").glob(f"{HELD_BACK_PHOTOS[1]}.*"):
        file.unlink()
    with pytest.raises(UsageError, match="single face"):
        _faces(data / "train", None, held_back=False)


def test_the_best_filter_is_the_most_stable_one_that_is_as_accurate_as_raw() -> None:
    ground_truth = np.repeat((load_schema("ibug68").mean_shape * 100 + 160)[None], 30, 0).astype(
        np.float32
    )
    noise = np.random.default_rng(0).normal(0, 1, ground_truth.shape)
    scene = Scene("still", np.zeros((30, 2, 2, 3), np.uint8), ground_truth, 25, None)
    filters = {
        "half": lambda points, _: ground_truth + 0.5 * (points - ground_truth),
        "tenth": lambda points, _: ground_truth + 0.1 * (points - ground_truth),
        "still but wrong": lambda points, _: ground_truth + 9.0,
    }
    raw = [ground_truth + noise]
    assert _best([scene], raw, filters) == "tenth"
    del filters["half"], filters["tenth"]
    filters["wronger"] = lambda points, _: ground_truth + 20.0
    assert _best([scene], raw, filters) == "still but wrong"


@pytest.fixture(autouse=True)
def wide_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Widen the console, which otherwise keeps the width at which an earlier test created it."""
    monkeypatch.setattr(error_boundary.out, "width", 160)


@pytest.mark.slow
def test_the_command_prints_its_table_and_reports_invalid_input(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned_by_one_scene = partial(AblationConfig, tuned_by=1)
    monkeypatch.setattr(ablation_benchmark, "AblationConfig", tuned_by_one_scene)

    def bench(*words: str) -> tuple[int, str]:
        few_frames = ("--sequences", "1", "--frames", "12")
        result = CliRunner().invoke(cli.app, ["bench", "ablation", *words, *few_frames])
        return result.exit_code, result.output

    table = data / "t.json"
    also = ("--also", "refined=heatmap1d-tracker")
    code, output = bench("--data", str(data / "test"), "--json", str(table), *also)
    assert code == 0, output
    assert "constant mean" in output
    assert "refined" in output
    assert table.is_file()
    for words, sentence in (
        (("--data", str(data / "nothing")), "nothing"),
        (("--data", str(data / "test"), "--noise", "9"), "noise level 9"),
        (("--data", str(data / "test"), "--model", "nothing"), "unknown model"),
        (("--data", str(data / "test"), "--also", "x"), "give a name and a model"),
    ):
        code, output = bench(*words)
        assert code == 2, output
        assert sentence in output
        assert "Traceback" not in output
    shutil.rmtree(data / "train")
    code, output = bench("--data", str(data / "test"))
    assert code == 2
    assert "--tune" in output
