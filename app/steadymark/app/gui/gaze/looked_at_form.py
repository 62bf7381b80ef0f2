"""What a person in a recording looked at, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.local_numbers import number_text
from steadymark.engine.attributes.looked_at_points import LookedAtPoint

if TYPE_CHECKING:
    from collections.abc import Sequence

_FARTHEST_MM = 20_000.0
_CAMERA_MM = (0.0, 0.0, 0.0)
_LIST_PX = 84


class LookedAtForm(QWidget):
    """Asks for a person, and for what the person looked at in stretches of the recording.

    Attributes:
        changed: Emitted when there are other points, or another person.
        add_requested: Emitted when the current stretch is to be added, see `add_stretch`.
        person: The box of the persons.
        target: The box of what is looked at: the camera, or a place.
        points: The points.
    """

    changed = Signal()
    add_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        intro = QLabel(
            self.tr(
                "Mark a loop in which the person looks at one point, or go to the middle of such a "
                "second, and add it. One look into the camera corrects the offsets of the eyes; "
                "three points or more also correct how far they turn."
            )
        )
        intro.setWordWrap(True)
        self.person, self.target = QComboBox(), QComboBox()
        self.target.addItem(self.tr("the camera"), False)
        self.target.addItem(self.tr("a place, in mm from the camera"), True)
        self.place_mm = [self._length() for _ in range(3)]
        self.add = QPushButton()
        self.remove = QPushButton(self.tr("Re&move the point"))
        for button in (self.add, self.remove):
            button.setAutoDefault(False)
        self.list = QListWidget()
        self.list.setMinimumHeight(_LIST_PX)
        self.list.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.list.setAccessibleName(self.tr("Points that the person looked at"))
        self.points: list[LookedAtPoint] = []
        self._lay_out(intro)
        self.target.currentIndexChanged.connect(lambda _: self._show_target())
        self.person.currentIndexChanged.connect(lambda _: self.show_points(()))
        self.add.clicked.connect(lambda: self.add_requested.emit())
        self.remove.clicked.connect(self._remove)
        self.list.currentRowChanged.connect(lambda row: self.remove.setEnabled(row >= 0))
        self.show_stretch(is_loop=False)
        self._show_target()
        self.show_points(())

    def show_persons(self, persons: Sequence[tuple[int, str]]) -> None:
        """List the persons by number and title; the chosen one stays chosen."""
        known = [
            (self.person.itemData(i), self.person.itemText(i)) for i in range(self.person.count())
        ]
        if known == list(persons):
            return
        before = self.person.currentData()
        with QSignalBlocker(self.person):
            self.person.clear()
            for number, title in persons:
                self.person.addItem(title, number)
            self.person.setCurrentIndex(max(0, self.person.findData(before)))
        if self.person.currentData() != before:
            self.show_points(())

    def show_stretch(self, *, is_loop: bool) -> None:
        """Say what is added: the loop, or a second around the shown frame."""
        self.add.setText(self.tr("&Add the loop") if is_loop else self.tr("&Add this second"))

    def add_stretch(self, start_s: float, end_s: float) -> None:
        """Add a stretch in which the person looks at the chosen target."""
        place_mm = _CAMERA_MM
        if self.target.currentData():
            x, y, z = (box.value() for box in self.place_mm)
            place_mm = x, y, z
        self.show_points((*self.points, LookedAtPoint(start_s, end_s, place_mm)))

    def show_points(self, points: Sequence[LookedAtPoint]) -> None:
        """Show these points."""
        self.points = list(points)
        self.list.clear()
        self.list.addItems([self._words(one) for one in self.points])
        self.list.setCurrentRow(len(self.points) - 1)
        self.remove.setEnabled(bool(self.points))
        self.changed.emit()

    def _words(self, point: LookedAtPoint) -> str:
        words = self.tr("{start} to {end} s: {target}")
        place = point.place_mm or _CAMERA_MM
        target = self.tr("the camera")
        if place != _CAMERA_MM:
            x, y, z = (number_text(value, 0) for value in place)
            target = self.tr("{x}, {y}, {z} mm").format(x=x, y=y, z=z)
        start, end = number_text(point.start_s, 2), number_text(point.end_s, 2)
        return words.format(start=start, end=end, target=target)

    def _remove(self) -> None:
        row = self.list.currentRow()
        self.show_points([one for i, one in enumerate(self.points) if i != row])

    def _show_target(self) -> None:
        for box in self.place_mm:
            box.setEnabled(bool(self.target.currentData()))

    def _length(self) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setRange(-_FARTHEST_MM, _FARTHEST_MM)
        box.setDecimals(0)
        return box

    def _lay_out(self, intro: QLabel) -> None:
        places, form, buttons = QHBoxLayout(), QFormLayout(), QHBoxLayout()
        axes = (
            (self.tr("right"), self.tr("To the right of the picture")),
            (self.tr("down"), self.tr("Downwards")),
            (self.tr("ahead"), self.tr("From the camera towards the person")),
        )
        for box, (axis, tip) in zip(self.place_mm, axes, strict=True):
            label = QLabel(axis)
            label.setToolTip(tip)
            label.setBuddy(box)
            box.setToolTip(tip)
            box.setAccessibleName(tip)
            places.addWidget(label)
            places.addWidget(box, 1)
        form.addRow(self.tr("&Person"), self.person)
        form.addRow(self.tr("Looks a&t"), self.target)
        form.addRow("", places)
        buttons.addWidget(self.add)
        buttons.addWidget(self.remove)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(intro)
        column.addLayout(form)
        column.addLayout(buttons)
        column.addWidget(self.list, 1)
