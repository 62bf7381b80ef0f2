"""Reading .pts files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steadymark.engine.core.errors import SteadymarkError
from steadymark.models.face.pts_file import read_pts

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "version: 1\nn_points:  2\n{\n1.000 2.5\n30.25 40\n}\n"


def test_coordinates_are_converted_to_start_at_zero(tmp_path: Path) -> None:
    path = tmp_path / "a.pts"
    path.write_text(GOOD)
    points = read_pts(path)
    assert points.tolist() == [[0, 1.5], [29.25, 39]]
    assert points.dtype == "float32"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 lines contain '{'"),
        (GOOD.replace("}", ""), "0 lines contain '}'"),
        (GOOD.replace("2.5", "2.5 7"), "2.5 7' is not a point"),
        (GOOD.replace("2.5", "two"), "two' is not a point: write x and y"),
        (GOOD.replace("2.5", "nan"), "nan' is not a point"),
        (GOOD.replace("n_points:  2", "n_points: 68"), "2 points"),
        (GOOD.replace("n_points:  2", "n_points 68"), "2 points"),
        (GOOD.replace("n_points:  2", "n_points"), "2 points"),
        ("{\n}\n", "no points"),
        ("}\n{\n", "no points"),
    ],
)
def test_an_invalid_file_is_reported(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.pts"
    path.write_text(text)
    with pytest.raises(SteadymarkError) as error:
        read_pts(path)
    assert message in str(error.value)
    assert "a.pts" in str(error.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SteadymarkError, match="cannot read"):
        read_pts(tmp_path / "a.pts")
