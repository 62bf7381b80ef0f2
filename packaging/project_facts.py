"""Facts that every package needs: the version, the names, and what is bundled.

The version, the publisher with his address, and the public pages are those of pyproject.toml.
Nothing else in this folder holds one. The place where the project is published decides `APP_ID`.

    python packaging/project_facts.py [EXTRA…]    print what pip installs for a bundle
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGING = ROOT / "packaging"
APP_ID = "io.github.steadymark.Steadymark"
NAME = "Steadymark"
SUMMARY = "Track facial landmarks that are accurate and stable"
VIDEO_ENDINGS = ("mp4", "mov", "mkv", "webm", "avi", "m4v", "mpg", "mpeg")
CAMERA_REASON = (
    "Steadymark tracks faces in the picture of your camera. Nothing leaves the computer."
)

# Modules that the program never imports, or only with an extra that the bundle does not have.
EXCLUDED_MODULES = (
    "torch",
    "onnx",
    "onnxscript",
    "tensorboard",
    "h5py",
    "steadymark.models.training",
    "steadymark.models.networks",
    "distributed",
    "matplotlib",
    "pandas",
    "PIL",
    "tkinter",
    "IPython",
    "pytest",
    "setuptools",
    "chardet",
    "pip",
    "PySide6.QtTest",
    "PySide6.QtNetwork",
    "PySide6.QtDBus",
    "readline",
)
# Beginnings of the names of bundled files that the program never opens: Qt's libraries and plug-ins
# for QML, PDF, screens without a desktop, networks with Kerberos, and GTK with its libraries (file
# dialogs come from the portal of the desktop); the examples of libraries; a part of the C library.
UNUSED_FILES = (
    "PySide6/Qt/lib/libQt6Qml",
    "PySide6/Qt/lib/libQt6Quick",
    "PySide6/Qt/lib/libQt6Pdf",
    "PySide6/Qt/lib/libQt6VirtualKeyboard",
    "PySide6/Qt/lib/libQt6Test",
    "PySide6/Qt/lib/libQt6EglF",
    "libQt6EglF",
    "PySide6/Qt/lib/libQt6Network",
    "libQt6Network",
    "PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboard",
    "PySide6/Qt/plugins/imageformats/libqpdf",
    "PySide6/Qt/plugins/generic/",
    "PySide6/Qt/plugins/egldeviceintegrations/",
    "PySide6/Qt/plugins/platforms/libqeglfs",
    "PySide6/Qt/plugins/platforms/libqlinuxfb",
    "PySide6/Qt/plugins/platforms/libqvnc",
    "PySide6/Qt/plugins/platforms/libqvkkhrdisplay",
    "PySide6/Qt/plugins/platforms/libqminimal",
    "PySide6/Qt/plugins/networkinformation/",
    "PySide6/Qt/plugins/tls/",
    "PySide6/Qt/plugins/platformthemes/libqgtk3",
    "PySide6/Qt/qml/",
    "libgdk_pixbuf",
    "libatk",
    "libcairo",
    "libpango",
    "libharfbuzz",
    "libpixman",
    "libthai",
    "libdatrie",
    "libfribidi",
    "libgraphite2",
    "libgtk-",
    "libgdk-",
    "libgio-",
    "libgmodule-",
    "libgobject-",
    "libepoxy",
    "libatspi",
    "libjpeg.so",
    "libmount",
    "libblkid",
    "libselinux",
    "libXcomposite",
    "libXcursor",
    "libXdamage",
    "libXext",
    "libXfixes",
    "libXi.",
    "libXinerama",
    "libXrandr",
    "libXrender",
    "libgssapi_krb5",
    "libkrb5",
    "libk5crypto",
    "libcom_err",
    "libkeyutils",
    "libmvec",
    "pyqtgraph/examples/",
    "pyqtgraph/jupyter/",
)
_UNUSED_METADATA = re.compile(r"\.dist-info/(RECORD$|sboms/)")  # lists of files, lists of parts
QT_LANGUAGES = ("de", "zh_CN")  # those of assets/translations


def project() -> dict[str, Any]:
    """Return the table `project` of pyproject.toml."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


def version() -> str:
    """Return the version of pyproject.toml."""
    return str(project()["version"])


def publisher() -> str:
    """Return the first author of pyproject.toml."""
    return str(project()["authors"][0]["name"])


def maintainer() -> str:
    """Return the first author as `Name <address>`, or the name alone while there is no address."""
    address = project()["authors"][0].get("email")
    return f"{publisher()} <{address}>" if address else publisher()


def public_pages() -> dict[str, str]:
    """Return the table `project.urls` of pyproject.toml, which is empty before the publication."""
    return dict(project().get("urls", {}))


def unknown_facts() -> list[str]:
    """Return a sentence for each fact that a release should have, and pyproject.toml lacks."""
    facts = {
        "the first author has no 'email'": "email" not in project()["authors"][0],
        "'project.urls' has no 'Homepage'": "Homepage" not in public_pages(),
        "'project.urls' has no 'Repository'": "Repository" not in public_pages(),
        "'project.urls' has no 'Issues'": "Issues" not in public_pages(),
    }
    return [f"pyproject.toml: {text}" for text, is_unknown in facts.items() if is_unknown]


def numeric_version() -> tuple[int, int, int, int]:
    """Return the version as the four numbers that Windows wants, such as (0, 1, 0, 0)."""
    numbers = [int("".join(c for c in part if c.isdigit()) or 0) for part in version().split(".")]
    first, second, third, fourth = (*numbers, 0, 0, 0)[:4]
    return first, second, third, fourth


def bundled_requirements(*extras: str) -> list[str]:
    """Return what pip installs for a bundle: the dependencies, with ONNX Runtime for the CPU.

    The build for GPUs is 300 MB larger and needs NVIDIA's libraries, which are no part of it.

    Args:
        extras: Names of `project.optional-dependencies` whose packages are added.
    """
    kept = [line for line in project()["dependencies"] if not line.startswith("onnxruntime")]
    added = [line for name in extras for line in project()["optional-dependencies"][name]]
    return [*kept, "onnxruntime>=1.22", *added]


def is_unused(name: str) -> bool:
    """Return whether the program never opens a bundled file.

    Args:
        name: The path inside the bundle.
    """
    path = name.replace("\\", "/")
    if path.startswith(UNUSED_FILES) or _UNUSED_METADATA.search(path):
        return True
    if "/translations/" in path and path.startswith("PySide6/"):
        return not path.removesuffix(".qm").endswith(QT_LANGUAGES)
    return False


if __name__ == "__main__":
    print("\n".join(bundled_requirements(*sys.argv[1:])))
