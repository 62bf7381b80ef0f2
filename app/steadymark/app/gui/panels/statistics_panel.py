"""The panel of the measures, which tell jitter from motion."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from steadymark.app.gui.i18n.display_names import landmark_name, variant_description, variant_name
from steadymark.app.gui.i18n.local_numbers import local_decimals, number_text, share_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.panels.comparison_table import short_text
from steadymark.app.gui.panels.filter_parameters import FilterParameters
from steadymark.app.gui.panels.measure_tables import MotionTables, TruthTables
from steadymark.app.gui.panels.verdict_box import VerdictBox
from steadymark.app.gui.widgets.scroll_area import in_scroll_area
from steadymark.app.session.analysis.variants import ANY_TABLE, RAW_AND_STABILIZED
from steadymark.engine.attributes.attribute_registry import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.app.session.analysis.variants import Variant, VariantPair
    from steadymark.app.session.people.face_names import FaceName
    from steadymark.engine.attributes.face_attribute import AttributeReadout
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.tracking.settings import TrackSettings
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.user_text import UserText


def _readout_label(form: QFormLayout, readout: AttributeReadout) -> QLabel:
    """Add a field for an attribute to a form, and return the label of its values."""
    label = QLabel()
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setToolTip(translated(readout.help))
    form.addRow(translated(readout.label), label)
    return label


class StatisticsPanel(QWidget):
    """The panel of the measures: a verdict with three figures, and details that can be folded.

    Attributes:
        selection_changed: Emitted with a face's id and a landmark's number; -1 is no choice.
        variants_chosen: Emitted with the two variants to compare.
        unfolded: Emitted when the user shows (True) or hides the details.
    """

    selection_changed = Signal(int, int)
    variants_chosen = Signal(object)
    unfolded = Signal(bool)

    def __init__(self, *, details_shown: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Statistics"))
        self.face, self.landmark = QComboBox(), QComboBox()
        self.variants = QComboBox(), QComboBox()
        self.parameters = FilterParameters(), FilterParameters()
        self.face.setAccessibleName(self.tr("Face"))
        self.landmark.setAccessibleName(self.tr("Landmark"))
        for box in (self.face, self.landmark, *self.variants):
            box.setSizeAdjustPolicy(box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
        self.face.activated.connect(
            lambda: self.selection_changed.emit(int(self.face.currentData()), -1)
        )
        self.landmark.activated.connect(
            lambda: self.selection_changed.emit(-1, int(self.landmark.currentData()))
        )
        self.summary, self.motion, self.truth_tables = VerdictBox(), MotionTables(), TruthTables()
        self.device, self.stage_times, self.processed = QLabel(), QLabel(), QLabel()
        self.readouts: dict[str, list[QLabel]] = {}  # by the attribute's name
        self._no_face: UserText | None = None
        self._face_names: Mapping[int, FaceName] = {}
        self._fill_variants(RAW_AND_STABILIZED, RAW_AND_STABILIZED)
        self._connect_variants()
        self.details_button = QToolButton()
        self.details = self._make_details()
        self._wire_details(shown=details_shown)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 9, 6, 9)
        for widget in (self.summary, self.details_button, self.details, self.truth_tables):
            column.addWidget(widget)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(in_scroll_area(inside))
        for label in self.findChildren(QLabel):  # their menus would hide that of the panel
            label.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    @property
    def chosen_face(self) -> int | None:
        """Number of the face that is measured; None if there is none yet."""
        return self.face.currentData() if self.face.count() else None

    def figures(self) -> list[tuple[str, str, float, float]]:
        """Return all figures: title of the table and of the measure, and both values."""
        parts = (self.summary, self.motion, self.truth_tables)
        return [figure for part in parts for figure in part.figures()]

    def _make_details(self) -> QWidget:
        self.running_passes = QLabel()
        self.running_passes.setWordWrap(True)
        self.running_passes.hide()
        choices = QFormLayout()
        choices.addRow(self.tr("Compare"), self.variants[0])
        choices.addRow(self.parameters[0])
        choices.addRow(self.tr("with"), self.variants[1])
        choices.addRow(self.parameters[1])
        choices.addRow(self.running_passes)
        choices.addRow(self.tr("Face"), self.face)
        choices.addRow(self.tr("Landmark"), self.landmark)
        facts = QFormLayout()
        facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        for attribute in ATTRIBUTES.all():
            self.readouts[attribute.name] = [_readout_label(facts, r) for r in attribute.shown]
        facts.addRow(self.tr("Frames processed"), self.processed)
        facts.addRow(self.tr("Device"), self.device)
        facts.addRow(self.tr("Time per frame"), self.stage_times)
        details = QWidget()
        column = QVBoxLayout(details)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(choices)
        column.addWidget(self.motion)
        column.addLayout(facts)
        column.addWidget(self._explanation())
        return details

    def _wire_details(self, *, shown: bool) -> None:
        self.details_button.setText(self.tr("Details"))
        self.details_button.setToolTip(self.tr("Show or hide comparisons, tables and figures"))
        self.details_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.details_button.setAutoRaise(True)
        self.details_button.setCheckable(True)
        self.details_button.setChecked(shown)
        self._show_details(shown)
        self.details_button.toggled.connect(self._show_details)
        self.details_button.toggled.connect(self.unfolded)

    def _show_details(self, shown: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow
        self.details_button.setArrowType(arrow)
        self.details.setVisible(shown)

    def _connect_variants(self) -> None:
        names = self.tr("Compare"), self.tr("with")
        for box, parameters, name in zip(self.variants, self.parameters, names, strict=True):
            box.setAccessibleName(name)
            box.activated.connect(self._on_variants)
            parameters.set_accessible_names(name)
            parameters.changed.connect(self._on_parameters)

    def set_measures(self, measures: FaceMeasures | None) -> None:
        self.face.setEnabled(measures is not None)
        self.motion.show_measures(measures)
        self.truth_tables.show_truth(None if measures is None else measures.truth)
        if measures is None:
            self.face.clear()
            self._show_nothing()
            return
        if [self.face.itemData(i) for i in range(self.face.count())] != list(measures.faces):
            self.face.clear()
            for face in measures.faces:
                self.face.addItem(f"#{face}", face)
            self._name_faces()
        self.face.setCurrentIndex(self.face.findData(measures.face))
        self._list_landmarks(measures.schema)
        self.landmark.setCurrentIndex(measures.landmark)
        self.summary.show_figures(measures.figures)

    def set_face_names(self, names: Mapping[int, FaceName]) -> None:
        """Show what the faces are called in the shown frame."""
        self._face_names = names
        self._name_faces()

    def _name_faces(self) -> None:
        for place in range(self.face.count()):
            name = self._face_names.get(self.face.itemData(place))
            if name is not None:
                self.face.setItemText(place, name.full)

    def set_no_face(self, sentence: UserText | None) -> None:
        """Show a sentence that says that no face was found, or None if that is not known."""
        if sentence != self._no_face:
            self._no_face = sentence
            if not self.face.count():
                self._show_nothing()

    def _show_nothing(self) -> None:
        nothing = self.tr("There is nothing to measure yet.")
        self.summary.show_words(nothing if self._no_face is None else translated(self._no_face))

    def _list_landmarks(self, schema: LandmarkSchema) -> None:
        names = [f"{index} {landmark_name(index, schema)}" for index in range(schema.count)]
        if [self.landmark.itemText(i) for i in range(self.landmark.count())] != names:
            self.landmark.clear()
            for index, name in enumerate(names):
                self.landmark.addItem(name, index)

    def set_faces(self, faces: Sequence[TrackedFace] | None) -> None:
        """Show the attributes of the chosen face, or of the first one, in the shown frame."""
        chosen = self.chosen_face
        for attribute in ATTRIBUTES.all():
            known = (
                face.attributes.values[attribute.name]
                for face in faces or ()
                if chosen in (None, face.face_id)
                and face.attributes is not None
                and attribute.name in face.attributes.values
            )
            values = next(known, (math.nan,))
            finite = [math.isfinite(value) for value in values]
            labels = self.readouts[attribute.name]
            for readout, label in zip(attribute.shown, labels, strict=True):
                none = self.tr("no face in this frame")
                there = any(finite) if readout.partial else all(finite)
                lines = map(translated, readout.lines(values)) if there else (none,)
                label.setText(local_decimals("\n".join(lines)))

    def set_variants(
        self,
        variants: VariantPair,
        settings: TrackSettings,
        offered: Sequence[Variant],
        *,
        disabled_reason: str = "",
    ) -> None:
        """Show the compared variants and the variants that can be compared.

        Args:
            variants: The two compared variants.
            settings: The settings from which filters take their parameters.
            offered: The variants that the user can choose.
            disabled_reason: Why the variants cannot be chosen; empty if they can.
        """
        for box in self.variants:
            box.setEnabled(not disabled_reason)
            box.setToolTip(disabled_reason)
        self._fill_variants(variants, offered)
        for variant, parameters in zip(variants, self.parameters, strict=True):
            parameters.show_variant(variant, settings)
        names = ["\n".join(variant_description(variant)) for variant in variants]
        for tables in (self.motion, self.truth_tables):
            tables.set_headings(names[0], names[1])
        self.summary.set_names(*(short_text(variant_name(variant)) for variant in variants))

    def set_running_passes(self, passes: Sequence[tuple[Variant, float]]) -> None:
        """Show the variants that are being tracked, and the tracked share of the recording."""
        words = self.tr("Tracking a second time with {name}: {share}")
        self.running_passes.setText(
            "\n".join(
                words.format(name=variant_name(variant), share=share_text(share))
                for variant, share in passes
            )
        )
        self.running_passes.setVisible(bool(passes))

    def set_progress(
        self, *, share: float, frames: int, device: str, detect_ms: float, landmarks_ms: float
    ) -> None:
        """Show how many frames are processed, the device and the computing times of tracking."""
        self.processed.setText(
            self.tr("{share} of %n frame(s)", "", frames).format(share=share_text(share))
            if frames
            else self.tr("no frame yet")
        )
        self.device.setText(device.upper() or self.tr("no network is open"))
        parts = [(self.tr("landmarks"), landmarks_ms), (self.tr("detector"), detect_ms)]
        known = [f"{name} {number_text(ms, 1, 'ms')}" for name, ms in parts if math.isfinite(ms)]
        self.stage_times.setText("\n".join(known) or self.tr("not measured yet"))

    def _fill_variants(self, variants: VariantPair, offered: Sequence[Variant]) -> None:
        for box, variant in zip(self.variants, variants, strict=True):
            chosen = replace(variant, own=None)
            wanted = [*offered, *({chosen} - set(offered))]
            wanted.sort(key=ANY_TABLE.__eq__)  # the entry that asks for a file stays the last one
            if [box.itemData(i) for i in range(box.count())] != wanted:
                box.clear()
                for variant in wanted:
                    words = self.tr("{name} (tracks again)") if variant.tracks else "{name}"
                    box.addItem(words.format(name=variant_name(variant)), variant)
            box.setCurrentIndex(wanted.index(chosen))

    def _on_variants(self) -> None:
        """Emit `variants_chosen`; a filter that is still chosen keeps its own parameters."""
        variants = (box.currentData() for box in self.variants)
        shown = (parameters.variant for parameters in self.parameters)
        kept = [
            before if before is not None and replace(before, own=None) == variant else variant
            for variant, before in zip(variants, shown, strict=True)
        ]
        self.variants_chosen.emit((kept[0], kept[1]))

    def _on_parameters(self) -> None:
        first, second = (
            box.currentData() if parameters.variant is None else parameters.variant
            for box, parameters in zip(self.variants, self.parameters, strict=True)
        )
        self.variants_chosen.emit((first, second))

    def _explanation(self) -> QLabel:
        words = QLabel(
            self.tr(
                "<b>Jitter or motion?</b> These figures use only frames in which the "
                "face is at rest: in the second around a frame, the mean positions of "
                "the landmarks in its two halves lie less than 0.5 % of the "
                "inter-ocular distance apart, and the landmarks deviate from their "
                "mean by less than 3 %, for raw and stabilized points alike. What "
                "moves there is jitter. Elsewhere the values include motion, and the "
                "curves are faint."
            )
        )
        words.setWordWrap(True)
        words.setTextFormat(Qt.TextFormat.RichText)
        return words
