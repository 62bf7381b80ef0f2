"""Build wheel, source archive and the one-folder program dist/steadymark, and list its size.

    python packaging/build_bundle.py [--out FOLDER]

The environment build/bundle-env is made anew. It holds the wheel, its dependencies and PyInstaller.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path

from project_facts import PACKAGING, ROOT, bundled_requirements, is_unused, version
from smaller_libraries import make_libraries_smaller

ENVIRONMENT = ROOT / "build" / "bundle-env"
BUNDLE = ROOT / "dist" / "steadymark"
_LEAST_LISTED_MB = 1.0
_QUICKLY = ("-q", "--no-compile")  # PyInstaller compiles what it takes


def main() -> None:
    """Build the bundle."""
    parser = argparse.ArgumentParser(description="Build the one-folder program.")
    archives = ROOT / "build" / "wheel"
    parser.add_argument(
        "--out", type=Path, default=archives, help="the folder of wheel and source archive"
    )
    out = parser.parse_args().out.resolve()
    python = make_environment()
    check_window_libraries()
    wheel = build_wheel(python, out)
    run(python, "-m", "pip", "install", *_QUICKLY, "--no-deps", str(wheel))
    shutil.rmtree(BUNDLE, ignore_errors=True)
    work = ("--distpath", str(ROOT / "dist"), "--workpath", str(ROOT / "build" / "pyinstaller"))
    spec = str(PACKAGING / "steadymark.spec")
    run(python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *work, spec)
    if sys.platform == "linux":
        make_libraries_smaller(BUNDLE / "_internal")
    run(python, str(PACKAGING / "licence_files.py"), str(BUNDLE))
    print("\n".join(size_lines(BUNDLE)))


def make_environment() -> Path:
    """Make the environment that is bundled anew, and return its Python."""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    venv.create(ENVIRONMENT, with_pip=True)
    folder = "Scripts" if sys.platform == "win32" else "bin"
    python = ENVIRONMENT / folder / ("python.exe" if sys.platform == "win32" else "python")
    requirements = str(PACKAGING / "requirements.txt")
    run(python, "-m", "pip", "install", *_QUICKLY, *bundled_requirements(), "-r", requirements)
    return python


def build_wheel(python: Path, folder: Path) -> Path:
    """Build source archive and wheel of this checkout, and return the path of the wheel.

    Args:
        python: The Python with the tools that build.
        folder: The folder that gets both.
    """
    run(python, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    return folder / f"steadymark-{version()}-py3-none-any.whl"


def run(python: Path, *arguments: str) -> None:
    """Run Python without the paths of this checkout, and end the program if it fails.

    What it prints goes to the error stream, since the other one is for the table of sizes.
    """
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    command = [str(python), *arguments]
    done = subprocess.run(command, check=False, cwd=ROOT, env=clean, stdout=sys.stderr)
    if done.returncode != 0:
        sys.exit(f"'{' '.join(command[:4])} …' failed with exit code {done.returncode}")


def check_window_libraries() -> None:
    """End the program if a library that the window needs is not installed here.

    PyInstaller only warns then, after minutes, and the bundle would lack the library.
    """
    if sys.platform != "linux":
        return
    (packages,) = ENVIRONMENT.glob("lib/python*/site-packages")
    missing: set[str] = set()
    for plugin in (packages / "PySide6" / "Qt" / "plugins" / "platforms").glob("*.so"):
        if not is_unused(str(plugin.relative_to(packages))):
            missing |= missing_libraries(plugin)
    if missing:
        names = ", ".join(sorted(missing))
        sys.exit(f"Qt needs {names}: install the packages that README.md names, and build again")


def missing_libraries(library: Path) -> set[str]:
    """Return which libraries a library needs that are not installed.

    Those of Wayland are passed over: PyInstaller takes them from the desktop where a bundle runs.

    Args:
        library: The file of the library.
    """
    told = subprocess.check_output(["ldd", str(library)], text=True)
    names = {line.split()[0] for line in told.splitlines() if line.endswith("not found")}
    return {name for name in names if not name.startswith("libwayland-")}


def size_lines(bundle: Path) -> list[str]:
    """List how many MB (10⁶ bytes) each part of a bundle takes, the largest first.

    Args:
        bundle: The folder of the program.

    Returns:
        The lines of a table; the last one is the sum.
    """
    sizes: Counter[str] = Counter()
    for path in bundle.rglob("*"):
        if path.is_file() and not path.is_symlink():
            sizes[part_of(path.relative_to(bundle))] += path.stat().st_size
    total = sum(sizes.values())
    large = [(name, size / 1e6) for name, size in sizes.most_common()]
    listed = [(name, size) for name, size in large if size >= _LEAST_LISTED_MB]
    lines = [f"{size:7.1f} MB  {name}" for name, size in listed]
    rest = total / 1e6 - sum(size for _, size in listed)
    return [*lines, f"{rest:7.1f} MB  the rest", f"{total / 1e6:7.1f} MB  together"]


def part_of(path: Path) -> str:
    """Return the part of the program that a file belongs to: a package, or the system."""
    names = path.parts[1:] if path.parts[0] == "_internal" else path.parts
    if names[0] == "steadymark":
        return "/".join(names[:3]) if len(names) > 2 else "steadymark (code)"
    if len(names) == 1 and (".so" in names[0] or names[0].endswith((".dll", ".dylib"))):
        return "libraries of Python and the system"
    return names[0].removesuffix(".libs")


if __name__ == "__main__":
    main()
