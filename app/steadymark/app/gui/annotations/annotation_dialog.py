"""The dialog that edits one annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.annotations.lane_names import lane_title, person_title
from steadymark.app.session.state import clock_text, parse_frame
from steadymark.engine.review.project import Annotation

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from steadymark.engine.review.project import Project

_NOTE_PX = 72


class AnnotationDialog(QDialog):
    """Dialog with the label, note, times, person and lane of an annotation.

    Args:
        annotation: The annotation.
        project: Has the lanes, and the names of persons.
        times_s: (frames,), the times of the frames. Times that are typed become those of frames.
        persons: The persons that it can be about.
        parent: The window over which the dialog opens.
    """

    def __init__(
        self,
        annotation: Annotation,
        project: Project,
        times_s: NDArray[np.float64],
        persons: Iterable[int],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Edit annotation"))
        self._annotation, self._times_s = annotation, times_s
        self.label, self.note = QLineEdit(annotation.label), QPlainTextEdit(annotation.note)
        self.start = QLineEdit(clock_text(annotation.start_s))
        self.end = QLineEdit(clock_text(annotation.end_s))
        self.person, self.lane = QComboBox(), QComboBox()
        self.fault_label = QLabel()
        self.fault_label.setWordWrap(True)
        self.fault_label.hide()
        known = set(persons)
        if annotation.person is not None:
            known.add(annotation.person)
        for person in (None, *sorted(known)):
            self.person.addItem(person_title(project, person), person)
        self.person.setCurrentIndex(max(0, self.person.findData(annotation.person)))
        for lane in project.lanes:
            self.lane.addItem(lane_title(lane.name), lane.name)
        self.lane.setCurrentIndex(self.lane.findData(annotation.lane))
        self._lay_out()
        self.label.setFocus()
        self.label.selectAll()

    def _lay_out(self) -> None:
        self.note.setFixedHeight(_NOTE_PX)
        self.note.setTabChangesFocus(True)
        hint = self.tr("A time such as 1:23.4 or 83s, or a frame such as f120")
        form = QFormLayout()
        for text, field, tip in (
            (self.tr("&Label"), self.label, self.tr("A short name, such as a category")),
            (self.tr("&Note"), self.note, ""),
            (self.tr("&Starts at"), self.start, hint),
            (self.tr("&Ends at"), self.end, hint),
            (self.tr("&Person"), self.person, ""),
            (self.tr("L&ane"), self.lane, ""),
        ):
            field.setToolTip(tip)
            field.setAccessibleName(text.replace("&", ""))
            form.addRow(text, field)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.fault_label)
        column.addWidget(buttons)
        self.setMinimumWidth(380)

    @property
    def annotation(self) -> Annotation | None:
        """The annotation as it was entered; None if a time is wrong."""
        start_s = self._time(self.start, self._annotation.start_s)
        end_s = self._time(self.end, self._annotation.end_s)
        if start_s is None or end_s is None or end_s < start_s:
            return None
        return Annotation(
            self._annotation.number,
            str(self.lane.currentData()),
            start_s,
            end_s,
            self.label.text().strip(),
            self.note.toPlainText().strip(),
            self.person.currentData(),
        )

    def accept(self) -> None:
        """Close the dialog, or say which time is wrong."""
        if self.annotation is not None:
            super().accept()
            return
        for field in (self.start, self.end):
            if self._time(field, 0.0) is None:
                fault = self.tr(
                    "'{text}' is not a position: enter a time such as 1:23.4 or 83s, or a frame "
                    "such as f120"
                ).format(text=field.text())
                break
        else:
            field, fault = self.end, self.tr("The end is before the start.")
        self.fault_label.setText(fault)
        self.fault_label.show()
        field.setFocus()
        field.selectAll()

    def _time(self, field: QLineEdit, before_s: float) -> float | None:
        """Return the time in a field, or None for another text; an unchanged time stays exact."""
        text = field.text().strip()
        if text == clock_text(before_s):
            return before_s
        frame = parse_frame(f"{text}s" if text.isdigit() else text, self._times_s)
        return None if frame is None else float(self._times_s[frame])
