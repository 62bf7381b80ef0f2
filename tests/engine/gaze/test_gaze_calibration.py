"""The correction of a person's gaze: what it recovers, and its file."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.errors import SinkError, UsageError
from steadymark.engine.core.gaze import GazeCalibration, gaze_angles, gaze_vectors
from steadymark.engine.gaze.gaze_calibration import (
    fit_calibration,
    read_gaze_calibration,
    write_gaze_calibration,
)

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.face3d.face_basis import Floats

GRID = np.stack(np.meshgrid([-15.0, 0.0, 15.0], [-12.0, 0.0, 12.0]), -1).reshape(-1, 1, 2)
WANTED = np.tile(GRID, (1, 2, 1))
OFFSET = np.array([[5.0, -2.0], [-4.0, -1.0]])
GAIN = np.array([0.9, 1.1])


def measured(noise_deg: float = 0.0) -> Floats:
    """Angles of which GAIN and OFFSET make the wanted ones."""
    noise = noise_deg * np.random.default_rng(3).normal(size=WANTED.shape)
    angles: Floats = (WANTED + noise - OFFSET) / GAIN
    return angles


def test_a_made_offset_and_gain_are_recovered() -> None:
    fit = fit_calibration("Anna", measured(), WANTED)
    assert fit.calibration.name == "Anna"
    assert fit.calibration.gain == pytest.approx(tuple(GAIN), abs=0.02)
    assert np.array(fit.calibration.offset_deg) == pytest.approx(OFFSET, abs=0.2)
    assert fit.before_deg > 3
    assert fit.after_deg < 0.3


def test_a_point_at_which_the_person_looked_elsewhere_hardly_counts() -> None:
    wrong = measured(0.5)
    wrong[4] += 30
    fit = fit_calibration("", wrong, WANTED)
    assert np.array(fit.calibration.offset_deg) == pytest.approx(OFFSET, abs=0.7)


def test_three_points_that_are_close_together_leave_the_gain_near_1() -> None:
    close = WANTED[:3] * 0 + [[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]]]
    fit = fit_calibration("", (close - OFFSET) * 1.5, close)
    assert np.abs(np.array(fit.calibration.gain) - 1).max() < 0.35


def test_one_eye_is_enough_and_the_other_is_left_as_it_is() -> None:
    angles = measured()
    angles[:, 0] = np.nan
    fit = fit_calibration("", angles, WANTED)
    assert fit.calibration.offset_deg[0] == pytest.approx((0, 0), abs=0.01)
    assert fit.calibration.offset_deg[1] == pytest.approx(OFFSET[1], abs=0.3)


def test_fewer_than_three_known_points_are_refused() -> None:
    angles = measured()
    angles[2:] = np.nan
    with pytest.raises(UsageError, match=r"needs 3 points or more .* not 2"):
        fit_calibration("", angles, WANTED)


def test_corrected_directions_have_the_gain_and_the_offset_of_their_eye() -> None:
    calibration = GazeCalibration("", (0.5, 1.0), ((2.0, 0.0), (0.0, -3.0)))
    directions = gaze_vectors(np.radians([[10.0, 5.0], [-8.0, 4.0]]))
    found = np.degrees(gaze_angles(calibration.corrected(directions)))
    assert found == pytest.approx(np.array([[7.0, 5.0], [-4.0, 1.0]]))
    unknown = calibration.corrected(np.full((2, 3), np.nan))
    assert np.isnan(unknown).all()


def test_a_calibration_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "zoë.json"
    calibration = GazeCalibration("Zoë", (0.9, 1.1), ((5.0, -2.0), (-4.0, -1.0)))
    write_gaze_calibration(path, calibration)
    assert read_gaze_calibration(path) == calibration


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[1]",
        "{}",
        json.dumps({"format": "steadymark-gaze-calibration"}),
        json.dumps({"format": "steadymark-gaze-calibration", "name": "A", "gain": [1]}),
        json.dumps({"format": "steadymark-gaze-calibration", "name": "A", "gain": [0, 1]}),
        json.dumps({"format": "other", "name": "A"}),
        '{"format": "steadymark-gaze-calibration", "name": "A", "gain": [NaN, 1]}',
    ],
)
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"wrong\.json is no gaze calibration"):
        read_gaze_calibration(path)


def test_a_missing_or_binary_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_gaze_calibration(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no gaze calibration"):
        read_gaze_calibration(tmp_path / "binary.json")


def test_a_correction_that_no_person_has_is_refused() -> None:
    with pytest.raises(UsageError, match=r"that no person has \(offset 79°, gain 1\.00\): check"):
        fit_calibration("", WANTED, WANTED + 80)


def test_an_existing_calibration_stays_if_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "änna 1.json"
    write_gaze_calibration(path, GazeCalibration("Anna", gain=(1.1, 0.9)))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(SinkError, match="the disk is full: free some space"):
        write_gaze_calibration(path, GazeCalibration("Berta"))
    assert read_gaze_calibration(path).name == "Anna"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
