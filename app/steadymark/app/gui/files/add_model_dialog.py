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

_WAIT_MS = 700  # delay after the last change until the network is tried again


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
    _tried = Signal(int, object, object)

    def __init__(
        self, path: Path, *, folder: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Add a model"))
        self._path, self._folder = path, folder
        self._number, self._thread = 0, Thread()
        self.prepared: PreparedModel | None = None
        self.texts: dict[str, QLineEdit] = {}
        self.choices: dict[str, QComboBox] = {}
        self.name, self.licence, self.data = QLineEdit(path.stem), QLineEdit(), QLineEdit()
        self.verdict, self.fault = QLabel(), QLabel()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add_button = self.buttons.addButton(
            self.tr("Add"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self._wait = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._lay_out()
        self._wait.timeout.connect(self.try_it)
        self._tried.connect(self._on_tried, Qt.ConnectionType.QueuedConnection)
        self.buttons.accepted.connect(self._add)
        self.buttons.rejected.connect(self.reject)
        for edit in (self.name, self.licence, self.data):
            edit.textChanged.connect(lambda _: self._allow())
        self.try_it()

    def try_it(self) -> None:
        """Start a thread that determines what the fields leave open.

        Only the result of the newest attempt is used.
        """
        self._wait.stop()
        self._number += 1
        self.prepared = None
        self._tell("")
        self.verdict.setText(self.tr("Running the network on the face of the demo clip…"))
        self._allow()
        typed = {name: edit.text() for name, edit in self.texts.items()}
        typed |= {name: str(box.currentData() or "") for name, box in self.choices.items()}
        self._thread = Thread(
            target=self._try, args=(self._number, typed), name="trying a network", daemon=True
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
        for label in (self.verdict, self.fault):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            column.addWidget(label)
        self.verdict.setMinimumHeight(5 * self.verdict.fontMetrics().height())
        colours = self.fault.palette()
        colours.setColor(QPalette.ColorRole.WindowText, QColor(VERMILLION))
        self.fault.setPalette(colours)
        column.addWidget(_wrapped(self.tr("The program cannot find this out by itself:")))
        column.addLayout(self._stated_form())
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
        self._choice(form, "output", self.tr("Output"), kinds)
        self._text(form, "output-names", self.tr("Names of outputs"))
        self._choice(form, "scale", self.tr("Units"), {key: units[key] for key in SCALES})
        self._text(form, "margin", self.tr("Margin"))
        return form

    def _input_form(self) -> QFormLayout:
        form = _form()
        self._text(form, "input-size", self.tr("Input size (pixels)"))
        self._choice(form, "colours", self.tr("Colours"), {key: key.upper() for key in COLOURS})
        self._choice(form, "pixels", self.tr("Value of white"), {key: key for key in PIXELS})
        self._text(form, "mean", self.tr("Mean"))
        self._text(form, "std", self.tr("Standard deviation"))
        return form

    def _stated_form(self) -> QFormLayout:
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

    def _text(self, form: QFormLayout, name: str, label: str) -> None:
        edit = QLineEdit()
        edit.setPlaceholderText(self.tr("find out automatically"))
        edit.setAccessibleName(label)
        edit.textChanged.connect(lambda _: self._changed())
        self.texts[name] = edit
        form.addRow(label, edit)

    def _choice(self, form: QFormLayout, name: str, label: str, known: dict[str, str]) -> None:
        box = QComboBox(sizeAdjustPolicy=QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.addItem(self.tr("find out automatically"), "")
        for key, words in known.items():
            box.addItem(words, key)
        box.setAccessibleName(label)
        box.currentIndexChanged.connect(lambda _: self._changed())
        self.choices[name] = box
        form.addRow(label, box)

    # -- trying the network

    def _changed(self) -> None:
        self._number += 1  # The result of the current attempt is now out of date.
        self.prepared = None
        self._allow()
        self._wait.start()

    def _try(self, number: int, typed: dict[str, str]) -> None:
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
        self._tried.emit(number, prepared, fault)

    def _on_tried(self, number: int, prepared: PreparedModel | None, fault: UserText) -> None:
        if number != self._number:
            return
        self.prepared = prepared
        self.verdict.setText("" if prepared is None else self._described(prepared))
        self._tell(translated(fault))
        if prepared is not None:
            self._show_found(description_texts(prepared))
        self._allow()

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

    def _described(self, prepared: PreparedModel) -> str:
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

    def _allow(self) -> None:
        stated = all(edit.text().strip() for edit in (self.name, self.licence, self.data))
        self.add_button.setEnabled(self.prepared is not None and stated)

    def _tell(self, words: str) -> None:
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
            self._tell(translated(error.sentence))
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
