"""Checks of versions: the program, Python, the system and the libraries."""

from __future__ import annotations

import importlib
import logging
import platform
import re
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from steadymark.app.cli.doctor.check_result import CheckResult, CheckState
from steadymark.engine.core.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    FindVersion = Callable[[str], str]

log = logging.getLogger(__name__)

_GROUP = "versions"
_OLDEST_PYTHON = (3, 11)
_ONNX_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")
_OPENCVS = (
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
_MODULES = {  # distribution → the module that it brings
    "numpy": "numpy",
    "scipy": "scipy",
    "opencv-python-headless": "cv2",
    "av": "av",
    "onnxruntime": "steadymark.models.runtime.onnxruntime_offline",
    "PySide6-Essentials": "PySide6",
    "pyqtgraph": "",  # importing it loads Qt, which has its own checks
    "typer": "typer",
    "rich": "rich",
    "platformdirs": "platformdirs",
    "msgspec": "msgspec",
}
_AGAIN = "install Steadymark again in a fresh environment"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)[^;<>=!~]*>=\s*([0-9.]+)")


def check_versions() -> Iterator[CheckResult]:
    """Check the program, Python and the libraries."""
    yield CheckResult(_GROUP, "Steadymark", CheckState.OK, _program_text())
    yield check_python(sys.version_info[:2])
    wanted = least_versions(_requirements())
    for name, module in _MODULES.items():
        yield check_library(name, module, wanted.get(name.lower(), ()))
    yield from check_conflicts()


def check_python(found: tuple[int, int]) -> CheckResult:
    """Check the version of Python.

    Args:
        found: Its major and minor number.
    """
    text = f"{platform.python_version()} on {platform.platform()}, {platform.machine()}"
    if found < _OLDEST_PYTHON:
        return CheckResult(_GROUP, "Python", CheckState.FAULT, text, "install Python 3.11 or later")
    return CheckResult(_GROUP, "Python", CheckState.OK, text)


def check_library(
    name: str, module: str, least: tuple[int, ...], find_version: FindVersion = metadata.version
) -> CheckResult:
    """Check that a library can be imported and is not too old.

    Args:
        name: Name of the distribution.
        module: The module to import; empty imports none.
        least: The oldest version that will do; empty accepts every version.
        find_version: Returns the version of a distribution.
    """
    found = _found_version(name, find_version)
    try:
        if module:
            importlib.import_module(module)
    except Exception as error:  # also what a damaged library raises
        log.debug("importing %s", module, exc_info=True)
        reason = str(error).strip().splitlines() or [type(error).__name__]
        text = f"{found or 'not installed'}; it cannot be imported ({reason[0]})"
        return CheckResult(_GROUP, name, CheckState.FAULT, text, _AGAIN)
    if not found:
        return CheckResult(_GROUP, name, CheckState.FAULT, "not installed", _AGAIN)
    if least and numbers_of(found.rsplit(" ", 1)[-1]) < least:
        oldest = ".".join(map(str, least))
        text = f"{found}, but {oldest} or later is needed"
        return CheckResult(_GROUP, name, CheckState.FAULT, text, _AGAIN)
    return CheckResult(_GROUP, name, CheckState.OK, found)


def check_conflicts(find_version: FindVersion = metadata.version) -> Iterator[CheckResult]:
    """Find packages that overwrite each other's files, and a version of Qt that crashes.

    Args:
        find_version: Returns the version of a distribution.
    """
    for wanted, packages in (("onnxruntime-gpu", _ONNX_RUNTIMES), (_OPENCVS[0], _OPENCVS)):
        found = [name for name in packages if _version_or_none(name, find_version)]
        if len(found) > 1:
            text = f"{' and '.join(found)} overwrite each other's files"
            advice = f"pip uninstall {' '.join(found)}, then pip install {wanted}"
            yield CheckResult(_GROUP, wanted, CheckState.FAULT, text, advice)
    if _version_or_none("PySide6-Essentials", find_version) == "6.12.0":
        text = "6.12.0 crashes after some hundred signals"
        yield CheckResult(
            _GROUP, "Qt", CheckState.FAULT, text, "install another version of PySide6-Essentials"
        )


def least_versions(requirements: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the oldest version of each requirement that names one.

    Args:
        requirements: Lines such as `av>=18`; those of extras are ignored.

    Returns:
        Numbers of the version, by the name in lower case.
    """
    found = {}
    for line in requirements:
        match = _REQUIREMENT.match(line)
        if match and "extra ==" not in line:
            found[match[1].lower()] = numbers_of(match[2])
    return found


def numbers_of(text: str) -> tuple[int, ...]:
    """Return the numbers of a version, such as (6, 7) for `6.7` and for `6.7rc1`."""
    match = re.match(r"[0-9]+(\.[0-9]+)*", text)
    return tuple(int(number) for number in match[0].split(".")) if match else ()


def _found_version(name: str, find_version: FindVersion) -> str:
    """Return the version of a library; that of ONNX Runtime names the package."""
    if name != "onnxruntime":
        return _version_or_none(name, find_version) or ""
    named = [(each, _version_or_none(each, find_version)) for each in _ONNX_RUNTIMES]
    return ", ".join(f"{each} {number}" for each, number in named if number)


def _version_or_none(name: str, find_version: FindVersion) -> str | None:
    try:
        return find_version(name)
    except metadata.PackageNotFoundError:
        return None


def _requirements() -> list[str]:
    try:
        return metadata.requires("steadymark") or []
    except metadata.PackageNotFoundError:
        return []


def _program_text() -> str:
    kind = "bundle" if getattr(sys, "frozen", False) else "package"
    return f"{version()} ({kind}), run by {sys.executable}"
