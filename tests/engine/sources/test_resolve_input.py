"""Inputs that a user types are resolved to sources."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import cv2
import pytest

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.sources import CameraMode, expand_inputs, open_source
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.live.network_camera import NetworkCamera
from steadymark.engine.sources.video.probe_report import probe
from steadymark.engine.sources.video.video_file import VideoFile
from support.fakes.fake_camera import mjpeg_server
from support.videos.video_corpus import Recipe, bars, make, number_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write v2.mp4, v10.mp4, other files, below/c.MKV, pictures/img_2, 3, 10.png, and empty/."""
    for name in ("v10.mp4", "v2.mp4", "._v2.mp4", "notes.txt", "cover.jpg"):
        (tmp_path / name).write_bytes(b"x")
    for sub in ("below", "pictures", "empty"):
        (tmp_path / sub).mkdir()
    (tmp_path / "below" / "c.MKV").write_bytes(b"x")
    for number in (10, 2, 3):
        data = cv2.imencode(".png", bars(number))[1].tobytes()
        (tmp_path / "pictures" / f"img_{number}.png").write_bytes(data)
    return tmp_path


def relative_names(found: list[str], folder: Path) -> list[str]:
    return [f.removeprefix(str(folder)).lstrip("/\\").replace("\\", "/") for f in found]


def test_a_folder_expands_to_its_videos_in_natural_order(folder: Path) -> None:
    found = relative_names(expand_inputs([str(folder)]), folder)
    assert found == ["below/c.MKV", "pictures", "v2.mp4", "v10.mp4"]


def test_globs_are_expanded_without_duplicates(folder: Path) -> None:
    found = relative_names(expand_inputs([str(folder / "v1*.mp4"), str(folder / "v*.mp4")]), folder)
    assert found == ["v10.mp4", "v2.mp4"]
    assert relative_names(expand_inputs([str(folder / "**" / "*.MKV")]), folder) == ["below/c.MKV"]


def test_live_inputs_are_not_expanded() -> None:
    live = ["camera:0", "camera:HD Webcam", "rtsp://host/a?b=*", "http://host/video.mjpg"]
    assert expand_inputs(live) == live


def test_an_existing_name_with_brackets_is_not_a_glob(folder: Path) -> None:
    (folder / "a [1].mp4").write_bytes(b"x")
    assert relative_names(expand_inputs([str(folder / "a [1].mp4")]), folder) == ["a [1].mp4"]


@pytest.mark.parametrize("text", ["pictures", "pictures/img_%d.png", "pictures/*.png"])
def test_images_are_one_sequence_in_natural_order(folder: Path, text: str) -> None:
    (sequence,) = expand_inputs([str(folder / text)])
    source = open_source(sequence)
    assert isinstance(source, ImageSequence)
    assert [number_in(f.image) for f in source.frames()] == [2, 3, 10]


def test_images_listed_by_the_shell_are_one_sequence(folder: Path) -> None:
    listed = [str(folder / "pictures" / f"img_{n}.png") for n in (10, 2, 3)]
    (sequence,) = expand_inputs(listed)
    assert [number_in(f.image) for f in open_source(sequence).frames()] == [2, 3, 10]
    (part,) = expand_inputs(listed[:2])
    assert [number_in(f.image) for f in open_source(part).frames()] == [2, 10]


def test_a_numbered_pattern_requires_its_number_of_digits(folder: Path) -> None:
    with pytest.raises(UsageError, match="nothing matches"):
        expand_inputs([str(folder / "pictures" / "img_%04d.png")])
    (folder / "pictures" / "img_0007.png").write_bytes(b"x")
    assert len(expand_inputs([str(folder / "pictures" / "img_%04d.png")])) == 1


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("absent.mp4", SourceError, "absent.mp4 does not exist: check"),
        ("empty", UsageError, "contains no videos or images"),
        ("*.avi", UsageError, "nothing matches"),
        ("*.txt", UsageError, "matches no video"),
        ("x" * 300 + ".mp4", SourceError, "cannot be the name of a file"),
    ],
)
def test_a_missing_input_is_reported(
    folder: Path, text: str, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        expand_inputs([str(folder / text)])


def test_an_empty_input_is_refused() -> None:
    for nothing in ([], [""], [" "]):
        with pytest.raises(UsageError, match="no input"):
            expand_inputs(nothing)


def test_files_open_by_path_and_file_address(tmp_path: Path) -> None:
    path = make(tmp_path, Recipe("a b é.mp4", frames=10))
    for text in (str(path), path.as_uri(), str(tmp_path)):
        source = open_source(text, start_s=0.2)
        assert isinstance(source, VideoFile)
        assert [number_in(f.image) for f in source.frames()] == [5, 6, 7, 8, 9]


def test_an_address_opens_a_network_camera() -> None:
    with mjpeg_server() as server:
        source = open_source(server.url)
        assert isinstance(source, NetworkCamera)
        source.close()


@pytest.mark.parametrize(
    ("text", "start_s", "camera", "words"),
    [
        ("camera:0", 1.0, None, "is live"),
        ("http://host/a", 1.0, None, "is live"),
        ("a.mp4", None, CameraMode(640, 480, 30), "is not a camera"),
        ("camera:", None, None, "number or a name"),
    ],
)
def test_options_that_do_not_fit_the_source_are_refused(
    text: str, start_s: float | None, camera: CameraMode | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        open_source(text, start_s=start_s, camera=camera)


def test_a_folder_of_several_videos_is_not_one_source(folder: Path) -> None:
    with pytest.raises(UsageError, match="contains 4 videos"):
        open_source(str(folder))


@pytest.mark.timeout(10)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes with a path")
@pytest.mark.parametrize("name", ["pipe.mp4", "pipe", "pipe.png"])
def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    for refuse in (open_source, probe, VideoFile):
        with pytest.raises(SourceError, match=r"is a pipe.*cat .* > video\.mp4"):
            refuse(str(path))
    with pytest.raises((SourceError, UsageError)):
        open_source(str(tmp_path / "pi*"))


@pytest.mark.timeout(10)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no /dev")
def test_a_device_is_refused_with_the_name_of_a_camera() -> None:
    with pytest.raises(SourceError, match="a camera is opened as camera:/dev/null"):
        open_source("/dev/null")


def test_the_standard_input_is_refused() -> None:
    with pytest.raises(SourceError, match="the standard input is a pipe"):
        open_source("-")
