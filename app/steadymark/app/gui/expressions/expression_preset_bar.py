"""The bar that chooses, saves, imports and exports presets of expression settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QInputDialog, QMenu, QWidget

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.widgets.menu_button import make_menu_button
from steadymark.app.session.expressions.expression_presets import ExpressionPreset
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.expressions.expression_files import NamedExpressions, write_expressions
from steadymark.engine.expressions.expression_settings import AS_MEASURED

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.expressions.expression_presets import ExpressionPresets
    from steadymark.engine.expressions.expression_settings import ExpressionSettings

_SUFFIX = ".json"


class ExpressionPresetBar(QWidget):
    """The bar of presets. The first entry leaves all shapes as they are measured.

    Attributes:
        chosen: Emitted with the ExpressionSettings of the chosen preset.
        fault: Emitted with what failed, as a translated text; empty when nothing has failed.
    """

    chosen = Signal(object)
    fault = Signal(str)

    def __init__(self, presets: ExpressionPresets, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets = presets
        self._settings = AS_MEASURED
        self.box = QComboBox()
        self.box.setPlaceholderText(self.tr("own settings"))
        self.box.setAccessibleName(self.tr("Preset"))
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.box.setMinimumContentsLength(16)
        self.box.activated.connect(self._on_chosen)
        button = make_menu_button(self.tr("Save, delete, import and export presets"))
        menu = QMenu(self)
        menu.addAction(self.tr("&Save as preset…"), self._ask_name)
        self.delete_action = menu.addAction(self.tr("&Delete this preset"), self._delete)
        menu.addSeparator()
        menu.addAction(self.tr("&Import a file…"), self._ask_import)
        menu.addAction(self.tr("&Export to a file…"), self._ask_export)
        menu.addAction(self.tr("Show the &folder of presets"), self._show_folder)
        button.setMenu(menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.box, 1)
        row.addWidget(button)

    def reload(self) -> None:
        """List the presets, and report files that are none."""
        presets, faults = self._presets.all()
        self.box.clear()
        self.box.addItem(self.tr("As measured"), AS_MEASURED)
        for preset in presets:
            self.box.addItem(preset.name, preset)
        self.fault.emit("\n".join(map(translated, faults)))
        self.show_settings(self._settings)

    def show_settings(self, settings: ExpressionSettings) -> None:
        """Select the preset that has these settings, if any."""
        self._settings = settings
        fitting = [i for i in range(self.box.count()) if self._settings_at(i) == settings]
        self.box.setCurrentIndex(fitting[0] if fitting else -1)
        self.delete_action.setEnabled(isinstance(self.box.currentData(), ExpressionPreset))

    def save(self, name: str) -> None:
        """Save the current settings as a preset with this name."""
        self._try(lambda: self._presets.save(name, self._settings))

    def import_file(self, path: Path) -> None:
        """Save the settings of a file as a preset, and choose it."""
        self._try(lambda: self.chosen.emit(self._presets.import_file(path).settings))

    def export_file(self, path: Path) -> None:
        """Write the current settings into a file, whose stem becomes their name."""
        named = NamedExpressions(path.stem, self._settings)
        self._try(lambda: write_expressions(path, named))

    def _settings_at(self, index: int) -> ExpressionSettings | None:
        data = self.box.itemData(index)
        return data.settings if isinstance(data, ExpressionPreset) else data

    def _on_chosen(self, index: int) -> None:
        settings = self._settings_at(index)
        if settings is not None:
            self.chosen.emit(replace(settings))

    def _try(self, action: Callable[[], object]) -> None:
        """Do something with files, list the presets anew, and report what failed."""
        failed = ""
        try:
            action()
        except SteadymarkError as error:
            failed = translated(error.sentence)
        self.reload()
        if failed:
            self.fault.emit(failed)

    def _ask_name(self) -> None:
        name, sure = QInputDialog.getText(
            self, self.tr("Save as preset"), self.tr("Name of the preset")
        )
        if sure:
            self.save(name)

    def _delete(self) -> None:
        preset = self.box.currentData()
        if isinstance(preset, ExpressionPreset):
            self._try(lambda: self._presets.delete(preset))

    def _ask_import(self) -> None:
        kinds = self.tr("Expression settings ({kind})").format(kind=f"*{_SUFFIX}")
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Import expressions"), "", kinds)
        if path:
            self.import_file(Path(path))

    def _ask_export(self) -> None:
        kinds = self.tr("Expression settings ({kind})").format(kind=f"*{_SUFFIX}")
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export expressions"), "", kinds)
        if path:
            file = Path(path)
            self.export_file(file if file.suffix else file.with_suffix(_SUFFIX))

    def _show_folder(self) -> None:
        folder = self._presets.folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            words = self.tr("The folder {folder} cannot be created: {why}")
            self.fault.emit(words.format(folder=folder, why=error.strerror))
            return
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
