"""Cameras of this computer, through OpenCV."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import av
import cv2
import numpy as np

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.core.types import SourceInfo
from steadymark.engine.sources.live.live_source import LiveSource
from steadymark.engine.sources.live.v4l2 import camera_formats
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.sources.live.live_source import LiveStatus, OpenAttempt
    from steadymark.models.face.crop import Image

READ_TIMEOUT_S = 2.0
FIRST_IMAGE_S = 8.0
RETRY_S = 1.0
_PROBED = 5
_SYSFS = Path("/sys/class/video4linux")


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used."""

    def isOpened(self) -> bool: ...
    def read(self) -> tuple[bool, Any]: ...
    def get(self, prop: int, /) -> float: ...
    def set(self, prop: int, value: float, /) -> bool: ...
    def release(self) -> None: ...


OpenCapture = Callable[[int | str], Capture]


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera that the system knows.

    Attributes:
        index: Number of the camera.
        name: Name for display.
        path: Device path that opens the camera (Linux); empty on other systems.
    """

    index: int
    name: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class CameraMode:
    """Image size, frame rate and pixel format of a camera.

    Attributes:
        width: Width, in pixels.
        height: Height, in pixels.
        fps: Frames per second.
        fourcc: Four-letter code of the format; empty for the default, MJPG.

    Raises:
        UsageError: The size or the rate is out of range.
    """

    width: int
    height: int
    fps: float
    fourcc: str = ""

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1 or not 0 < self.fps < 10_000:
            raise UsageError(
                "{mode} is not a camera mode: write for example 1280x720@30", mode=self
            )

    def __str__(self) -> str:
        return f"{self.width}x{self.height}@{self.fps:g}"

    @classmethod
    def parse(cls, text: str) -> CameraMode:
        """Parse a mode such as "1280x720@30"; the rate defaults to 30.

        Args:
            text: The mode as the user wrote it.

        Returns:
            The mode.

        Raises:
            UsageError: The text is not a camera mode.
        """
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})(?:@(\d+(?:\.\d+)?))?", text.strip())
        if found is None:
            raise UsageError(
                "{mode} is not a camera mode: write for example 1280x720@30", mode=repr(text)
            )
        return cls(int(found[1]), int(found[2]), float(found[3] or 30))


class CameraSource(LiveSource):
    """A FrameSource of a camera, which reconnects after the camera was unplugged.

    Args:
        device: Index or device path of the camera.
        mode: Mode to request; None leaves the camera's own.
        name: Name for display.
        open_capture: Opens the device; for tests.
        read_timeout_s: The camera counts as lost after so many seconds without an image.
        first_image_s: How long to wait for the first image, in seconds.
        retry_s: Time between attempts to reconnect, in seconds.
        on_status: Called in the reading thread when images stop and come again.
        opening: Allows another thread to cancel opening.

    Raises:
        SourceError: The camera cannot be opened or gives no image.
    """

    def __init__(
        self,
        device: int | str,
        *,
        mode: CameraMode | None = None,
        name: str | None = None,
        open_capture: OpenCapture | None = None,
        read_timeout_s: float = READ_TIMEOUT_S,
        first_image_s: float = FIRST_IMAGE_S,
        retry_s: float = RETRY_S,
        on_status: Callable[[LiveStatus], None] | None = None,
        opening: OpenAttempt | None = None,
    ) -> None:
        open_device = open_capture or open_quietly
        feed = _CameraFeed(device, mode, open_device)
        self._mode = feed.delivered
        super().__init__(
            feed,
            lambda: _CameraFeed(device, mode, open_device),
            silence_s=read_timeout_s,
            first_s=first_image_s,
            retry_s=(retry_s,),
            on_status=on_status,
            opening=opening,
        )
        first = self.first_image
        if first is None:
            raise SourceError(
                "camera {device} opens but delivers no frames: close other programs "
                "that use it, or disconnect it and connect it again",
                device=device,
            )
        height, width = first.shape[:2]
        self._info = SourceInfo(
            name=name or UserText("camera {number}", number=device),
            path=f"camera:{device}",
            width=width,
            height=height,
            fps=self._mode.fps or None,
            frames=None,
            live=True,
            notes=_mode_notes(mode, width, height, self._mode.fps),
        )

    @property
    def info(self) -> SourceInfo:
        """Facts of the camera.

        `fps` is the rate that the camera declares; notes say where its mode differs from the
        request.
        """
        return self._info

    @property
    def delivered(self) -> DeliveredMode:
        """The mode that the camera reports."""
        return self._mode


@dataclass(frozen=True, slots=True)
class DeliveredMode:
    """The mode that a camera reports; a value is 0 if it is not reported."""

    width: int
    height: int
    fps: float


class _CameraFeed:
    """An opened camera in the requested mode."""

    def __init__(self, device: int | str, mode: CameraMode | None, open_: OpenCapture) -> None:
        self._capture = open_(device)
        if not self._capture.isOpened():
            self._capture.release()
            raise SourceError(
                "camera {device} cannot be opened: check that it is connected, that no "
                "other program uses it, and that this program may use cameras",
                device=device,
            )
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # Only the newest image is useful.
        if mode is not None:
            # USB 2 is too slow for raw images of large modes, so request JPEG first.
            code = cv2.VideoWriter.fourcc(*(mode.fourcc or "MJPG"))
            self._capture.set(cv2.CAP_PROP_FOURCC, code)
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, mode.width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, mode.height)
            self._capture.set(cv2.CAP_PROP_FPS, mode.fps)
        self.delivered = DeliveredMode(
            int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            max(0.0, float(self._capture.get(cv2.CAP_PROP_FPS))),
        )

    def read(self) -> Image | None:
        """Return the next image, (H, W, 3) uint8 BGR; None when the camera is gone."""
        try:
            good, image = self._capture.read()
        except cv2.error:
            return None
        if not good or image is None or image.size == 0:
            return None
        if image.ndim == 2 or image.shape[2] == 1:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        return np.ascontiguousarray(image[:, :, :3], np.uint8)

    def close(self) -> None:
        """Release the device."""
        self._capture.release()


def open_quietly(device: int | str) -> Capture:
    """Open cv2.VideoCapture without its warnings on the terminal; we report errors ourselves."""
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    # DirectShow has the same order of cameras as `list_cameras`, and opens them fast.
    return cv2.VideoCapture(device, cv2.CAP_DSHOW if sys.platform == "win32" else cv2.CAP_ANY)


def list_cameras(
    *,
    sysfs: Path = _SYSFS,
    open_capture: OpenCapture | None = None,
    names: Callable[[], list[str]] | None = None,
) -> tuple[CameraInfo, ...]:
    """Return the cameras of this computer with the names that the system gives them.

    If the system gives no names, the indices 0 to 4 are tried.

    Args:
        sysfs: Folder in which Linux lists its cameras.
        open_capture: Opens a device; for tests.
        names: Returns the names of the cameras; for tests.

    Returns:
        The cameras.
    """
    if sys.platform == "linux":
        return _listed(sysfs)
    known = (names or _named_by_system)()
    if known:
        return tuple(CameraInfo(i, name) for i, name in enumerate(known))
    found = []
    for index in range(_PROBED):
        capture = (open_capture or open_quietly)(index)
        if capture.isOpened():
            found.append(CameraInfo(index, UserText("camera {number}", number=index)))
        capture.release()
    return tuple(found)


def camera_modes(camera: CameraInfo) -> tuple[CameraMode, ...]:
    """Return the modes of a camera, large and fast ones first; empty if it does not report any."""
    modes = {CameraMode(w, h, round(f, 3), c) for c, w, h, f in camera_formats(camera.path) if f}
    return tuple(sorted(modes, key=lambda m: (m.width * m.height, m.fps, m.fourcc), reverse=True))


def _named_by_system() -> list[str]:
    """Return the camera names in OpenCV's order; empty if the order is unknown."""
    system = {"win32": "dshow", "darwin": "avfoundation"}.get(sys.platform, "")
    try:
        devices = av.enumerate_input_devices(system)
    except (ValueError, OSError, av.FFmpegError):
        return []
    names = [
        d.description or d.name
        for d in devices
        if "video" in d.media_types and not d.description.startswith("Capture screen")
    ]
    # On macOS OpenCV sorts cameras by serial number, so the name is certain only for a single one.
    return names if system == "dshow" or len(names) == 1 else []


