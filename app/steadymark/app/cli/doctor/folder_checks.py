"""Checks of the folders into which the program writes."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from steadymark.app.cli.doctor.check_result import CheckResult, CheckState
from steadymark.models.runtime.zoo import own_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUP = "folders"
_LEAST_FREE_GB = 1.0


def check_folders() -> Iterator[CheckResult]:
    """Check the folders of settings, sessions, logs, own models and temporary files."""
    folders = {
        "settings and presets": platformdirs.user_config_path("steadymark", appauthor=False),
        "sessions and results": platformdirs.user_state_path("steadymark", appauthor=False),
        "log": platformdirs.user_log_path("steadymark", appauthor=False),
        "models of your own": own_folder(),
        "temporary files": Path(tempfile.gettempdir()),
    }
    for name, folder in folders.items():
        yield check_folder(name, folder)


def check_folder(name: str, folder: Path) -> CheckResult:
    """Check that the program can write into a folder, or make it. Nothing is left there.

    Args:
        name: What the folder holds.
        folder: The folder.
    """
    there = existing_part(folder)
    free_gb = shutil.disk_usage(there).free / 1e9
    text = f"{folder} ({free_gb:.1f} GB free)"
    if not there.is_dir():
        advice = f"{there} is a file: move it away"
        return CheckResult(_GROUP, name, CheckState.FAULT, text, advice)
    if not can_write(there):
        advice = f"allow writing into {there}, for example with 'chmod u+w'"
        return CheckResult(_GROUP, name, CheckState.FAULT, f"{text}: not writable", advice)
    if free_gb < _LEAST_FREE_GB:
        return CheckResult(_GROUP, name, CheckState.NOTE, text, "make room on this disk")
    return CheckResult(_GROUP, name, CheckState.OK, text)


def existing_part(folder: Path) -> Path:
    """Return the folder itself, or else the nearest folder above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())


def can_write(folder: Path) -> bool:
    """Return whether a file can be made in a folder; the file is removed at once."""
    if not os.access(folder, os.W_OK | os.X_OK):
        return False
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
