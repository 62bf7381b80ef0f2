"""A CSV file with OpenFace's columns, for scripts that read OpenFace's output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_columns, vector_of
from steadymark.engine.output.csv.columns import openface_columns
from steadymark.engine.output.csv.native_csv import checked
from steadymark.engine.output.csv.row_file import RowFile
from steadymark.engine.output.table_formats import TABLE_FORMATS, TableFormat
from steadymark.models.face.schema import IBUG68
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import SourceInfo, TrackedFace, TrackResult
    from steadymark.models.face.schema import LandmarkSchema


class OpenFaceCsvSink:
    """Writes OpenFace's columns: frame, face_id, timestamp, confidence, success, pose, x, y.

    Frames are counted from 1. The head pose (see `HeadPose`) has OpenFace's order, units and signs.
    Attributes that OpenFace does not have are left out.
    A lost face has success 0 and confidence 0.00, as in OpenFace, so that scripts can filter by
    either. A frame without a face has one such row with face_id 0, because scripts expect an
    integer. The other values of these rows are `nan` instead of OpenFace's zeros. A script that
    does not filter then gets NaN instead of a wrong mean.
    """

    def __init__(self, path: str | Path, schema: LandmarkSchema) -> None:
        self._schema = schema
        points = schema.count
        self._file = RowFile(Path(path))
        decimals = [column.openface_decimals for column in attribute_columns()]
        self._kept = [i for i, count in enumerate(decimals) if count is not None]
        attributes = [f"%.{count}f" for count in decimals if count is not None]
        self._nothing = ", ".join(["0.00", "0"] + ["nan"] * (len(attributes) + 2 * points))
        self._numbers = ", ".join(["%.2f", "1", *attributes] + ["%.1f"] * (2 * points))

    @property
    def path(self) -> str:
        return str(self._file.path)

    def open(self, info: SourceInfo) -> None:
        self._file.open(live=info.live)
        self._file.add(", ".join(openface_columns(self._schema.count)) + "\n")

    def write(self, result: TrackResult) -> None:
        at = f"{result.frame.index + 1}, {{}}, {result.frame.pts_s:.3f}, {{}}\n"
        rows = [
            at.format(face.face_id, self._row(face))
            for face in sorted(result.faces, key=lambda face: face.face_id)
        ]
        self._file.add("".join(rows) or at.format(0, self._nothing))

    def close(self, *, complete: bool) -> None:
        self._file.close(complete=complete)

    def _row(self, face: TrackedFace) -> str:
        if face.stabilized is None:
            return self._nothing
        points = checked(face.stabilized, self._schema).xy_px.T.ravel()
        attributes = np.array(vector_of(face.attributes))[self._kept]
        values = np.concatenate(([face.score], attributes, points))
        return self._numbers % tuple(np.where(np.isfinite(values), values, np.nan).tolist())


TABLE_FORMATS.add(
    TableFormat(
        "openface",
        UserText("table for OpenFace scripts (CSV)"),
        UserText("The columns that scripts for OpenFace expect."),
        lambda path, _, schema: OpenFaceCsvSink(path, schema),
        export_ending="_openface.csv",
        schemas=(IBUG68,),
    )
)
