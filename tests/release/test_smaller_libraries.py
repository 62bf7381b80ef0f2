"""Libraries of a Linux bundle: none is there twice, and those of the window are not missing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from build_bundle import missing_libraries
from smaller_libraries import share_equal_libraries, share_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="bundles of Linux")
PYAV = ("libavcodec-5e6b81c2.so.62.28.102", "libavutil-5809ad29.so.60.26.102", "libx265-1.so.216")


def written(folder: Path, *names: str) -> Path:
    """A folder with files that hold their own names."""
    folder.mkdir()
    for name in names:
        (folder / name).write_text(name)
    return folder


def test_opencv_uses_the_ffmpeg_of_pyav_and_loses_what_only_its_own_needs(tmp_path: Path) -> None:
    pyav = written(tmp_path / "av.libs", *PYAV)
    codec, util = "libavcodec-c4204469.so.62.28.101", "libavutil-befbbc48.so.60.26.101"
    kept = "libopenblasp-r0-59ffcd50.3.15.so"
    opencv = written(tmp_path / "opencv.libs", codec, util, kept, "libvpx-4fb239ff.so.11.0.1")
    share_ffmpeg(opencv, pyav)
    assert {path.name for path in opencv.iterdir()} == {codec, util, kept}
    assert (opencv / codec).read_text() == PYAV[0]
    assert (opencv / util).read_text() == PYAV[1]
    assert not (opencv / codec).readlink().is_absolute()


def test_opencv_keeps_its_ffmpeg_when_one_major_version_differs(tmp_path: Path) -> None:
    pyav = written(tmp_path / "av.libs", *PYAV)
    names = (
        "libavcodec-c4204469.so.62.28.101",
        "libavutil-befbbc48.so.61.1.100",
        "libvpx-4fb239ff.so.11.0.1",
    )
    opencv = written(tmp_path / "opencv.libs", *names)
    share_ffmpeg(opencv, pyav)
    assert {path.name: path.read_text() for path in opencv.iterdir()} == {n: n for n in names}


def test_only_equal_libraries_of_one_name_are_shared(tmp_path: Path) -> None:
    first = written(tmp_path / "numpy.libs", "libgfortran-1.so.5", "libquadmath-1.so.0")
    second = written(tmp_path / "scipy.libs", "libgfortran-1.so.5", "libquadmath-1.so.0")
    (second / "libquadmath-1.so.0").write_text("another")
    share_equal_libraries(tmp_path)
    assert not (first / "libgfortran-1.so.5").is_symlink()
    assert (second / "libgfortran-1.so.5").is_symlink()
    assert (second / "libgfortran-1.so.5").read_text() == "libgfortran-1.so.5"
    assert (second / "libquadmath-1.so.0").read_text() == "another"


def test_missing_libraries_are_named_except_those_of_the_desktop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = (
        "\tlibxcb-cursor.so.0 => not found\n"
        "\tlibwayland-cursor.so.0 => not found\n"
        "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f0)\n"
    )
    monkeypatch.setattr(subprocess, "check_output", lambda *_given, **_named: told)
    assert missing_libraries(tmp_path / "libqxcb.so") == {"libxcb-cursor.so.0"}
