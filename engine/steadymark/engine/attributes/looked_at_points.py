"""The points that a person looked at, and the calibration that follows from a tracked table."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import attribute_slices
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.gaze import GAZE, gaze_angles, gaze_vectors
from steadymark.engine.core.rotations import rotation_matrix
from steadymark.engine.core.types import HEAD_POSE
from steadymark.engine.gaze.eyeballs import eyeball_basis
from steadymark.engine.gaze.gaze_calibration import FEWEST, fit_calibration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.gaze.gaze_calibration import CalibrationFit
    from steadymark.engine.output.csv.landmark_table import LandmarkTable

    Floats = NDArray[np.float64]

_TIMES = ("start_s", "end_s")
_PLACES = ("x_mm", "y_mm", "z_mm")
_ANGLES = ("angle_x_deg", "angle_y_deg")


@dataclass(frozen=True, slots=True)
class LookedAtPoint:
    """A point that a person looked at.

    Attributes:
        start_s, end_s: When the person looked at it, in seconds of the video.
        place_mm: Its place in the camera's axes, see `HeadPose`; None if its angles are known.
        angles_deg: The angles of the gaze, see `gaze_angles`; None if its place is known.
    """

    start_s: float
    end_s: float
    place_mm: tuple[float, float, float] | None = None
    angles_deg: tuple[float, float] | None = None


def read_looked_at(path: Path) -> list[LookedAtPoint]:
    """Read a CSV file of the points that a person looked at.

    Args:
        path: The file. Its columns are `start_s`, `end_s`, and either `x_mm`, `y_mm`, `z_mm` or
            `angle_x_deg`, `angle_y_deg`.

    Returns:
        The points.

    Raises:
        UsageError: The file cannot be read, lacks columns, or a value is no number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = {name.strip() for name in reader.fieldnames or ()}
            columns = next((c for c in (_PLACES, _ANGLES) if {*_TIMES, *c} <= names), None)
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise UsageError(
            "{path} cannot be read ({reason}): check the name of the file of looked-at points",
            path=path,
            reason=error.strerror or error,
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            "{path} cannot be read: it must be a CSV file in UTF-8", path=path
        ) from error
    if columns is None:
        raise UsageError(
            "{path} must have the columns start_s, end_s, and either x_mm, y_mm, z_mm or "
            "angle_x_deg, angle_y_deg",
            path=path,
        )
    if not rows:
        raise UsageError("{path} has no points", path=path)
    return [_point(path, line, row, columns) for line, row in rows]


def _point(path: Path, line: int, row: dict[str, str], columns: tuple[str, ...]) -> LookedAtPoint:
    fields = {str(name).strip(): value for name, value in row.items()}
    values = []
    for name in (*_TIMES, *columns):
        try:
            value = float(fields[name])
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise UsageError(
                "{path}, line {line}: '{value}' in the column {name} is no number",
                path=path,
                line=line,
                value=fields[name] or "",
                name=name,
            )
        values.append(value)
    start_s, end_s, *place = values
    if end_s <= start_s:
        raise UsageError("{path}, line {line}: end_s is not after start_s", path=path, line=line)
    if columns == _PLACES:
        x, y, z = place
        return LookedAtPoint(start_s, end_s, place_mm=(x, y, z))
    return LookedAtPoint(start_s, end_s, angles_deg=(place[0], place[1]))


@dataclass(frozen=True, slots=True, eq=False)
class SeenGaze:
    """The gaze of one face in R frames, tracked without a calibration.

    Attributes:
        time_s: (R,) times of the frames in seconds.
        gaze: (R, 2, 3) directions of both eyes, see `Gaze`; NaN if unknown.
        pose: (R, 6) head poses: position in millimetres, then rotation in radians.
    """

    time_s: Floats
    gaze: Floats
    pose: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FaceGaze:
    """The gaze of faces in R rows of a table.

    Attributes:
        face_id: (R,) numbers of the faces.
        time_s: (R,) times of the frames in seconds.
        attributes: (R, C) values of all attributes, see `attribute_registry`.
        settings: The settings of tracking, as in the table's header; None if they are unknown.
    """

    face_id: NDArray[np.int64]
    time_s: Floats
    attributes: Floats
    settings: object = None


