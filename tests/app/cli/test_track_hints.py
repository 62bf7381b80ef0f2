"""After its summary, `steadymark track` says what to try when faces are missing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from steadymark.app.cli.track_hints import _NO_FACE, hints
from steadymark.engine.pipeline.job import JobReport
from steadymark.engine.pipeline.pipeline_report import PipelineReport
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    Run = Callable[..., Result]


def test_a_video_without_a_face_is_reported_with_what_to_try(run: Run, tmp_path: Path) -> None:
    clip = square_video(tmp_path / "empty.mp4", 20, lost=range(20))
    result = run("track", clip, square_video(tmp_path / "a.mp4"), "--out", tmp_path / "o")
    assert result.exit_code == 0, result.output
    assert "No face was found in empty.mp4 (20 frames)." in result.output
    assert "Try: --rotate" in result.output
    assert "No face was found in a.mp4" not in result.output
    options = run("track", "--help").output
    tried = set(re.findall(r"--[a-z-]+", _NO_FACE))
    assert tried
    assert all(option in options for option in tried)


def test_faces_that_were_seen_but_not_tracked_are_reported_with_the_option() -> None:
    several = JobReport("talk.mp4", report=PipelineReport(frames=9, with_face=9, most_seen=3))
    one = replace(several, report=replace(several.report, most_seen=1))
    assert hints([several, one], 1) == [
        "talk.mp4: 3 faces were seen, 1 was tracked; pass --max-faces 3"
    ]
    assert hints([several], 2) == [
        "talk.mp4: 3 faces were seen, 2 were tracked; pass --max-faces 3"
    ]
    assert hints([several], 3) == []
    crowd = replace(several, report=replace(several.report, most_seen=100))
    assert hints([crowd], 1)[0].endswith("pass --max-faces 64")
