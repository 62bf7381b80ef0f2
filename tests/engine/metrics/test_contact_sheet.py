"""The sheet of worst faces shows the pictures, both sets of landmarks, and nothing else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.metrics.accuracy_scores import FacePlace, LandmarkComparison
from steadymark.engine.metrics.contact_sheet import CAPTION, GAP, HEAD, TILE, contact_sheet
from steadymark.engine.output.video.draw_style import ORANGE, SKY_BLUE, bgr
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image


@pytest.fixture
def compared(tmp_path: Path) -> LandmarkComparison:
    """Four faces on plain pictures of 60, 80 … 120 grey; face 2 the worst, face 3 not found."""
    truth = np.repeat(face_points(100, 90, 90)[None].astype(np.float64), 4, axis=0)
    found = truth + np.array([1.0, 2.0, 6.0, np.nan])[:, None, None]
    places = []
    for i in range(4):
        file = tmp_path / f"face{i}.png"
        cv2.imwrite(str(file), np.full((180, 200, 3), 60 + 20 * i, np.uint8))
        places.append(FacePlace(f"face{i}", str(file)))
    return LandmarkComparison(tuple(places), found, truth, load_schema("ibug68"), tuple(range(68)))


def near(picture: Image, colour: tuple[int, int, int]) -> int:
    """Pixels of about this colour."""
    return int((np.abs(picture.astype(int) - colour).max(-1) < 12).sum())


def tile(sheet: Image, row: int, column: int) -> Image:
    top = 2 * HEAD + row * (TILE + CAPTION + GAP)
    left = GAP + column * (TILE + GAP)
    return sheet[top : top + TILE, left : left + TILE]


def test_the_worst_faces_are_shown_with_true_and_found_landmarks(
    compared: LandmarkComparison,
) -> None:
    sheet = contact_sheet({"net": compared}, 2)
    assert sheet.shape[0] == 2 * HEAD + TILE + CAPTION + GAP
    lost, worst = tile(sheet, 0, 0), tile(sheet, 0, 1)
    assert lost[2, 2].tolist() == [120] * 3
    assert worst[2, 2].tolist() == [100] * 3
    assert near(lost, bgr(SKY_BLUE)) > 300
    assert near(lost, bgr(ORANGE)) == 0
    assert near(worst, bgr(SKY_BLUE)) > 300
    assert near(worst, bgr(ORANGE)) > 300


def test_landmarks_are_drawn_where_they_are(compared: LandmarkComparison) -> None:
    worst = tile(contact_sheet({"net": compared}, 2), 0, 1)
    blue = np.argwhere(np.abs(worst.astype(int) - bgr(SKY_BLUE)).max(-1) < 12)[:, ::-1]
    orange = np.argwhere(np.abs(worst.astype(int) - bgr(ORANGE)).max(-1) < 12)[:, ::-1]
    scale = TILE / (1.5 * 90)  # the tile is 1.5 times the face, which is 90 px long
    shift = (orange.min(0) + orange.max(0)) / 2 - (blue.min(0) + blue.max(0)) / 2
    np.testing.assert_allclose(shift, 6 * scale, atol=2)
    np.testing.assert_allclose((blue.min(0) + blue.max(0)) / 2, TILE / 2, atol=2)


def test_each_model_has_its_rows_and_landmarks_that_do_not_count_are_left_out(
    compared: LandmarkComparison,
) -> None:
    mouth = LandmarkComparison(
        compared.places, compared.found, compared.truth, compared.schema, tuple(range(48, 68))
    )
    sheet = contact_sheet({"all": compared, "mouth": mouth}, 2)
    part = TILE + CAPTION + GAP
    assert sheet.shape[0] == HEAD + 2 * (HEAD + part)
    second = sheet[HEAD + HEAD + part + HEAD :][:TILE, GAP + TILE + GAP :][:, :TILE]
    # the mouth alone fills the tile: none of its landmarks lies in the upper fifth
    assert near(second, bgr(ORANGE)) > 100
    assert near(second[: TILE // 6], bgr(ORANGE)) == 0


def test_names_that_are_too_long_are_cut(compared: LandmarkComparison) -> None:
    places = tuple(p._replace(name="x" * 90) for p in compared.places)
    long = LandmarkComparison(
        places, compared.found, compared.truth, compared.schema, compared.scored
    )
    sheet = contact_sheet({"y" * 300: long}, 4)
    assert sheet.shape[1] == 4 * (TILE + GAP) + GAP