def gaze_of_table(table: LandmarkTable) -> FaceGaze:
    """Return the gaze in a table."""
    settings = table.header.get("settings")
    return FaceGaze(table.face_id, table.timestamp_s, table.attributes, settings)


def calibrate(
    faces: FaceGaze,
    points: Sequence[LookedAtPoint],
    name: str,
    face_id: int | None = None,
    *,
    fewest: int = FEWEST,
) -> CalibrationFit:
    """Fit the correction of gaze of one person.

    Args:
        faces: Faces that were tracked without a calibration.
        points: The points that the person looked at.
        name: Name of the person.
        face_id: Number of the face; None for the one that is seen most.
        fewest: How many points are needed, see `fit_calibration`.

    Returns:
        The calibration.

    Raises:
        UsageError: There is no gaze, there was a calibration already, or the face is missing; or
            too few points have known gaze.
    """
    if isinstance(faces.settings, dict) and faces.settings.get("gaze_calibration") is not None:
        raise UsageError(
            "the table was tracked with a gaze calibration: track the video again without one"
        )
    parts = attribute_slices()
    gaze = faces.attributes[:, parts[GAZE]][:, :6].reshape(-1, 2, 3)
    pose = faces.attributes[:, parts[HEAD_POSE]]
    seen = np.any(np.isfinite(gaze).all(2), axis=1) & np.isfinite(pose).all(1)
    if not seen.any():
        raise UsageError(
            "the table has no gaze: track the video with this version, with its eyes visible"
        )
    ids = faces.face_id[seen]
    chosen = int(np.bincount(ids).argmax()) if face_id is None else face_id
    if chosen not in ids:
        raise UsageError("the table has no gaze of the face {face_id}", face_id=chosen)
    rows = seen & (faces.face_id == chosen)
    return fit_points(
        SeenGaze(faces.time_s[rows], gaze[rows], pose[rows]), points, name, fewest=fewest
    )


def fit_points(
    seen: SeenGaze, points: Sequence[LookedAtPoint], name: str, *, fewest: int = FEWEST
) -> CalibrationFit:
    """Fit the correction of gaze of a person from the medians of the gaze at each point.

    Args:
        seen: The gaze of the person; the head poses are known.
        points: The points that the person looked at.
        name: Name of the person.
        fewest: How many points are needed, see `fit_calibration`.

    Returns:
        The calibration.

    Raises:
        UsageError: Too few points have known gaze, or the correction is not plausible.
    """
    pairs = [_angles_at(seen, point) for point in points]
    measured, wanted = (
        np.array([pair[side] for pair in pairs]).reshape(-1, 2, 2) for side in range(2)
    )
    return fit_calibration(name, np.degrees(measured), np.degrees(wanted), fewest=fewest)


def head_angles(gaze: Floats, pose: Floats) -> Floats:
    """Return the (2, 2) angles of both eyes relative to the head in radians, see `gaze_angles`.

    Args:
        gaze: (2, 3) directions of both eyes in the camera's axes.
        pose: (6,) the head pose.
    """
    x, y, z = pose[3:].tolist()
    return gaze_angles(gaze @ rotation_matrix((x, y, z)))


def _angles_at(seen: SeenGaze, point: LookedAtPoint) -> tuple[Floats, Floats]:
    """Return the (2, 2) median measured and wanted angles relative to the head of one point."""
    inside = (seen.time_s >= point.start_s) & (seen.time_s <= point.end_s)
    measured, wanted = [], []
    for row in np.flatnonzero(inside):
        pose = seen.pose[row]
        if point.place_mm is not None:
            rotation = rotation_matrix(tuple(pose[3:]))
            eyes = eyeball_basis().neutral @ rotation.T + pose[:3]
            directions = np.array(point.place_mm) - eyes
        else:
            directions = np.tile(gaze_vectors(np.radians(point.angles_deg or ())), (2, 1))
        measured.append(head_angles(seen.gaze[row], pose))
        wanted.append(head_angles(directions, pose))
    return _median(measured), _median(wanted)


def _median(angles: list[Floats]) -> Floats:
    """Return the (2, 2) medians of the known angles of each eye; NaN if there are none."""
    found = np.full((2, 2), np.nan)
    for eye in range(2):
        known = [each[eye] for each in angles if np.isfinite(each[eye]).all()]
        if known:
            found[eye] = np.median(known, 0)
    return found
