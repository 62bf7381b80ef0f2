"""Checks of what videos need: decoders, the encoder of annotated videos, cameras."""

from __future__ import annotations

import io
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.app.cli.doctor.check_result import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from steadymark.engine.sources import CameraInfo

log = logging.getLogger(__name__)

_CODECS = "codecs"
_DECODERS = {"h264": "h264", "hevc": "hevc", "av1": "libdav1d", "vp9": "vp9"}
_AGAIN = "install the package av from PyPI again; builds of distributions may lack codecs"
_SIDE_PX = 64
_FRAMES = 3


def check_codecs(find: Callable[[str], object] | None = None) -> Iterator[CheckResult]:
    """Check the decoders of the usual videos, and encode and decode a small H.264 video.

    Args:
        find: Finds a decoder by its name, and raises an exception if there is none; for tests.
    """
    import av

    find = find or (lambda name: av.Codec(name, "r"))
    for shown, name in _DECODERS.items():
        if any(_finds(find, each) for each in (name, shown)):
            yield CheckResult(_CODECS, f"{shown} decoder", CheckState.OK, "available")
        else:
            text = "not in this build of PyAV"
            yield CheckResult(_CODECS, f"{shown} decoder", CheckState.FAULT, text, _AGAIN)
    yield check_h264()


def check_h264() -> CheckResult:
    """Encode some frames as H.264 in memory, and decode them."""
    try:
        count = _encode_and_decode()
    except Exception as error:  # PyAV raises many kinds
        log.debug("h264", exc_info=True)
        text = f"a test video cannot be encoded ({type(error).__name__}: {error})"
        return CheckResult(_CODECS, "h264 encoder", CheckState.FAULT, text, _AGAIN)
    if count != _FRAMES:
        text = f"a test video of {_FRAMES} frames was read with {count} frames"
        return CheckResult(_CODECS, "h264 encoder", CheckState.FAULT, text, _AGAIN)
    return CheckResult(_CODECS, "h264 encoder", CheckState.OK, "a test video was written and read")


def _encode_and_decode() -> int:
    """Return how many frames of a small video are read again."""
    import av
    import numpy as np

    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as output:
        stream = output.add_stream("h264", rate=30)
        stream.width, stream.height, stream.pix_fmt = _SIDE_PX, _SIDE_PX, "yuv420p"
        for level in range(_FRAMES):
            image = np.full((_SIDE_PX, _SIDE_PX, 3), 40 * level, np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        output.mux(stream.encode(None))
    content.seek(0)
    with av.open(content, "r") as source:
        return sum(1 for _ in source.decode(video=0))


def _finds(find: Callable[[str], object], name: str) -> bool:
    try:
        find(name)
    except ValueError:  # PyAV raises an error of its own, which is one
        return False
    return True


def check_cameras(
    find: Callable[[], tuple[CameraInfo, ...]] | None = None,
    *,
    may_open: Callable[[str], bool] = lambda path: os.access(path, os.R_OK | os.W_OK),
) -> Iterator[CheckResult]:
    """List the cameras, and check that the user may open them. No camera is switched on.

    Args:
        find: Lists the cameras; for tests.
        may_open: Returns whether the user may open a device.
    """
    from steadymark.engine.sources import list_cameras

    if sys.platform != "linux" and find is None:
        text = "not tried, since that would switch them on"
        yield CheckResult("cameras", "cameras", CheckState.OK, text, "see 'steadymark cameras'")
        return
    cameras = (find or list_cameras)()
    if not cameras:
        text = "no camera was found; videos need none"
        yield CheckResult("cameras", "cameras", CheckState.NOTE, text, "connect one to track live")
    for camera in cameras:
        name, path = f"camera:{camera.index}", str(camera.path)
        if may_open(path):
            yield CheckResult("cameras", name, CheckState.OK, f"{camera.name} ({path})")
            continue
        advice = f"sudo usermod -aG {_group_of(path)} $USER, then log in again"
        yield CheckResult(
            "cameras", name, CheckState.NOTE, f"{camera.name} ({path}): you may not open it", advice
        )


def _group_of(path: str) -> str:
    """Return the group that may open a device; it is usually `video`."""
    try:
        return Path(path).group()
    except (OSError, KeyError, NotImplementedError):
        return "video"
