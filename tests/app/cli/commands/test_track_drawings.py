"""`track --draw`: what cannot be drawn is told before the video is tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--draw", "gaze"), "--draw draws into the video: add --video"),
        (("--axes",), "--axes draws into the video: add --video"),
        (("--draw", "gaze", "--video", "--no-pupils"), "--draw gaze needs the pupils"),
        (("--draw", "nothing", "--video"), "nothing"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(
    run: Run, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    done = run("track", "a.mp4", "--out", tmp_path / "out", *options)
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())
    assert "Traceback" not in done.output
    assert not (tmp_path / "out").exists()
