"""The choices of a streaming target besides its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QWidget

from steadymark.app.gui.i18n.translate import translated
from steadymark.engine.core.errors import UsageError
from steadymark.engine.streaming.target_options import joined_place, split_place

if TYPE_CHECKING:
    from steadymark.engine.streaming.targets import TargetKind


class TargetOptionBoxes(QWidget):
    """A box for each option of a kind of target; there is none if it has no options.

    Attributes:
        changed: Emitted when the user chooses another value.
        boxes: The boxes by the option's name.
    """

    changed = Signal()

    def __init__(self, kind: TargetKind, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = kind.options
        self.boxes: dict[str, QComboBox] = {}
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 6)
        for option in kind.options:
            box, label = QComboBox(), QLabel(translated(option.label))
            for value, words in option.choices.items():
                box.addItem(translated(words), value)
            box.setToolTip(translated(option.help))
            box.setAccessibleName(f"{translated(kind.label)}: {label.text()}")
            box.activated.connect(lambda _index: self.changed.emit())
            form.addRow(label, box)
            self.boxes[option.name] = box

    def show_place(self, place: str) -> str:
        """Show the options in the text of a place, and return the place without them."""
        place, chosen = split_place(place, self._options)
        for name, value in chosen.items():
            self.boxes[name].setCurrentIndex(self.boxes[name].findData(value))
        return place

    def whole_place(self, place: str) -> str:
        """Return a place that the user wrote with the chosen options.

        Options in the text, as in that of the command line, replace those of the boxes.
        """
        try:
            plain = self.show_place(place) if "?" in place else place
        except UsageError:
            return place  # who sets the target reports it
        chosen = {name: str(box.currentData()) for name, box in self.boxes.items()}
        return joined_place(plain, chosen, self._options)
