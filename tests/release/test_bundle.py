"""The program in dist/steadymark, which packaging/build_bundle.py makes, started as users do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "dist" / "steadymark"
PROGRAM = BUNDLE / ("steadymark.exe" if sys.platform == "win32" else "steadymark")
DEMO = BUNDLE / "_internal" / "steadymark" / "assets" / "clips" / "demo.mp4"
MOST_MB = 580 if sys.platform == "linux" else 620
# Runs inside the bundled program, which loads it as a plug-in: when the demo is tracked, it exports
# a table and a video, and closes the window.
DRIVE = """
import json, os
from pathlib import Path

from PySide6.QtCore import QTimer

from steadymark.app.gui import application
from steadymark.app.session.export import ExportKind

out = Path(os.environ["DRIVE_OUT"])
run_window = application.run_window


def drive(window):
    steps = []

    def look():
        phase = str(window.session.display.phase)
        if phase == "finished" and not steps:
            steps.append("tracked")
            window.files.export(ExportKind.TABLE, out / "demo.csv")
            window.files.export(ExportKind.VIDEO, out / "demo.mp4")
        elif steps and window.exports.running == 0:
            platform = application.__dict__["sys"].modules["PySide6.QtGui"].QGuiApplication
            told = {"platform": platform.platformName(), "frames": window.session.display.last + 1}
            (out / "told.json").write_text(json.dumps(told))
            timer.stop()
            window.close()

    timer = QTimer(window)
    timer.timeout.connect(look)
    timer.start(200)


application.run_window = lambda *given: run_window(*given, on_window=drive)
"""
# Loaded in the same way: it imports all modules, and reads the demo with OpenCV.
USE_ALL = """
import importlib, json, os, pkgutil
from pathlib import Path

import cv2
import steadymark

failures, names = {}, []
for module in pkgutil.walk_packages(steadymark.__path__, "steadymark."):
    if not module.name.endswith("__main__"):
        names.append(module.name)
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            failures[module.name] = error.name
video = cv2.VideoCapture(str(Path(steadymark.__file__).parent / "assets" / "clips" / "demo.mp4"))
frames = 0
while video.read()[0]:
    frames += 1
told = {"names": names, "failures": failures, "frames": frames}
(Path(os.environ["DRIVE_OUT"]) / "told.json").write_text(json.dumps(told))
"""

pytestmark = [
    pytest.mark.bundle,
    pytest.mark.skipif(
        not PROGRAM.is_file(),
        reason="there is no dist/steadymark: run 'python packaging/build_bundle.py' first",
    ),
]


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """An environment with an empty home folder, and without this checkout's Python."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG")
    home = tmp_path / "home"
    home.mkdir()
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": str(home),
        "USERPROFILE": str(home),
        "COLUMNS": "200",
        "QT_QPA_PLATFORM": "offscreen",
    }


