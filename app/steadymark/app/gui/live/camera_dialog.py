"""The dialog that chooses a camera, with a preview, or the address of a stream."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.local_numbers import significant_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.video.viewport import fitted_viewport
from steadymark.app.gui.video.visible_image import visible_image
from steadymark.app.session.live.open_stream import LiveTarget
from steadymark.engine.sources import CameraMode
from steadymark.engine.sources.live.network_camera import is_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.app.session.live.camera_discovery import CameraDiscovery, CameraList
    from steadymark.engine.core.types import Frame, SourceInfo
    from steadymark.engine.sources import CameraInfo

translate = QCoreApplication.translate

_COMMON = ("640x480@30", "1280x720@30", "1280x720@60", "1920x1080@30", "1920x1080@60")
_BACKGROUND = QColor(22, 22, 24)


class CameraDialog(QDialog):
    """Dialog that chooses a camera or a stream.

    Args:
        discovery: Finds the cameras and opens previews.
        addresses: The addresses that are offered.
        live_path: The path of the open live view, which gets no second preview.
        parent: The parent widget.

    Attributes:
        chosen: Emitted with a LiveTarget.
    """

    chosen = Signal(object)

    def __init__(
        self,
        discovery: CameraDiscovery,
        addresses: Sequence[str],
        *,
        live_path: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Open camera or stream"))
        self._discovery, self._live_path = discovery, live_path
        # The normal frame of the tabs is too light in the dark theme.
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.tabBar().setDrawBase(False)
        self.cameras, self.mode = QListWidget(), QComboBox()
        self.no_camera_hint = QLabel()
        self.search_button = QPushButton(self.tr("Search again"))
        self.address = QComboBox()
        self.preview_button = QPushButton(self.tr("Preview"))
        self.preview, self.status = PreviewImage(), QLabel()
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        self.open_button = self.buttons.button(QDialogButtonBox.StandardButton.Open)
        self._fill_addresses(addresses)
        self._lay_out()
        self._connect()
        self._show_status(self.tr("Searching for cameras…"))
        self._update_buttons()
        discovery.refresh()

    @property
    def target(self) -> LiveTarget | None:
        """Return what is currently chosen, or None."""
        if self.tabs.currentIndex() == 1:
            text = self.address.currentText().strip()
            return LiveTarget(text) if is_network(text) else None
        item = self.cameras.currentItem()
        if item is None:
            return None
        camera: CameraInfo = item.data(Qt.ItemDataRole.UserRole)[0]
        mode: CameraMode | None = self.mode.currentData()
        return LiveTarget(f"camera:{camera.path or camera.index}", mode)

    def done(self, result: int) -> None:
        self._discovery.end()
        super().done(result)

    # -- construction

    def _lay_out(self) -> None:
        self.no_camera_hint.setWordWrap(True)
        self.no_camera_hint.setText(_no_camera_text())
        self.no_camera_hint.hide()
        self.status.setWordWrap(True)
        self.status.setMinimumHeight(3 * self.status.fontMetrics().height())
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop)
        for widget, name in (
            (self.cameras, self.tr("Cameras")),
            (self.mode, self.tr("Mode")),
            (self.address, self.tr("Address")),
            (self.preview, self.tr("Preview")),
        ):
            widget.setAccessibleName(name)
        here = QWidget()
        column = QVBoxLayout(here)
        column.addWidget(self.cameras, 1)
        column.addWidget(self.no_camera_hint, 1)
        form = QFormLayout()
        form.addRow(self.tr("Mode"), self.mode)
        column.addLayout(form)
        column.addWidget(self.search_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.tabs.addTab(here, self.tr("&Cameras"))
        self.tabs.addTab(self._network_page(), self.tr("&Network"))
        right = QVBoxLayout()
        right.addWidget(self.preview, 1)
        right.addWidget(self.status)
        both = QHBoxLayout()
        both.addWidget(self.tabs, 2)
        both.addLayout(right, 3)
        whole = QVBoxLayout(self)
        whole.addLayout(both, 1)
        whole.addWidget(self.buttons)
        self.resize(760, 420)

    def _network_page(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.addWidget(self.address)
        hint = QLabel(
            self.tr(
                "The address of a network camera: RTSP, RTMP, or MJPEG over HTTP, for "
                "example rtsp://user:password@192.168.0.10/stream. Passwords are not "
                "saved."
            )
        )
        hint.setWordWrap(True)
        column.addWidget(hint)
        column.addWidget(self.preview_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        return page

    def _fill_addresses(self, addresses: Sequence[str]) -> None:
        self.address.setEditable(True)
        self.address.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.address.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.address.addItems(list(addresses))
        edit = self.address.lineEdit()
        assert edit is not None
        edit.setPlaceholderText("rtsp://… , http://…")

    def _connect(self) -> None:
        discovery = self._discovery
        discovery.cameras_found.connect(self._on_found)
        discovery.frame_changed.connect(self._on_frame_changed)
        discovery.info_changed.connect(self._on_info_changed)
        discovery.message_posted.connect(self._show_status)
        self.cameras.currentItemChanged.connect(lambda *_: self._on_camera())
        self.cameras.itemActivated.connect(lambda _: self._accept())
        self.mode.activated.connect(lambda _: self._show_preview())
        self.search_button.clicked.connect(self._search_again)
        self.preview_button.clicked.connect(self._show_preview)
        self.address.editTextChanged.connect(lambda _: self._on_address())
        self.tabs.currentChanged.connect(lambda _: self._on_tab())
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)

    # -- signal handlers

    def _on_found(self, known: CameraList) -> None:
        self.cameras.clear()
        for camera, modes in known:
            name = translated(camera.name)
            text = f"{name}   {camera.path}" if camera.path else name
            item = QListWidgetItem(text, self.cameras)
            item.setData(Qt.ItemDataRole.UserRole, (camera, modes))
        self.cameras.setVisible(bool(known))
        self.no_camera_hint.setVisible(not known)
        self.mode.setEnabled(bool(known))
        if known:
            self.cameras.setCurrentRow(0)
        elif self.tabs.currentIndex() == 0:
            self._show_status("")
        self._update_buttons()

    def _on_camera(self) -> None:
        item = self.cameras.currentItem()
        self.mode.clear()
        if item is not None:
            self.mode.addItem(self.tr("default of the camera"), None)
            modes = item.data(Qt.ItemDataRole.UserRole)[1]
            for mode in modes or map(CameraMode.parse, _COMMON):
                self.mode.addItem(_mode_text(mode), mode)
            self._show_preview()
        self._update_buttons()

    def _on_address(self) -> None:
        self._discovery.hide()
        self.preview.show_frame(None)
        text = self.address.currentText().strip()
        wrong = text and not is_network(text)
        self._show_status(
            self.tr("The address must begin with rtsp://, rtmp:// or http://") if wrong else ""
        )
        self._update_buttons()

    def _on_tab(self) -> None:
        self._discovery.hide()
        self.preview.show_frame(None)
        self._show_status("")
        if self.tabs.currentIndex() != 0:
            self.address.setFocus()
        elif self.target is not None:
            self._show_preview()
        self._update_buttons()

    def _show_preview(self) -> None:
        target = self.target
        self._discovery.hide()
        self.preview.show_frame(None)
        if target is None:
            return
        if target.text == self._live_path:
            self._show_status(self.tr("This camera is open already."))
            return
        self._show_status(self.tr("Opening…"))
        self._discovery.show(target)

    def _on_frame_changed(self) -> None:
        self.preview.show_frame(self._discovery.frame)

    def _on_info_changed(self, info: SourceInfo) -> None:
        parts = [f"{info.width} × {info.height}"]
        parts += [f"{significant_text(info.fps, 4)} fps"] if info.fps else []
        self._show_status("\n".join([", ".join(parts), *map(translated, info.notes)]))

    def _search_again(self) -> None:
        self._discovery.hide()
        self.preview.show_frame(None)
        self._show_status(self.tr("Searching for cameras…"))
        self._discovery.refresh()

    def _accept(self) -> None:
        target = self.target
        if target is not None:
            self.accept()
            self.chosen.emit(target)

    def _update_buttons(self) -> None:
        there = self.target is not None
        self.open_button.setEnabled(there)
        self.preview_button.setEnabled(there)

    def _show_status(self, text: str) -> None:
        self.status.setText(translated(text))


class PreviewImage(QWidget):
    """Widget that shows the newest picture as large as fits."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(240, 180)
        self.frame: Frame | None = None

    def sizeHint(self) -> QSize:
        return QSize(420, 300)

    def show_frame(self, frame: Frame | None) -> None:
        self.frame = frame
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), _BACKGROUND)
        if self.frame is None:
            return
        size, ratio = (float(self.width()), float(self.height())), self.devicePixelRatioF()
        port = fitted_viewport((self.frame.width, self.frame.height), size)
        image, place = visible_image(self.frame.image, port, size, ratio)
        painter.drawImage(
            QRectF(
                place.x() / ratio,
                place.y() / ratio,
                place.width() / ratio,
                place.height() / ratio,
            ),
            image,
        )


def _mode_text(mode: CameraMode) -> str:
    text = f"{mode.width} × {mode.height}, {significant_text(mode.fps, 4)} fps"
    return f"{text}, {mode.fourcc}" if mode.fourcc else text


def _no_camera_text() -> str:
    text = translate(
        "CameraDialog",
        "No camera was found. Connect one and search again, or enter the "
        "address of a network camera.",
    )
    if sys.platform == "linux":
        text += "\n\n" + translate(
            "CameraDialog",
            "If a camera is connected, your user account may not have access to "
            "it: check that /dev/video0 exists, and join the group 'video'.",
        )
    elif sys.platform == "darwin":
        text += "\n\n" + translate(
            "CameraDialog",
            "If a camera is connected, allow access to it in System Settings, Privacy & Security.",
        )
    else:
        text += "\n\n" + translate(
            "CameraDialog", "If a camera is connected, allow access to it in Settings, Privacy."
        )
    return text