def _listed(sysfs: Path) -> tuple[CameraInfo, ...]:
    """Return the cameras in sysfs; of a device's nodes, the one with index 0 gives its images."""
    cameras = []
    for node in sysfs.glob("video*"):
        number = node.name.removeprefix("video")
        try:
            is_first = (node / "index").read_text().strip() == "0"
            name = (node / "name").read_text(errors="replace").strip()
        except OSError:  # The camera has just been unplugged.
            continue
        if is_first and number.isdecimal():
            cameras.append(
                CameraInfo(
                    int(number),
                    name or UserText("camera {number}", number=number),
                    f"/dev/{node.name}",
                )
            )
    return tuple(sorted(cameras, key=lambda c: c.index))


def find_camera(text: str, cameras: tuple[CameraInfo, ...]) -> CameraInfo:
    """Return the camera whose name equals or, if none does, contains a text.

    Args:
        text: The name or a part of it; upper and lower case are the same.
        cameras: The known cameras.

    Returns:
        The camera.

    Raises:
        SourceError: No camera or several cameras match.
    """
    wanted = text.casefold().strip()
    same = [c for c in cameras if c.name.casefold() == wanted]
    near = same or [c for c in cameras if wanted and wanted in c.name.casefold()]
    if len(near) == 1:
        return near[0]
    known = ", ".join(f"{c.index} ({c.name})" for c in cameras) or UserText("none")
    if near:
        raise SourceError(
            "'{text}' matches several cameras: choose one by its number; found: {known}",
            text=text,
            known=known,
        )
    raise SourceError(
        "camera '{text}' was not found: choose one by its number; found: {known}",
        text=text,
        known=known,
    )


def _mode_notes(
    mode: CameraMode | None, width: int, height: int, fps: float
) -> tuple[UserText, ...]:
    if mode is None or (mode.width, mode.height, mode.fps) == (width, height, fps):
        return ()
    asked, given = f"{mode.width}x{mode.height}", f"{width}x{height}"
    if not fps:
        return (
            UserText(
                "requested {asked} at {fps:g} frames per second, the camera delivers {given}",
                asked=asked,
                fps=mode.fps,
                given=given,
            ),
        )
    return (
        UserText(
            "requested {asked} at {fps:g} frames per second, the camera delivers "
            "{given} at {given_fps:g}",
            asked=asked,
            fps=mode.fps,
            given=given,
            given_fps=fps,
        ),
    )
