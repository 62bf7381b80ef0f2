"""Cameras for the live view: real sources with fake devices that show a moving square."""

from __future__ import annotations

from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from steadymark.engine.sources.live.camera import CameraSource
from support.fakes.fake_camera import FakeDevice
from support.fakes.fake_engine import square_image
from support.videos.square_video import square_x

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.live.open_stream import LiveTarget
    from steadymark.engine.sources import LiveStatus, OpenAttempt
    from steadymark.models.face.crop import Image


class PacedDevice(FakeDevice):
    """Gives an image every 1/fps seconds as long as it is plugged in."""

    def __init__(self, fps: float = 60.0) -> None:
        super().__init__()
        self._gap_s, self._lock, self._pictures = 1 / fps, Lock(), 0
        self.unplugged = Event()

    def read(self) -> tuple[bool, Any]:
        self.note(reads=1)
        if self.unplugged.wait(self._gap_s):
            return False, None
        with self._lock:
            self._pictures += 1
            return True, self.seen(self._pictures - 1)

    def seen(self, number: int) -> Image:
        """The image with this number."""
        return square_image((square_x(number), 100, 60))

    def unplug(self) -> None:
        self.plugged = False
        self.unplugged.set()

    def plug_in(self) -> None:
        self.plugged = True
        self.unplugged.clear()


class HangingDevice(PacedDevice):
    """Never gives an image; a read returns only when it is unplugged."""

    def read(self) -> tuple[bool, Any]:
        self.unplugged.wait(20)
        return False, None


def camera_opener(device: FakeDevice, opened: list[LiveTarget] | None = None) -> Any:
    """Opens this device for each target; appends the targets to `opened`."""

    def open_camera(
        target: LiveTarget, on_status: Callable[[LiveStatus], None], opening: OpenAttempt
    ) -> CameraSource:
        if opened is not None:
            opened.append(target)
        return CameraSource(
            0,
            mode=target.mode,
            name="fake camera",
            open_capture=device,
            retry_s=0.02,
            first_image_s=5.0,
            on_status=on_status,
            opening=opening,
        )

    return open_camera
