"""Shared fixtures, such as the optional data folder, and what all tests have in common."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two test processes must not fight for two cores
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # xcb, say, shows the windows under test

import pytest
from hypothesis import HealthCheck, settings

# Two ways to fuzz: a few examples, the same ones each time, and 10⁴ new ones by
# `pytest -m hypothesis --hypothesis-profile=fuzz -o faulthandler_timeout=0`.
settings.register_profile(
    "quick",
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "fuzz", max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck)
)
settings.load_profile("quick")

ROOT = Path(__file__).resolve().parents[1]
# programs that tests start run this checkout, whether it is installed or not, and compile it once
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPATH"] = os.pathsep.join(
    [*(str(ROOT / part) for part in ("app", "engine", "models")), os.getenv("PYTHONPATH", "")]
).rstrip(os.pathsep)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let workers begin with the slow tests, so that at the end none waits for another for long."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Exempt what the imports made from garbage collection, which many tests run in full."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data, else a skip that says how to give it."""
    folder = os.environ.get("STEADYMARK_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no real data: set STEADYMARK_DATA to the data folder to run this test")
    return Path(folder)


@pytest.fixture(scope="session")
def cases(data: Path) -> Path:
    """The folder of small files that have failed before, beside the real data; else a skip."""
    folder = data.parent / "cases"
    if not folder.is_dir():
        pytest.skip("no folder 'cases' beside the real data")
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel that is built from this checkout without the network."""
    out = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    run = subprocess.run(
        [*command, str(ROOT)], capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return next(out.glob("*.whl"))
