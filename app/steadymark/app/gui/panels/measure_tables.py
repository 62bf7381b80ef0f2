"""The tables of the measures: at rest, in motion, against the ground truth, and by region."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from steadymark.app.gui.i18n.display_names import REGIONS, region_name
from steadymark.app.gui.i18n.local_numbers import number_text, share_text
from steadymark.app.gui.panels.comparison_table import ComparisonTable, MeasureRow

if TYPE_CHECKING:
    from steadymark.app.session.analysis.face_measures import FaceMeasures, TruthMeasures

# NRMSE in % above which the ground truth probably uses another numbering of the landmarks
_IMPLAUSIBLE_NRMSE = 30.0


class TruthTables(QWidget):
    """The comparison with the ground truth; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        nrmse = self.tr(
            "Mean distance from the ground truth, in % of the distance between the outer eye "
            "corners. Lower is more accurate."
        )
        self.truth_table = ComparisonTable(
            self.tr("Against the ground truth"),
            (
                MeasureRow("nrmse", self.tr("NRMSE, %"), nrmse, 3),
                MeasureRow(
                    "fr8",
                    self.tr("FR8, %"),
                    self.tr(
                        "Share of frames with an error of 8 % or more, or without a face. Lower is "
                        "better."
                    ),
                    2,
                ),
                MeasureRow(
                    "mav",
                    self.tr("MAV"),
                    self.tr(
                        "Mean Allan variance of the error: how far it jumps from one frame to the "
                        "next. Lower is stiller. Real motion does not count, since the ground "
                        "truth makes it, too."
                    ),
                    4,
                ),
                MeasureRow(
                    "mcv",
                    self.tr("MCV, %"),
                    self.tr(
                        "Mean coefficient of variation: how unevenly the error is spread over the "
                        "frames. Lower is more even, not more accurate; NRMSE tells the accuracy."
                    ),
                    2,
                ),
                MeasureRow(
                    "lag",
                    self.tr("lag, frames"),
                    self.tr(
                        "How many frames the landmarks are late. 0 is best; a filter that smooths "
                        "strongly is late."
                    ),
                    3,
                ),
            ),
        )
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.error_by_region = ComparisonTable(
            self.tr("NRMSE by region, %"),
            [MeasureRow(n, region_name(n), nrmse, 2) for n in REGIONS if n],
        )
        self.more = QPushButton(self.tr("By frame and landmark"))
        self.more.setToolTip(self.tr("Show the worst frames, and the error of each landmark"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.truth_table, self.words, self.more, self.error_by_region):
            column.addWidget(widget)
        self.hide()

    def set_headings(self, first: str, second: str) -> None:
        for table in (self.truth_table, self.error_by_region):
            table.set_headings(first, second)

    def figures(self) -> list[tuple[str, str, float, float]]:
        """Return the figures of both tables, see `ComparisonTable.figures`."""
        return [*self.truth_table.figures(), *self.error_by_region.figures()]

    def show_truth(self, truth: TruthMeasures | None) -> None:
        """Show the comparison, or hide the tables."""
        self.setVisible(truth is not None)
        if truth is None:
            for table in (self.truth_table, self.error_by_region):
                table.clear()
            return
        for name, scale in (("nrmse", 1), ("fr8", 100), ("mav", 1), ("mcv", 1), ("lag", 1)):
            before, after = (scale * getattr(r, name) for r in (truth.raw, truth.stabilized))
            self.truth_table.fill(name, before, after, change=name != "lag")
        before_by, after_by = dict(truth.raw.regions), dict(truth.stabilized.regions)
        for name in REGIONS[1:]:
            self.error_by_region.fill(
                name, before_by.get(name, math.nan), after_by.get(name, math.nan)
            )
        words = self.tr(
            "Ground truth {name}: {count} of its {frames} frames compared, "
            "{missed} without a face. MAV is computed from the error, so that real "
            "motion does not count as jitter."
        )
        if truth.raw.nrmse > _IMPLAUSIBLE_NRMSE:
            words += " " + self.tr(
                "The error is very large: are its landmarks numbered as iBUG's 68 landmarks are?"
            )
        self.words.setText(
            words.format(
                name=truth.name, count=truth.raw.faces, frames=truth.frames, missed=truth.raw.missed
            )
        )


class MotionTables(QWidget):
    """The measures of a moving face, and those of a face at rest if it ever is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.apart, self.rest_label = QLabel(), QLabel()
        for words in (self.apart, self.rest_label):
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.apart.setToolTip(
            self.tr(
                "How far the stabilizer moves the landmarks. A large distance means that the "
                "stabilized landmarks lag behind or that the raw ones are wrong."
            )
        )
        self.table = ComparisonTable(self.tr("Where the face is at rest"), self._rows_at_rest())
        mav = self.tr(
            "Mean Allan variance of the landmarks of this region where the face is at rest. Lower "
            "is stiller."
        )
        self.by_region = ComparisonTable(
            self.tr("MAV by region, at rest"),
            [MeasureRow(n, region_name(n), mav, 5) for n in REGIONS if n],
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.apart, self.table, self.rest_label, self.by_region):
            column.addWidget(widget)
        self.show_measures(None)

    def set_headings(self, first: str, second: str) -> None:
        for table in (self.table, self.by_region):
            table.set_headings(first, second)

    def figures(self) -> list[tuple[str, str, float, float]]:
        """Return the figures of both tables, see `ComparisonTable.figures`."""
        return [*self.table.figures(), *self.by_region.figures()]

    def show_measures(self, measures: FaceMeasures | None) -> None:
        at_rest = measures is not None and math.isfinite(measures.raw.mav)
        for table in (self.table, self.by_region):
            table.setVisible(at_rest)
            table.clear()
        self.apart.setVisible(measures is not None)
        if measures is None:
            self.rest_label.setText(self.tr("There is nothing to measure yet."))
            return
        self.apart.setText(
            self.tr(
                "Raw and stabilized landmarks lie {percent} of the eye distance apart ({pixels})."
            ).format(
                percent=number_text(measures.figures.apart, 2, "%"),
                pixels=number_text(measures.figures.apart_px, 2, "px"),
            )
        )
        for name in ("mav", "mcv", "motion"):
            self.table.fill(name, getattr(measures.raw, name), getattr(measures.stabilized, name))
        for name, before, after in measures.regions:
            self.by_region.fill(name, before, after)
        self.rest_label.setText(
            self.tr("The face is at rest in {share} of the frames that contain it.").format(
                share=share_text(measures.rest_share)
            )
            if at_rest
            else self.tr(
                "The face is never at rest for half a second. MAV and MCV are measured at rest, "
                "since they count real motion as jitter. Fast motion, above, tells the jitter of "
                "a moving face."
            )
        )

    def _rows_at_rest(self) -> tuple[MeasureRow, ...]:
        return (
            MeasureRow(
                "mav",
                self.tr("MAV"),
                self.tr(
                    "Mean Allan variance, in (% of the eye distance)²: how far the landmarks jump "
                    "from one frame to the next. Lower is stiller; 0 is a landmark that does not "
                    "move. It is the measure of jitter."
                ),
                5,
            ),
            MeasureRow(
                "mcv",
                self.tr("MCV, %"),
                self.tr(
                    "Mean coefficient of variation: how unevenly the distances of a landmark from "
                    "its mean position are spread, relative to their mean. It does not tell how "
                    "large they are: pure jitter has about 52 %, a slow even drift about 58 %. So "
                    "it may rise when a stabilizer removes the jitter and only a small slow drift "
                    "is left. Read it together with MAV, and never alone."
                ),
                1,
            ),
            MeasureRow(
                "motion",
                self.tr("motion, %"),
                self.tr(
                    "Mean way of a landmark from one frame to the next, in % of the eye distance. "
                    "At rest, lower is stiller."
                ),
                3,
            ),
        )
