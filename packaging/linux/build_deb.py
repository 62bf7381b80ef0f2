"""Make a Debian package of dist/steadymark, with its desktop entry, icons and AppStream file.

    python packaging/linux/build_deb.py [--bundle dist/steadymark] [--out dist]

It needs `dpkg-deb`, and PySide6 for the icons.
"""

from __future__ import annotations

import argparse
import datetime
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from icon_files import PNG_SIZES, SVG, png
from project_facts import (
    APP_ID,
    ROOT,
    SUMMARY,
    maintainer,
    public_pages,
    publisher,
    version,
)

LINUX = Path(__file__).resolve().parent
# Libraries that Qt takes from the system; `steadymark doctor` names the same packages.
DEPENDS = (
    "libegl1",
    "libgl1",
    "libglib2.0-0 | libglib2.0-0t64",
    "libdbus-1-3",
    "libfontconfig1",
    "libxcb1",
)
# What Qt also needs on a desktop with Wayland, which has them.
RECOMMENDS = ("libwayland-client0", "libwayland-cursor0", "libwayland-egl1")
_CONTROL = """\
Package: steadymark
Version: {version}
Section: video
Priority: optional
Architecture: {architecture}
Installed-Size: {size_kib}
Depends: {depends}
Recommends: {recommends}
Maintainer: {maintainer}
{homepage}Description: {summary}
 Steadymark finds and tracks 68 facial landmarks in videos and live cameras. The
 landmarks are accurate, and they are still where the face is still.
"""


def main() -> None:
    """Make the package."""
    parser = argparse.ArgumentParser(description="Make a Debian package of the bundle.")
    parser.add_argument("--bundle", type=Path, default=ROOT / "dist" / "steadymark")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.bundle.parent) as folder:
        tree = Path(folder) / "tree"
        lay_out(tree, given.bundle)
        print(pack(tree, given.out))


def lay_out(tree: Path, bundle: Path) -> None:
    """Lay out the files as they are installed.

    Args:
        tree: The folder that stands for the root of the file system.
        bundle: The folder of the program.
    """
    program = tree / "opt" / "steadymark"
    shutil.copytree(bundle, program, symlinks=True, copy_function=_link)
    commands = tree / "usr" / "bin"
    commands.mkdir(parents=True)
    (commands / "steadymark").symlink_to("../../opt/steadymark/steadymark")
    shutil.copy(LINUX / "steadymark-open", commands)
    install_desktop_files(tree / "usr" / "share")
    documents = tree / "usr" / "share" / "doc" / "steadymark"
    documents.mkdir(parents=True)
    shutil.copy(bundle / "licences" / "README.txt", documents / "copyright")


def install_desktop_files(share: Path) -> None:
    """Write desktop entry, icons and AppStream file.

    Args:
        share: The folder that stands for /usr/share.
    """
    entries, metainfo = share / "applications", share / "metainfo"
    for folder in (entries, metainfo):
        folder.mkdir(parents=True)
    shutil.copy(LINUX / "steadymark.desktop", entries)
    (metainfo / f"{APP_ID}.metainfo.xml").write_text(metainfo_text(), encoding="utf-8")
    icons = share / "icons" / "hicolor"
    for size in PNG_SIZES:
        folder = icons / f"{size}x{size}" / "apps"
        folder.mkdir(parents=True)
        (folder / "steadymark.png").write_bytes(png(size))
    scalable = icons / "scalable" / "apps"
    scalable.mkdir(parents=True)
    shutil.copy(SVG, scalable / "steadymark.svg")


def metainfo_text() -> str:
    """Return the AppStream file with the version of pyproject.toml."""
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    day = datetime.datetime.fromtimestamp(seconds, datetime.UTC) if seconds else _now()
    text = (LINUX / "metainfo.xml.in").read_text(encoding="utf-8")
    facts = {
        "APP_ID": APP_ID,
        "DEVELOPER_ID": APP_ID.rpartition(".")[0],
        "SUMMARY": SUMMARY,
        "PUBLISHER": publisher(),
        "VERSION": version(),
        "DATE": f"{day:%Y-%m-%d}",
    }
    for name, value in facts.items():
        text = text.replace(f"@{name}@", html.escape(value))
    return text.replace("  @PAGES@\n", "".join(page_lines()))


def page_lines() -> list[str]:
    """Return the lines of the AppStream file that name the public pages."""
    kinds = {"Homepage": "homepage", "Issues": "bugtracker", "Repository": "vcs-browser"}
    pages = public_pages()
    return [
        f'  <url type="{kind}">{html.escape(pages[name])}</url>\n'
        for name, kind in kinds.items()
        if name in pages
    ]


def least_libc(program: Path) -> str:
    """Return the oldest version of the C library with which a program runs.

    Args:
        program: The folder of the program.
    """
    needed = {0}
    for path in program.rglob("*"):
        if path.is_file() and (".so" in path.name or path.parent == program):
            needed |= {int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)\0", path.read_bytes())}
    return f"2.{max(needed)}"


def pack(tree: Path, out: Path) -> Path:
    """Pack a tree that `lay_out` has made, and return the path of the package.

    Args:
        tree: The folder that stands for the root of the file system.
        out: The folder of the package.
    """
    architecture = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    size = sum(path.lstat().st_size for path in tree.rglob("*"))
    depends = (f"libc6 (>= {least_libc(tree / 'opt' / 'steadymark')})", *DEPENDS)
    homepage = public_pages().get("Homepage")
    control = tree / "DEBIAN" / "control"
    control.parent.mkdir()
    control.write_text(
        _CONTROL.format(
            version=version(),
            architecture=architecture,
            size_kib=size // 1024,
            depends=", ".join(depends),
            recommends=", ".join(RECOMMENDS),
            maintainer=maintainer(),
            homepage=f"Homepage: {homepage}\n" if homepage else "",
            summary=SUMMARY,
        ),
        encoding="utf-8",
    )
    package = out / f"steadymark_{version()}_{architecture}.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--build"]
    subprocess.run([*command, str(tree), str(package)], check=True, stdout=subprocess.DEVNULL)
    return package


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _link(source: str, target: str) -> str:
    """Link a file instead of copying it, since the tree is read once and then removed."""
    os.link(source, target)
    return target


if __name__ == "__main__":
    main()
