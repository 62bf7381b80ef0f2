"""Collect the licences of everything that a bundle contains into its folder `licences`.

    python packaging/licence_files.py dist/steadymark

It runs in the environment that was bundled. The libraries of the system are found by `dpkg`, on
Debian and Ubuntu.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from project_facts import PACKAGING, ROOT

_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|authors|copyright|third.?party)", re.I)
_CODE = (".py", ".pyc", ".pyi", ".so", ".dll", ".json", ".h", ".png")
_TOOLS = {"pip", "setuptools"}
_NOTE = """\
Licences of what this program contains
======================================

Steadymark itself is under the MIT licence (steadymark/LICENSE).

The shipped networks were trained on annotations of 300W, which are for research purposes only;
the model cards (_internal/steadymark/assets/weights/*.json) say so for each network.

Qt and PySide6 are under the LGPL, version 3 (texts/LGPL-3.txt). They are shared libraries in this
folder, which you may replace by your own builds.

PyAV and OpenCV bring shared libraries of FFmpeg (LGPL, version 2.1 or later: texts/LGPL-2.1.txt;
those of PyAV: version 3). On Linux, OpenCV uses those of PyAV where both are of one version. Those
of PyAV use x264 and x265, which are under the GPL, version 2 or later (texts/GPL-2.txt). texts/av
holds the licences of all libraries in PyAV's build, as Debian collects them; opencv-python-headless
holds those of OpenCV's build.

THIS PROGRAM AS A WHOLE IS THEREFORE UNDER THE GPL, VERSION 3 OR LATER (texts/GPL-3.txt; version 3
since Qt's licence is of version 3). If you pass it on, you must offer the sources of what it
contains. The projects publish the sources of these libraries under the version numbers below.

"""


def main() -> None:
    """Collect the licences."""
    bundle = Path(sys.argv[1])
    folder = bundle / "licences"
    shutil.rmtree(folder, ignore_errors=True)
    lines = [*copy_of_packages(folder), copy_of_python(folder), *copy_of_system(bundle, folder)]
    shutil.copytree(PACKAGING / "licences", folder / "texts")
    (folder / "steadymark").mkdir(exist_ok=True)
    shutil.copy(ROOT / "LICENSE", folder / "steadymark" / "LICENSE")
    (folder / "README.txt").write_text(_NOTE + "\n".join(lines) + "\n", encoding="utf-8")


def bundled_distributions() -> list[metadata.Distribution]:
    """Return the installed packages that Steadymark needs, with those that these need."""
    found: dict[str, metadata.Distribution] = {}
    waiting = ["steadymark", "onnxruntime"]
    while waiting:
        name = plain_name(waiting.pop())
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # a requirement for another system
        needed = [line for line in found[name].requires or () if "extra ==" not in line]
        waiting += [re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0] for line in needed]
    return [found[name] for name in sorted(found) if name not in _TOOLS]


def copy_of_packages(folder: Path) -> list[str]:
    """Copy the licence files of the Python packages, and return a line for each package."""
    lines = []
    for package in bundled_distributions():
        name, copied = plain_name(package.name), 0
        for file in package.files or ():
            if not _LICENCE_FILE.search(file.name) and "licenses" not in file.parts:
                continue
            source = Path(str(file.locate()))
            if source.is_file() and not file.name.endswith(_CODE):
                target = folder / name / "_".join(file.parts[-2:])
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
                copied += 1
        lines.append(f"{package.name} {package.version}: {licence_of(package)} ({copied} files)")
    return lines


def licence_of(package: metadata.Distribution) -> str:
    """Return what the metadata of a package says of its licence, in one line."""
    fields = package.metadata
    for key in ("License-Expression", "License"):
        if fields[key]:
            return str(fields[key]).strip().splitlines()[0][:100]
    kinds = [line for line in fields.get_all("Classifier") or () if line.startswith("License ::")]
    return kinds[0].rsplit(" :: ", 1)[-1] if kinds else "see its files"


def copy_of_python(folder: Path) -> str:
    """Copy Python's licence, and return its line."""
    for place in (Path(sysconfig.get_path("stdlib")), Path(sys.base_prefix)):
        source = place / "LICENSE.txt"
        if source.is_file():
            (folder / "python").mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / "python" / "LICENSE.txt")
            break
    return f"Python {sys.version.split()[0]}: PSF-2.0"


def copy_of_system(bundle: Path, folder: Path) -> list[str]:
    """Copy the copyright files of bundled system libraries, and return a line for each package."""
    if shutil.which("dpkg-query") is None:
        return []
    found = (bundle / "_internal").glob("lib*.so*")
    names = sorted(path.name for path in found if not path.is_symlink())
    lines = []
    for package in debian_packages(names):
        source = Path("/usr/share/doc") / package / "copyright"
        if source.is_file():
            (folder / "system").mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / "system" / f"{package}.txt")
        lines.append(f"{package} {debian_version(package)}: see system/{package}.txt")
    return lines


def debian_packages(libraries: list[str]) -> list[str]:
    """Return the Debian packages to which libraries of the system belong, sorted.

    Args:
        libraries: Names of files. Those that belong to no package are passed over.
    """
    patterns = [f"*/{name}" for name in libraries]
    run = subprocess.run(
        ["dpkg-query", "-S", *patterns], capture_output=True, text=True, check=False
    )
    owners = [line for line in run.stdout.splitlines() if not line.startswith("diversion ")]
    return sorted({line.split(":")[0] for line in owners})


def debian_version(package: str) -> str:
    """Return the installed version of a Debian package."""
    run = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}\\n", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return (run.stdout.splitlines() or ["?"])[0]


def plain_name(name: str) -> str:
    """Return the form of a package name in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
