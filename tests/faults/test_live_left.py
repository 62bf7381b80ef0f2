"""Camera recordings of a killed program are not overwritten by the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest

from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from support.fakes.fake_results import moving_results, source_info

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.protocols import Sink


def table(path: Path, style: str) -> Sink:
    return OpenFaceCsvSink(path) if style == "openface" else NativeCsvSink(path, Header())


def write(sink: Sink, frames: int, *, live: bool = True) -> None:
    sink.open(source_info(live=live))
    for result in moving_results(frames):
        sink.write(result)


def close_like_a_kill(sink: Sink) -> None:
    """Close the file without finishing it, as the system does for a killed program."""
    file = sink._file  # type: ignore[attr-defined]
    (getattr(file, "_file", None) or file).close()


@pytest.mark.parametrize("style", ["native", "openface"])
def test_all_tables_of_a_camera_are_kept(tmp_path: Path, style: str) -> None:
    path = tmp_path / "camera.csv"
    for frames in (8, 12):
        sink = table(path, style)
        write(sink, frames)
        close_like_a_kill(sink)
    stopped = table(path, style)
    write(stopped, 16)
    stopped.close(complete=False)
    whole = table(path, style)
    write(whole, 20)
    whole.close(complete=True)
    names = ["camera-2.partial.csv", "camera-3.partial.csv", "camera-4.partial.csv", "camera.csv"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    frames_of = [len(set(read_landmarks(tmp_path / name).frame)) for name in names]
    assert frames_of == [8, 12, 16, 20]


def test_only_the_newest_unfinished_table_of_a_file_is_kept(tmp_path: Path) -> None:
    for frames in (8, 12):
        sink = table(tmp_path / "a.csv", "native")
        write(sink, frames, live=False)
        close_like_a_kill(sink)
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv.part"]


def test_the_video_of_a_killed_camera_recording_is_kept_and_can_be_played(tmp_path: Path) -> None:
    path = tmp_path / "camera.mp4"
    first = AnnotatedVideoSink(path)
    write(first, 200)
    close_like_a_kill(first)
    second = AnnotatedVideoSink(path)
    write(second, 10)
    second.close(complete=True)
    counts = {}
    for video_file in tmp_path.iterdir():
        with av.open(str(video_file)) as container:
            counts[video_file.name] = sum(1 for _ in container.decode(video=0))
    assert counts["camera.mp4"] == 10
    assert counts["camera-2.partial.mp4"] >= 120  # up to the last key frame
