"""The files that `evaluate` and `bench` write, which are checked before a long run."""

from __future__ import annotations

import json
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
    """The files to write; None means that a file is not wanted.

    worst_count: worst faces per model.
    """

    json: Path | None = None
    plot: Path | None = None
    worst: Path | None = None
    worst_count: int = 12


def check_outputs(outputs: OutputFiles) -> None:
    """Check that all files can be written, before a long evaluation starts.

    Raises:
        SinkError: A file cannot be written.
        UsageError: A picture's name does not end in .png.
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


def json_value(value: object) -> object:
    """Return a value that JSON supports. Numbers that are not finite become null."""
    if isinstance(value, dict):
        return {key: json_value(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(path: Path, content: object) -> None:
    """Write a report as JSON, see `json_value`. Raises SinkError if it cannot be written."""
    write_file(path, (json.dumps(json_value(content), indent=2) + "\n").encode())


def write_file(path: Path, content: bytes) -> None:
    """Write a file. Raises SinkError if it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise cannot_write(path, error) from error
