"""The contract of every FrameSource."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import cv2
import pytest

from steadymark.engine.core.protocols import FrameSource
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.live.camera import CameraSource
from steadymark.engine.sources.live.network_camera import NetworkCamera
from steadymark.engine.sources.video.video_file import VideoFile
from support.fakes.fake_camera import FakeDevice, mjpeg_server
from support.videos.video_corpus import Recipe, bars, make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["file", "uneven file", "images", "camera", "network"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FrameSource]:
    match request.param:
        case "file":
            yield VideoFile(make(tmp_path, Recipe("a.mp4", b_frames=2, frames=30)))
        case "uneven file":
            ticks = [n * n for n in range(30)]
            yield VideoFile(make(tmp_path, Recipe("a.mkv", b_frames=2, ticks=ticks, unit=8)))
        case "images":
            files = [tmp_path / f"{n}.png" for n in range(30)]
            for number, file in enumerate(files):
                file.write_bytes(cv2.imencode(".png", bars(number))[1].tobytes())
            yield ImageSequence(files)
        case "camera":
            device = FakeDevice()
            device.give(1)
            camera = CameraSource(0, open_capture=device)
            stop = threading.Event()

            def produce_frames() -> None:
                while not stop.wait(0.002):
                    device.give()

            producer = threading.Thread(target=produce_frames, daemon=True)
            producer.start()
            yield camera
            stop.set()
            producer.join()
            device.give()
        case _:
            with mjpeg_server() as server:
                yield NetworkCamera(server.url)


@pytest.fixture(autouse=True)
def close_source(source: FrameSource) -> Iterator[None]:
    yield
    source.close()


def test_every_source_is_a_frame_source(source: FrameSource) -> None:
    assert isinstance(source, FrameSource)
    assert source.info.name
    assert source.info.path
    assert (source.info.frames is None) == source.info.live


def test_frames_are_in_order_and_match_the_info(source: FrameSource) -> None:
    frames = []
    for frame in source.frames():
        frames.append(frame)
        if source.info.live and len(frames) == 30:
            break
    assert [f.index for f in frames] == list(range(30))
    times = [f.pts_s for f in frames]
    assert times[0] == 0
    assert times == sorted(times)
    captured = [f.captured_s for f in frames]
    assert captured == sorted(captured)
    assert captured[0] > 0
    assert {(f.width, f.height) for f in frames} == {(source.info.width, source.info.height)}
    assert source.info.frames in (None, 30)
    assert source.problems == ()
    if source.info.fps and not source.info.live:
        assert source.info.fps == pytest.approx(29 / times[-1], rel=0.02)


def test_every_frame_owns_its_image(source: FrameSource) -> None:
    frames = source.frames()
    first = next(frames)
    kept = first.image.copy()
    second = next(frames)
    for frame in (first, second):
        assert frame.image.flags.writeable
        assert frame.image.flags.c_contiguous
    second.image[:] = 77
    next(frames)
    assert (first.image == kept).all()
    assert (second.image == 77).all()


def test_closing_twice_is_allowed_and_ends_the_frames(source: FrameSource) -> None:
    frames = source.frames()
    next(frames)
    source.close()
    source.close()
    assert list(frames) == []
    assert list(source.frames()) == []


def test_a_source_closed_before_reading_gives_no_frames(source: FrameSource) -> None:
    source.close()
    assert list(source.frames()) == []


def test_closing_from_another_thread_ends_the_frames(source: FrameSource) -> None:
    started, ended = threading.Event(), threading.Event()
    may_continue = threading.Event()

    def read() -> None:
        for _ in source.frames():
            started.set()
            may_continue.wait(5)
        ended.set()

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    assert started.wait(5)
    source.close()
    may_continue.set()
    assert ended.wait(10)
    reading.join(5)
