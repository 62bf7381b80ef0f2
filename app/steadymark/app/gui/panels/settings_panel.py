"""The panel of the tracking settings.

Changes of a filter apply immediately; other changes require tracking again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.local_numbers import number_text
from steadymark.app.gui.i18n.stabilizer_names import stabilizer_name
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.panels.detector_choice import DetectorChoice
from steadymark.app.gui.panels.filter_controls import FilterControls, make_spin_box
from steadymark.app.gui.panels.preset_bar import PresetBar
from steadymark.app.gui.widgets.brief_combo_box import BRIEF_ROLE, BriefComboBox
from steadymark.app.gui.widgets.menu_button import make_menu_button, widget_with_button
from steadymark.app.gui.widgets.scroll_area import in_scroll_area
from steadymark.engine.core.card_figures import card_figures
from steadymark.engine.stabilizers.stabilizer_registry import STABILIZER_REGISTRY
from steadymark.engine.tracking.face_pass import MOST_FACES, MOST_LOOK_EVERY
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.face.schema import IBUG68_3D
from steadymark.models.runtime.onnx_session import DEVICES
from steadymark.models.runtime.zoo import FLOW, ModelCard, list_models, without_followers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from steadymark.app.session.presets import Presets
    from steadymark.engine.stabilizers.stabilizer_registry import ChosenStabilizer

_NEED_TRACKING = (
    "model", "stabilizer", "max_faces", "detector", "detector_threshold", "look_every", "device",
)  # fmt: skip
_WIDEST_LABEL_PX = 84  # Wider labels would leave no room for the fields in German.


class SettingsPanel(QWidget):
    """The panel of the tracking settings.

    Attributes:
        changed: Emitted with the chosen TrackSettings.
        retrack_requested: Emitted when the user asks to track again.
    """

    changed = Signal(object)
    retrack_requested = Signal()

    def __init__(
        self, settings: TrackSettings, presets: Presets, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.presets = PresetBar(presets)
        self.setAccessibleName(self.tr("Settings"))
        self._settings = settings
        self._filling = False
        self.model, self.stabilizer, self.device = BriefComboBox(), QComboBox(), QComboBox()
        self.model_menu_button = make_menu_button(self.tr("Add and remove models"))
        self.filters = {
            entry.name: FilterControls(entry, settings.filter_of(entry.name), self)
            for entry in STABILIZER_REGISTRY.all()
            if entry.parameters
        }
        self.detector = DetectorChoice()
        self.own_threshold = QCheckBox(self.tr("own threshold"))
        self.threshold = make_spin_box(0.0, 1.0, 0.05, "")
        self.max_faces = QSpinBox()
        self.max_faces.setRange(1, MOST_FACES)
        self.look_every = QSpinBox()
        self.look_every.setRange(1, MOST_LOOK_EVERY)
        self.look_every.setPrefix(self.tr("every "))
        self.look_every.setSuffix(self.tr(" frames"))
        self.look_every.setSpecialValueText(self.tr("in every frame"))
        self.focal_length = QSpinBox()
        self.focal_length.setRange(0, 100_000)
        self.focal_length.setSingleStep(50)
        self.focal_length.setSuffix(" px")
        self.focal_length.setSpecialValueText(self.tr("automatic"))
        self.device_in_use = QLabel()
        self.device_in_use.setWordWrap(True)
        self.retrack_notice = QLabel(
            self.tr(
                "These settings require tracking from the beginning: the present "
                "results will be discarded."
            )
        )
        self.retrack_notice.setWordWrap(True)
        self.retrack_button = QPushButton(self.tr("Track again with these settings"))
        self.retrack_buttons = {name: self._again_button() for name in _NEED_TRACKING}
        self.reset = QPushButton(self.tr("Reset to defaults"))
        self._fill_choices()
        self._lay_out()
        self._connect()
        self.show_settings(settings)
        self.set_retrack_needed(needed=False)

    def show_settings(self, settings: TrackSettings) -> None:
        """Show these settings without emitting `changed`."""
        self._filling = True
        self._settings = settings
        _select_value(self.model, settings.model)
        _select_value(self.stabilizer, settings.stabilizer)
        _select_value(self.device, settings.device)
        for name, controls in self.filters.items():
            controls.show_values(settings.filter_of(name))
        self.detector.show_detector(settings.detector)
        self.own_threshold.setChecked(settings.detector_threshold is not None)
        self.threshold.setValue(
            0.5 if settings.detector_threshold is None else settings.detector_threshold
        )
        self.max_faces.setValue(settings.tracker.max_faces)
        self.look_every.setValue(settings.tracker.look_every)
        self.focal_length.setValue(0 if settings.focal_px is None else round(settings.focal_px))
        self._filling = False
        self._show_parameters()
        self.presets.show_settings(settings)

    @property
    def settings(self) -> TrackSettings:
        """Return the chosen settings."""
        return self._settings

    def set_own_models(self, listed: Iterable[tuple[str, str, str]]) -> None:
        """List the user's own models after the shipped ones.

        Args:
            listed: The name, file and tooltip of each model.
        """
        while self.model.count() > self._shipped_models:
            self.model.removeItem(self.model.count() - 1)
        for name, file, hint in listed:
            self.model.addItem(self.tr("{name} (own)").format(name=name), file)
            self.model.setItemData(self.model.count() - 1, hint, Qt.ItemDataRole.ToolTipRole)
        _select_value(self.model, self._settings.model)

    def set_retrack_needed(self, *, needed: bool, changed: Collection[str] = ()) -> None:
        """Show whether the chosen settings require tracking again.

        Args:
            needed: Whether they do.
            changed: The names of the changed settings, as in `settings_to_retrack`.
        """
        self.retrack_notice.setVisible(needed)
        self.retrack_button.setVisible(needed)
        for name, button in self.retrack_buttons.items():
            button.setVisible(needed and name in changed)

    def set_device_in_use(self, device: str) -> None:
        """Show the device that the network runs on; an empty string means that nothing is open."""
        self.device_in_use.setText(
            self.tr("in use: {device}").format(device=device.upper()) if device else ""
        )

    def _again_button(self) -> QPushButton:
        """Return a button that stands below a changed setting."""
        button = QPushButton(self.tr("Track again"))
        button.setToolTip(self.retrack_notice.text())
        button.clicked.connect(self.retrack_requested)
        button.hide()
        return button

    def _fill_choices(self) -> None:
        cards = [c for c in without_followers(list_models()) if c.kind == "landmarks"]
        for card in cards:
            if card.cell is None:
                place = self.model.count()
                self.model.addItem(self._model_text(card), card.name)
                self.model.setItemData(place, card.name, BRIEF_ROLE)
                self.model.setItemData(place, self._model_hint(card), Qt.ItemDataRole.ToolTipRole)
        self._shipped_models = self.model.count()
        there = {FLOW, *(card.cell for card in cards)}
        for entry in STABILIZER_REGISTRY.all():
            if not entry.cell or entry.name in there:
                text = stabilizer_name(entry.name)
                if entry.name == FLOW:
                    text = self.tr("{name} (recommended)").format(name=text)
                self.stabilizer.addItem(text, entry.name)
                self.stabilizer.setItemData(
                    self.stabilizer.count() - 1, translated(entry.help), Qt.ItemDataRole.ToolTipRole
                )
        for name, text in zip(DEVICES, (self.tr("automatic"), "CPU", "CUDA"), strict=True):
            self.device.addItem(text, name)

    def _model_text(self, card: ModelCard) -> str:
        """Return the text of a choice of models, such as `heatmap1d-lite (3.1 ms, 3.12 %)`."""
        figures = card_figures(card)
        if card.schema == IBUG68_3D:
            return self.tr("{name} (3D points)").format(name=card.name)
        if figures is None:
            return card.name
        return self.tr("{name} ({ms} ms, {error} %)").format(
            name=card.name,
            ms=number_text(figures.crop_ms, 1),
            error=number_text(figures.error_percent, 2),
        )

    def _model_hint(self, card: ModelCard) -> str:
        hint = self.tr(
            "In brackets: CPU time of one face on the computer that measured it, and mean error on "
            "300W common in % of the distance of the outer eye corners"
        )
        return card.licence if card_figures(card) is None else f"{hint}\n{card.licence}"

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.addWidget(_group(self.tr("Preset"), [("", self.presets)]))
        models = widget_with_button(self.model, self.model_menu_button)
        self.model.setAccessibleName(self.tr("Model"))
        again = self.retrack_buttons
        column.addWidget(
            _group(self.tr("Landmarks"), [(self.tr("Model"), models), ("", again["model"])])
        )
        stabilizer = [(self.tr("Kind"), self.stabilizer), ("", again["stabilizer"])]
        column.addWidget(_group(self.tr("Stabilizer"), stabilizer))
        self._groups = {name: self._filter_group(c) for name, c in self.filters.items()}
        for group in self._groups.values():
            column.addWidget(group)
        column.addWidget(
            _group(
                self.tr("Faces"),
                [
                    (self.tr("At most"), self.max_faces),
                    ("", again["max_faces"]),
                    (self.tr("Detector"), self.detector),
                    ("", again["detector"]),
                    ("", self.own_threshold),
                    (self.tr("Threshold"), self.threshold),
                    ("", again["detector_threshold"]),
                    (self.tr("Search"), self.look_every),
                    ("", again["look_every"]),
                    (self.tr("Focal length"), self.focal_length),
                ],
            )
        )
        column.addWidget(
            _group(
                self.tr("Device"),
                [
                    (self.tr("Requested"), self.device),
                    ("", again["device"]),
                    ("", self.device_in_use),
                ],
            )
        )
        column.addWidget(self.reset)
        column.addStretch(1)
        _align(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(in_scroll_area(inside), 1)
        below = QVBoxLayout()  # These stay visible when the window is small.
        below.setContentsMargins(9, 0, 9, 6)
        below.addWidget(self.retrack_notice)
        below.addWidget(self.retrack_button)
        whole.addLayout(below)
        self.look_every.setToolTip(
            self.tr(
                "How often the detector searches for more faces while fewer than the "
                "maximum are tracked; it searches for lost faces in every frame"
            )
        )
        self.focal_length.setToolTip(
            self.tr(
                "Focal length of the camera in pixels; the distances of heads are computed from it"
            )
        )
        self.threshold.setToolTip(self.tr("Lowest detector score of a face"))

    def _filter_group(self, controls: FilterControls) -> QGroupBox:
        entry = controls.entry
        group = _group(translated(entry.caption or entry.label), controls.rows())
        if entry.needs_future:
            note = QLabel(
                self.tr("It needs future frames, so it is applied when tracking is finished.")
            )
            note.setWordWrap(True)
            group.layout().addWidget(note)  # type: ignore[union-attr]
        return group

    def _connect(self) -> None:
        for box in (self.model, self.stabilizer, self.device):
            box.activated.connect(self._on_change)
        for controls in self.filters.values():
            controls.changed.connect(self._on_filter)
        self.threshold.valueChanged.connect(self._on_change)
        for count in (self.max_faces, self.look_every, self.focal_length):
            count.setKeyboardTracking(False)
            count.valueChanged.connect(self._on_change)
        self.detector.chosen.connect(self._on_detector)
        self.own_threshold.toggled.connect(self._on_change)
        self.retrack_button.clicked.connect(self.retrack_requested)
        self.presets.chosen.connect(self.apply_settings)
        self.reset.clicked.connect(lambda: self.apply_settings(TrackSettings()))

    def apply_settings(self, settings: TrackSettings) -> None:
        """Apply these settings as if the user had chosen them."""
        self.show_settings(settings)
        self.changed.emit(settings)

    def track_faces(self, count: int) -> None:
        """Track up to this number of faces, from the beginning of the recording."""
        tracker = replace(self._settings.tracker, max_faces=count)
        self.apply_settings(replace(self._settings, tracker=tracker))
        self.retrack_requested.emit()

    def _on_detector(self, detector: str) -> None:
        self._settings = replace(self._settings, detector=detector)
        self._on_change()

    def _on_filter(self, chosen: ChosenStabilizer) -> None:
        self._settings = self._settings.with_filter(chosen)
        self._on_change()

    def _on_change(self) -> None:
        if self._filling:
            return
        own = self.own_threshold.isChecked()
        self._settings = replace(
            self._settings,
            model=str(self.model.currentData()),
            stabilizer=str(self.stabilizer.currentData()),
            device=str(self.device.currentData()),
            detector_threshold=self.threshold.value() if own else None,
            tracker=replace(
                self._settings.tracker,
                max_faces=self.max_faces.value(),
                look_every=self.look_every.value(),
            ),
            focal_px=float(self.focal_length.value()) or None,
        )
        self._show_parameters()
        self.presets.show_settings(self._settings)
        self.changed.emit(self._settings)

    def _show_parameters(self) -> None:
        for name, group in self._groups.items():
            group.setVisible(self._settings.stabilizer == name)
        self.threshold.setEnabled(self.own_threshold.isChecked())


def _group(title: str, rows: Iterable[tuple[str, QWidget]]) -> QGroupBox:
    box = QGroupBox(title)
    column = QVBoxLayout(box)
    form = QFormLayout()
    column.addLayout(form)
    for text, widget in rows:
        if text:
            form.addRow(text, widget)
            widget.setAccessibleName(f"{title}: {text}")
        else:
            form.addRow(widget)
    return box


def _align(panel: QWidget) -> None:
    """Align the fields of all groups, except those with long labels."""
    labels = []
    for form in panel.findChildren(QFormLayout):
        for row in range(form.rowCount()):
            item = form.itemAt(row, QFormLayout.ItemRole.LabelRole)
            if item is not None and (label := item.widget()) is not None:
                labels.append(label)
    wide = (label.sizeHint().width() for label in labels)
    width = max(width for width in wide if width <= _WIDEST_LABEL_PX)
    for label in labels:
        label.setMinimumWidth(width)


def _select_value(box: QComboBox, value: str) -> None:
    """Select the value, and add it first if the list does not contain it."""
    if box.findData(value) < 0:
        box.addItem(value, value)
    box.setCurrentIndex(box.findData(value))
