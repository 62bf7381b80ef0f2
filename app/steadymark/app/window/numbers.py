"""How steady it is, in numbers, and how jitter is told from motion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QGridLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.window.names import landmark_name
from steadymark.app.window.scrolling import scrolled

if TYPE_CHECKING:
    from steadymark.app.session.measures import Measures, Steadiness

_LANDMARKS = 68


class Numbers(QWidget):
    """chosen: a face's id, a landmark's number; -1 for what was not chosen."""

    chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Numbers"))
        self.face, self.landmark = QComboBox(), QComboBox()
        self.face.setAccessibleName(self.tr("Face"))
        self.landmark.setAccessibleName(self.tr("Landmark"))
        for index in range(_LANDMARKS):
            self.landmark.addItem(f"{index} {landmark_name(index)}", index)
        self.landmark.setCurrentIndex(30)
        self.face.activated.connect(lambda: self.chosen.emit(int(self.face.currentData()), -1))
        self.landmark.activated.connect(
            lambda: self.chosen.emit(-1, int(self.landmark.currentData()))
        )
        self._cells: dict[tuple[str, str], QLabel] = {}
        self.device, self.stages, self.tracked, self.still = (QLabel("–") for _ in range(4))
        self.still.setWordWrap(True)
        choices = QFormLayout()
        choices.addRow(self.tr("Face"), self.face)
        choices.addRow(self.tr("Landmark"), self.landmark)
        facts = QFormLayout()
        facts.addRow(self.tr("Tracked"), self.tracked)
        facts.addRow(self.tr("Device"), self.device)
        facts.addRow(self.tr("Time a frame"), self.stages)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 9, 6, 9)
        column.addLayout(choices)
        column.addLayout(self._table())
        column.addWidget(self.still)
        column.addWidget(self._explanation())
        column.addLayout(facts)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(inside))

    def set_measures(self, measures: Measures | None) -> None:
        self.face.setEnabled(measures is not None)
        if measures is None:
            self.face.clear()
            for cell in self._cells.values():
                cell.setText("–")
            self.still.setText(self.tr("No face was found yet."))
            return
        if [self.face.itemData(i) for i in range(self.face.count())] != list(measures.faces):
            self.face.clear()
            for face in measures.faces:
                self.face.addItem(f"#{face}", face)
        self.face.setCurrentIndex(self.face.findData(measures.face))
        self.landmark.setCurrentIndex(measures.landmark)
        self._fill(measures.raw, measures.steady)
        self.still.setText(
            self.tr("The face is still in {share} of the frames it is in.").format(
                share=f"{100 * measures.still_share:.0f} %"
            )
            if math.isfinite(measures.raw.mav)
            else self.tr("The face is never still for half a second: no jitter can be told.")
        )

    def set_work(
        self, *, share: float, frames: int, device: str, detect_ms: float, landmarks_ms: float
    ) -> None:
        """What tracking does."""
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

    def _table(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        for column, title in enumerate(
            (self.tr("raw"), self.tr("stabilized"), self.tr("change")), start=1
        ):
            grid.addWidget(_right(QLabel(f"<b>{title}</b>")), 0, column)
        for row, (name, title, tip) in enumerate(
            (
                ("mav", self.tr("MAV"), self.tr("Mean Allan variance, (% of the eye distance)²")),
                ("mcv", self.tr("MCV, %"), self.tr("Mean coefficient of variation")),
                (
                    "motion",
                    self.tr("motion, %"),
                    self.tr("From frame to frame, % of the eye distance"),
                ),
            ),
            start=1,
        ):
            heading = QLabel(title)
            heading.setToolTip(tip)
            grid.addWidget(heading, row, 0)
            for column, which in enumerate(("raw", "steady", "change"), start=1):
                cell = _right(QLabel("–"))
                cell.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
                cell.setToolTip(tip)
                self._cells[name, which] = cell
                grid.addWidget(cell, row, column)
        return grid

    def _fill(self, raw: Steadiness, steady: Steadiness) -> None:
        for name, digits in (("mav", 5), ("mcv", 1), ("motion", 3)):
            before, after = getattr(raw, name), getattr(steady, name)
            self._cells[name, "raw"].setText(_number(before, digits))
            self._cells[name, "steady"].setText(_number(after, digits))
            known = math.isfinite(before) and math.isfinite(after) and before > 0
            change = f"{round(100 * (after / before - 1)) or 0:+d} %" if known else "–"
            self._cells[name, "change"].setText(change)

    def _explanation(self) -> QLabel:
        words = QLabel(
            self.tr(
                "<b>Jitter or motion?</b> These figures are taken only where the face is still: "
                "in the second around a frame, the landmarks' mean places in its two halves lie "
                "less than 0.5 % of the outer-eye distance apart, and they stray from their mean "
                "by less than 3 %, for raw and stabilized points alike. There, what moves is "
                "jitter. Elsewhere motion is in it, and curves are faint."
            )
        )
        words.setWordWrap(True)
        words.setTextFormat(Qt.TextFormat.RichText)
        return words


def _right(label: QLabel) -> QLabel:
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"
