"""The files that `evaluate` and `bench` write: checked before, written after."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SinkError, UsageError
from steadymark.engine.output.output_paths import cannot_write

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """Files to write; None: not asked for. worst_count: faces of each model on the sheet."""

    json: Path | None = None
    plot: Path | None = None
    worst: Path | None = None
    worst_count: int = 12


def check_outputs(outputs: OutputFiles) -> None:
    """Whether all files can be written, before a long evaluation begins.

    Raises:
        SinkError, UsageError: one cannot.
    """
    for option, path in (("--plot", outputs.plot), ("--worst", outputs.worst)):
        if path is not None and path.suffix.lower() != ".png":
            raise UsageError(f"{option} writes PNG pictures: name a file that ends in .png")
    for path in (outputs.json, outputs.plot, outputs.worst):
        if path is None:
            continue
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise SinkError(f"cannot write {path}: it is a folder, or its folder does not exist")
        if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
            raise SinkError(f"cannot write {path}: no permission to write there")


def plain(value: object) -> object:
    """As JSON knows it: what is no number becomes null."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_file(path: Path, content: bytes) -> None:
    """Raises SinkError where it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise cannot_write(path, error) from error
