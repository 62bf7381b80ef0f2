"""The wheel has one top-level package, and runs without the rest of the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_the_wheel_has_one_top_level_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"steadymark"}
    assert "steadymark/__init__.py" in names
    assert "steadymark/py.typed" in names
    assert "steadymark/assets/weights/heatmap1d-lite.onnx" in names
    assert "steadymark/assets/schemas/ibug68.json" in names
    for document in (
        "guide.md",
        "how-it-works/frame.svg",
        "pictures/start_open_de.png",
        "CITATION.cff",
    ):
        assert f"steadymark/docs/{document}" in names
    for language in ("de", "zh_CN", "en"):
        assert f"steadymark/assets/translations/steadymark_{language}.qm" in names


@pytest.mark.slow
def test_the_wheel_installed_elsewhere_tracks_a_video(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
    subprocess.run([*install, "--target", str(site), str(wheel)], check=True, timeout=300)
    clip = ROOT / "assets" / "clips" / "demo.mp4"
    arguments = ["track", str(clip), "--out", str(tmp_path / "out"), "--end", "0.3"]
    run = subprocess.run(
        [sys.executable, "-m", "steadymark.app", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rows = (tmp_path / "out" / "demo.csv").read_text(encoding="utf-8").splitlines()[3:]
    assert [row.split(",")[3] for row in rows] == ["detected"] + ["tracked"] * 8
