"""Faces that lie on their side, stand on their head or are tiny in a large frame are found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.core.types import FaceBox, Frame
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models
from steadymark.engine.tracking.thorough_search import thorough_search
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from steadymark.engine.tracking.settings import OpenModels
    from steadymark.models.face.crop import Image

TURNS = [cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE]


class MarkDetector:
    """Finds a bright rectangle that is wider than high, and counts how often it is asked."""

    def __init__(self, largest: int = 10**6) -> None:
        self.largest = largest
        self.calls = 0

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        self.calls += 1
        if max(image.shape[:2]) > self.largest:
            return ()
        rows, columns = np.nonzero(image[:, :, 0] > 128)
        if not len(rows) or np.ptp(columns) <= np.ptp(rows) or image[rows[0], columns[0], 1] < 128:
            return ()
        size = (float(np.ptp(columns)) + 1, float(np.ptp(rows)) + 1)
        return (FaceBox(float(columns.min()), float(rows.min()), *size, roll_deg=10.0),)


def marked(height: int, width: int, top: int, left: int) -> Image:
    """An image with a bright rectangle of 20x40 pixels whose top left corner is marked."""
    image = np.zeros((height, width, 3), np.uint8)
    image[top : top + 20, left : left + 40] = (255, 0, 0)
    image[top, left] = (255, 255, 0)
    return image


@pytest.mark.parametrize(("turn", "roll"), [*zip(TURNS, [100.0, -170.0, -80.0], strict=True)])
def test_boxes_are_turned_back_to_the_frame(turn: int, roll: float) -> None:
    upright = marked(200, 300, 30, 50)
    image = np.asarray(cv2.rotate(upright, turn), np.uint8)
    found = list(thorough_search(MarkDetector(), image))
    rows, columns = np.nonzero(image[:, :, 0] > 128)
    (boxes,) = found
    assert boxes[0].left == float(columns.min())
    assert boxes[0].top == float(rows.min())
    assert boxes[0].width == float(np.ptp(columns)) + 1
    assert boxes[0].height == float(np.ptp(rows)) + 1
    assert boxes[0].roll_deg == pytest.approx(roll)


class UnsureDetector(MarkDetector):
    """Is sure of no mark, but takes each for a face with a low score."""

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        return ()

    def candidates(self, image: Image) -> tuple[FaceBox, ...]:
        return tuple(replace(box, score=0.1) for box in super().detect(image))


@pytest.mark.parametrize("turn", [None, *TURNS])
def test_places_with_low_scores_are_found_in_every_orientation(turn: int | None) -> None:
    upright = marked(200, 300, 30, 50)
    image = upright if turn is None else np.asarray(cv2.rotate(upright, turn), np.uint8)
    ((box,),) = thorough_search(UnsureDetector(), image, with_candidates=True)
    rows, columns = np.nonzero(image[:, :, 0] > 128)
    assert (box.left, box.top) == (float(columns.min()), float(rows.min()))
    assert box.score == 0.1


def test_places_with_low_scores_are_left_out_unless_they_can_be_judged() -> None:
    assert not list(thorough_search(UnsureDetector(), marked(200, 300, 30, 50)))


class TwoRollsDetector:
    """Takes the middle of an image for a face, with another score and roll in each orientation."""

    def __init__(self) -> None:
        self.found = [FaceBox(40.0, 40.0, 20.0, 20.0, 0.1 * i, 60.0 * i) for i in range(1, 5)]

    def detect(self, image: Image) -> tuple[FaceBox, ...]:
        return ()

    def candidates(self, image: Image) -> tuple[FaceBox, ...]:
        return (self.found.pop(0),)


def test_a_place_may_be_a_candidate_with_several_rolls() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    (boxes,) = thorough_search(TwoRollsDetector(), image, with_candidates=True)
    assert [round(box.score, 1) for box in boxes] == sorted(
        (round(box.score, 1) for box in boxes), reverse=True
    )
    rolls = [box.roll_deg for box in boxes]
    apart = [abs((a - b + 180) % 360 - 180) for i, a in enumerate(rolls) for b in rolls[:i]]
    assert len(boxes) > 1
    assert min(apart) >= 45


@pytest.mark.parametrize(("top", "left"), [(10, 20), (1200, 1240), (2100, 3700)])
def test_a_large_frame_is_searched_in_overlapping_tiles(top: int, left: int) -> None:
    image = marked(2160, 3840, top, left)
    found = list(thorough_search(MarkDetector(largest=1280), image))
    (box,) = found[-1]
    assert [box.left, box.top] == [left, top]


@pytest.fixture(scope="module")
def models() -> OpenModels:
    """The shipped networks."""
    return open_models(TrackSettings(stabilizer="none"))


@pytest.fixture(scope="module")
def face() -> Image:
    """A frame of the demo clip."""
    return VideoFile(assets_root() / "clips" / "demo.mp4").frame_at(0).image


@pytest.mark.parametrize("turn", TURNS)
def test_a_turned_face_is_tracked(models: OpenModels, face: Image, turn: int) -> None:
    image = np.asarray(cv2.rotate(face, turn), np.uint8)
    settings = TrackSettings(stabilizer="none")
    upright = make_tracker(models, settings).track(Frame(face, 0, 0.0)).faces[0]
    tracker = make_tracker(models, settings)
    (turned,) = tracker.track(Frame(image, 0, 0.0)).faces
    (again,) = tracker.track(Frame(image, 1, 0.04)).faces
    assert turned.face_id == again.face_id
    assert upright.raw is not None
    assert again.raw is not None
    height, width = face.shape[:2]
    x, y = upright.raw.xy_px.T
    expected = {
        cv2.ROTATE_90_CLOCKWISE: (height - 1 - y, x),
        cv2.ROTATE_180: (width - 1 - x, height - 1 - y),
        cv2.ROTATE_90_COUNTERCLOCKWISE: (y, width - 1 - x),
    }[turn]
    error = np.linalg.norm(again.raw.xy_px - np.stack(expected, 1), axis=1).mean()
    assert error < 0.02 * np.ptp(x)


def test_a_small_face_in_a_4k_frame_is_tracked(models: OpenModels, face: Image) -> None:
    small = cv2.resize(face, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    image = np.full((2160, 3840, 3), 90, np.uint8)
    image[1500 : 1500 + small.shape[0], 3000 : 3000 + small.shape[1]] = small
    (found,) = make_tracker(models, TrackSettings()).track(Frame(image, 0, 0.0)).faces
    assert found.box is not None
    assert found.box.width < 60
    assert 3000 < found.box.left < 3000 + small.shape[1]


def test_thorough_searches_are_rare_while_there_is_no_face(models: OpenModels) -> None:
    detector = MarkDetector(largest=0)
    settings = TrackSettings(tracker=TrackerConfig(thorough_every=4))
    tracker = make_tracker(replace(models, detector=detector), settings)
    image = np.zeros((120, 160, 3), np.uint8)
    calls = []
    for i in range(6):
        tracker.track(Frame(image, i, i / 25))
        calls.append(detector.calls)
    assert np.diff([0, *calls]).tolist() == [4, 1, 1, 1, 4, 1]
