"""The commands of the container recipe, run as processes: a scheduler, two workers, and `track`."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from project_facts import bundled_requirements
from support.program_runs import small_clip

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "packaging" / "docker"
PORT = "8786"
START_S = 60.0


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    return found["services"]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def command_of(service: str, port: str, shared: Path) -> list[str]:
    """The command of a service, with names of containers and the folder as they are here."""
    words = [
        re.sub(r"^/data\b", str(shared), word.replace("//scheduler", "//127.0.0.1"))
        for word in services()[service]["command"]
    ]
    here = ["127.0.0.1" if word == "scheduler" and words[i - 1] == "--host" else word
            for i, word in enumerate(words)]  # fmt: skip
    here = [word.replace(PORT, port) for word in here]
    modules = {"dask": "dask", "steadymark": "steadymark.app"}
    return [sys.executable, "-m", modules[here[0]], *here[1:]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Start a process whose output goes to a file; all are ended at the end."""
    running: list[subprocess.Popen[bytes]] = []

    def run(name: str, command: list[str]) -> Path:
        log = tmp_path / f"{name}.log"
        with log.open("wb") as output:
            environment = {**os.environ, "DASK_TEMPORARY_DIRECTORY": str(tmp_path / "dask")}
            running.append(
                subprocess.Popen(
                    command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=tmp_path
                )
            )
        return log

    yield run
    for process in reversed(running):
        process.terminate()
    for process in reversed(running):
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="paths of containers")
def test_two_workers_track_the_shared_folder(start: Any, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    shared, port = tmp_path / "shared", free_port()
    shared.mkdir()
    small_clip(shared / "a.mp4", 6)
    shutil.copy(shared / "a.mp4", shared / "b.mp4")
    logs = {
        name: start(name, command_of(name, port, shared)) for name in services() if name != "track"
    }
    assert set(logs) == {"scheduler", "worker-1", "worker-2"}
    done = subprocess.run(
        command_of("track", port, shared),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_S + 120,
        cwd=tmp_path,
    )
    told = "\n".join(log.read_text(errors="replace") for log in logs.values())
    assert done.returncode == 0, done.stdout + done.stderr + told
    assert {path.name for path in (shared / "tables").glob("*.csv")} == {
        "a.csv",
        "b.csv",
        "index.csv",
    }
    text = logs["scheduler"].read_text(errors="replace")
    assert len(set(re.findall(r"Register worker.*?(tcp://[\d.:]+)", text))) == 2, text


def test_all_services_share_the_folder_and_the_image() -> None:
    found = services()
    assert len({str(service["volumes"]) for service in found.values()}) == 1
    assert {service["image"] for service in found.values()} == {"steadymark"}
    for service in found.values():
        assert service["build"]["dockerfile"] == "packaging/docker/Containerfile"


def test_the_image_installs_the_extra_for_clusters_and_copies_no_secrets() -> None:
    recipe = (DOCKER / "Containerfile").read_text()
    assert re.search(r"^FROM python:3\.1[1-9]-slim$", recipe, re.MULTILINE)
    (extra,) = re.findall(r"project_facts\.py (\w+) > /requirements\.txt", recipe)
    assert {"onnxruntime>=1.22", "distributed>=2024.8"} <= set(bundled_requirements(extra))
    assert "onnxruntime-gpu" not in " ".join(bundled_requirements(extra))
    assert re.search(r"^USER \w+$", recipe, re.MULTILINE)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", "build", "dist"} <= set(ignored)
