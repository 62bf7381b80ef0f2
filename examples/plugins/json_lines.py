"""Plug-in: a table format that writes one JSON object per frame.

    export STEADYMARK_PLUGINS=examples/plugins/json_lines.py
    steadymark track talk.mp4 --out results --format json-lines

The same variable adds the format to the exports of the window and to `result.to_csv`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.output.csv.row_file import RowFile
from steadymark.engine.output.table_formats import TABLE_FORMATS, TableFormat
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.types import Landmarks, SourceInfo, TrackedFace, TrackResult


class JsonLinesSink:
    """Writes frame, timestamp_s and faces; landmarks are [x, y] in pixels, null if unknown."""

    def __init__(self, path: Path) -> None:
        self._file = RowFile(path)  # the file keeps whole lines if the program is killed

    @property
    def path(self) -> str:
        return str(self._file.path)

    def open(self, info: SourceInfo) -> None:
        self._file.open(live=info.live)

    def write(self, result: TrackResult) -> None:
        line = {
            "frame": result.frame.index,
            "timestamp_s": round(result.frame.pts_s, 6),
            "faces": [_face(face) for face in result.faces],
        }
        self._file.add(json.dumps(line) + "\n")

    def close(self, *, complete: bool) -> None:
        self._file.close(complete=complete)


def _face(face: TrackedFace) -> dict[str, Any]:
    return {
        "id": face.face_id,
        "state": str(face.state),
        "raw": _points(face.raw),
        "stabilized": _points(face.stabilized),
    }


def _points(landmarks: Landmarks | None) -> list[list[float]] | None:
    if landmarks is None or not np.isfinite(landmarks.xy_px).all():
        return None
    return [[round(x, 3), round(y, 3)] for x, y in landmarks.xy_px.tolist()]


TABLE_FORMATS.add(
    TableFormat(
        "json-lines",
        UserText("JSON lines"),
        UserText("One JSON object per frame, with raw and stabilized landmarks."),
        lambda path, header, schema: JsonLinesSink(path),
        suffix=".jsonl",
    )
)
