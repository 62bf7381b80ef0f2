"""Messages above the video: errors and notes that can be dismissed, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.theme import icon

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 3


class Message(QFrame):
    """One message: a sentence, buttons for what can be done, and a close button."""

    def __init__(
        self,
        text: str,
        choices: list[tuple[str, Callable[[], None]]],
        gone: Callable[[], None],
        sign_name: str,
    ) -> None:
        super().__init__()
        self._told, self._gone = text, gone
        self.setFrameShape(QFrame.Shape.StyledPanel)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 6, 6)
        sign = QLabel()
        sign.setPixmap(icon(sign_name).pixmap(20, 20))
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self._words, 1)
        for label, act in choices:
            button = QPushButton(label)
            button.clicked.connect(lambda _=False, act=act: self._chosen(act))
            row.addWidget(button)
        self.cross = QToolButton()
        self.cross.setAutoRaise(True)
        self.cross.setIcon(icon("close"))
        self.say()
        self.cross.clicked.connect(lambda: gone())
        row.addWidget(self.cross, 0, Qt.AlignmentFlag.AlignTop)

    @property
    def text(self) -> str:
        return self._words.text()

    def say(self) -> None:
        """Show the text in the current language; only a UserText can be translated again."""
        text = translated(self._told)
        self._words.setText(text)
        self.setAccessibleName(text)
        self.cross.setToolTip(self.tr("Dismiss"))
        self.cross.setAccessibleName(self.tr("Dismiss"))

    def _chosen(self, act: Callable[[], None]) -> None:
        self._gone()
        act()


class Messages(QWidget):
    """The list of messages, which shows at most three and repeats none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 6, 6, 0)
        self._column.setSpacing(4)
        self._shown: list[Message] = []
        self.hide()

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self._shown]

    def tell(
        self,
        text: str,
        choices: list[tuple[str, Callable[[], None]]] | None = None,
        *,
        note: bool = False,
    ) -> None:
        """Show a message.

        Args:
            text: The sentence to show.
            choices: Labels and callbacks of buttons.
            note: Whether this is a note and not an error; a message with choices is always a note.
        """
        if translated(text) in self.texts:
            return
        sign = "info" if note or choices else "warning"
        message = Message(text, choices or [], lambda: self._remove(message), sign)
        self._shown.insert(0, message)
        self._column.insertWidget(0, message)
        for old in self._shown[_MOST:]:
            self._remove(old)
        self.show()

    def retranslate(self) -> None:
        """Show each UserText in the current language; other texts stay."""
        for message in self._shown:
            message.say()
        self.setVisible(bool(self._shown))

    def dismiss_all(self) -> None:
        for message in list(self._shown):
            self._remove(message)

    def _remove(self, message: Message) -> None:
        if message in self._shown:
            self._shown.remove(message)
            self._column.removeWidget(message)
            message.hide()
            message.deleteLater()
        self.setVisible(bool(self._shown))
