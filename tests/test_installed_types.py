"""Type checkers see the public API of an installed wheel and of an editable install."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VALID_CODE = """\
import numpy as np
import steadymark as sm
import steadymark.app.cli.main
import steadymark.engine.tracking.tracker
import steadymark.models.runtime.zoo

landmarker = sm.FaceLandmarker(model="heatmap1d-lite", stabilizer="auto", max_faces=1)
faces: list[sm.Face] = landmarker.detect(np.zeros((360, 360, 3), np.uint8))
result = sm.track_video("talk.mp4", max_faces=2, progress=True)
motion: float = sm.metrics.mav(result.landmarks[:, 0])
version: str = sm.__version__
"""
INVALID_CODE = VALID_CODE + 'sm.track_video("talk.mp4", max_face=2)\nsm.nothing\nresult.landmark\n'


@pytest.fixture(scope="module", params=["wheel", "editable"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with Steadymark installed, and the libraries of this one."""
    folder = tmp_path_factory.mktemp(request.param)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    if request.param == "editable":
        roots = (str(ROOT / part) for part in ("app", "engine", "models"))
        (site / "_steadymark.pth").write_text("\n".join(roots))
        return folder
    with zipfile.ZipFile(request.getfixturevalue("wheel")) as archive:
        archive.extractall(site)
    return folder


def type_checker_output(environment: Path, code: str, *command: str) -> str:
    """The output of a type checker for this code."""
    (environment / "use.py").write_text(code)
    run = subprocess.run(
        [*command, "use.py"],
        cwd=environment,
        env={"PATH": str(Path(sys.executable).parent) + ":/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return run.stdout + run.stderr


@pytest.mark.slow
def test_mypy_checks_the_public_names_and_their_types(environment: Path) -> None:
    python = environment / "bin" / "python"
    cache = environment.parent / "mypy_cache"  # of both environments, which have equal libraries
    options = ("--strict", "--cache-dir", str(cache), "--python-executable", str(python))
    command = (sys.executable, "-m", "mypy", *options)
    assert "Success" in type_checker_output(environment, VALID_CODE, *command)
    output = type_checker_output(environment, INVALID_CODE, *command)
    assert 'Unexpected keyword argument "max_face"' in output
    assert 'Module has no attribute "nothing"' in output
    assert '"VideoLandmarks" has no attribute "landmark"' in output


@pytest.mark.slow
def test_pyright_checks_the_public_names_and_their_types(environment: Path) -> None:
    pyright = shutil.which("pyright")
    if pyright is None:
        pytest.skip("pyright is not installed")
    command = (pyright, "--pythonpath", str(environment / "bin" / "python"))
    public = "\n".join(line for line in VALID_CODE.splitlines() if "import steadymark." not in line)
    assert "0 errors" in type_checker_output(environment, public, *command)
    output = type_checker_output(environment, INVALID_CODE, *command)
    assert 'No parameter named "max_face"' in output
    assert '"nothing" is not a known attribute of module "steadymark"' in output
    assert 'Cannot access attribute "landmark"' in output


@pytest.mark.slow
def test_all_three_packages_can_be_imported(environment: Path) -> None:
    code = (
        VALID_CODE.split("\n\n")[0]
        + "; print(sm.FaceLandmarker, steadymark.models.runtime.zoo.__file__)"
    )
    run = subprocess.run(
        [environment / "bin" / "python", "-I", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    assert "FaceLandmarker" in run.stdout
