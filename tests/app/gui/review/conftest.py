"""A video in which the face is missing three times, and what the tests do with its stretches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.videos.square_video import square_video

if TYPE_CHECKING:
    from pathlib import Path

LOST = (*range(12, 15), *range(30, 45), *range(55, 60))


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """Return a video of 70 frames with three doubtful stretches; the second is the longest."""
    return str(square_video(tmp_path / "a.mp4", 70, lost=LOST))
