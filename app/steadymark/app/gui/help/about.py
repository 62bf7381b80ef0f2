"""The About dialog shows versions, licences and diagnostics for fault reports."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt, QUrl, qVersion
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.theme import icon
from steadymark.app.session.recording.kept_results import MOST_BYTES, delete_kept, kept_bytes
from steadymark.engine.core.face_frames import percent_of
from steadymark.engine.core.version import version
from steadymark.models.runtime.onnxruntime_offline import ort
from steadymark.models.runtime.zoo import list_models

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.app.session.session import Session

_PACKAGES = (
    ("PySide6_Essentials", "LGPL-3.0"),
    ("pyqtgraph", "MIT"),
    ("numpy", "BSD-3-Clause"),
    ("scipy", "BSD-3-Clause"),
    ("opencv-python-headless", "Apache-2.0"),
    ("av", "BSD-3-Clause, with FFmpeg: LGPL-2.1+ and x264: GPL-2.0+"),
    ("onnxruntime-gpu", "MIT"),
    ("onnxruntime", "MIT"),
    ("platformdirs", "MIT"),
    ("pylsl", "MIT"),
)
_LOG_LINES = 30
translate = QCoreApplication.translate


def packages() -> list[tuple[str, str, str]]:
    """Return name, version and licence of each package that the program uses."""
    found = []
    for name, licence in _PACKAGES:
        try:
            found.append((name, metadata.version(name), licence))
        except metadata.PackageNotFoundError:
            continue
    return found


def diagnostics(session: Session, log_file: Path | None) -> str:
    """Return the text that a fault report should contain.

    It includes the recording's name and the last lines of the log file.
    """
    display = session.display
    screen = QGuiApplication.primaryScreen()
    lines = [
        f"Steadymark {version()}",
        f"Python {sys.version.split()[0]} on {platform.platform()}, {platform.machine()}",
        f"Qt {qVersion()}, platform {QGuiApplication.platformName()}",
        f"screen {screen.size().width()}x{screen.size().height()} at {screen.devicePixelRatio():g}",
        *(f"{name} {number}" for name, number, _ in packages()),
        f"ONNX Runtime offers {', '.join(ort.get_available_providers())}",
        f"settings {session.settings}",
        f"phase {display.phase}, device {display.device or 'none'}, recording {display.name!r} "
        f"{display.size[0]}x{display.size[1]}, {display.last + 1} frames, "
        f"{percent_of(display.share, 0):.0f} % processed",
        f"failure: {display.failure or 'none'}",
    ]
    if log_file is not None and log_file.is_file():
        tail = log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        lines += ["", f"last lines of {log_file}:", *tail]
    return "\n".join(lines)


class AboutDialog(QDialog):
    """Dialog that shows versions, licences and where finished tracking is kept.

    Args:
        kept_root: The folder of the kept results.
        parent: The window over which the dialog opens.
    """

    def __init__(self, kept_root: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kept_root = kept_root
        self.setWindowTitle(self.tr("About Steadymark"))
        picture = QLabel()
        picture.setPixmap(icon("steadymark").pixmap(64, 64))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words = QTextBrowser()
        words.setOpenExternalLinks(True)
        words.setHtml(_html())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        self.kept = QLabel()
        self.kept.setWordWrap(True)
        self.kept.setTextFormat(Qt.TextFormat.PlainText)
        self.kept.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.show_folder = QPushButton(self.tr("Show folder"))
        self.show_folder.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(kept_root)))
        )
        self.forget = QPushButton(self.tr("Delete the kept results"))
        self.forget.clicked.connect(self._forget)
        for role_button in (self.show_folder, self.forget):
            buttons.addButton(role_button, QDialogButtonBox.ButtonRole.ActionRole)
        self._show_kept()
        column = QVBoxLayout(self)
        for widget in (picture, words, self.kept, buttons):
            column.addWidget(widget)
        self.resize(520, 520)

    def _show_kept(self) -> None:
        used = kept_bytes(self._kept_root)
        self.kept.setText(
            self.tr(
                "Finished tracking is kept in {folder} and shown again when the same recording is "
                "opened with the same settings: {used} of at most {most}. The oldest results are "
                "removed first."
            ).format(
                folder=self._kept_root,
                used=self.locale().formattedDataSize(used, 1),
                most=self.locale().formattedDataSize(MOST_BYTES, 0),
            )
        )
        self.forget.setEnabled(used > 0)

    def _forget(self) -> None:
        delete_kept(self._kept_root)
        self._show_kept()


def _html() -> str:
    rows = "".join(
        f"<tr><td>{name}</td><td>&nbsp;{number}&nbsp;</td><td>{licence}</td></tr>"
        for name, number, licence in packages()
    )
    motto = translate("about", "Facial landmarks that are accurate and stable.")
    own = translate("about", "The program is under the MIT licence.")
    made, networks = translate("about", "Made with"), translate("about", "Networks")
    models = "".join(f"<p><b>{card.name}</b><br>{card.licence}</p>" for card in list_models())
    return (
        f"<h2 align=center>Steadymark {version()}</h2>"
        f"<p align=center>{motto}</p>"
        f"<p>{own}</p>"
        f"<h3>{made}</h3>"
        f"<table><tr><td>Python</td><td>&nbsp;{platform.python_version()}&nbsp;</td>"
        f"<td>PSF-2.0</td></tr>{rows}</table>"
        f"<h3>{networks}</h3>{models}"
    )
