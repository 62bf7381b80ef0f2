"""Network cameras over the loopback interface."""

from __future__ import annotations

import socket
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.live.http_images import SNAPSHOT_S
from steadymark.engine.sources.live.live_source import LiveStatus, OpenAttempt
from steadymark.engine.sources.live.network_camera import NetworkCamera, without_password
from support.fakes.fake_camera import mjpeg_server
from support.videos.sound_clips import make_clip
from support.videos.video_corpus import number_in

if TYPE_CHECKING:
    from pathlib import Path


def test_mjpeg_over_http_is_read() -> None:
    with mjpeg_server() as server:
        camera = NetworkCamera(server.url)
        frames = camera.frames()
        frames_read = [next(frames) for _ in range(5)]
        camera.close()
        assert list(frames) == []
    assert [f.index for f in frames_read] == list(range(5))
    assert all(0 <= number_in(f.image) < 64 for f in frames_read)
    assert camera.info.live
    assert (camera.info.width, camera.info.height) == (96, 64)


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_stream_of_images_that_ffmpeg_refuses_is_read(tells_length: bool) -> None:
    with mjpeg_server() as server:
        server.part_type, server.tells_length = "image/jpg", tells_length
        camera = NetworkCamera(server.url)
        frames = camera.frames()
        numbers = [number_in(next(frames).image) for _ in range(20)]
        camera.close()
    assert len(set(numbers)) > 10
    assert (camera.info.width, camera.info.height) == (96, 64)
    assert camera.info.notes == ("the timestamps are times of arrival",)


def test_a_stream_that_ffmpeg_refuses_reconnects() -> None:
    with mjpeg_server() as server:
        server.part_type, server.pictures = "image/jpg", 12
        camera = NetworkCamera(server.url, read_timeout_s=0.3, retry_s=(0.01,))
        for _ in camera.frames():
            if "frames again" in str(camera.problems):
                break
        camera.close()
    assert "no more frames" in camera.problems[0]


def test_a_camera_that_sends_snapshots_is_asked_for_each_image() -> None:
    with mjpeg_server() as server:
        camera = NetworkCamera(server.url.replace("video", "snapshot"))
        frames = list(islice(camera.frames(), 6))
        camera.close()
    assert len({number_in(frame.image) for frame in frames}) == 6
    waits = np.diff([frame.pts_s for frame in frames])
    assert np.mean(waits) > 0.8 * SNAPSHOT_S
    assert camera.problems == ()
    assert "single images" in camera.info.notes[1]


@pytest.mark.parametrize("stalls", [True, False], ids=["stalls", "hangs up"])
def test_a_broken_stream_reconnects(stalls: bool) -> None:
    lost = threading.Event()

    def record_status(status: LiveStatus) -> None:
        if status is LiveStatus.LOST:
            lost.set()

    with mjpeg_server() as server:
        server.pictures, server.stalls = 12, stalls
        camera = NetworkCamera(
            server.url, read_timeout_s=0.3, retry_s=(0.01,), on_status=record_status
        )
        times = []
        for frame in camera.frames():
            times.append(frame.pts_s)
            server.pictures = 10_000 if lost.is_set() else server.pictures
            if server.connections >= 2 and "frames again" in str(camera.problems):
                break
        camera.close()
    assert times == sorted(times)
    assert "no more frames" in camera.problems[0]


def test_closing_from_another_thread_ends_a_stalled_stream() -> None:
    with mjpeg_server() as server:
        server.pictures, server.stalls = 12, True
        camera = NetworkCamera(server.url, read_timeout_s=20)
        ended = threading.Event()
        started = threading.Event()

        def read() -> None:
            for _ in camera.frames():
                started.set()
            ended.set()

        threading.Thread(target=read, daemon=True).start()
        assert started.wait(5)
        camera.close()
        assert ended.wait(10)  # half of the read timeout


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/video", "connection was refused"),
        ("rtsp://u:secret@127.0.0.1:9/video", "connection was refused"),
        ("gopher://127.0.0.1/", "is not supported"),
    ],
)
def test_an_address_that_does_not_answer_is_refused(url: str, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        NetworkCamera(url)
    assert "secret" not in str(caught.value)


def test_an_unknown_path_on_a_server_is_refused() -> None:
    with mjpeg_server() as server, pytest.raises(SourceError, match="nothing at this address"):
        NetworkCamera(server.url + "x")


def test_a_silent_server_is_refused_after_the_timeout() -> None:
    with mjpeg_server() as server:
        server.pictures, server.stalls = 0, True
        with pytest.raises(SourceError, match="in time"):
            NetworkCamera(server.url, open_timeout_s=0.3, read_timeout_s=0.3)


def full_server() -> tuple[socket.socket, list[socket.socket]]:
    """Return a server with a full connection queue, which never answers another connection."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0)
    connections = []
    for _ in range(4):
        connection = socket.socket()
        connection.setblocking(False)
        connection.connect_ex(server.getsockname())
        connections.append(connection)
    return server, connections


@pytest.mark.skipif(sys.platform != "linux", reason="others refuse what does not fit")
def test_giving_up_ends_an_unanswered_connection_attempt() -> None:
    server, connections = full_server()
    attempt, caught = OpenAttempt(), list[Exception]()

    def connect() -> None:
        try:
            NetworkCamera(f"rtsp://127.0.0.1:{server.getsockname()[1]}/", opening=attempt)
        except SourceError as error:
            caught.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    start_s = time.monotonic()
    attempt.cancel()
    thread.join(3)
    assert not thread.is_alive()
    assert time.monotonic() - start_s < 2
    assert "does not answer" in str(caught[0])
    for connection in (server, *connections):
        connection.close()


def test_opening_with_an_open_attempt_works_as_without() -> None:
    with mjpeg_server() as server:
        camera = NetworkCamera(server.url, opening=OpenAttempt())
        assert next(camera.frames()).index == 0
        camera.close()
    with pytest.raises(SourceError, match="connection was refused"):
        NetworkCamera("http://127.0.0.1:9/video", opening=OpenAttempt())


def test_passwords_are_not_shown() -> None:
    assert without_password("rtsp://me:secret@host:1/a") == "rtsp://me@host:1/a"
    assert without_password("http://host/a:b@c") == "http://host/a:b@c"


def test_a_recording_at_an_address_is_refused_with_what_to_do(tmp_path: Path) -> None:
    make_clip(tmp_path / "film.mp4", [i * 512 for i in range(60)])
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(SourceError, match="is a recording and no live stream: download it"):
            NetworkCamera(f"http://127.0.0.1:{server.server_port}/film.mp4")
        server.shutdown()


def test_a_protocol_that_ffmpeg_lacks_is_named() -> None:
    with pytest.raises(SourceError, match="uses a protocol that the installed FFmpeg lacks"):
        NetworkCamera("srt://127.0.0.1:9")


def test_a_refused_tcp_connection_is_named() -> None:
    with pytest.raises(SourceError, match="connection was refused"):
        NetworkCamera("tcp://127.0.0.1:9")
