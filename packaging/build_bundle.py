"""Build the one-folder program dist/steadymark in a clean environment, and list its size.

    python packaging/build_bundle.py [--wheel FILE]

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

from project_facts import PACKAGING, ROOT, bundled_requirements

ENVIRONMENT = ROOT / "build" / "bundle-env"
BUNDLE = ROOT / "dist" / "steadymark"
_LEAST_LISTED_MB = 1.0


def main() -> None:
    """Build the bundle."""
    parser = argparse.ArgumentParser(description="Build the one-folder program.")
    parser.add_argument("--wheel", type=Path, help="the wheel; by default it is built")
    wheel = parser.parse_args().wheel
    python = make_environment()
    wheel = wheel or build_wheel(python, ROOT / "build" / "wheel")
    run(python, "-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", str(wheel))
    shutil.rmtree(BUNDLE, ignore_errors=True)
    work = ("--distpath", str(ROOT / "dist"), "--workpath", str(ROOT / "build" / "pyinstaller"))
    spec = str(PACKAGING / "steadymark.spec")
    run(python, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *work, spec)
    check_window_libraries(BUNDLE)
    strip_symbols(BUNDLE)
    run(python, str(PACKAGING / "licence_files.py"), str(BUNDLE))
    print("\n".join(size_lines(BUNDLE)))


def make_environment() -> Path:
    """Make the environment that is bundled anew, and return its Python."""
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    venv.create(ENVIRONMENT, with_pip=True)
    folder = "Scripts" if sys.platform == "win32" else "bin"
    python = ENVIRONMENT / folder / ("python.exe" if sys.platform == "win32" else "python")
    requirements = str(PACKAGING / "requirements.txt")
    run(python, "-m", "pip", "install", "-q", *bundled_requirements(), "-r", requirements)
    return python


def build_wheel(python: Path, folder: Path) -> Path:
    """Build the wheel of this checkout, and return its path."""
    shutil.rmtree(folder, ignore_errors=True)
    run(python, "-m", "build", "-w", "--no-isolation", "--outdir", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


def run(python: Path, *arguments: str) -> None:
    """Run Python without the paths of this checkout, and end the program if it fails."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    subprocess.run([str(python), *arguments], check=True, cwd=ROOT, env=clean)


def check_window_libraries(bundle: Path) -> None:
    """End the program if the bundle lacks a library that its window needs.

    PyInstaller only warns when a library of Qt is not installed where the bundle is built.

    Args:
        bundle: The folder of the program.
    """
    if sys.platform != "linux":
        return
    inner = bundle / "_internal"
    missing: set[str] = set()
    for plugin in (inner / "PySide6" / "Qt" / "plugins" / "platforms").glob("*.so"):
        told = subprocess.check_output(["ldd", str(plugin)], text=True)
        missing |= {line.split()[0] for line in told.splitlines() if line.endswith("not found")}
    if missing:
        names = ", ".join(sorted(missing))
        sys.exit(f"Qt needs {names}: install the packages that README.md names, and build again")


def strip_symbols(bundle: Path) -> None:
    """Remove the symbols that only debuggers read from the libraries that have many.

    Those of NumPy and the libraries beside the packages cannot be loaded any more without them.

    Args:
        bundle: The folder of the program.
    """
    if sys.platform != "linux" or shutil.which("strip") is None:
        return
    inner = bundle / "_internal"
    libraries = [*inner.glob("libpython*"), *inner.glob("av/**/*.so"), *inner.glob("scipy/**/*.so")]
    for path in libraries:
        subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)


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
