"""The choice of the face detector: the built-in one, or YuNet with the user's file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QWidget

from steadymark.engine.tracking.settings import MEDIAPIPE, YUNET
from steadymark.models.runtime.zoo import DEFAULT_DETECTOR

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE_ENTRY = ""  # data of the entry that asks for a file


class DetectorChoice(QComboBox):
    """Drop-down list of the detectors; a detector from a file has the file's name.

    Attributes:
        chosen: Emitted with the user's choice, as in `TrackSettings.detector`.
    """

    chosen = Signal(str)

    def __init__(
        self, parent: QWidget | None = None, *, ask: Callable[[], str] | None = None
    ) -> None:
        """Build the list.

        Args:
            parent: The parent widget.
            ask: Returns the user's file, or an empty string; by default a file dialog.
        """
        super().__init__(parent)
        self._ask = ask or self._ask_for_file
        self._detector = DEFAULT_DETECTOR
        self.addItem(self.tr("built-in"), DEFAULT_DETECTOR)
        self.addItem(self.tr("YuNet from a file…"), _FILE_ENTRY)
        hint = self.tr("OpenCV's face detector, with a model file that you choose")
        self.setItemData(self.findData(_FILE_ENTRY), hint, Qt.ItemDataRole.ToolTipRole)
        self.activated.connect(self._on_activated)

    def show_detector(self, detector: str) -> None:
        """Show this detector without emitting `chosen`."""
        self._detector = detector
        if self.findData(detector) < 0:
            place = self.findData(_FILE_ENTRY)
            self.insertItem(place, _detector_text(detector), detector)
            self.setItemData(place, detector, Qt.ItemDataRole.ToolTipRole)
        self.setCurrentIndex(self.findData(detector))

    def _on_activated(self, index: int) -> None:
        wanted = str(self.itemData(index))
        if wanted == _FILE_ENTRY:
            file = self._ask()
            wanted = f"{YUNET}{file}" if file else self._detector
        before = self._detector
        self.show_detector(wanted)
        if wanted != before:
            self.chosen.emit(wanted)

    def _ask_for_file(self) -> str:
        path, _ = QFileDialog.getOpenFileName(
            self.window(),
            self.tr("Choose a YuNet model file"),
            "",
            self.tr("ONNX models ({kinds})").format(kinds="*.onnx"),
        )
        return path


def _detector_text(detector: str) -> str:
    """Return the kind of the detector and the name of its file.

    A name from the model zoo is returned unchanged.
    """
    for prefix, name in ((YUNET, "YuNet"), (MEDIAPIPE, "MediaPipe")):
        if detector.startswith(prefix):
            return f"{name}: {Path(detector.removeprefix(prefix)).name}"
    return Path(detector).stem if detector.endswith(".onnx") else detector
