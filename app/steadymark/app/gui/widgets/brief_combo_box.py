"""A combo box whose list tells more than the box itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox

if TYPE_CHECKING:
    from PySide6.QtWidgets import QStyleOptionComboBox

BRIEF_ROLE = Qt.ItemDataRole.UserRole + 1  # role of an item's brief text


class BriefComboBox(QComboBox):
    """A combo box that shows the brief text of the chosen item, if it has one.

    Its list shows the whole texts, and is as wide as these even if the box is narrow.
    """

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        """Describe the closed box to the style."""
        super().initStyleOption(option)
        option.currentText = str(self.currentData(BRIEF_ROLE) or self.currentText())

    def showPopup(self) -> None:
        """Open the list."""
        view = self.view()
        view.setMinimumWidth(view.sizeHintForColumn(0) + 2 * view.frameWidth())
        super().showPopup()
