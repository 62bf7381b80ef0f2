"""Checks of Qt: the system libraries that it needs, and whether it can open a window."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import platform
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.app.cli.doctor.check_result import CheckResult, CheckState
from steadymark.app.gui.application import has_display

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_GROUP = "Qt"
_WINDOW_S = 60.0
_MOST_LINES = 3
_FAMILIES = {  # the families of Linux distributions, and how each installs packages
    "debian": "sudo apt-get install",
    "fedora": "sudo dnf install",
    "arch": "sudo pacman -S",
    "suse": "sudo zypper install",
}
# The library, and its package in each family (in the order of _FAMILIES). All are needed by Qt's
# platform plug-in for X11, except those of graphics, fonts and D-Bus, which every window needs.
_LIBRARIES = {
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd", "libEGL1"),
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd", "libGL1"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libglib-2_0-0"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus", "libdbus-1-3"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig", "libfontconfig1"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb", "libx11", "libX11-xcb1"),
    "libxkbcommon-x11.so.0": (
        "libxkbcommon-x11-0",
        "libxkbcommon-x11",
        "libxkbcommon-x11",
        "libxkbcommon-x11-0",
    ),
    "libxcb-cursor.so.0": (
        "libxcb-cursor0",
        "xcb-util-cursor",
        "xcb-util-cursor",
        "libxcb-cursor0",
    ),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm", "libxcb-icccm4"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image", "xcb-util-image", "libxcb-image0"),
    "libxcb-keysyms.so.1": (
        "libxcb-keysyms1",
        "xcb-util-keysyms",
        "xcb-util-keysyms",
        "libxcb-keysyms1",
    ),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb", "libxcb", "libxcb-randr0"),
    "libxcb-render-util.so.0": (
        "libxcb-render-util0",
        "xcb-util-renderutil",
        "xcb-util-renderutil",
        "libxcb-render-util0",
    ),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb", "libxcb", "libxcb-shape0"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb", "libxcb", "libxcb-sync1"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb", "libxcb", "libxcb-xfixes0"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb", "libxcb", "libxcb-xkb1"),
}
_NO_DISPLAY = "there is no display here; the commands work without one"
_DISPLAY_ADVICE = "to use the window, start Steadymark from a desktop"


def check_qt(try_window: Callable[[str], tuple[bool, str]] | None = None) -> Iterator[CheckResult]:
    """Check Qt's system libraries, and open an invisible window.

    Args:
        try_window: Tries Qt on a platform, see `window_on`; for tests.
    """
    if sys.platform == "linux":
        yield check_libraries(missing_libraries(), distribution_family(_os_release()))
    shown = has_display()
    works, text = (try_window or window_on)("" if shown else "offscreen")
    if not works:
        advice = "install the libraries that are missing, or install Steadymark again"
        yield CheckResult(_GROUP, "window", CheckState.FAULT, text, advice)
    elif shown:
        yield CheckResult(_GROUP, "window", CheckState.OK, f"Qt can open a window ({text})")
    else:
        found = f"Qt works, but {_NO_DISPLAY}"
        yield CheckResult(_GROUP, "window", CheckState.NOTE, found, _DISPLAY_ADVICE)


def missing_libraries(load: Callable[[str], object] = ctypes.CDLL) -> list[str]:
    """Return the libraries of the system that Qt needs and that cannot be loaded.

    Args:
        load: Loads a library by its name, and raises OSError if there is none.
    """
    missing = []
    for name in _LIBRARIES:
        try:
            load(name)
        except OSError:
            missing.append(name)
    return missing


def check_libraries(missing: Sequence[str], family: str) -> CheckResult:
    """Tell which libraries are missing, and which packages of the distribution bring them.

    Args:
        missing: Names of libraries, from `missing_libraries`.
        family: A family of distributions, from `distribution_family`; may be empty.
    """
    if not missing:
        text = f"all {len(_LIBRARIES)} are installed"
        return CheckResult(_GROUP, "system libraries", CheckState.OK, text)
    column = list(_FAMILIES).index(family) if family else 0
    packages = " ".join(dict.fromkeys(_LIBRARIES[name][column] for name in missing))
    if family:
        advice = f"{_FAMILIES[family]} {packages}"
    else:
        advice = f"install the packages that Debian calls {packages}"
    text = f"missing: {', '.join(missing)}"
    return CheckResult(_GROUP, "system libraries", CheckState.FAULT, text, advice)


def distribution_family(release: Mapping[str, str]) -> str:
    """Return the family of a Linux distribution, or an empty text if it is another one.

    Args:
        release: The entries of the file os-release.
    """
    names = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}".lower().split()
    synonyms = {"ubuntu": "debian", "rhel": "fedora", "centos": "fedora", "opensuse": "suse"}
    for name in names:
        family = synonyms.get(name.split("-")[0], name.split("-")[0])
        if family in _FAMILIES:
            return family
    return ""


def window_on(platform_name: str) -> tuple[bool, str]:
    """Open an invisible window in a process of its own, since Qt ends a process if it fails.

    Args:
        platform_name: Qt's platform, or an empty text for that of the display.

    Returns:
        Whether it worked, and the platform that Qt chose or else what Qt said.
    """
    with tempfile.TemporaryDirectory(prefix="steadymark-") as folder:
        said = Path(folder) / "qt.txt"
        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(target=_open_window, args=(platform_name, str(said)), daemon=True)
        process.start()
        process.join(_WINDOW_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            return False, f"Qt did not open a window within {_WINDOW_S:g} s"
        lines = _lines_of(said)
        if process.exitcode == 0 and lines:
            return True, lines[-1]
        return False, " ".join(lines[-_MOST_LINES:]) or f"Qt ended with {process.exitcode}"


def _open_window(platform_name: str, said: str) -> None:
    """Open an invisible window; runs in a process whose output goes to the file `said`."""
    file = os.open(said, os.O_WRONLY | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    if platform_name:
        os.environ["QT_QPA_PLATFORM"] = platform_name
    from PySide6.QtCore import qVersion
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QApplication, QWidget

    application = QApplication(["steadymark"])
    window = QWidget()
    window.winId()  # creates the window of the system, which is not shown
    application.processEvents()
    os.write(file, f"\n{QGuiApplication.platformName()}, Qt {qVersion()}\n".encode())


def _lines_of(path: Path) -> list[str]:
    with suppress(OSError):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line.strip() for line in lines if line.strip()]
    return []


def _os_release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
