"""Modes of cameras, read from a fake kernel."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from steadymark.engine.sources.live.camera import CameraInfo, camera_modes, list_cameras
from steadymark.engine.sources.live.v4l2 import camera_formats
from support.fakes.fake_camera import FakeDevice

if TYPE_CHECKING:
    from pathlib import Path


MJPG, H264, YUYV = (int.from_bytes(name, "little") for name in (b"MJPG", b"H264", b"YUYV"))
ENUM_FORMATS, ENUM_SIZES, ENUM_RATES = 0xC0405602, 0xC02C564A, 0xC034564B


class FakeKernel:
    """Offers MJPG in two sizes, H264, and YUYV with ranges of sizes and rates."""

    sizes = ((1280, 720), (640, 480))
    rates = ((1, 30), (2, 15))

    def __call__(self, device: int, request: int, data: bytearray) -> None:
        index, code = struct.unpack_from("II", data)
        if request == ENUM_FORMATS:
            struct.pack_into("I", data, 44, self._value_at((MJPG, H264, YUYV), index))
        elif request == ENUM_SIZES and code == MJPG:
            struct.pack_into("3I", data, 8, 1, *self._value_at(self.sizes, index))
        elif request == ENUM_SIZES:
            struct.pack_into("7I", data, 8, 3, 160, 1000, 2, 120, 700, 2)
        elif request == ENUM_RATES and code == MJPG:
            struct.pack_into("3I", data, 16, 1, *self._value_at(self.rates, index))
        elif request == ENUM_RATES:
            struct.pack_into("7I", data, 16, 3, 1, 30, 1, 1, 0, 0)

    @staticmethod
    def _value_at(values: tuple[Any, ...], index: int) -> Any:
        if index >= len(values):
            raise OSError(22, "no more")
        return values[index]


def test_formats_sizes_and_rates_are_those_of_the_kernel(tmp_path: Path) -> None:
    node = tmp_path / "video0"
    node.touch()
    assert camera_formats(str(node), FakeKernel()) == (
        ("MJPG", 1280, 720, 30.0),
        ("MJPG", 1280, 720, 7.5),
        ("MJPG", 640, 480, 30.0),
        ("MJPG", 640, 480, 7.5),
        ("YUYV", 640, 480, 30.0),
        ("YUYV", 640, 480, 15.0),
        ("YUYV", 800, 600, 30.0),
        ("YUYV", 800, 600, 15.0),
    )


def test_a_device_that_is_not_a_camera_has_no_modes(tmp_path: Path) -> None:
    node = tmp_path / "video0"
    node.touch()
    assert camera_modes(CameraInfo(0, "a file", str(node))) == ()
    assert camera_modes(CameraInfo(1, "gone", str(tmp_path / "video1"))) == ()
    assert camera_modes(CameraInfo(2, "elsewhere")) == ()


def test_on_windows_cameras_have_the_names_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    found = list_cameras(names=lambda: ["HD Webcam", "Capture card"])
    assert [(c.index, c.name, c.path) for c in found] == [
        (0, "HD Webcam", ""),
        (1, "Capture card", ""),
    ]


class ListedDevice(NamedTuple):
    """A device as PyAV lists it."""

    name: str
    description: str
    media_types: list[str]


LISTED_DEVICES = [
    ListedDevice("@pnp1", "HD Webcam", ["video"]),
    ListedDevice("@wave", "Microphone", ["audio"]),
    ListedDevice("[1]", "Capture screen 0", ["video"]),
    ListedDevice("@pnp2", "", ["video"]),
]


@pytest.mark.parametrize(
    ("system", "listed", "names"),
    [
        ("win32", LISTED_DEVICES, ["HD Webcam", "@pnp2"]),
        ("darwin", LISTED_DEVICES[:3], ["HD Webcam"]),
        ("darwin", LISTED_DEVICES, ["camera 0", "camera 3"]),  # the order is unknown
        ("win32", None, ["camera 0", "camera 3"]),
    ],
)
def test_names_of_the_system_are_used_only_when_their_order_is_known(
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    listed: list[ListedDevice] | None,
    names: list[str],
) -> None:
    def enumerate_devices(_: str) -> list[ListedDevice]:
        if listed is None:
            raise ValueError("no such format")
        return listed

    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("av.enumerate_input_devices", enumerate_devices)
    present, absent = FakeDevice(), FakeDevice()
    absent.plugged = False
    found = list_cameras(open_capture=lambda i: (present if i in (0, 3) else absent)(i))
    assert [c.name for c in found] == names
