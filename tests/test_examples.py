"""Every script and notebook in `examples` runs, on the demo clip."""

from __future__ import annotations

import importlib
import json
import re
import runpy
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import steadymark as sm
from steadymark.engine.output.csv.check_table import check_csv
from steadymark.models.face.schema import assets_root
from support.fakes.foreign_networks import heatmap1d_network

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
DEMO = assets_root() / "clips" / "demo.mp4"
END = ("--end", "0.4")


class Script:
    """Runs a script of the examples as a user would, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, name: str, *arguments: object) -> str:
        path = EXAMPLES / f"{name}.py"
        self._monkeypatch.setattr(sys, "argv", [str(path), *map(str, arguments)])
        runpy.run_path(str(path), run_name="__main__")
        return self._capsys.readouterr().out


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Script:
    return Script(monkeypatch, capsys)


@pytest.fixture
def image_path(tmp_path: Path) -> Path:
    """The first frame of the demo clip as the only image in a folder."""
    folder = tmp_path / "images"
    folder.mkdir()
    path = folder / "a.png"
    cv2.imwrite(str(path), next(sm.read_frames(DEMO)).image)
    return path


def test_detect_in_picture(script: Script, image_path: Path, tmp_path: Path) -> None:
    out = script("detect_in_picture", image_path, tmp_path / "drawn.png")
    assert out.startswith("face 0: nose at (")
    drawn, plain = (sm.read_image(path) for path in (tmp_path / "drawn.png", image_path))
    assert (drawn != plain).any(2).sum() > 300


def test_detect_in_folder(script: Script, image_path: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(image_path.with_name("b.png")), np.zeros((90, 90, 3), np.uint8))
    out = script("detect_in_folder", image_path.parent, tmp_path / "a.npz")
    assert out == "1 of 2 pictures have a face\n"
    with np.load(tmp_path / "a.npz") as saved:
        assert saved["landmarks"].shape == (2, 68, 2)
        assert np.isnan(saved["landmarks"]).all((1, 2)).tolist() == [False, True]


def test_loop_over_frames(script: Script) -> None:
    lines = script("loop_over_frames", DEMO, "--frames", 4).splitlines()
    assert lines[0].startswith("0.000 s: face 0 (detected, ")
    assert [line.split()[4] for line in lines[1:]] == ["(tracked,"] * 3


def test_track_video(script: Script, tmp_path: Path) -> None:
    out = script("track_video", DEMO, tmp_path / "a.csv", tmp_path / "a.mp4", *END)
    assert "landmarks: (12, 1, 68, 2) times: (12,)" in out
    assert check_csv(tmp_path / "a.csv") == ()
    assert len(list(sm.read_frames(tmp_path / "a.mp4"))) == 12


def test_several_faces(script: Script) -> None:
    out = script("several_faces", DEMO, *END)
    assert out.startswith("face 0: 0.00 s to 0.37 s, 100%, ")


def test_corrected_gaze(script: Script, tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    rows = [f"{start},{start + 0.09},0,0" for start in (0.0, 0.1, 0.2)]
    points.write_text("\n".join(["start_s,end_s,angle_x_deg,angle_y_deg", *rows]) + "\n")
    out = script("corrected_gaze", DEMO, points, DEMO, *END)
    right, down = re.findall(r"median gaze: (\S+)° .*, (\S+)° downwards", out)[0]
    assert abs(float(right)) < 1
    assert abs(float(down)) < 1


def test_pandas_table(script: Script) -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    out = script("pandas_table", DEMO, *END)
    assert "mean" in out
    assert len(out.splitlines()) == 3


@pytest.mark.parametrize("method", sm.POINT_STABILIZERS)
def test_smooth_own_points(script: Script, tmp_path: Path, method: str) -> None:
    points = np.random.default_rng(0).normal(100, 1, (40, 478, 2))
    np.save(tmp_path / "a.npy", points)
    arguments = (tmp_path / "a.npy", 30, tmp_path / "b.npy", "--method", method)
    assert "mean motion from frame to frame: 1.1" in script("smooth_own_points", *arguments)
    assert np.load(tmp_path / "b.npy").std() < points.std()


def test_compare_stabilizers(script: Script) -> None:
    lines = script("compare_stabilizers", DEMO, "--end", 1).splitlines()[1:]
    motion = {line.split()[0]: float(line.split()[1]) for line in lines}
    assert list(motion) == ["none", "flow", "one-euro", "butterworth"]
    assert min(motion, key=motion.__getitem__) != "none"


def test_score_on_truth(script: Script) -> None:
    out = script("score_on_truth", DEMO, DEMO.with_name("demo_truth.csv"), *END)
    assert 0 < float(out.split()[1]) < 6
    assert "failures at 8 %: 0.0%" in out


def test_own_onnx_model(script: Script, tmp_path: Path) -> None:
    network = heatmap1d_network(tmp_path, "wflw98", batch=1)
    out = script("own_onnx_model", network, DEMO, "--schema", "wflw98", "--end", "0.1")
    assert "VideoLandmarks(3 frames, 1 face, 98 landmarks of wflw98)" in out
    with pytest.raises(SystemExit, match=r"error: .*missing\.onnx"):
        script("own_onnx_model", tmp_path / "missing.onnx", DEMO)


@pytest.mark.parametrize("name", ["track_and_plot", "compare_stabilizers"])
def test_notebook(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    pytest.importorskip("pandas", reason="pandas is not installed")
    matplotlib.use("Agg")
    monkeypatch.chdir(EXAMPLES)
    notebook = json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))
    names: dict[str, object] = {}
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], f"cell {number}: clear the outputs before committing"
            code = "".join(cell["source"])
            exec(compile(code, f"{name}.ipynb, cell {number}", "exec"), names)
    figures = importlib.import_module("matplotlib.pyplot")
    assert figures.get_fignums()
    figures.close("all")


def test_every_example_is_tested() -> None:
    scripts = {path.stem for path in EXAMPLES.glob("*.py")}
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert len(scripts) == 11
    assert scripts <= tested
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == {
        "track_and_plot",
        "compare_stabilizers",
    }
