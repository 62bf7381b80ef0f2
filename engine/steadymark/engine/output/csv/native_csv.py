"""Steadymark's CSV format, which holds all values of each face in each frame."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - read by dataclasses
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_columns, vector_of
from steadymark.engine.core.types import FaceState, Landmarks, TrackedFace
from steadymark.engine.expressions.expression_settings import AS_MEASURED, ExpressionSettings
from steadymark.engine.face3d.face_at_rest import FACE_AT_REST
from steadymark.engine.output.csv.columns import FORMAT, MAGIC, native_columns
from steadymark.engine.output.csv.row_file import RowFile
from steadymark.models.face.schema import SCHEMA_OF_UNNAMED

if TYPE_CHECKING:
    from steadymark.engine.core.types import FaceBox, SourceInfo, TrackResult
    from steadymark.models.face.schema import LandmarkSchema


@dataclass(frozen=True, slots=True)
class Header:
    """How a table was made, so that it can be reproduced.

    Attributes:
        versions: Version of the program and of each library.
        models: SHA-256 of the weights, by model name.
        settings: The settings used.
        source_name: Name of the input.
        source_sha256: SHA-256 of the input; None for cameras.
        source_frames: Number of frames of the input; None if it is unknown.
        expressions: Settings that formats of animations apply; tables hold what was measured.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    source_name: str = ""
    source_sha256: str | None = None
    source_frames: int | None = None
    expressions: ExpressionSettings = AS_MEASURED

    @classmethod
    def of_fields(cls, fields: Mapping[str, object]) -> Header:
        """Return the header of a table that was read; what it lacks is empty.

        Args:
            fields: `LandmarkTable.header`.
        """
        source = _mapping(fields.get("source"))
        digest, frames = source.get("sha256"), source.get("frames")
        return cls(
            versions={name: str(value) for name, value in _mapping(fields.get("versions")).items()},
            models={name: str(value) for name, value in _mapping(fields.get("models")).items()},
            settings=_mapping(fields.get("settings")),
            source_name=str(source.get("name") or ""),
            source_sha256=digest if isinstance(digest, str) else None,
            source_frames=frames if isinstance(frames, int) else None,
        )

    @property
    def while_tracking(self) -> Header:
        """The header of a table whose 3D faces are as they were known while it was tracked."""
        if FACE_AT_REST not in self.settings:
            return self
        settings = {key: value for key, value in self.settings.items() if key != FACE_AT_REST}
        return replace(self, settings=settings)

    def line(self, schema: LandmarkSchema) -> str:
        """Return the header as one line of JSON; values that JSON does not support become text.

        Args:
            schema: The schema of the table. It is named unless tables that name none have it.
        """
        frames = {} if self.source_frames is None else {"frames": self.source_frames}
        fields: dict[str, object] = {
            "versions": dict(self.versions),
            "models": dict(self.models),
            "settings": dict(self.settings),
            "source": {"name": self.source_name, "sha256": self.source_sha256, **frames},
        }
        if schema.name not in ("", SCHEMA_OF_UNNAMED):
            fields["schema"] = schema.name
        return json.dumps(fields, ensure_ascii=False, default=str)


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


class NativeCsvSink:
    """Writes `# steadymark-csv 1`, the header, the columns, and one row per face and frame.

    `timestamp_s` is the presentation time with 6 decimals. `x` and `y` are stabilized landmarks,
    `raw_x` and `raw_y` those of the network, in full-frame pixels with 3 decimals. Scores have 4
    decimals. The columns of the face's attributes, in the order of `ATTRIBUTES`, follow the box.
    Missing values are `nan`, never 0. A lost face has an id but no other values. A frame without a
    face has one row without an id. Where frames are image files, `image` names the file.
    """

    def __init__(self, path: str | Path, header: Header, schema: LandmarkSchema) -> None:
        self._header = header
        self._schema = schema
        self._image_names: tuple[str, ...] = ()
        points = schema.count
        self._file = RowFile(Path(path))
        attributes = attribute_columns()
        self._nothing = ",".join(["nan"] * (5 + len(attributes) + 5 * points))
        self._numbers = ",".join(
            ["%.4f"]
            + ["%.3f"] * 4
            + [f"%.{column.decimals}f" for column in attributes]
            + ["%.3f"] * (4 * points)
            + ["%.4f"] * points,
        )

    @property
    def path(self) -> str:
        return str(self._file.path)

    def open(self, info: SourceInfo) -> None:
        self._file.open(live=info.live)
        self._image_names = info.image_names
        columns = ",".join(native_columns(self._schema.count, images=bool(info.image_names)))
        self._file.add(f"{MAGIC} {FORMAT}\n# {self._header.line(self._schema)}\n{columns}\n")

    def write(self, result: TrackResult) -> None:
        index, pts_s = result.frame.index, result.frame.pts_s
        start = f"{index},"
        if self._image_names:
            start += quoted(self._image_names[index]) + ","
        rows = [
            f"{start}{face.face_id},{pts_s:.6f},{face.state},{self._row(face)}\n"
            for face in sorted(result.faces, key=lambda face: face.face_id)
        ]
        nobody = f"{start}nan,{pts_s:.6f},{FaceState.LOST},{self._nothing}\n"
        self._file.add("".join(rows) or nobody)

    def close(self, *, complete: bool) -> None:
        self._file.close(complete=complete)

    def _row(self, face: TrackedFace) -> str:
        if face.raw is None or face.stabilized is None:
            return self._nothing
        values = np.concatenate(
            (
                [face.score, *_box(face.box), *vector_of(face.attributes)],
                checked(face.stabilized, self._schema).xy_px.T.ravel(),
                checked(face.raw, self._schema).xy_px.T.ravel(),
                face.stabilized.score,
            )
        )
        return self._numbers % tuple(np.where(np.isfinite(values), values, np.nan).tolist())


def quoted(text: str) -> str:
    """Return a text as one field of a CSV file; a line break becomes a space."""
    text = " ".join(text.splitlines())
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',;"\t') else text


def checked(landmarks: Landmarks, schema: LandmarkSchema) -> Landmarks:
    """Return the landmarks after checking their number.

    Args:
        landmarks: Landmarks of one face.
        schema: Landmark schema of the file.

    Returns:
        The same landmarks.

    Raises:
        ValueError: The number of landmarks differs from the schema's.
    """
    if len(landmarks.score) != schema.count:
        raise ValueError(f"{len(landmarks.score)} landmarks for a file of {schema.count}")
    return landmarks


def _box(box: FaceBox | None) -> tuple[float, float, float, float]:
    if box is None:
        return (np.nan, np.nan, np.nan, np.nan)
    return (box.left, box.top, box.width, box.height)
