"""The page that the window shows before a recording is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.theme import SMALL, TITLE, icon, scaled_font
from steadymark.app.session.state import Phase
from steadymark.engine.sources.resolve_input import is_live
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction, QPaintEvent

    from steadymark.app.session.state import Display

_TEXT_WIDTH_PX = 560
_MOST_RECENT = 5


class StartPage(QWidget):
    """The start page.

    Attributes:
        demo_requested: Emitted with the path of the demo clip.
        chosen: Emitted with the path of a recent recording.
    """

    demo_requested = Signal(str)
    chosen = Signal(str)

    def __init__(
        self, open_action: QAction, camera_action: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.recent: list[QPushButton] = []
        self._recent_shown: list[tuple[str, bool]] = []
        self._recent_box = QWidget()
        self._rows = QVBoxLayout(self._recent_box)
        picture = QLabel()
        picture.setPixmap(icon("steadymark").pixmap(64, 64))
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setFont(scaled_font(self.title.font(), TITLE))
        self.description = QLabel()
        self.description.setWordWrap(True)
        self.description.setFixedWidth(_TEXT_WIDTH_PX)
        self.open_button = QPushButton(self.tr("Open video…"))
        self.open_button.clicked.connect(open_action.trigger)
        self.open_button.setDefault(True)
        self.camera_button = QPushButton(self.tr("Open camera…"))
        self.camera_button.clicked.connect(camera_action.trigger)
        self.demo_button = QPushButton(self.tr("Try the demo clip"))
        clip = assets_root() / "clips" / "demo.mp4"
        self.demo_button.clicked.connect(lambda: self.demo_requested.emit(str(clip)))
        self._has_demo = clip.is_file()
        self.progress_bar = QProgressBar()
        self.progress_bar.setRange(0, 0)
        self.progress_bar.setTextVisible(False)
        self.progress_bar.setFixedWidth(240)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.camera_button)
        buttons.addWidget(self.demo_button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.addStretch(3)
        for widget in (picture, self.title, self.description):
            if isinstance(widget, QLabel):
                widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            # A row layout asks the label for the height of its text at the real width.
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(widget)
            row.addStretch(1)
            column.addLayout(row)
            column.addSpacing(6)
        column.addLayout(buttons)
        column.addWidget(self._make_recent(), 0, Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.progress_bar, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(4)

    def set_recent(self, paths: Sequence[str]) -> None:
        """Show recent recordings, the newest first; those that are missing cannot be opened."""
        shown = [(path, is_there(path)) for path in paths[:_MOST_RECENT]]
        if shown == self._recent_shown:
            return
        self._recent_shown = shown
        for button in self.recent:
            self._rows.removeWidget(button)
            button.deleteLater()
        self.recent = [self._recent_button(path, there=there) for path, there in shown]
        for button in self.recent:
            self._rows.addWidget(button)
        self._recent_box.setVisible(bool(self.recent))

    def _make_recent(self) -> QWidget:
        self._rows.setContentsMargins(0, 18, 0, 0)
        self._rows.setSpacing(0)
        title = QLabel(self.tr("Recent recordings"))
        title.setFont(scaled_font(title.font(), SMALL))
        title.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        title.setContentsMargins(8, 0, 0, 2)
        self._rows.addWidget(title)
        self._recent_box.setFixedWidth(_TEXT_WIDTH_PX)
        self._recent_box.hide()
        return self._recent_box

    def _recent_button(self, path: str, *, there: bool) -> QPushButton:
        text = self.fontMetrics().elidedText(
            path, Qt.TextElideMode.ElideMiddle, _TEXT_WIDTH_PX - 24
        )
        button = QPushButton(text.replace("&", "&&"))
        button.setObjectName("recent")
        button.setFlat(True)
        button.setEnabled(there)
        button.setToolTip(path if there else self.tr("{path} is missing").format(path=path))
        button.clicked.connect(lambda: self.chosen.emit(path))
        return button

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the area on which files can be dropped."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(self.palette().color(QPalette.ColorRole.Mid), 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 12, 12)

    def set_display(self, display: Display) -> None:
        opening = display.phase is Phase.OPENING
        self.progress_bar.setVisible(opening)
        self._recent_box.setVisible(bool(self.recent) and not opening)
        self.open_button.setVisible(not opening)
        self.camera_button.setVisible(not opening)
        self.demo_button.setVisible(not opening and self._has_demo)
        if opening:
            self.title.setText(self.tr("Opening {name}").format(name=translated(display.name)))
            self.description.setText(
                self.tr("Counting its frames and loading the networks.")
                if not is_live(display.path)
                else self.tr("Waiting for the first frame and loading the networks.")
            )
            return
        self.title.setText(self.tr("Drop a video here, or open a camera"))
        self.description.setText(
            self.tr(
                "Steadymark tracks 68 landmarks on one face or on several, shows how stable "
                "they are, and exports them. Nothing leaves this computer."
            )
        )


def is_there(path: str) -> bool:
    """Return whether a recent recording may still be opened: an address, a file, or a pattern."""
    if is_live(path):
        return True
    file = Path(path)
    return file.exists() or (any(c in file.name for c in "*?%[") and file.parent.is_dir())
