"""Cameras, with a fake device."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.sources.live.camera import (
    CameraInfo,
    CameraMode,
    CameraSource,
    find_camera,
    list_cameras,
)
from steadymark.engine.sources.live.live_source import LiveStatus
from support.fakes.fake_camera import FakeDevice
from support.videos.video_corpus import bars

if TYPE_CHECKING:
    from pathlib import Path


def test_frames_have_increasing_times_from_zero() -> None:
    device = FakeDevice()
    device.give()
    camera = CameraSource(0, open_capture=device)
    frames = camera.frames()
    frames_read = []
    for _ in range(5):
        frames_read.append(next(frames))
        device.give()
    camera.close()
    assert list(frames) == []
    assert [f.index for f in frames_read] == list(range(5))
    times = [f.pts_s for f in frames_read]
    assert times[0] == 0
    assert times == sorted(times)
    assert np.diff(times) == pytest.approx(np.diff([f.captured_s for f in frames_read]))
    assert camera.status is LiveStatus.CLOSED
    assert device.wait_for(released=1)


def test_the_requested_and_the_delivered_mode_are_reported() -> None:
    device = FakeDevice(bars(1, 64, 48))
    device.settings = {cv2.CAP_PROP_FRAME_WIDTH: 64, cv2.CAP_PROP_FRAME_HEIGHT: 48}
    device.refused = {cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT}
    device.give()
    camera = CameraSource(0, mode=CameraMode(1280, 720, 30), open_capture=device)
    assert camera.info.notes == (
        "requested 1280x720 at 30 frames per second, the camera delivers 64x48 at 30",
    )
    assert (camera.info.width, camera.info.height, camera.info.fps) == (64, 48, 30)
    assert camera.delivered.width == 64
    assert camera.info.live
    device.give()
    camera.close()


def test_an_unplugged_camera_reconnects_with_the_same_clock() -> None:
    device = FakeDevice()
    states: list[LiveStatus] = []
    lost = threading.Event()

    def record_status(status: LiveStatus) -> None:
        states.append(status)
        if status is LiveStatus.LOST:
            lost.set()

    device.give()
    camera = CameraSource(0, open_capture=device, retry_s=0.01, on_status=record_status)
    frames = camera.frames()
    first = next(frames)
    device.plugged = False
    device.give()
    assert lost.wait(5)
    device.plugged = True
    device.give()
    second = next(frames)
    assert second.index == 1
    assert second.pts_s > first.pts_s
    assert device.opened == 2
    device.give()
    camera.close()
    assert states == [LiveStatus.LOST, LiveStatus.RUNNING, LiveStatus.CLOSED]
    assert ["no more frames" in camera.problems[0], "frames again" in camera.problems[1]] == [
        True,
        True,
    ]


def test_a_hanging_read_counts_as_unplugged() -> None:
    device = FakeDevice()
    device.give()
    camera = CameraSource(0, open_capture=device, read_timeout_s=0.5, retry_s=0.01)
    frames = camera.frames()
    next(frames)
    indices: list[int] = []
    reading = threading.Thread(target=lambda: indices.append(next(frames).index), daemon=True)
    reading.start()
    assert device.wait_for(opened=2)  # while the first read still hangs
    device.give(2)  # one for each read: the one left behind is not used
    reading.join(5)
    assert indices == [1]
    assert "no more frames" in camera.problems[0]
    device.give(3)
    camera.close()


def test_an_absent_or_silent_camera_is_refused() -> None:
    device = FakeDevice()
    device.plugged = False
    with pytest.raises(SourceError, match="is connected"):
        CameraSource(7, open_capture=device)
    silent = FakeDevice()
    with pytest.raises(SourceError, match="delivers no frames"):
        CameraSource(7, open_capture=silent, first_image_s=0.05)
    silent.give()
    assert silent.wait_for(released=1)


def test_an_absent_real_camera_is_refused_without_output(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="camera 97"):
        CameraSource(97)
    assert capfd.readouterr().err == ""


def test_grey_images_become_bgr() -> None:
    device = FakeDevice(np.full((4, 5), 9, np.uint8))
    device.give()
    camera = CameraSource(0, open_capture=device)
    assert next(camera.frames()).image.shape == (4, 5, 3)
    device.give()
    camera.close()


def test_the_newest_frame_wins_and_drops_are_counted() -> None:
    device = FakeDevice()
    device.give()
    camera = CameraSource(0, open_capture=device, read_timeout_s=5)
    device.give(49)
    assert device.wait_for(reads=51)  # the 50th frame was handed over
    first = next(camera.frames())
    assert camera.dropped == 48  # all but the one that opened the camera and the newest
    assert (first.index, first.pts_s) == (0, 0)
    device.give()
    camera.close()


def test_camera_modes_are_parsed() -> None:
    assert CameraMode.parse("1280x720@29.97") == CameraMode(1280, 720, 29.97)
    assert str(CameraMode.parse("640x480")) == "640x480@30"
    for wrong in ("640", "0x5", "axb", "640x480@0"):
        with pytest.raises(UsageError):
            CameraMode.parse(wrong)


@pytest.mark.skipif("sys.platform != 'linux'", reason="names come from Linux's /sys")
def test_cameras_are_listed_by_name(tmp_path: Path) -> None:
    for node, index, name in (("video0", 0, "Brio"), ("video1", 1, "Brio"), ("video10", 0, "HD é")):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(f"{index}\n")
        (tmp_path / node / "name").write_text(f"{name}\n", encoding="utf-8")
    (tmp_path / "video3").mkdir()
    found = list_cameras(sysfs=tmp_path)
    assert found == (CameraInfo(0, "Brio", "/dev/video0"), CameraInfo(10, "HD é", "/dev/video10"))
    assert list_cameras(sysfs=tmp_path / "absent") == ()


def test_a_camera_is_found_by_its_name() -> None:
    cameras = (CameraInfo(0, "Brio 500"), CameraInfo(2, "Brio"), CameraInfo(4, "HD Webcam"))
    assert find_camera("brio", cameras).index == 2
    assert find_camera("webcam", cameras).index == 4
    with pytest.raises(SourceError, match=r"matches several.*0 \(Brio 500\)"):
        find_camera("bri", cameras)
    with pytest.raises(SourceError, match="was not found"):
        find_camera("x", cameras)
