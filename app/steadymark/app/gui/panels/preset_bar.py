"""The bar that chooses, saves and deletes presets, and shows what they set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QInputDialog,
    QLabel,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.local_numbers import significant_text
from steadymark.app.gui.i18n.stabilizer_names import stabilizer_name
from steadymark.app.gui.widgets.menu_button import make_menu_button, widget_with_button
from steadymark.app.session.presets import Preset, PresetError, Presets
from steadymark.engine.tracking.settings import resolved_stabilizer

if TYPE_CHECKING:
    from steadymark.engine.tracking.settings import TrackSettings


class PresetBar(QWidget):
    """The bar of presets.

    Attributes:
        chosen: Emitted with the TrackSettings of the chosen preset.
        message_posted: Emitted with a message about a preset that cannot be read or saved.
    """

    chosen = Signal(object)
    message_posted = Signal(object)

    def __init__(self, presets: Presets, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets = presets
        self._settings: TrackSettings | None = None
        self.box = QComboBox()
        self.box.setPlaceholderText(self.tr("own settings"))
        self.box.setAccessibleName(self.tr("Preset"))
        self.box.activated.connect(self._on_chosen)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.menu_button = make_menu_button(self.tr("Save, delete and find presets"))
        menu = QMenu(self)
        menu.addAction(self.tr("&Save as preset…"), self._ask_name)
        self.delete_action = menu.addAction(self.tr("&Delete this preset"), self._delete)
        menu.addAction(self.tr("Show the &folder of presets"), self._show_folder)
        self.menu_button.setMenu(menu)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(widget_with_button(self.box, self.menu_button))
        column.addWidget(self.summary)

    def reload(self) -> None:
        """List the presets, and report files that are not valid presets."""
        own, faults = self._presets.own()
        self.box.clear()
        for preset in (*self._presets.shipped(), *own):
            self.box.addItem(preset.name, preset)
            self.box.setItemData(self.box.count() - 1, preset.note, Qt.ItemDataRole.ToolTipRole)
        for fault in faults:
            self.message_posted.emit(fault)
        if self._settings is not None:
            self.show_settings(self._settings)

    def show_settings(self, settings: TrackSettings) -> None:
        """Select the preset that matches these settings, if any, and show a summary."""
        self._settings = settings
        all_of_them = [self.box.itemData(i) for i in range(self.box.count())]
        fitting = [i for i, p in enumerate(all_of_them) if p.with_machine_of(settings) == settings]
        self.box.setCurrentIndex(fitting[0] if fitting else -1)
        preset = self._chosen()
        self.delete_action.setEnabled(preset is not None and preset.path is not None)
        note = [preset.note] if preset is not None and preset.note else []
        self.summary.setText("\n".join([*note, self._summary(settings)]))

    def save(self, name: str) -> None:
        """Save the current settings as a preset with this name."""
        if self._settings is None:
            return
        try:
            self._presets.save(name, self._settings)
        except PresetError as error:
            self.message_posted.emit(error.sentence)
        else:
            self.reload()

    def _chosen(self) -> Preset | None:
        preset = self.box.currentData()
        return preset if isinstance(preset, Preset) else None

    def _on_chosen(self) -> None:
        preset = self._chosen()
        if preset is not None and self._settings is not None:
            self.chosen.emit(preset.with_machine_of(self._settings))

    def _summary(self, settings: TrackSettings) -> str:
        stabilizer = stabilizer_name(resolved_stabilizer(settings))
        values = ", ".join(settings.chosen.summary())
        parts = [Path(settings.model).stem, f"{stabilizer} {values}".rstrip()]
        parts.append(self.tr("%n face(s)", "", settings.tracker.max_faces))
        if settings.detector_threshold is not None:
            words = self.tr("detector from {threshold}")
            parts.append(words.format(threshold=significant_text(settings.detector_threshold, 6)))
        return " · ".join(parts)

    def _ask_name(self) -> None:
        name, sure = QInputDialog.getText(
            self, self.tr("Save as preset"), self.tr("Name of the preset")
        )
        if sure:
            self.save(name)

    def _delete(self) -> None:
        preset = self._chosen()
        if preset is None:
            return
        try:
            self._presets.delete(preset)
        except PresetError as error:
            self.message_posted.emit(error.sentence)
        self.reload()

    def _show_folder(self) -> None:
        try:
            self._presets.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            words = self.tr("The folder {folder} cannot be created: {why}")
            self.message_posted.emit(words.format(folder=self._presets.folder, why=error.strerror))
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._presets.folder)))
