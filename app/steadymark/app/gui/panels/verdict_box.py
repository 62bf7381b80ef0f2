"""The verdict on the landmarks of a face, with three figures: the top of the statistics panel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from steadymark.app.gui.i18n.local_numbers import number_text, share_text
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.session.analysis.verdict import Quality, judge
from steadymark.engine.output.video.draw_style import GREEN, ORANGE, VERMILLION

if TYPE_CHECKING:
    from steadymark.app.session.analysis.tracking_figures import TrackingFigures
    from steadymark.models.user_text import UserText

_COLOURS = {Quality.GOOD: GREEN, Quality.DOUBTFUL: ORANGE, Quality.LOST: VERMILLION}


class VerdictBox(QWidget):
    """A verdict (good, doubtful or lost), its reason, and the three figures that it rests on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.verdict, self.reason = QLabel(), QLabel()
        self.with_face, self.score, self.fast = QLabel(), QLabel(), QLabel()
        self.verdict.setTextFormat(Qt.TextFormat.RichText)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.verdict)
        column.addWidget(self.reason)
        self._form = QFormLayout()
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        column.addLayout(self._form)
        for label in (self.reason, self.with_face, self.score, self.fast):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._add(
            self.tr("Frames with this face"),
            self.with_face,
            self.tr(
                "In how many of the frames processed so far this face was found. Near 100 % is "
                "good; fewer frames mean that the face was turned away, covered, small or dark."
            ),
        )
        self._add(
            self.tr("Score of the landmarks"),
            self.score,
            self.tr(
                "How certain the network is of its landmarks, from 0 to 1; the median over all "
                "landmarks and frames. Above 0.8 is good, below 0.6 is doubtful."
            ),
        )
        self._add(
            self.tr("Fast motion"),
            self.fast,
            self.tr(
                "How far the landmarks move faster than 5 times per second, in % of the distance "
                "between the outer eye corners, without and with the stabilizer. It can be "
                "measured while the face moves. Jitter is fast; heads mostly move more slowly. "
                "A smaller value with the stabilizer is jitter that was removed. Calm faces have "
                "less than 0.2 %; above 1 % the landmarks tremble, or the face moves very fast."
            ),
        )
        self._names = "", ""
        self._figures: TrackingFigures | None = None
        self.show_words(self.tr("There is nothing to measure yet."))

    def set_names(self, first: str, second: str) -> None:
        """Set the names of the two compared variants."""
        self._names = first, second

    def figures(self) -> list[tuple[str, str, float, float]]:
        """Return the three figures like `ComparisonTable.figures`; none without a verdict."""
        known = self._figures
        if known is None:
            return []
        share, score = 100 * known.face_frames.share, known.score
        title = self.tr("Verdict")
        return [
            (title, self.tr("Frames with this face") + ", %", share, share),
            (title, self.tr("Score of the landmarks"), score, score),
            (title, self.tr("Fast motion") + ", %", known.fast_raw, known.fast_stabilized),
        ]

    def show_words(self, words: str) -> None:
        """Show a sentence instead of a verdict and figures."""
        self._figures = None
        self.verdict.hide()
        self.reason.setText(words)
        for row in range(self._form.rowCount()):
            self._form.setRowVisible(row, False)

    def show_figures(self, figures: TrackingFigures) -> None:
        """Show the verdict on these figures, its reason, and the figures."""
        self._figures = figures
        verdict = judge(figures)
        name = {
            Quality.GOOD: self.tr("Good"),
            Quality.DOUBTFUL: self.tr("Doubtful"),
            Quality.LOST: self.tr("Lost"),
        }[verdict.quality]
        dot = f"<span style='color: {_COLOURS[verdict.quality]}'>●</span>"
        self.verdict.setText(f"<big>{dot} <b>{name}</b></big>")
        self.verdict.setAccessibleName(name)
        self.verdict.show()
        self.reason.setText(_sentence(verdict.reason))
        frames = figures.face_frames
        self.with_face.setText(
            self.tr("{share} of %n frame(s)", "", frames.processed).format(
                share=share_text(frames.share, 1)
            )
        )
        self.score.setText(number_text(figures.score, 2))
        # A wrapped label would be cut off after its first line.
        self.fast.setWordWrap(not math.isfinite(figures.fast_stabilized))
        self.fast.setText(self._fast_text(figures))
        for row in range(self._form.rowCount()):
            self._form.setRowVisible(row, True)

    def _fast_text(self, figures: TrackingFigures) -> str:
        if not math.isfinite(figures.fast_stabilized):
            return translated(figures.why_no_fast_motion)
        values = figures.fast_raw, figures.fast_stabilized
        return "\n".join(
            f"{number_text(value, 2, '%')} {name}"
            for value, name in zip(values, self._names, strict=True)
        )

    def _add(self, title: str, value: QLabel, help_text: str) -> None:
        heading = QLabel(title)
        for label in (heading, value):
            label.setToolTip(help_text)
            label.setWhatsThis(help_text)
        value.setAccessibleName(title)
        value.setAccessibleDescription(help_text)
        self._form.addRow(heading, value)


def _sentence(reason: UserText) -> str:
    """Return the translated reason with a capital letter."""
    words = translated(reason)
    return words[:1].upper() + words[1:]
