"""What a camera says it can do, from a hand-made kernel."""

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


class Kernel:
    """MJPG in two sizes, H264 that nobody decodes, YUYV in any size, whose rates are a range."""

    sizes = ((1280, 720), (640, 480))
    rates = ((1, 30), (2, 15))

    def __call__(self, device: int, request: int, data: bytearray) -> None:
        index, code = struct.unpack_from("II", data)
        if request == ENUM_FORMATS:
            struct.pack_into("I", data, 44, self._of((MJPG, H264, YUYV), index))
        elif request == ENUM_SIZES and code == MJPG:
            struct.pack_into("3I", data, 8, 1, *self._of(self.sizes, index))
        elif request == ENUM_SIZES:
            struct.pack_into("7I", data, 8, 3, 160, 1000, 2, 120, 700, 2)
        elif request == ENUM_RATES and code == MJPG:
            struct.pack_into("3I", data, 16, 1, *self._of(self.rates, index))
        elif request == ENUM_RATES:
            struct.pack_into("7I", data, 16, 3, 1, 30, 1, 1, 0, 0)

    @staticmethod
    def _of(values: tuple[Any, ...], index: int) -> Any:
        if index >= len(values):
            raise OSError(22, "no more")
        return values[index]


def test_formats_sizes_and_rates_are_listed_as_the_kernel_tells(tmp_path: Path) -> None:
    node = tmp_path / "video0"
    node.touch()
    assert camera_formats(str(node), Kernel()) == (
        ("MJPG", 1280, 720, 30.0),
        ("MJPG", 1280, 720, 7.5),
        ("MJPG", 640, 480, 30.0),
        ("MJPG", 640, 480, 7.5),
        ("YUYV", 640, 480, 30.0),
        ("YUYV", 640, 480, 15.0),
        ("YUYV", 800, 600, 30.0),
        ("YUYV", 800, 600, 15.0),
    )


def test_what_is_no_camera_offers_nothing(tmp_path: Path) -> None:
    node = tmp_path / "video0"
    node.touch()
    assert camera_modes(CameraInfo(0, "a file", str(node))) == ()
    assert camera_modes(CameraInfo(1, "gone", str(tmp_path / "video1"))) == ()
    assert camera_modes(CameraInfo(2, "elsewhere")) == ()


def test_elsewhere_cameras_have_the_systems_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    found = list_cameras(names=lambda: ["HD Webcam", "Capture card"])
    assert [(c.index, c.name, c.path) for c in found] == [
        (0, "HD Webcam", ""),
        (1, "Capture card", ""),
    ]


class Device(NamedTuple):
    """As PyAV lists them."""

    name: str
    description: str
    media_types: list[str]


LISTED = [
    Device("@pnp1", "HD Webcam", ["video"]),
    Device("@wave", "Microphone", ["audio"]),
    Device("[1]", "Capture screen 0", ["video"]),
    Device("@pnp2", "", ["video"]),
]


@pytest.mark.parametrize(
    ("system", "listed", "names"),
    [
        ("win32", LISTED, ["HD Webcam", "@pnp2"]),
        ("darwin", LISTED[:3], ["HD Webcam"]),
        ("darwin", LISTED, ["camera 0", "camera 3"]),  # in which order is not known
        ("win32", None, ["camera 0", "camera 3"]),
    ],
)
def test_the_systems_names_are_taken_only_where_their_order_is_known(
    monkeypatch: pytest.MonkeyPatch, system: str, listed: list[Device] | None, names: list[str]
) -> None:
    def enumerate_devices(_: str) -> list[Device]:
        if listed is None:
            raise ValueError("no such format")
        return listed

    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("av.enumerate_input_devices", enumerate_devices)
    present, absent = FakeDevice(), FakeDevice()
    absent.plugged = False
    found = list_cameras(open_capture=lambda i: (present if i in (0, 3) else absent)(i))
    assert [c.name for c in found] == names
