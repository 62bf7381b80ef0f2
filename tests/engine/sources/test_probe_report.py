"""Probe reports on video files."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.sources.video.probe_report import probe
from support.videos.video_corpus import INTACT_VIDEOS, Recipe, make

if TYPE_CHECKING:
    from pathlib import Path


def test_a_report_describes_the_video(tmp_path: Path) -> None:
    recipe = Recipe("a.mp4", b_frames=2, rotation=90, aspect=Fraction(4, 3))
    report = probe(make(tmp_path, recipe), decode=True)
    assert report.codec == "h264"
    assert "High" in report.profile or "Main" in report.profile
    assert report.pixel_format == "yuv420p"
    assert report.coded_size == (96, 64)
    assert report.shown_size == (64, 128)
    assert report.rotation_deg == 270
    assert report.pixel_aspect == "4:3"
    assert report.fps_declared == report.fps_measured == pytest.approx(25)
    assert not report.variable_rate
    assert report.duration_s == pytest.approx(0.8)
    assert (report.frames, report.decoded, report.keyframes) == (20, 20, 3)
    assert report.broken_packets == 0
    assert report.audio == ()
    assert "shown size: 64 x 128" in report.lines()
    assert "variable rate: no" in report.lines()


@pytest.mark.parametrize("recipe", INTACT_VIDEOS, ids=lambda r: r.name)
def test_only_uneven_times_count_as_variable_rate(tmp_path: Path, recipe: Recipe) -> None:
    report = probe(make(tmp_path, recipe))
    assert report.variable_rate == (recipe.name == "uneven.mp4")
    assert report.frames == len(recipe.times)


def test_ntsc_times_in_milliseconds_are_a_constant_rate(tmp_path: Path) -> None:
    ticks = [round(n * 1001 / 30) for n in range(20)]
    report = probe(make(tmp_path, Recipe("ntsc.mkv", ticks=ticks, unit=40)))
    assert not report.variable_rate
    assert report.fps_measured == pytest.approx(29.97, rel=1e-3)
