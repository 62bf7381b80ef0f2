"""Real videos of the data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.sources.video.probe_report import probe
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos.video_corpus import packet_ticks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.data
@pytest.mark.slow
def test_real_clips_give_every_frame_at_its_time(data: Path) -> None:
    clips = sorted(p for p in (data / "clips").iterdir() if p.suffix in (".mp4", ".mov", ".mkv"))
    assert len(clips) == 13
    for clip in clips:
        report = probe(clip)
        source = VideoFile(clip)
        kept = {}
        times: list[float] = []
        checked_indices = {0, 17, report.frames // 2, report.frames - 1}
        for frame in source.frames():
            assert frame.index == len(times), clip.name
            times.append(frame.pts_s)
            if frame.index in checked_indices:
                kept[frame.index] = frame
        ticks = np.array(packet_ticks(clip), np.float64)
        scale = (times[-1] - times[0]) / (ticks[-1] - ticks[0])
        assert len(times) == report.frames == len(ticks) == source.info.frames, clip.name
        assert times == pytest.approx(times[0] + (ticks - ticks[0]) * scale, abs=1e-6), clip.name
        assert source.problems == (), clip.name
        for index in (report.frames // 2, 17, report.frames - 1, 0):
            single_frame = source.frame_at(index)
            assert np.array_equal(single_frame.image, kept[index].image), (clip.name, index)
        source.close()
