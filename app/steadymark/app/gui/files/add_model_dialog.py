"""The dialog that adds a network that has no model card.

It asks how the network is read, shows its accuracy on the demo clip, and asks for its licence.
"""

from __future__ import annotations

import logging
from threading import Thread
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.model_options import (
    COLOURS,
    PIXELS,
    SCALES,
    description_texts,
    parse_network_description,
)
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.output.video.draw_style import VERMILLION
from steadymark.models.face.schema import load_schema
from steadymark.models.own_models.add_model import (
    PreparedModel,
    check_name,
    prepare_model,
    save_model,
)
from steadymark.models.own_models.output_kind import OUTPUT_KINDS
from steadymark.models.runtime.face_score import PEAK
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.runtime.zoo import ModelCard

log = logging.getLogger(__name__)

_TRIAL_DELAY_MS = 700  # delay after the last change until the network is tried again


class AddModelDialog(QDialog):
    """Dialog that describes a network and tries it in a thread after each change.

    Args:
        path: The ONNX file.
        folder: The folder to which models are written; by default the user's own.
        parent: The parent widget.

    Attributes:
        added: Emitted with the model card after it was written.
    """

    added = Signal(object)
    _trial_finished = Signal(int, object, object)

    def __init__(
        self, path: Path, *, folder: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Add a model"))
        self._path, self._folder = path, folder
        self._trial_number, self._thread = 0, Thread()
        self.prepared: PreparedModel | None = None
        self.texts: dict[str, QLineEdit] = {}
        self.choices: dict[str, QComboBox] = {}
        self.name, self.licence, self.data = QLineEdit(path.stem), QLineEdit(), QLineEdit()
        self.trial_result, self.fault = QLabel(), QLabel()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add_button = self.buttons.addButton(
            self.tr("Add"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self._trial_timer = QTimer(self, singleShot=True, interval=_TRIAL_DELAY_MS)
        self._lay_out()
        self._trial_timer.timeout.connect(self.start_trial)
        self._trial_finished.connect(self._on_trial_finished, Qt.ConnectionType.QueuedConnection)
        self.buttons.accepted.connect(self._add)
        self.buttons.rejected.connect(self.reject)
        for edit in (self.name, self.licence, self.data):
            edit.textChanged.connect(lambda _: self._update_add_button())
        self.start_trial()

    def start_trial(self) -> None:
        """Start a thread that determines what the fields leave open.

        Only the result of the newest attempt is used.
        """
        self._trial_timer.stop()
        self._trial_number += 1
        self.prepared = None
        self._show_fault("")
        self.trial_result.setText(self.tr("Running the network on the face of the demo clip…"))
        self._update_add_button()
        typed = {name: edit.text() for name, edit in self.texts.items()}
        typed |= {name: str(box.currentData() or "") for name, box in self.choices.items()}
        self._thread = Thread(
            target=self._run_trial,
            args=(self._trial_number, typed),
            name="network trial",
            daemon=True,
        )
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the current attempt, and return whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # -- construction

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(12)
        words = self.tr(
            "{name} has no model card. What you leave open here is read from the "
            "file, or found by trying."
        )
        column.addWidget(_wrapped(words.format(name=self._path.name)))
        forms = QWidget()
        forms.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        halves = QHBoxLayout(forms)
        halves.setContentsMargins(0, 0, 0, 0)
        halves.setSpacing(24)
        for form in (self._output_form(), self._input_form()):
            halves.addLayout(form, 1)
        column.addWidget(forms)
        for label in (self.trial_result, self.fault):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            column.addWidget(label)
        self.trial_result.setMinimumHeight(5 * self.trial_result.fontMetrics().height())
        colours = self.fault.palette()
        colours.setColor(QPalette.ColorRole.WindowText, QColor(VERMILLION))
        self.fault.setPalette(colours)
        column.addWidget(_wrapped(self.tr("The program cannot find this out by itself:")))
        column.addLayout(self._licence_form())
        column.addStretch(1)
        column.addWidget(self.buttons)
        self.add_button.setDefault(True)
        self.setMinimumWidth(680)

    def _output_form(self) -> QFormLayout:
        kinds = {kind.name: translated(kind.label) for kind in OUTPUT_KINDS.all()}
        units = {
            "pixels": self.tr("pixels"),
            "unit": self.tr("0 … 1"),
            "signed": self.tr("−1 … 1"),
        }
        form = _form()
        self._add_choice(form, "output", self.tr("Output"), kinds)
        self._add_text(form, "output-names", self.tr("Names of outputs"))
        self._add_choice(form, "scale", self.tr("Units"), {key: units[key] for key in SCALES})
        self._add_text(form, "margin", self.tr("Margin"))
        return form

    def _input_form(self) -> QFormLayout:
        form = _form()
        self._add_text(form, "input-size", self.tr("Input size (pixels)"))
        self._add_choice(form, "colours", self.tr("Colours"), {key: key.upper() for key in COLOURS})
        self._add_choice(form, "pixels", self.tr("Value of white"), {key: key for key in PIXELS})
        self._add_text(form, "mean", self.tr("Mean"))
        self._add_text(form, "std", self.tr("Standard deviation"))
        return form

    def _licence_form(self) -> QFormLayout:
        form = _form()
        unknown = self.tr("'unknown' if you do not know")
        self.licence.setPlaceholderText(unknown)
        self.data.setPlaceholderText(unknown)
        for label, edit in (
            (self.tr("Name"), self.name),
            (self.tr("Licence of its weights"), self.licence),
            (self.tr("Trained on"), self.data),
        ):
            edit.setAccessibleName(label)
            form.addRow(label, edit)
        return form

    def _add_text(self, form: QFormLayout, name: str, label: str) -> None:
        edit = QLineEdit()
        edit.setPlaceholderText(self.tr("find out automatically"))
        edit.setAccessibleName(label)
        edit.textChanged.connect(lambda _: self._on_edited())
        self.texts[name] = edit
        form.addRow(label, edit)

    def _add_choice(self, form: QFormLayout, name: str, label: str, known: dict[str, str]) -> None:
        box = QComboBox(sizeAdjustPolicy=QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.addItem(self.tr("find out automatically"), "")
        for key, words in known.items():
            box.addItem(words, key)
        box.setAccessibleName(label)
        box.currentIndexChanged.connect(lambda _: self._on_edited())
        self.choices[name] = box
        form.addRow(label, box)

    # -- trying the network

    def _on_edited(self) -> None:
        self._trial_number += 1  # The result of the current attempt is now out of date.
        self.prepared = None
        self._update_add_button()
        self._trial_timer.start()

    def _run_trial(self, number: int, typed: dict[str, str]) -> None:
        """Try the network; this runs in its own thread."""
        prepared, fault = None, NOTHING
        try:
            prepared = prepare_model(self._path, parse_network_description(typed))
        except SteadymarkError as error:
            fault = error.sentence
        except Exception as error:
            log.exception("trying %s", self._path)
            named = f"{type(error).__name__}: {error}"
            fault = UserText("{path}: {fault}", path=self._path.name, fault=named)
        self._trial_finished.emit(number, prepared, fault)

    def _on_trial_finished(
        self, number: int, prepared: PreparedModel | None, fault: UserText
    ) -> None:
        if number != self._trial_number:
            return
        self.prepared = prepared
        self.trial_result.setText("" if prepared is None else self._result_text(prepared))
        self._show_fault(translated(fault))
        if prepared is not None:
            self._show_found(description_texts(prepared))
        self._update_add_button()

    def _show_found(self, found: dict[str, str]) -> None:
        """Show the values that were found in the fields that were left open."""
        words = self.tr("found: {value}")
        for name, edit in self.texts.items():
            edit.setPlaceholderText(words.format(value=found.get(name, "–")))
        for name, box in self.choices.items():
            place = box.findData(found.get(name, "–"))
            value = box.itemText(place) if place > 0 else "–"
            box.blockSignals(True)
            box.setItemText(0, words.format(value=value))
            box.blockSignals(False)

    def _result_text(self, prepared: PreparedModel) -> str:
        words = self.tr(
            "{count} landmarks; the error on the demo clip is {percent:.1f} % of "
            "the inter-ocular distance."
        )
        count = load_schema(prepared.schema).count
        parts = [words.format(count=count, percent=100 * prepared.error)]
        if prepared.face_score.kind == PEAK:
            parts.append(self.tr("The face score is computed from its heatmaps."))
        else:
            parts.append(
                self.tr(
                    "The network gives no face score. The score is computed by running it "
                    "twice, which takes twice the time."
                )
            )
        return "\n".join([*parts, *(f"⚠ {translated(each)}" for each in prepared.warnings)])

    # -- adding the model

    def _update_add_button(self) -> None:
        stated = all(edit.text().strip() for edit in (self.name, self.licence, self.data))
        self.add_button.setEnabled(self.prepared is not None and stated)

    def _show_fault(self, words: str) -> None:
        self.fault.setText(words)
        self.fault.setVisible(bool(words))

    def _add(self) -> None:
        prepared = self.prepared
        if prepared is None:
            return
        try:
            check_name(self.name.text().strip(), self._folder)
            card: ModelCard = save_model(
                prepared,
                name=self.name.text().strip(),
                licence=self.licence.text(),
                data=self.data.text(),
                folder=self._folder,
            )
        except SteadymarkError as error:
            self._show_fault(translated(error.sentence))
            return
        self.added.emit(card)
        self.accept()


def _form() -> QFormLayout:
    """Return a form layout with its own spacing.

    Without it, the form would inherit the spacing of the layout that contains it.
    """
    form = QFormLayout()
    form.setVerticalSpacing(8)
    form.setHorizontalSpacing(8)
    return form


def _wrapped(text: str) -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    return label
