"""A CSV file with OpenFace's columns, for scripts that read OpenFace's output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_columns, vector_of
from steadymark.engine.output.csv.columns import openface_attributes, openface_columns
from steadymark.engine.output.csv.native_csv import checked
from steadymark.engine.output.csv.openface_face3d import (
    DECIMALS_3D,
    DECIMALS_PARAMETERS,
    PARAMETERS,
    values_3d,
)
from steadymark.engine.output.csv.row_file import RowFile
from steadymark.engine.output.table_formats import TABLE_FORMATS, TableFormat
from steadymark.models.face.schema import IBUG68
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import SourceInfo, TrackedFace, TrackResult
    from steadymark.models.face.schema import LandmarkSchema


class OpenFaceCsvSink:
    """Writes OpenFace's columns in OpenFace's order, see `openface_columns`.

    Frames are counted from 1. The head pose (see `HeadPose`) has OpenFace's order, units and signs;
    X, Y and Z are the landmarks of the fitted 3D face in the camera's axes, in millimetres.
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
        places = {column.name: place for place, column in enumerate(attribute_columns())}
        before, after = openface_attributes()
        self._before, self._after = ([places[c.name] for c in part] for part in (before, after))
        formats = [
            *(f"%.{column.openface_decimals}f" for column in before),
            *["%.1f"] * (2 * points),
            *[f"%.{DECIMALS_3D}f"] * (3 * points),
            *[f"%.{DECIMALS_PARAMETERS}f"] * len(PARAMETERS),
            *(f"%.{column.openface_decimals}f" for column in after),
        ]
        self._nothing = ", ".join(["0.00", "0"] + ["nan"] * len(formats))
        self._numbers = ", ".join(["%.2f", "1", *formats])

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
        attributes = np.array(vector_of(face.attributes))
        values = np.concatenate(
            (
                [face.score],
                attributes[self._before],
                points,
                values_3d(face, self._schema.count),
                attributes[self._after],
            )
        )
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
