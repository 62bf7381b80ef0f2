"""Results whose pictures are not kept: only drawing needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.api.face_rows import results_of, rows_of
from steadymark.engine.core.types import FrameTime, Intrinsics, SourceInfo, TrackResult
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.offline_filter import OfflineFilterSink, filter_table
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.output.video.drawing import draw
from steadymark.engine.pipeline.pipeline_report import Stats
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.guarded_filters import GuardedOfflineFilter
from support.fakes.fake_results import moving_results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.engine.core.protocols import Sink

INFO = SourceInfo("a", "a", 160, 120, 25.0, None, live=False)
FILTER = GuardedOfflineFilter(Butterworth(3.0))
SINKS: dict[str, Callable[[Path], Sink]] = {
    "native": lambda path: NativeCsvSink(path, Header()),
    "openface": OpenFaceCsvSink,
    "offline filter": lambda path: OfflineFilterSink(
        path, lambda inner: NativeCsvSink(inner, Header()), FILTER
    ),
}


def written(sink: Sink, path: Path, results: list[TrackResult]) -> bytes:
    sink.open(INFO)
    for result in results:
        sink.write(result)
    sink.close(complete=True)
    return path.read_bytes()


@pytest.mark.parametrize("kind", SINKS)
def test_a_result_without_a_picture_is_written_like_one_with_it(tmp_path: Path, kind: str) -> None:
    whole = moving_results(30)
    bare = [TrackResult(FrameTime(r.frame.index, r.frame.pts_s), r.faces) for r in whole]
    first, second = tmp_path / "whole.csv", tmp_path / "bare.csv"
    expected = written(SINKS[kind](first), first, whole)
    assert written(SINKS[kind](second), second, bare) == expected
    assert expected.count(b"\n") > 30


def test_a_result_without_a_picture_is_filtered_and_stays_without_it() -> None:
    whole = moving_results(30)
    smooth = filter_table([result.without_picture() for result in whole], FILTER)
    for bare, result in zip(smooth, filter_table(whole, FILTER), strict=True):
        assert bare.frame == FrameTime(result.frame.index, result.frame.pts_s)
        for ours, theirs in zip(bare.faces, result.faces, strict=True):
            if theirs.stabilized is not None:
                assert ours.stabilized is not None
                np.testing.assert_array_equal(ours.stabilized.xy_px, theirs.stabilized.xy_px)


def test_a_result_without_a_picture_is_counted() -> None:
    stats = Stats()
    for result in moving_results(8):
        stats.count(result.without_picture(), 1.0)
    assert (stats.report.frames, stats.report.with_face) == (8, 6)
    assert stats.report.last_pts_s == pytest.approx(7 / 25)


def test_rows_become_results_without_pictures_that_restart_where_tracking_did() -> None:
    kept = [result.without_picture() for result in moving_results(8)]
    rows = rows_of([TrackResult(r.frame, r.faces, restarted=r.frame.index == 5) for r in kept], 68)
    back = results_of(rows, Intrinsics(160, 120))
    assert all(isinstance(result.frame, FrameTime) for result in back)
    assert [result.frame.index for result in back if result.restarted] == [5]


def test_a_result_that_is_kept_without_its_picture_cannot_be_drawn() -> None:
    (result,) = moving_results(1)
    assert draw(result).shape == (120, 160, 3)
    bare = result.without_picture()
    assert bare.without_picture() is bare
    with pytest.raises(ValueError, match="frame 0 has no picture"):
        draw(bare)