@pytest.fixture
def display() -> Iterator[str]:
    """The number of an X server that shows nothing; else a skip."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed: apt-get install xvfb")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as numbers:
        number = numbers.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(20)


def run(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_bundle_tells_the_version_of_pyproject_and_its_own_libraries(
    clean: dict[str, str],
) -> None:
    from project_facts import version

    assert run(clean, "--version").stdout.strip() == f"steadymark {version()}"
    done = run(clean, "doctor", "--json")
    checks = {(c["group"], c["name"]): c for c in json.loads(done.stdout)["checks"]}
    assert checks["versions", "Steadymark"]["text"].startswith(f"{version()} (bundle)")
    assert checks["Qt", "window"]["state"] == "ok", checks["Qt", "window"]
    faults = [c for key, c in checks.items() if c["state"] == "fault" and key[0] != "Qt"]
    assert faults == []


def test_the_bundle_tracks_in_two_processes_what_the_package_tracks(
    clean: dict[str, str], tmp_path: Path
) -> None:
    for name in "ab":
        shutil.copy(DEMO, tmp_path / f"{name}.mp4")
    videos = [tmp_path / f"{name}.mp4" for name in "ab"]
    done = run(clean, "track", *videos, "--out", tmp_path / "out", "--end", "0.5", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    tables = [(tmp_path / "out" / f"{name}.csv").read_text() for name in "ab"]
    rows = [[line for line in table.splitlines() if line[0] != "#"] for table in tables]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 16


def test_all_modules_of_the_bundle_are_imported_and_opencv_reads_a_video(
    clean: dict[str, str], tmp_path: Path
) -> None:
    plugin = tmp_path / "use_all.py"
    plugin.write_text(USE_ALL)
    plugged = {**clean, "STEADYMARK_PLUGINS": str(plugin), "DRIVE_OUT": str(tmp_path)}
    done = run(plugged, "models")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    assert len(told["names"]) > 400
    assert "steadymark.app.gui.main_window" in told["names"]
    assert set(told["failures"].values()) <= {"mediapipe"}, told["failures"]
    assert told["frames"] == 300


@pytest.mark.skipif(sys.platform != "linux", reason="X11")
def test_the_window_opens_tracks_the_demo_exports_and_quits(
    clean: dict[str, str], display: str, tmp_path: Path
) -> None:
    plugin = tmp_path / "drive.py"
    plugin.write_text(DRIVE)
    environment = {
        **clean,
        "DISPLAY": display,
        "DRIVE_OUT": str(tmp_path),
        "STEADYMARK_PLUGINS": str(plugin),
        "STEADYMARK_QUIT_AFTER_MS": "240000",
        "LIBGL_ALWAYS_SOFTWARE": "1",
    }
    environment["QT_QPA_PLATFORM"] = "xcb"
    done = run(environment, "open", DEMO)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["platform"] == "xcb"
    table = (tmp_path / "demo.csv").read_text().splitlines()
    assert sum(line[:1].isdigit() for line in table) == told["frames"]
    assert (tmp_path / "demo.mp4").stat().st_size > 100_000


@pytest.mark.skipif(sys.platform != "linux", reason="X11")
def test_the_window_quits_after_the_time_that_a_variable_gives(
    clean: dict[str, str], display: str
) -> None:
    environment = {**clean, "DISPLAY": display, "STEADYMARK_QUIT_AFTER_MS": "500"}
    environment["QT_QPA_PLATFORM"] = "xcb"
    began_s = time.monotonic()
    done = run(environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began_s < 60


def test_the_bundle_holds_no_training_and_all_licences() -> None:
    names = {path.name.lower() for path in (BUNDLE / "_internal").iterdir()}
    assert not names & {
        "torch",
        "onnx",
        "h5py",
        "tensorboard",
        "matplotlib",
        "tkinter",
        "distributed",
    }
    licences = {path.name for path in (BUNDLE / "licences").iterdir()}
    expected = {"steadymark", "python", "numpy", "scipy", "av", "onnxruntime", "texts"}
    assert expected <= licences, licences
    text = (BUNDLE / "licences" / "README.txt").read_text()
    assert "research purposes only" in text
    assert any((BUNDLE / "_internal" / "av.libs").glob("libx264*"))
    assert (BUNDLE / "licences" / "texts" / "av" / "x264.txt").is_file()
    assert "UNDER THE GPL, VERSION 3" in text
    for name, words in {
        "GPL-2": "Version 2, June 1991",
        "GPL-3": "Version 3, 29 June 2007",
    }.items():
        licence = (BUNDLE / "licences" / "texts" / f"{name}.txt").read_text()
        assert "GNU GENERAL PUBLIC LICENSE" in licence
        assert words in licence


def test_the_bundle_is_not_larger_than_planned() -> None:
    from build_bundle import size_lines

    together = float(size_lines(BUNDLE)[-1].split()[0])
    assert 100 < together < MOST_MB
