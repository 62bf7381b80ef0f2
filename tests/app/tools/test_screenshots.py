"""Screenshots of the window: all are rendered, and a small palette looks like the original."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from PySide6.QtGui import QImage

from steadymark.models.face.schema import assets_root
from tools.png_palette import reduce_to_palette
from tools.screenshots_start import STEPS

ROOT = Path(__file__).resolve().parents[3]


def test_a_reduced_palette_stays_close_to_the_original_colours(
    tmp_path: Path, qapp: object
) -> None:
    y, x = np.mgrid[0:90, 0:161].astype(np.float32)
    pixels = np.stack([x, y, (x + y) / 2, np.full_like(x, 255)], -1).astype(np.uint8)
    image = QImage(pixels.data, 161, 90, pixels.strides[0], QImage.Format.Format_RGB32)
    reduced = reduce_to_palette(image)
    assert reduced.size() == image.size()
    assert len(reduced.colorTable()) <= 256
    converted = reduced.convertToFormat(QImage.Format.Format_RGB32)
    reduced_pixels = np.frombuffer(converted.constBits(), np.uint8).reshape(90, 161, 4)
    difference = np.abs(reduced_pixels[..., :3].astype(int) - pixels[..., :3])
    assert difference.mean() < 5
    assert difference.max() < 40


def write_start_of_demo_clip(path: Path, packets: int) -> Path:
    """Copy the first packets of the demo clip, without encoding them again."""
    demo = str(assets_root() / "clips" / "demo.mp4")
    with av.open(demo) as clip, av.open(str(path), "w", options={"movflags": "faststart"}) as short:
        stream = short.add_stream_from_template(clip.streams.video[0])
        for packet in islice(clip.demux(video=0), packets):
            packet.stream = stream
            short.mux(packet)
    return path


@pytest.mark.slow
def test_every_main_screen_is_rendered(tmp_path: Path) -> None:
    clip = write_start_of_demo_clip(tmp_path / "demo.mp4", 130)
    options = ["--only", "de", "--clip", str(clip)]
    command = [sys.executable, "-m", "tools.screenshots", str(tmp_path), *options]
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    env["PYTHONPATH"] = os.pathsep.join(str(ROOT / part) for part in ("app", "engine", "models"))
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    for screen in ("empty", "error", "tracking", "both", "side_trails", "exporting"):
        image = QImage(str(tmp_path / f"de_{screen}_small.png"))
        assert (image.width(), image.height()) == (900, 600)
    assert not QImage(str(tmp_path / "de_shortcuts.png")).isNull()


def test_the_images_of_the_readme_and_the_guide_are_small() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    assert "(docs/pictures/window_light.png)" in readme
    assert "(pictures/window_dark.png)" in guide
    for name in ("window_light.png", "window_dark.png"):
        assert (ROOT / "docs" / "pictures" / name).stat().st_size < 300_000


def test_each_language_of_start_here_has_five_small_screenshots_of_its_own() -> None:
    for page, language in (("index.md", "en"), ("de/index.md", "de"), ("zh/index.md", "zh_CN")):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        shown = re.findall(r"pictures/(start_\w+\.png)\)", text)
        assert shown == [f"start_{step}_{language}.png" for step in STEPS]
        for name in shown:
            image = QImage(str(ROOT / "docs" / "pictures" / name))
            assert (image.width(), image.height()) == (1000, 640)
            assert (ROOT / "docs" / "pictures" / name).stat().st_size < 100_000
