"""Make the libraries of a Linux bundle smaller: no symbols for debuggers, and no library twice."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

_STRIPPED = (
    "libpython*",
    "av/**/*.so",
    "scipy/**/*.so",
    "opencv_python_headless.libs/libaom*",
    "opencv_python_headless.libs/libav*",
    "opencv_python_headless.libs/libpng*",
)
_FFMPEG = ("libavcodec", "libavformat", "libavutil", "libswresample", "libswscale")
# What only the FFmpeg of OpenCV needs.
_FFMPEG_NEEDS = ("libcrypto", "libssl", "libvpx")


def make_libraries_smaller(inner: Path) -> None:
    """Let libraries that are there twice be there once, and remove symbols for debuggers.

    Args:
        inner: The folder `_internal` of the program.
    """
    share_ffmpeg(inner / "opencv_python_headless.libs", inner / "av.libs")
    share_equal_libraries(inner)
    for path in inner.iterdir():
        if path.is_symlink() and not path.exists():
            path.unlink()
    strip_symbols(inner)


def share_ffmpeg(opencv: Path, pyav: Path) -> None:
    """Let OpenCV use the FFmpeg of PyAV, if both are of the same major versions.

    FFmpeg keeps the binary interface of a library as long as its major version is the same. PyAV's
    FFmpeg has more codecs.

    Args:
        opencv: The folder with the libraries of OpenCV's wheel.
        pyav: The folder with the libraries of PyAV's wheel.
    """
    own = {name: path for path in opencv.iterdir() if (name := _ffmpeg_name(path))}
    others = {name: path for path in pyav.iterdir() if (name := _ffmpeg_name(path))}
    if not own or not own.keys() <= others.keys():
        return
    for name, path in own.items():
        _replace_by_link(path, others[name])
    for path in opencv.iterdir():
        if path.name.startswith(_FFMPEG_NEEDS):
            path.unlink()


def share_equal_libraries(inner: Path) -> None:
    """Replace libraries of packages by links to an equal one that another package has brought.

    Args:
        inner: The folder `_internal` of the program.
    """
    first: dict[str, Path] = {}
    for path in sorted(inner.glob("*.libs/*")):
        if path.is_symlink():
            continue
        kept = first.setdefault(path.name, path)
        if kept != path and kept.read_bytes() == path.read_bytes():
            _replace_by_link(path, kept)


def strip_symbols(inner: Path) -> None:
    """Remove the symbols that only debuggers read from the libraries that have many.

    Those of NumPy, and most libraries beside the packages, cannot be loaded any more without them.

    Args:
        inner: The folder `_internal` of the program.
    """
    if shutil.which("strip") is None:
        return
    for pattern in _STRIPPED:
        for path in inner.glob(pattern):
            if not path.is_symlink():
                subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)


def _ffmpeg_name(path: Path) -> str | None:
    """Return name and major version of a library of FFmpeg, such as `libavcodec.so.62`."""
    found = re.fullmatch(r"(\w+)-[0-9a-f]+(\.so\.\d+)\..*", path.name)
    return found[1] + found[2] if found and found[1] in _FFMPEG else None


def _replace_by_link(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(Path("..") / target.parent.name / target.name)
