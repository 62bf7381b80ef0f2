"""A person's correction of gaze, from points that the person looked at."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.gaze import GazeCalibration
from steadymark.engine.output.output_paths import replacing

if TYPE_CHECKING:
    from steadymark.engine.face3d.face_basis import Floats

FEWEST = 3  # points
POOR_DEG = 8.0  # a calibration is off by 2 to 4° with the right points (docs/decisions/gaze.md)
FORMAT = "steadymark-gaze-calibration"
# What is known before: deviations of people's gains, and of the offsets and errors in degrees.
_GAIN, _OFFSET_DEG, _ERROR_DEG = 0.15, 8.0, 2.0
_FIXED = 1e-6  # deviation of a gain that so few points do not tell
_ROUNDS = 20  # of weighting and solving
_LARGEST_GAIN, _LARGEST_OFFSET_DEG = 3.0, 45.0  # in a file


@dataclass(frozen=True, slots=True)
class CalibrationFit:
    """A calibration, and how well it fits.

    Attributes:
        calibration: The calibration.
        before_deg: Mean angular error of the points without it.
        after_deg: Mean angular error of the points with it.
    """

    calibration: GazeCalibration
    before_deg: float
    after_deg: float


def fit_calibration(
    name: str, measured_deg: Floats, wanted_deg: Floats, *, fewest: int = FEWEST
) -> CalibrationFit:
    """Fit a person's correction to points that the person looked at.

    Each eye has its own offset, since the line of sight of a right and of a left eye deviates
    from the axis of the eye in opposite directions. Both eyes share the gain, which stays close to
    1 if the points are close together, and is 1 if there are fewer than three. The fit is the
    maximum of a posterior with normal priors and Cauchy errors, so that single points at which the
    person looked elsewhere hardly count.

    Args:
        name: Name of the person.
        measured_deg: (n, 2, 2) measured angles relative to the head of the right and the left eye,
            see `gaze_angles`, in degrees; NaN if unknown.
        wanted_deg: (n, 2, 2) angles at which each eye sees the point.
        fewest: How many points are needed.

    Returns:
        The calibration.

    Raises:
        UsageError: There are too few points at which the gaze is known, or the correction is not
            plausible.
    """
    known = np.isfinite(measured_deg).all(2) & np.isfinite(wanted_deg).all(2)  # (n, 2)
    usable = int(np.any(known, axis=1).sum())
    if not usable and fewest == 1:
        raise UsageError(
            "no gaze is known at the points: choose moments in which the eyes are open and visible"
        )
    if usable < fewest:
        raise UsageError(
            "a calibration needs {fewest} points or more at which the gaze is known, not {count}: "
            "look at more points, with both eyes visible",
            fewest=fewest,
            count=usable,
        )
    gain_deviation = _GAIN if usable >= FEWEST else _FIXED
    weights = known.astype(float)
    measured, wanted = np.nan_to_num(measured_deg), np.nan_to_num(wanted_deg)
    for _ in range(_ROUNDS):
        axes = [
            _solved(measured[..., a], wanted[..., a], weights, gain_deviation) for a in range(2)
        ]
        gain = np.array([axis[0] for axis in axes])
        offset = np.stack([axis[1:] for axis in axes], 1)
        error = np.linalg.norm(gain * measured + offset - wanted, axis=2)
        weights = known / (1 + (error / _ERROR_DEG) ** 2)
    (right, left) = ((float(x), float(y)) for x, y in offset)
    found = GazeCalibration(name, (float(gain[0]), float(gain[1])), (right, left))
    if calibration_of(asdict(found)) is None:
        raise UsageError(
            "the points need a correction that no person has (offset {offset:.0f}°, gain "
            "{gain:.2f}): check their times, and the signs and axes of their places",
            offset=float(np.abs(offset).max()),
            gain=float(gain[np.argmax(np.abs(gain - 1))]),
        )
    before = np.linalg.norm(measured - wanted, axis=2)
    return CalibrationFit(found, float(before[known].mean()), float(error[known].mean()))


def _solved(measured: Floats, wanted: Floats, weights: Floats, gain_deviation: float) -> Floats:
    """Return gain, offset of the right eye, and offset of the left eye of one angle."""
    eyes = np.zeros((*measured.shape, 3))
    eyes[..., 0] = measured
    eyes[:, 0, 1] = eyes[:, 1, 2] = 1
    rows, right = eyes.reshape(-1, 3), (wanted - measured).ravel()
    weighted = rows * (weights.ravel() / _ERROR_DEG**2)[:, None]
    prior = np.diag([1 / gain_deviation**2, 1 / _OFFSET_DEG**2, 1 / _OFFSET_DEG**2])
    change = np.linalg.solve(weighted.T @ rows + prior, weighted.T @ right)
    solved: Floats = change + np.array([1.0, 0.0, 0.0])
    return solved


def write_gaze_calibration(path: Path | str, calibration: GazeCalibration) -> None:
    """Write a calibration as JSON; an existing file stays as it is if that fails.

    Args:
        path: The file.
        calibration: The calibration.

    Raises:
        SinkError: The file cannot be written.
    """
    text = json.dumps({"format": FORMAT, **asdict(calibration)}, ensure_ascii=False, indent=1)
    with replacing(Path(path)) as new:
        new.write_text(text + "\n", encoding="utf-8")


def read_gaze_calibration(path: Path | str) -> GazeCalibration:
    """Read the file of a calibration.

    Args:
        path: The file.

    Returns:
        The calibration.

    Raises:
        UsageError: The file cannot be read, or is no calibration.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            "{path} cannot be read ({reason}): check the name of the gaze calibration",
            path=path,
            reason=error.strerror or "",
        ) from error
    except (ValueError, RecursionError):
        content = None
    found = calibration_of(content) if is_calibration(content) else None
    if found is None:
        raise UsageError(
            "{path} is no gaze calibration: make one with 'steadymark gaze-calibrate'", path=path
        )
    return found


def is_calibration(content: object) -> bool:
    """Return whether the content of a JSON file says that it is a calibration."""
    return isinstance(content, dict) and content.get("format") == FORMAT


def calibration_of(content: object) -> GazeCalibration | None:
    """Return the calibration of plain values, as in a file or in the settings of a table.

    Args:
        content: The values by name.

    Returns:
        The calibration; None if the values are none, or are not plausible.
    """
    try:
        found = msgspec.convert(content, GazeCalibration)
    except msgspec.ValidationError:
        return None
    gain, offset = np.array(found.gain), np.array(found.offset_deg)
    plausible = (gain > 0).all() and (gain < _LARGEST_GAIN).all()
    return found if plausible and (np.abs(offset) <= _LARGEST_OFFSET_DEG).all() else None
