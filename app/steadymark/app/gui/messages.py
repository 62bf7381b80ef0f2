"""Messages over the upper edge of the video: errors, and notes that go away by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
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

_MAX_MESSAGES = 3
_PASSING_MS = 8000  # long enough to read two sentences


class Message(QFrame):
    """One message: a sentence, buttons for what can be done, and a close button."""

    def __init__(
        self,
        text: str,
        choices: list[tuple[str, Callable[[], None]]],
        on_close: Callable[[], None],
        icon_name: str,
    ) -> None:
        super().__init__()
        self._message, self._on_close = text, on_close
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)  # it lies over the picture
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 6, 6, 6)
        icon_label = QLabel()
        icon_label.setPixmap(icon(icon_name).pixmap(20, 20))
        row.addWidget(icon_label, 0, Qt.AlignmentFlag.AlignTop)
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self._label, 1)
        for label, act in choices:
            button = QPushButton(label)
            button.clicked.connect(lambda _=False, act=act: self._on_choice(act))
            row.addWidget(button)
        self.close_button = QToolButton()
        self.close_button.setAutoRaise(True)
        self.close_button.setIcon(icon("close"))
        self.retranslate()
        self.close_button.clicked.connect(lambda: on_close())
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)

    @property
    def text(self) -> str:
        return self._label.text()

    def retranslate(self) -> None:
        """Show the text in the current language; only a UserText can be translated again."""
        text = translated(self._message)
        self._label.setText(text)
        self.setAccessibleName(text)
        self.close_button.setToolTip(self.tr("Dismiss"))
        self.close_button.setAccessibleName(self.tr("Dismiss"))

    def pass_after(self, milliseconds: int) -> None:
        """Remove the message after this time, but not while the user points at it or uses it."""
        timer = QTimer(self, interval=milliseconds)

        def pass_by() -> None:
            focus = self.focusWidget()
            if not self.underMouse() and not (focus is not None and focus.hasFocus()):
                timer.stop()
                self._on_close()

        timer.timeout.connect(pass_by)
        timer.start()

    def _on_choice(self, act: Callable[[], None]) -> None:
        self._on_close()
        act()


class Messages(QWidget):
    """The list of messages, which shows at most three and repeats none.

    It covers a part of the widget that `lie_over` names and takes no space in a layout.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(6, 6, 6, 0)
        self._column.setSpacing(4)
        self._shown: list[Message] = []
        self._host: QWidget | None = None
        self.passing_ms = _PASSING_MS
        self.hide()

    def lie_over(self, host: QWidget) -> None:
        """Show the messages over the upper edge of this widget from now on."""
        self._host = host
        self.setParent(host.parentWidget())
        host.installEventFilter(self)
        self._arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show):
            self._arrange()
        return False

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self._shown]

    def show_message(
        self,
        text: str,
        choices: list[tuple[str, Callable[[], None]]] | None = None,
        *,
        note: bool = False,
        passing: bool = False,
    ) -> None:
        """Show a message.

        Args:
            text: The sentence to show.
            choices: Labels and callbacks of buttons.
            note: Whether this is a note and not an error; a message with choices is always a note.
            passing: Whether this is a note that goes away by itself, such as a success.
        """
        if translated(text) in self.texts:
            return
        icon_name = "info" if note or choices or passing else "warning"
        message = Message(text, choices or [], lambda: self._remove(message), icon_name)
        self._shown.insert(0, message)
        self._column.insertWidget(0, message)
        if passing:
            message.pass_after(self.passing_ms)
        for old in self._shown[_MAX_MESSAGES:]:
            self._remove(old)
        self._arrange()

    def retranslate(self) -> None:
        """Show each UserText in the current language; other texts stay."""
        for message in self._shown:
            message.retranslate()
        self._arrange()

    def dismiss(self, text: str) -> None:
        """Remove the message with this text, if it is still shown."""
        for message in [one for one in self._shown if one.text == translated(text)]:
            self._remove(message)

    def dismiss_all(self) -> None:
        for message in list(self._shown):
            self._remove(message)

    def _remove(self, message: Message) -> None:
        if message in self._shown:
            self._shown.remove(message)
            self._column.removeWidget(message)
            message.hide()
            message.deleteLater()
        self._arrange()

    def _arrange(self) -> None:
        """Show the messages, if there are any, in the width of the widget below them."""
        if self._shown and self._host is not None:
            width = self._host.width()
            self._column.activate()
            height = min(self._column.totalHeightForWidth(width), self._host.height())
            self.setGeometry(self._host.x(), self._host.y(), width, height)
            self.raise_()
        self.setVisible(bool(self._shown))
