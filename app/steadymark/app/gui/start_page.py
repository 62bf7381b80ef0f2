"""The page that the window shows before a recording is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.theme import TITLE, icon, scaled_font
from steadymark.app.session.state import Phase
from steadymark.engine.sources.resolve_input import is_live
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from PySide6.QtGui import QAction, QPaintEvent

    from steadymark.app.session.state import Display

_WORDS_PX = 560


class StartPage(QWidget):
    """The start page.

    Attributes:
        demo: Emitted with the path of the demo clip.
    """

    demo = Signal(str)

    def __init__(
        self, open_action: QAction, camera_action: QAction, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        picture = QLabel()
        picture.setPixmap(icon("steadymark").pixmap(64, 64))
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setFont(scaled_font(self.title.font(), TITLE))
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setFixedWidth(_WORDS_PX)
        self.open = QPushButton(self.tr("Open video…"))
        self.open.clicked.connect(open_action.trigger)
        self.open.setDefault(True)
        self.camera = QPushButton(self.tr("Open camera…"))
        self.camera.clicked.connect(camera_action.trigger)
        self.try_demo = QPushButton(self.tr("Try the demo clip"))
        clip = assets_root() / "clips" / "demo.mp4"
        self.try_demo.clicked.connect(lambda: self.demo.emit(str(clip)))
        self._has_demo = clip.is_file()
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.busy.setFixedWidth(240)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.open)
        buttons.addWidget(self.camera)
        buttons.addWidget(self.try_demo)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.addStretch(3)
        for widget in (picture, self.title, self.words):
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
        column.addWidget(self.busy, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the area on which files can be dropped."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(self.palette().color(QPalette.ColorRole.Mid), 2, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 12, 12)

    def set_display(self, display: Display) -> None:
        opening = display.phase is Phase.OPENING
        self.busy.setVisible(opening)
        self.open.setVisible(not opening)
        self.camera.setVisible(not opening)
        self.try_demo.setVisible(not opening and self._has_demo)
        if opening:
            self.title.setText(self.tr("Opening {name}").format(name=translated(display.name)))
            self.words.setText(
                self.tr("Counting its frames and loading the networks.")
                if not is_live(display.path)
                else self.tr("Waiting for the first frame and loading the networks.")
            )
            return
        self.title.setText(self.tr("Drop a video here, or open a camera"))
        self.words.setText(
            self.tr(
                "Steadymark tracks 68 landmarks on one face or on several, shows how stable "
                "they are, and exports them. Nothing leaves this computer."
            )
        )
