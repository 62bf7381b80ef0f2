"""The panel of the measures, which tell jitter from motion."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from steadymark.app.gui.i18n.display_names import (
    REGIONS,
    landmark_name,
    region_name,
    variant_description,
    variant_name,
)
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.panels.comparison_table import ComparisonTable, MeasureRow
from steadymark.app.gui.panels.filter_parameters import FilterParameters
from steadymark.app.gui.widgets.scroll_area import in_scroll_area
from steadymark.app.session.analysis.variants import RAW_AND_STABILIZED
from steadymark.engine.attributes.attribute_registry import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.app.session.analysis.face_measures import FaceMeasures, TruthMeasures
    from steadymark.app.session.analysis.variants import Variant, VariantPair
    from steadymark.engine.attributes.face_attribute import AttributeReadout
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.tracking.settings import TrackSettings
    from steadymark.models.face.schema import LandmarkSchema

# NRMSE in % above which the ground truth probably uses another numbering of the landmarks
_OTHER_LANDMARKS = 30.0


def _readout_label(form: QFormLayout, readout: AttributeReadout) -> QLabel:
    """Add a field for an attribute to a form, and return the label of its values."""
    label = QLabel("–")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setToolTip(translated(readout.help))
    form.addRow(translated(readout.label), label)
    return label


class StatisticsPanel(QWidget):
    """The panel of the measures.

    Attributes:
        chosen: Emitted with a face's id and a landmark's number; -1 stands for no choice.
        compared: Emitted with the two variants to compare.
    """

    chosen = Signal(int, int)
    compared = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Statistics"))
        self.face, self.landmark = QComboBox(), QComboBox()
        self.takes = QComboBox(), QComboBox()
        self.parameters = FilterParameters(), FilterParameters()
        self.face.setAccessibleName(self.tr("Face"))
        self.landmark.setAccessibleName(self.tr("Landmark"))
        for box in (self.face, self.landmark, *self.takes):
            box.setSizeAdjustPolicy(box.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
        self.face.activated.connect(lambda: self.chosen.emit(int(self.face.currentData()), -1))
        self.landmark.activated.connect(
            lambda: self.chosen.emit(-1, int(self.landmark.currentData()))
        )
        self._tables()
        self.device, self.stages, self.tracked, self.still = (QLabel("–") for _ in range(4))
        self.readouts: dict[str, list[QLabel]] = {}  # by the attribute's name
        self.truth = QLabel()
        for words in (self.still, self.truth):
            words.setWordWrap(True)
        for widget in (self.against, self.truth, self.error_by_region):
            widget.hide()
        self._fill_takes(RAW_AND_STABILIZED, RAW_AND_STABILIZED)
        self._wire_takes()
        self.passes = QLabel()
        self.passes.setWordWrap(True)
        self.passes.hide()
        choices = QFormLayout()
        choices.addRow(self.tr("Compare"), self.takes[0])
        choices.addRow(self.parameters[0])
        choices.addRow(self.tr("with"), self.takes[1])
        choices.addRow(self.parameters[1])
        choices.addRow(self.passes)
        choices.addRow(self.tr("Face"), self.face)
        choices.addRow(self.tr("Landmark"), self.landmark)
        facts = QFormLayout()
        facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        for attribute in ATTRIBUTES.all():
            self.readouts[attribute.name] = [_readout_label(facts, r) for r in attribute.shown]
        facts.addRow(self.tr("Tracked"), self.tracked)
        facts.addRow(self.tr("Device"), self.device)
        facts.addRow(self.tr("Time per frame"), self.stages)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 9, 6, 9)
        column.addLayout(choices)
        for widget in (
            self.table,
            self.still,
            self.against,
            self.truth,
            self.by_region,
            self.error_by_region,
        ):
            column.addWidget(widget)
        column.addLayout(facts)
        column.addWidget(self._explanation())
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(in_scroll_area(inside))

    def _wire_takes(self) -> None:
        names = self.tr("Compare"), self.tr("with")
        for box, parameters, name in zip(self.takes, self.parameters, names, strict=True):
            box.setAccessibleName(name)
            box.activated.connect(self._on_takes)
            parameters.name_for(name)
            parameters.changed.connect(self._on_parameters)

    def set_measures(self, measures: FaceMeasures | None) -> None:
        self.face.setEnabled(measures is not None)
        if measures is None:
            self.face.clear()
            for table in (self.table, self.against, self.by_region, self.error_by_region):
                table.clear()
            for widget in (self.against, self.truth, self.error_by_region):
                widget.hide()
            self.still.setText(self.tr("There is nothing to measure yet."))
            return
        if [self.face.itemData(i) for i in range(self.face.count())] != list(measures.faces):
            self.face.clear()
            for face in measures.faces:
                self.face.addItem(f"#{face}", face)
        self.face.setCurrentIndex(self.face.findData(measures.face))
        self._list_landmarks(measures.schema)
        self.landmark.setCurrentIndex(measures.landmark)
        self._fill(measures)
        self.still.setText(
            self.tr("The face is at rest in {share} of the frames that contain it.").format(
                share=f"{100 * measures.rest_share:.0f} %"
            )
            if math.isfinite(measures.raw.mav)
            else self.tr(
                "The face is never at rest for half a second, so jitter cannot be measured."
            )
        )

    def _list_landmarks(self, schema: LandmarkSchema) -> None:
        names = [f"{index} {landmark_name(index, schema)}" for index in range(schema.count)]
        if [self.landmark.itemText(i) for i in range(self.landmark.count())] != names:
            self.landmark.clear()
            for index, name in enumerate(names):
                self.landmark.addItem(name, index)

    def set_faces(self, faces: Sequence[TrackedFace] | None) -> None:
        """Show the attributes of the chosen face, or of the first one, in the shown frame."""
        chosen = self.face.currentData() if self.face.count() else None
        for attribute in ATTRIBUTES.all():
            known = (
                face.attributes.values[attribute.name]
                for face in faces or ()
                if chosen in (None, face.face_id)
                and face.attributes is not None
                and attribute.name in face.attributes.values
            )
            values = next(known, (math.nan,))
            there = all(map(math.isfinite, values))
            labels = self.readouts[attribute.name]
            for readout, label in zip(attribute.shown, labels, strict=True):
                lines = map(translated, readout.lines(values)) if there else ("–",)
                label.setText("\n".join(lines))

    def set_takes(
        self,
        takes: VariantPair,
        settings: TrackSettings,
        offered: Sequence[Variant],
        *,
        why_disabled: str = "",
    ) -> None:
        """Show the compared variants and the variants that can be compared.

        Args:
            takes: The two compared variants.
            settings: The settings from which filters take their parameters.
            offered: The variants that the user can choose.
            why_disabled: Why the variants cannot be chosen; empty if they can.
        """
        for box in self.takes:
            box.setEnabled(not why_disabled)
            box.setToolTip(why_disabled)
        self._fill_takes(takes, offered)
        for take, parameters in zip(takes, self.parameters, strict=True):
            parameters.show_take(take, settings)
        names = ["\n".join(variant_description(take)) for take in takes]
        for table in (self.table, self.against, self.by_region, self.error_by_region):
            table.set_heads(names[0], names[1])

    def set_passes(self, passes: Sequence[tuple[Variant, float]]) -> None:
        """Show the variants that are being tracked, and the tracked share of the recording."""
        words = self.tr("Tracking a second time with {name}: {share}")
        self.passes.setText(
            "\n".join(
                words.format(name=variant_name(take), share=f"{100 * share:.0f}\N{NO-BREAK SPACE}%")
                for take, share in passes
            )
        )
        self.passes.setVisible(bool(passes))

    def set_work(
        self, *, share: float, frames: int, device: str, detect_ms: float, landmarks_ms: float
    ) -> None:
        """Show the progress, the device and the computing times of tracking."""
        self.tracked.setText(
            self.tr("{share} of %n frame(s)", "", frames).format(share=f"{100 * share:.0f} %")
            if frames
            else "–"
        )
        self.device.setText(device.upper() or "–")
        parts = [(self.tr("landmarks"), landmarks_ms), (self.tr("detector"), detect_ms)]
        self.stages.setText(
            "\n".join(f"{name} {ms:.1f} ms" for name, ms in parts if math.isfinite(ms)) or "–"
        )

    def _fill_takes(self, takes: VariantPair, offered: Sequence[Variant]) -> None:
        for box, take in zip(self.takes, takes, strict=True):
            chosen = replace(take, own=None)
            wanted = [*offered, *({chosen} - set(offered))]
            if [box.itemData(i) for i in range(box.count())] != wanted:
                box.clear()
                for take in wanted:
                    words = self.tr("{name} (tracks again)") if take.tracks else "{name}"
                    box.addItem(words.format(name=variant_name(take)), take)
            box.setCurrentIndex(wanted.index(chosen))

    def _on_takes(self) -> None:
        """Emit `compared`; a filter that is still chosen keeps its own parameters."""
        takes = (box.currentData() for box in self.takes)
        shown = (parameters.take for parameters in self.parameters)
        kept = [
            before if before is not None and replace(before, own=None) == take else take
            for take, before in zip(takes, shown, strict=True)
        ]
        self.compared.emit((kept[0], kept[1]))

    def _on_parameters(self) -> None:
        first, second = (
            box.currentData() if parameters.take is None else parameters.take
            for box, parameters in zip(self.takes, self.parameters, strict=True)
        )
        self.compared.emit((first, second))

    def _tables(self) -> None:
        self.table = ComparisonTable(
            self.tr("Where the face is at rest"),
            (
                MeasureRow(
                    "mav",
                    self.tr("MAV"),
                    self.tr("Mean Allan variance, (% of the inter-ocular distance)²"),
                    5,
                ),
                MeasureRow(
                    "mcv",
                    self.tr("MCV, %"),
                    self.tr(
                        "Mean coefficient of variation: how irregularly the points deviate "
                        "from their mean position, whatever the size of the deviation, which "
                        "MAV and motion measure"
                    ),
                    1,
                ),
                MeasureRow(
                    "motion",
                    self.tr("motion, %"),
                    self.tr("From frame to frame, in % of the inter-ocular distance"),
                    3,
                ),
            ),
        )
        self.against = ComparisonTable(
            self.tr("Against the ground truth"),
            (
                MeasureRow(
                    "nrmse",
                    self.tr("NRMSE, %"),
                    self.tr(
                        "Mean distance from the ground truth, in % of the inter-ocular "
                        "distance (outer eye corners)"
                    ),
                    3,
                ),
                MeasureRow(
                    "fr8",
                    self.tr("FR8, %"),
                    self.tr("Share of frames with an error of 8 % or more, or without a face"),
                    2,
                ),
                MeasureRow("mav", self.tr("MAV"), self.tr("Mean Allan variance of the error"), 4),
                MeasureRow("mcv", self.tr("MCV, %"), self.tr("Mean coefficient of variation"), 2),
                MeasureRow(
                    "lag",
                    self.tr("lag, frames"),
                    self.tr("How many frames the points lag behind"),
                    3,
                ),
            ),
        )
        mav = self.tr("Mean Allan variance where the face is at rest")
        error = self.tr(
            "Mean distance from the ground truth, in % of the inter-ocular "
            "distance (outer eye corners)"
        )
        names = [name for name in REGIONS if name]
        self.by_region = ComparisonTable(
            self.tr("MAV by region, at rest"),
            [MeasureRow(n, region_name(n), mav, 5) for n in names],
        )
        self.error_by_region = ComparisonTable(
            self.tr("NRMSE by region, %"), [MeasureRow(n, region_name(n), error, 2) for n in names]
        )

    def _fill(self, measures: FaceMeasures) -> None:
        for name in ("mav", "mcv", "motion"):
            self.table.fill(name, getattr(measures.raw, name), getattr(measures.stabilized, name))
        for name, before, after in measures.regions:
            self.by_region.fill(name, before, after)
        truth = measures.truth
        for widget in (self.against, self.truth, self.error_by_region):
            widget.setVisible(truth is not None)
        if truth is not None:
            self._fill_truth(truth)

    def _fill_truth(self, truth: TruthMeasures) -> None:
        for name, scale in (("nrmse", 1), ("fr8", 100), ("mav", 1), ("mcv", 1), ("lag", 1)):
            before, after = (scale * getattr(r, name) for r in (truth.raw, truth.stabilized))
            self.against.fill(name, before, after, change=name != "lag")
        before_by, after_by = dict(truth.raw.regions), dict(truth.stabilized.regions)
        for name in REGIONS[1:]:
            nothing = float("nan")
            self.error_by_region.fill(
                name, before_by.get(name, nothing), after_by.get(name, nothing)
            )
        words = self.tr(
            "Ground truth {name}: {count} of its {frames} frames compared, "
            "{missed} without a face. MAV is computed from the error, so that real "
            "motion does not count as jitter."
        )
        if truth.raw.nrmse > _OTHER_LANDMARKS:
            words += " " + self.tr(
                "The error is very large: are its landmarks numbered as iBUG's 68 landmarks are?"
            )
        self.truth.setText(
            words.format(
                name=truth.name, count=truth.raw.faces, frames=truth.frames, missed=truth.raw.missed
            )
        )

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
