"""What is known of this computer, for reports of speed."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def machine_facts() -> dict[str, str]:
    """Return processor, cores, system, load and versions, each as text."""
    facts = {
        "processor": _processor(),
        "cores": _cores(),
        "system": platform.platform(),
        "Python": platform.python_version(),
    }
    if hasattr(os, "getloadavg"):
        facts["load in the last minute"] = f"{os.getloadavg()[0]:.1f} running processes"
    for package in ("steadymark", "numpy", "opencv-python-headless", "av"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            continue
    return facts


def usable_cores() -> tuple[int, ...]:
    """Return the numbers of the cores that this process may use; empty if they are unknown."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0)))


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> str:
    usable = len(usable_cores())
    limit = f", of which this program may use {usable}" if usable else ""
    return f"{os.cpu_count() or 'unknown'}{limit}"
