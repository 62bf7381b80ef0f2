"""A simulated user who performs random actions, reproducible by a seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from steadymark.app.gui.actions.actions import action_specs
from steadymark.app.gui.theme import palette
from steadymark.app.session.live.open_stream import LiveTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QAction

    from steadymark.app.gui.main_window import MainWindow
    from support.fakes.fake_live_sources import PacedDevice

W = TypeVar("W", bound=QWidget)
_LEFT = Qt.MouseButton.LeftButton
_NO_KEY = Qt.KeyboardModifier.NoModifier
_TYPED = ("0:02", "7", "99999", "soon", "-3", "1e9", "f12", "٣", "")


class RandomUser:
    """Operates one window. clips: videos and invalid files. device: used by all cameras."""

    def __init__(
        self, window: MainWindow, clips: Sequence[str], seed: int, device: PacedDevice
    ) -> None:
        self._window, self._clips, self._device = window, clips, device
        self._random = random.Random(seed)
        self.done: list[str] = []
        self._weighted_actions: list[Callable[[], str]] = [
            *[self._command] * 8,
            *[self._key] * 4,
            *[self._choose] * 2,
            self._click_timeline,
            self._drag_view,
            self._wheel,
            self._press,
            self._type,
            self._resize,
            self._drop,
            self._change_theme,
            self._close_dialogs,
            self._open,
            self._open_camera,
            self._toggle_plug,
            self._choose_language,
        ]

    def act(self) -> None:
        """Perform one random action; its description is appended to `done`."""
        if not self._window.session.display.has_source and self._random.random() < 0.5:
            self._perform(self._random.choice((self._open, self._open_camera)))
        else:
            self._perform(self._random.choice(self._weighted_actions))

    def _perform(self, action: Callable[[], str]) -> None:
        self.done.append(action.__name__)
        self.done[-1] = action()

    def _open(self) -> str:
        clip = self._random.choice(self._clips)
        self._window.open_path(clip)
        return f"open {clip}"

    def _open_camera(self) -> str:
        self._device.plug_in()
        self._window.live_controller.open(LiveTarget("camera:0"))
        return "watch"

    def _toggle_plug(self) -> str:
        """Unplug the camera, or plug it in."""
        out = self._random.random() < 0.3
        (self._device.unplug if out else self._device.plug_in)()
        return "unplug" if out else "plug in"

    def _choose_language(self) -> str:
        action = self._random.choice(self._window.options.language_menu.actions())
        action.trigger()
        return f"speak {action.text()}"

    def _actions_by_name(self) -> dict[str, QAction]:
        docks = {d.objectName(): d.toggleViewAction() for d in self._window.docks.all}
        return {k: v for k, v in (self._window.actions_by_name | docks).items() if k != "quit"}

    def _command(self) -> str:
        name, action = self._random.choice(list(self._actions_by_name().items()))
        if action.isEnabled():
            action.trigger()
        return f"command {name}"

    def _key(self) -> str:
        command = self._random.choice([c for c in action_specs() if c.name != "quit"])
        QTest.keySequence(self._window, QKeySequence(command.keys[0]))
        return f"key {command.keys[0]}"

    def _choose(self) -> str:
        boxes = [b for b in self._visible(QComboBox) if b.count()]
        if not boxes:
            return "nothing to choose"
        box = self._random.choice(boxes)
        box.setCurrentIndex(self._random.randrange(box.count()))
        box.activated.emit(box.currentIndex())
        return f"choose {box.accessibleName()}: {box.currentText()}"

    def _press(self) -> str:
        buttons = [b for b in self._visible(QAbstractButton) if self._harmless(b)]
        if not buttons:
            return "nothing to press"
        button = self._random.choice(buttons)
        words = button.text() or button.toolTip()
        button.click()
        return f"press {words}"

    def _harmless(self, button: QAbstractButton) -> bool:
        """Neither a button that quits nor one that opens a menu, which would block."""
        if isinstance(button, QPushButton):
            return button.menu() is None
        if not isinstance(button, QToolButton):
            return True
        opens_menu = button.popupMode() is QToolButton.ToolButtonPopupMode.InstantPopup
        quits = button.defaultAction() is self._window.actions_by_name["quit"]
        return not opens_menu and not quits and button.menu() is None

    def _type(self) -> str:
        fields = self._visible(QLineEdit)
        if not fields:
            return "nothing to type into"
        field, text = self._random.choice(fields), self._random.choice(_TYPED)
        field.setFocus()
        field.selectAll()
        field.insert(text)  # QTest types ASCII only
        field.setModified(True)
        QTest.keyClick(field, Qt.Key.Key_Return)
        return f"type {text}"

    def _visible(self, kind: type[W]) -> list[W]:
        found: list[W] = self._window.findChildren(kind)
        return [w for w in found if w.isVisible() and w.isEnabled()]

    def _point(self, widget: QWidget) -> QPoint:
        across, down = max(1, widget.width()), max(1, widget.height())
        return QPoint(self._random.randrange(across), self._random.randrange(down))

    def _click_timeline(self) -> str:
        return self._drag(self._window.playback_bar.timeline)

    def _drag_view(self) -> str:
        return self._drag(self._window.view)

    def _drag(self, widget: QWidget) -> str:
        if not widget.isVisible():
            return "nothing to drag"
        begin, end = self._point(widget), self._point(widget)
        QTest.mousePress(widget, _LEFT, pos=begin)
        QTest.mouseMove(widget, end)
        QTest.mouseRelease(widget, _LEFT, pos=end)
        if self._random.random() < 0.2:
            QTest.mouseDClick(widget, _LEFT, pos=end)
        return f"drag {widget.accessibleName()}"

    def _wheel(self) -> str:
        view = self._window.view
        at = QPointF(self._point(view))
        turn = QPoint(0, self._random.choice((-1200, -120, 120, 1200)))
        phase = Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(
            at, view.mapToGlobal(at), QPoint(), turn, Qt.MouseButton.NoButton, _NO_KEY, phase, False
        )
        QApplication.sendEvent(view, event)
        return "wheel"

    def _resize(self) -> str:
        if not self._window.isFullScreen():
            self._window.resize(self._random.randrange(400, 1500), self._random.randrange(300, 950))
        return "resize"

    def _drop(self) -> str:
        data, clip = QMimeData(), self._random.choice(self._clips)
        data.setUrls([QUrl.fromLocalFile(clip)])
        action = Qt.DropAction.CopyAction
        self._window.dropEvent(QDropEvent(QPointF(50, 50), action, data, _LEFT, _NO_KEY))
        return f"drop {clip}"

    def _change_theme(self) -> str:
        dark = self._random.random() < 0.5
        QApplication.setPalette(palette(dark=dark))
        return "dark" if dark else "light"

    def _close_dialogs(self) -> str:
        for dialog in self._visible(QDialog):
            dialog.reject()
        return "close dialogs"
