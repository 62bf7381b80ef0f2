"""Attributes of landmarks that were changed after tracking, such as by a filter or a correction."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import (
    attribute_columns,
    attribute_slices,
    attributes_of,
    vector_of,
)
from steadymark.engine.attributes.pupil_values import pupils_of
from steadymark.engine.core.gaze import GAZE
from steadymark.engine.core.pupils import PUPILS
from steadymark.engine.core.types import FaceContext, FaceState, Landmarks
from steadymark.engine.face3d.face_at_rest import identities_of_recording, is_of_recording
from steadymark.engine.face3d.identity import identities_of_rows
from steadymark.engine.gaze.gaze_calibration import calibration_of
from steadymark.models.face.schema import IBUG_ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.core.types import Intrinsics
    from steadymark.engine.output.csv.landmark_table import LandmarkTable


@dataclass(frozen=True, eq=False)
class TrackedRows:
    """What was tracked, in R rows, one for each face of a frame, in the order of the frames.

    Attributes:
        face_id: (R,) numbers of the faces.
        time_s: (R,) times of the frames in seconds.
        raw: (R, K, 2) raw landmarks in pixels; NaN in rows without a face.
        score: (R, K) scores of the landmarks; NaN counts as 1.
        restarts: (R,) rows in which the tracker begins to follow a face.
        schema: Name of the landmark schema; empty if it is unknown.
        camera: The camera; None if the size of the frames is unknown.
        attributes: (R, C) values of all attributes, from which the pupils are taken.
        at_rest: (R,) rows whose faces are neutral because the user says so; None for no row.
        calibration: The correction of gaze that was used; None for none.
        of_recording: Whether the 3D faces are those of the whole recording, see `face_at_rest`.
        used: (R,) the (M,) identities that were used, or None where one is unknown; None learns
            them from the raw landmarks.
        calibrations: Other corrections that replace it, by the number of the face.
        calibration_known: Whether it is known which correction was used. If it is not, gaze cannot
            be computed again, and stays as it was tracked.
    """

    face_id: NDArray[np.integer]
    time_s: NDArray[np.float64]
    raw: NDArray[np.float32]
    score: NDArray[np.float32]
    restarts: NDArray[np.bool_]
    schema: str
    camera: Intrinsics | None
    attributes: NDArray[np.float64]
    at_rest: NDArray[np.bool_] | None = None
    calibration: GazeCalibration | None = None
    calibration_known: bool = True
    of_recording: bool = False
    used: NDArray[np.object_] | None = None
    calibrations: Mapping[int, GazeCalibration] = field(default_factory=dict)

    @cached_property
    def identities(self) -> list[NDArray[np.float64] | None]:
        """The (M,) identity that is used in each row; None if nothing is known."""
        if self.used is not None:
            return list(self.used)
        if self.camera is None or self.schema not in IBUG_ORDER:
            return [None] * len(self.face_id)
        seen = self.face_id, self.raw, self.score, self.time_s
        if self.of_recording:
            return identities_of_recording(*seen, self.camera, self.at_rest)
        return identities_of_rows(*seen, self.restarts, self.camera, self.at_rest)

    @cached_property
    def _pupils(self) -> NDArray[np.float64]:
        return self.attributes[:, attribute_slices()[PUPILS]]

    def context(self, row: int) -> FaceContext:
        """Return what the attributes of a row are computed from, besides its landmarks.

        It has no pupils if the gaze cannot be computed from them.
        """
        own = self.calibrations.get(int(self.face_id[row]))
        known = self.calibration_known or own is not None
        return FaceContext(
            self.schema,
            self.camera,
            float(self.time_s[row]),
            self.identities[row],
            pupils=pupils_of(self._pupils[row]) if known else None,
            gaze_calibration=own or self.calibration,
        )


def rows_of_table(table: LandmarkTable, schema: str, camera: Intrinsics | None) -> TrackedRows:
    """Return what was tracked; tables do not say where the tracker restarted at a scene cut.

    Args:
        table: A table whose rows are in the order of the frames.
        schema: Name of its landmark schema.
        camera: The camera; None if the size of the frames is unknown.
    """
    settings = table.header.get("settings")
    return TrackedRows(
        table.face_id,
        table.timestamp_s,
        raw_or_stabilized(table.raw_xy_px, table.xy_px),
        table.point_score,
        table.state == FaceState.DETECTED,
        schema,
        camera,
        attributes=table.attributes,
        calibration=gaze_calibration_in(settings),
        calibration_known=is_calibration_known(settings),
        of_recording=is_of_recording(settings),
    )


def raw_or_stabilized(raw: NDArray[np.float32], xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return raw landmarks, or the stabilized ones in rows that have no raw ones.

    Tables with OpenFace's columns have none; a person's identity is then learned from the others.

    Args:
        raw: (R, K, 2) raw landmarks.
        xy: (R, K, 2) stabilized landmarks.
    """
    return np.where(np.isfinite(raw).all((1, 2), keepdims=True), raw, xy)


def gaze_calibration_in(settings: object) -> GazeCalibration | None:
    """Return the correction of gaze in the settings of a table; None if there is none."""
    known = settings.get("gaze_calibration") if isinstance(settings, dict) else None
    return None if known is None else calibration_of(known)


def is_calibration_known(settings: object) -> bool:
    """Return whether the settings of a table tell which correction of gaze was used, if any.

    They do not if they are missing, as in tables of OpenFace and after some spreadsheets, or
    damaged.
    """
    if not isinstance(settings, dict) or not settings:
        return False
    return settings.get("gaze_calibration") is None or gaze_calibration_in(settings) is not None


def attributes_of_rows(
    tracked: TrackedRows, xy: NDArray[np.float32], rows: Iterable[int] | None = None
) -> NDArray[np.float64]:
    """Compute the attributes of changed landmarks, as a tracker would have computed them.

    The pupils are those that were tracked. So is the gaze where it cannot be computed again, since
    the pupils or the correction of gaze are unknown.

    Args:
        tracked: What was tracked.
        xy: (R, K, 2) changed landmarks in pixels; NaN in rows without a face.
        rows: The rows to compute; None for all.

    Returns:
        (R, C) the values of all attributes; unknown values, and rows that are left out, are NaN.

    Raises:
        TrackingError: An attribute cannot be computed.
    """
    values = np.full((len(xy), len(attribute_columns())), np.nan)
    parts = attribute_slices()
    seen = np.r_[parts[PUPILS], parts[GAZE]]  # what only pictures show
    has_face = np.asarray(np.isfinite(xy).all((1, 2)))
    for row in range(len(xy)) if rows is None else rows:
        if has_face[row]:
            landmarks = Landmarks(xy[row], np.nan_to_num(tracked.score[row], nan=1.0))
            context = tracked.context(row)
            values[row] = vector_of(attributes_of(landmarks, context))
            if context.pupils is None:
                values[row, seen] = tracked.attributes[row, seen]
    return values
