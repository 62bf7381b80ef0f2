"""Files of moving faces on a full disk, and of videos with damaged times."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.types import FrameTime, TrackResult
from steadymark.engine.output.motion.bvh_format import bvh_files
from steadymark.engine.output.motion.gltf_format import gltf_files
from steadymark.engine.output.motion.motion_sink import MotionSink
from support.fakes.fake_results import source_info, track_result, tracked_face

if TYPE_CHECKING:
    from pathlib import Path


def test_a_full_disk_leaves_no_broken_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = MotionSink(tmp_path / "a.glb", gltf_files)
    sink.open(source_info())
    sink.write(track_result(0, tracked_face(0)))
    opened = os.fdopen

    class FullDisk:
        def __init__(self, handle: int, mode: str) -> None:
            self.file = opened(handle, mode)

        def __enter__(self) -> FullDisk:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, content: bytes) -> None:
            self.file.write(content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fdopen", FullDisk)
    with pytest.raises(SinkError, match="the disk is full: free some space"):
        sink.close(complete=True)
    assert list(tmp_path.iterdir()) == []


def test_damaged_times_make_no_endless_file(tmp_path: Path) -> None:
    """A table whose times are a millionth of a second apart, and then hours."""
    sink = MotionSink(tmp_path / "a.bvh", bvh_files)
    sink.open(source_info())
    for index, time_s in enumerate((0.0, 1e-6, 2e-6, 3e-6, 36000.0)):
        sink.write(TrackResult(FrameTime(index, time_s), (tracked_face(0),)))
    sink.close(complete=True)
    assert "Frames: 501\n" in (tmp_path / "a.bvh").read_text()
