"""The contract of every sink."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.protocols import Sink, more_paths
from steadymark.engine.output.csv.live_link_csv import LiveLinkCsvSink
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.output.csv.openface_csv import OpenFaceCsvSink
from steadymark.engine.output.motion.bvh_format import bvh_files
from steadymark.engine.output.motion.gltf_format import gltf_files
from steadymark.engine.output.motion.motion_sink import MotionSink
from steadymark.engine.output.video.annotated_video import AnnotatedVideoSink
from steadymark.engine.output.video.drawing import DrawOptions
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import (
    lost_face,
    moving_results,
    source_info,
    track_result,
    tracked_face,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeSink = Callable[[Path], Sink]


SINKS: dict[str, MakeSink] = {
    ".csv": lambda path: NativeCsvSink(path, Header(), load_schema("ibug68")),
    ".of.csv": lambda path: OpenFaceCsvSink(path, load_schema("ibug68")),
    ".ll.csv": LiveLinkCsvSink,
    ".glb": lambda path: MotionSink(path, gltf_files),
    ".bvh": lambda path: MotionSink(path, bvh_files),
    ".mp4": lambda path: AnnotatedVideoSink(path, None, DrawOptions(schema="ibug68")),
}
for_each_sink = pytest.mark.parametrize(("ending", "make"), SINKS.items(), ids=SINKS.keys())
needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


def files_in(folder: Path, sink: Sink) -> list[str]:
    """The names of the files in a folder, but for the further files of a sink."""
    more = {Path(path).name for path in more_paths(sink)}
    return [path.name for path in folder.iterdir() if path.name not in more]


def write_results(sink: Sink, *, complete: bool = True) -> None:
    sink.open(source_info())
    for result in moving_results(9):
        sink.write(result)
    sink.close(complete=complete)


@for_each_sink
def test_a_complete_recording_gets_its_name(tmp_path: Path, ending: str, make: MakeSink) -> None:
    sink = make(tmp_path / f"out{ending}")
    assert isinstance(sink, Sink)
    write_results(sink)
    assert sink.path == str(tmp_path / f"out{ending}")
    assert files_in(tmp_path, sink) == [f"out{ending}"]
    assert (tmp_path / f"out{ending}").stat().st_size > 500


@for_each_sink
def test_a_stopped_recording_is_kept_as_partial(
    tmp_path: Path, ending: str, make: MakeSink
) -> None:
    sink = make(tmp_path / f"out{ending}")
    write_results(sink, complete=False)
    name = f"out{ending}"
    stem, dot, suffix = name.rpartition(".")
    assert files_in(tmp_path, sink) == [f"{stem}.partial{dot}{suffix}"]
    assert sink.path == str(tmp_path / f"{stem}.partial{dot}{suffix}")


@for_each_sink
def test_the_final_name_is_not_used_while_writing(
    tmp_path: Path, ending: str, make: MakeSink
) -> None:
    path = tmp_path / f"out{ending}"
    path.write_text("an older recording")
    sink = make(path)
    sink.open(source_info())
    sink.write(track_result(0, tracked_face()))
    assert path.read_text() == "an older recording"
    assert (tmp_path / f"out{ending}.part").exists()
    sink.close(complete=True)
    assert not (tmp_path / f"out{ending}.part").exists()
    assert path.read_bytes()[:8] != b"an older"


@for_each_sink
def test_closing_twice_or_unopened_does_nothing(
    tmp_path: Path, ending: str, make: MakeSink
) -> None:
    sink = make(tmp_path / f"out{ending}")
    sink.close(complete=True)
    assert not list(tmp_path.iterdir())
    write_results(sink)
    sink.close(complete=False)
    assert files_in(tmp_path, sink) == [f"out{ending}"]


@for_each_sink
def test_writing_to_a_closed_sink_is_refused(tmp_path: Path, ending: str, make: MakeSink) -> None:
    with pytest.raises(SinkError, match="not open"):
        make(tmp_path / f"out{ending}").write(track_result(0))


@for_each_sink
@pytest.mark.parametrize("folder", ["missing", "file"])
def test_opening_fails_when_the_folder_cannot_be_written(
    tmp_path: Path, ending: str, make: MakeSink, folder: str
) -> None:
    (tmp_path / "file").touch()
    sink = make(tmp_path / folder / f"out{ending}")
    with pytest.raises(SinkError, match=r"cannot write .*out.*: .*choose another"):
        sink.open(source_info())
    sink.close(complete=False)


@for_each_sink
def test_names_may_be_in_any_script(tmp_path: Path, ending: str, make: MakeSink) -> None:
    folder = tmp_path / "Größe 顔"
    folder.mkdir()
    sink = make(folder / f"é 动{ending}")
    write_results(sink)
    assert files_in(folder, sink) == [f"é 动{ending}"]


@for_each_sink
def test_every_kind_of_result_is_accepted(tmp_path: Path, ending: str, make: MakeSink) -> None:
    sink = make(tmp_path / f"out{ending}")
    sink.open(source_info())
    sink.write(track_result(5))
    sink.write(track_result(6, lost_face()))
    sink.write(track_result(7, tracked_face(2), lost_face(0), tracked_face(1)))
    sink.close(complete=True)
    assert Path(sink.path).exists()


@needs_dev_full
@for_each_sink
def test_a_full_disk_is_reported_in_one_sentence(
    tmp_path: Path, ending: str, make: MakeSink, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / f"out{ending}.part").symlink_to("/dev/full")
    sink = make(tmp_path / f"out{ending}")
    with pytest.raises(SinkError, match="disk is full"):
        write_results(sink)
    sink.close(complete=True)
    assert not os.path.lexists(tmp_path / f"out{ending}")
    del sink
    gc.collect()
    assert "Traceback" not in capfd.readouterr().err


@for_each_sink
def test_a_recording_without_frames_leaves_no_unfinished_file(
    tmp_path: Path, ending: str, make: MakeSink
) -> None:
    sink = make(tmp_path / f"out{ending}")
    sink.open(source_info())
    sink.close(complete=True)
    assert not list(tmp_path.glob("*.part"))
