"""The demo clip, and the landmarks that the shipped model finds in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import steadymark as sm
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image

DEMO = assets_root() / "clips" / "demo.mp4"


@pytest.fixture(scope="session")
def video() -> Path:
    return DEMO


@pytest.fixture(scope="session")
def image() -> Image:
    """Return the first frame of the demo clip."""
    return next(sm.read_frames(DEMO)).image


@pytest.fixture(scope="session")
def landmarker() -> sm.FaceLandmarker:
    return sm.FaceLandmarker()


@pytest.fixture(scope="session")
def tracked(landmarker: sm.FaceLandmarker) -> sm.VideoLandmarks:
    """Return the tracked first second of the demo clip."""
    return landmarker.track_video(DEMO, end_s=1)


@pytest.fixture(scope="session")
def raw() -> sm.VideoLandmarks:
    """Return the first second of the demo clip, tracked without a stabilizer."""
    return sm.track_video(DEMO, stabilizer="none", end_s=1)
