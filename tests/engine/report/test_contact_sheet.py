"""The sheet of worst faces shows their images and both sets of landmarks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.metrics.accuracy_scores import FacePlace, LandmarkComparison
from steadymark.engine.output.video.draw_style import GREEN, ORANGE, SKY_BLUE, bgr
from steadymark.engine.report.contact_sheet import (
    CAPTION,
    GAP,
    HEAD,
    PAIR_GAP,
    TILE,
    contact_sheet,
)
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image


@pytest.fixture
def compared(tmp_path: Path) -> LandmarkComparison:
    """Return four faces on plain grey images; face 2 is the worst, face 3 was not found."""
    ground_truth = np.repeat(face_points(100, 90, 90)[None].astype(np.float64), 4, axis=0)
    found = ground_truth + np.array([1.0, 2.0, 6.0, np.nan])[:, None, None]
    places = []
    for i in range(4):
        file = tmp_path / f"face{i}.png"
        cv2.imwrite(str(file), np.full((180, 200, 3), 60 + 20 * i, np.uint8))
        places.append(FacePlace(f"face{i}", str(file)))
    return LandmarkComparison(
        tuple(places), found, ground_truth, load_schema("ibug68"), tuple(range(68))
    )


def count_pixels_near(image: Image, colour: tuple[int, int, int]) -> int:
    """Return the number of pixels that have about this colour."""
    return int((np.abs(image.astype(int) - colour).max(-1) < 12).sum())


def tile_of(sheet: Image, row: int, column: int) -> Image:
    top = 2 * HEAD + row * (TILE + CAPTION + GAP)
    left = GAP + column * (TILE + GAP)
    return sheet[top : top + TILE, left : left + TILE]


def test_the_worst_faces_are_shown_with_true_and_found_landmarks(
    compared: LandmarkComparison,
) -> None:
    sheet = contact_sheet({"net": compared}, 2)
    assert sheet.shape[0] == 2 * HEAD + TILE + CAPTION + GAP
    lost, worst = tile_of(sheet, 0, 0), tile_of(sheet, 0, 1)
    assert lost[2, 2].tolist() == [120] * 3
    assert worst[2, 2].tolist() == [100] * 3
    assert count_pixels_near(lost, bgr(SKY_BLUE)) > 300
    assert count_pixels_near(lost, bgr(ORANGE)) == 0
    assert count_pixels_near(worst, bgr(SKY_BLUE)) > 300
    assert count_pixels_near(worst, bgr(ORANGE)) > 300


def test_landmarks_are_drawn_at_their_positions(compared: LandmarkComparison) -> None:
    worst = tile_of(contact_sheet({"net": compared}, 2), 0, 1)
    blue = np.argwhere(np.abs(worst.astype(int) - bgr(SKY_BLUE)).max(-1) < 12)[:, ::-1]
    orange = np.argwhere(np.abs(worst.astype(int) - bgr(ORANGE)).max(-1) < 12)[:, ::-1]
    scale = TILE / (1.5 * 90)  # the tile is 1.5 times the face, which is 90 px long
    shift = (orange.min(0) + orange.max(0)) / 2 - (blue.min(0) + blue.max(0)) / 2
    np.testing.assert_allclose(shift, 6 * scale, atol=2)
    np.testing.assert_allclose((blue.min(0) + blue.max(0)) / 2, TILE / 2, atol=2)


def test_each_model_has_its_own_rows_and_unscored_landmarks_are_not_drawn(
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
    assert count_pixels_near(second, bgr(ORANGE)) > 100
    assert count_pixels_near(second[: TILE // 6], bgr(ORANGE)) == 0


def test_names_that_are_too_long_are_shortened(compared: LandmarkComparison) -> None:
    places = tuple(p._replace(name="x" * 90) for p in compared.places)
    long = LandmarkComparison(
        places, compared.found, compared.truth, compared.schema, compared.scored
    )
    sheet = contact_sheet({"y" * 300: long}, 4)
    assert sheet.shape[1] == 4 * (TILE + GAP) + GAP


def with_found(compared: LandmarkComparison, offsets: list[float]) -> LandmarkComparison:
    """Return the comparison of another model, whose landmarks are off by these pixels."""
    return replace(compared, found=compared.truth + np.array(offsets)[:, None, None])


def test_two_models_of_the_same_faces_are_shown_side_by_side(
    compared: LandmarkComparison,
) -> None:
    after = with_found(compared, [9.0, 0.5, 1.0, 2.0])
    sheet = contact_sheet({"before": compared, "after": after}, 3)
    pair = 2 * TILE + PAIR_GAP
    assert sheet.shape[1] == 3 * (pair + GAP) + GAP
    top = 4 * HEAD
    assert sheet.shape[0] == top + TILE + CAPTION + GAP

    def side(number: int, which: int) -> Image:
        left = GAP + number * (pair + GAP) + which * (TILE + PAIR_GAP)
        return sheet[top : top + TILE + CAPTION, left : left + TILE]

    greys = [[side(number, which)[2, 2, 0] for which in (0, 1)] for number in range(3)]
    # 3 was not found before; 0 is worse after; 2 was the worst that was found before
    assert greys == [[120, 120], [60, 60], [100, 100]]
    assert count_pixels_near(side(0, 0)[:TILE], bgr(ORANGE)) == 0
    assert count_pixels_near(side(0, 1)[:TILE], bgr(ORANGE)) > 300
    framed = [
        [count_pixels_near(side(i, j)[TILE:], bgr(GREEN)) > 200 for j in (0, 1)] for i in range(3)
    ]
    assert framed == [[False, True], [True, False], [False, True]]


def test_models_of_different_faces_have_rows_of_their_own(compared: LandmarkComparison) -> None:
    fewer = replace(
        compared, places=compared.places[:3], found=compared.found[:3], truth=compared.truth[:3]
    )
    sheet = contact_sheet({"all": compared, "fewer": fewer}, 2)
    assert sheet.shape[0] == HEAD + 2 * (HEAD + TILE + CAPTION + GAP)


def test_faces_that_were_not_found_take_at_most_half_of_the_sheet(tmp_path: Path) -> None:
    truth = np.repeat(face_points(100, 90, 90)[None].astype(np.float64), 10, axis=0)
    found = truth + np.array([*[np.nan] * 6, 1.0, 2.0, 3.0, 4.0])[:, None, None]
    places = []
    for i in range(10):
        file = tmp_path / f"{i}.png"
        cv2.imwrite(str(file), np.full((180, 200, 3), 100 + 10 * i, np.uint8))
        places.append(FacePlace(f"{i}", str(file)))
    many = LandmarkComparison(tuple(places), found, truth, load_schema("ibug68"), tuple(range(68)))
    sheet = contact_sheet({"net": many}, 4)
    greys = [tile_of(sheet, 0, column)[2, 2, 0] for column in range(4)]
    assert greys == [100, 150, 190, 180]  # the first and the last missed face, the worst found
    all_missed = replace(many, found=np.full_like(found, np.nan))
    assert contact_sheet({"net": all_missed}, 4).shape == sheet.shape


def test_dark_pictures_are_brightened(compared: LandmarkComparison, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 20, (180, 200, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "face2.png"), noise)
    worst = tile_of(contact_sheet({"net": compared}, 2), 0, 1)
    assert np.percentile(worst[:40], 98) > 120
    assert worst[:40].min() < 20
