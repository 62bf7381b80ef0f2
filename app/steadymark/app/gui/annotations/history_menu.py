"""The menu that lists what was done, and returns to any step of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import QMenu, QStyleOptionMenuItem, QWidget

from steadymark.app.gui.i18n.translate import translated

if TYPE_CHECKING:
    from steadymark.app.session.review.review_store import ReviewStore

_UNDONE = "undone"  # name of a dynamic property of an action
_MOST = 20  # how many steps before and after the present one are listed


class HistoryMenu(QMenu):
    """The steps of the open project, oldest first. The present one is checked, undone ones grey.

    Args:
        review: Has the history.
        parent: The parent of the menu.
    """

    def __init__(self, review: ReviewStore, parent: QWidget | None = None) -> None:
        super().__init__(QCoreApplication.translate("menus", "&History"), parent)
        self._review = review
        self.aboutToShow.connect(self.fill)

    def fill(self) -> None:
        """List the steps as they are now."""
        self.clear()
        history = self._review.history
        if history is None:
            return
        steps = history.actions
        present = sum(done for _, done in steps) - 1
        for index, (text, done) in enumerate(steps):
            if abs(index - present) > _MOST:
                continue
            name = self.tr("Nothing done yet") if text is None else translated(text)
            action = self.addAction(name.replace("&", "&&"))
            action.setCheckable(index == present)
            action.setChecked(index == present)
            action.setProperty(_UNDONE, not done)
            action.triggered.connect(lambda _=False, index=index: self._review.go_to(index))

    def initStyleOption(self, option: QStyleOptionMenuItem, action: QAction) -> None:
        super().initStyleOption(option, action)
        if action.property(_UNDONE):
            grey = option.palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
            for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
                option.palette.setColor(QPalette.ColorGroup.Active, role, grey)
                option.palette.setColor(QPalette.ColorGroup.Inactive, role, grey)
            option.palette.setColor(QPalette.ColorRole.WindowText, grey)
