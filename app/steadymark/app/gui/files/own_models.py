"""The user's own ONNX models in the list of models: adding and removing them."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.files.add_model_dialog import AddModelDialog
from steadymark.app.gui.i18n.translate import translated
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.tracking.mediapipe_landmarks import (
    TASK_SUFFIX,
    mediapipe_card,
    validate_mediapipe_model,
)
from steadymark.engine.tracking.settings import MEDIAPIPE
from steadymark.models.runtime.validate_model import validate_model
from steadymark.models.runtime.zoo import DEFAULT_MODEL, ModelCard, read_card
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QAction

    from steadymark.app.gui.panels.settings_panel import SettingsPanel
    from steadymark.app.gui.preferences import Preferences

log = logging.getLogger(__name__)

_STOP_S = 2.0


class OwnModels(QObject):
    """The user's own models; the files stay where they are and only their paths are stored.

    Attributes:
        message_posted: Emitted with an error message for the user.
        notice_posted: Emitted with a sentence about what was done.
    """

    message_posted = Signal(object)
    notice_posted = Signal(str)
    _validated = Signal(object, object)

    def __init__(
        self, panel: SettingsPanel, preferences: Preferences, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._panel, self._preferences = panel, preferences
        self._thread: Thread | None = None
        self.dialog: AddModelDialog | None = None
        self._validated.connect(self._on_validated, Qt.ConnectionType.QueuedConnection)

    def use_panel(self, panel: SettingsPanel) -> None:
        """Use this settings panel from now on, even while a model is being checked."""
        self._panel = panel
        self._fill()

    def connect_actions(self, actions: Mapping[str, QAction]) -> None:
        actions["add_model"].triggered.connect(lambda: self._choose_file())
        actions["remove_model"].triggered.connect(lambda: self.remove())
        self._panel.model_menu_button.addActions([actions["add_model"], actions["remove_model"]])

    def add(self, path: Path) -> None:
        """Check a model in a thread.

        If it is valid, it is listed and chosen; otherwise a message gives the reason.
        """
        if self._thread is not None and self._thread.is_alive():
            self.message_posted.emit(
                self.tr("Another model is being checked: add this one afterwards.")
            )
            return
        self._thread = Thread(
            target=self._validate, args=(path,), name="model validation", daemon=True
        )
        self._thread.start()

    def remove(self) -> None:
        """Remove the chosen model from the list; its files stay."""
        chosen = self._panel.settings.model
        files = self._preferences.models()
        if chosen not in files:
            words = self.tr(
                "{name} is part of Steadymark and cannot be removed; you can remove "
                "models that you added."
            )
            self.message_posted.emit(words.format(name=Path(chosen).name))
            return
        self._preferences.set_models([file for file in files if file != chosen])
        self._panel.apply_settings(replace(self._panel.settings, model=DEFAULT_MODEL))
        self._fill()
        words = self.tr("{name} was removed from the list; its files were not deleted.")
        self.notice_posted.emit(words.format(name=Path(chosen).name))

    def close(self) -> bool:
        """Wait for a running check, and return whether it has ended."""
        if self.dialog is not None and not self.dialog.wait(_STOP_S):
            return False
        if self._thread is not None:
            self._thread.join(_STOP_S)
            return not self._thread.is_alive()
        return True

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self._panel,
            self.tr("Add a model"),
            "",
            self.tr("Models ({kinds})").format(kinds="*.onnx *.task"),
        )
        if path:
            self.add_or_describe(Path(path))

    def add_or_describe(self, path: Path) -> None:
        """Add a model with its card or of MediaPipe, or ask how to read a network without a card.

        Args:
            path: The .onnx file, or MediaPipe's .task file.
        """
        if path.with_suffix(".json").is_file() or path.suffix == TASK_SUFFIX:
            self.add(path)
            return
        dialog = AddModelDialog(path, parent=self._panel.window())
        dialog.added.connect(lambda card: self._on_validated(card, NOTHING))
        dialog.finished.connect(self._on_dialog_finished)
        self.dialog = dialog
        dialog.open()

    def _on_dialog_finished(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = None

    def _validate(self, path: Path) -> None:
        """Check a model; this runs in its own thread."""
        card, fault = None, NOTHING
        try:
            if path.suffix == TASK_SUFFIX:
                card = validate_mediapipe_model(path.resolve())
            else:
                card = validate_model(path.resolve())
        except SteadymarkError as error:
            fault = error.sentence
        except Exception as error:
            log.exception("checking %s", path)
            named = f"{type(error).__name__}: {error}"
            fault = UserText("{path}: {fault}", path=path.name, fault=named)
        self._validated.emit(card, fault)

    def _on_validated(self, card: ModelCard | None, fault: UserText) -> None:
        if card is None:
            self.message_posted.emit(UserText("The model was not added: {fault}", fault=fault))
            return
        file = f"{MEDIAPIPE}{card.path}" if card.path.suffix == TASK_SUFFIX else str(card.path)
        files = self._preferences.models()
        self._preferences.set_models([*(f for f in files if f != file), file])
        self._fill()
        self._panel.apply_settings(replace(self._panel.settings, model=file))
        self.notice_posted.emit(
            self.tr("{name} was added to the list of models.").format(name=card.name)
        )

    def _fill(self) -> None:
        """List the models; missing files are included, so that the user can remove them."""
        listed = []
        for file in self._preferences.models():
            path = Path(file.removeprefix(MEDIAPIPE))
            try:
                if file.startswith(MEDIAPIPE):
                    card = mediapipe_card(str(path))
                else:
                    card = read_card(path.with_suffix(".json"))
            except SteadymarkError as error:
                listed.append((path.stem, file, translated(error.sentence)))
            else:
                listed.append((card.name, file, f"{card.licence}\n{file}"))
        self._panel.set_own_models(listed)
