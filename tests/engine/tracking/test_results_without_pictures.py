"""Results whose images are not kept: only drawing needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.api.face_rows import results_of, rows_of
from steadymark.engine.core.types import FrameTime, Intrinsics, SourceInfo, TrackResult
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.output.csv.whole_recording import WholeRecordingSink, finished_results
from steadymark.engine.output.video.drawing import DrawOptions, draw
from steadymark.engine.pipeline.pipeline_report import Stats
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.guarded_filters import GuardedOfflineFilter
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import moving_results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.engine.core.protocols import Sink

INFO = SourceInfo("a", "a", 160, 120, 25.0, None, live=False)
FILTER = GuardedOfflineFilter(Butterworth(3.0))
SINKS: dict[str, Callable[[Path], Sink]] = {
    "native": lambda path: NativeCsvSink(path, Header(), load_schema("ibug68")),
    "openface": lambda path: OpenFaceCsvSink(path, load_schema("ibug68")),
    "offline filter": lambda path: WholeRecordingSink(
        path, lambda inner: NativeCsvSink(inner, Header(), load_schema("ibug68")), FILTER
    ),
}


def write_and_read_bytes(sink: Sink, path: Path, results: list[TrackResult]) -> bytes:
    sink.open(INFO)
    for result in results:
        sink.write(result)
    sink.close(complete=True)
    return path.read_bytes()


@pytest.mark.parametrize("kind", SINKS)
def test_a_result_without_an_image_is_written_like_one_with_it(tmp_path: Path, kind: str) -> None:
    with_images = moving_results(30)
    without_images = [
        TrackResult(FrameTime(r.frame.index, r.frame.pts_s), r.faces) for r in with_images
    ]
    first, second = tmp_path / "whole.csv", tmp_path / "bare.csv"
    expected = write_and_read_bytes(SINKS[kind](first), first, with_images)
    assert write_and_read_bytes(SINKS[kind](second), second, without_images) == expected
    assert expected.count(b"\n") > 30


def test_a_result_without_an_image_is_filtered_and_stays_without_it() -> None:
    with_images = moving_results(30)
    smooth = finished_results([result.without_image() for result in with_images], FILTER)
    for without_image, result in zip(smooth, finished_results(with_images, FILTER), strict=True):
        assert without_image.frame == FrameTime(result.frame.index, result.frame.pts_s)
        for face, expected_face in zip(without_image.faces, result.faces, strict=True):
            if expected_face.stabilized is not None:
                assert face.stabilized is not None
                np.testing.assert_array_equal(face.stabilized.xy_px, expected_face.stabilized.xy_px)


def test_a_result_without_an_image_is_counted() -> None:
    stats = Stats()
    for result in moving_results(8):
        stats.count(result.without_image(), 1.0)
    assert (stats.report.frames, stats.report.with_face) == (8, 6)
    assert stats.report.last_pts_s == pytest.approx(7 / 25)


def test_results_from_rows_have_no_images_and_keep_restarts() -> None:
    without_images = [result.without_image() for result in moving_results(8)]
    rows = rows_of(
        [TrackResult(r.frame, r.faces, restarted=r.frame.index == 5) for r in without_images], 68
    )
    restored = results_of(rows, "ibug68", Intrinsics(160, 120))
    assert all(isinstance(result.frame, FrameTime) for result in restored)
    assert [result.frame.index for result in restored if result.restarted] == [5]


def test_a_result_without_an_image_cannot_be_drawn() -> None:
    (result,) = moving_results(1)
    assert draw(result, DrawOptions(schema="ibug68")).shape == (120, 160, 3)
    without_image = result.without_image()
    assert without_image.without_image() is without_image
    with pytest.raises(ValueError, match="frame 0 has no picture"):
        draw(without_image, DrawOptions(schema="ibug68"))
