"""The dialog in which the user looks up and changes shortcuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.actions.shortcuts import native_key_text

if TYPE_CHECKING:
    from steadymark.app.gui.actions.shortcuts import Shortcuts

_ROW_PX = 22
_NAME = Qt.ItemDataRole.UserRole


class ShortcutsDialog(QDialog):
    """Dialog that lists every command with its shortcuts.

    Changes take effect immediately. A key that another command has is refused with a message.
    """

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self._shortcuts = shortcuts
        self.search = QLineEdit(clearButtonEnabled=True)
        self.search.setPlaceholderText(self.tr("Search for a command or a key"))
        self.search.setAccessibleName(self.search.placeholderText())
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setAlternatingRowColors(True)
        self.list.setUniformRowHeights(True)
        self.list.setHeaderLabels([self.tr("Command"), self.tr("Keys")])
        self.list.setAccessibleName(self.tr("Commands and their shortcuts"))
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.header().setStretchLastSection(False)
        self.key_edit = QKeySequenceEdit()
        self.key_edit.setMaximumSequenceLength(1)
        self.key_edit.setClearButtonEnabled(True)
        self.key_edit.setAccessibleName(self.tr("New key"))
        self.use_button, self.add_button = (
            QPushButton(self.tr("Use")),
            QPushButton(self.tr("Also use")),
        )
        self.no_key_button, self.reset_button = (
            QPushButton(self.tr("No key")),
            QPushButton(self.tr("Reset")),
        )
        self.reset_all_button = QPushButton(self.tr("Reset all"))
        self.fault_label = QLabel()
        self.fault_label.setWordWrap(True)
        self._lay_out()
        self._connect()
        self._fill()
        self.list.setCurrentItem(self.rows()[0])
        self.resize(680, 560)

    def _lay_out(self) -> None:
        self.use_button.setToolTip(
            self.tr("Assign this key to the command instead of its present keys")
        )
        self.add_button.setToolTip(self.tr("Add this key to the present keys of the command"))
        self.no_key_button.setToolTip(self.tr("The command has no key and is only in the menus"))
        self.reset_button.setToolTip(self.tr("Assign the default keys to the command"))
        row = QHBoxLayout()
        row.addWidget(QLabel(self.tr("New key")))
        row.addWidget(self.key_edit, 1)
        for button in (self.use_button, self.add_button, self.no_key_button, self.reset_button):
            button.setAutoDefault(False)
            row.addWidget(button)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.reset_all_button, QDialogButtonBox.ButtonRole.ResetRole)
        self.reset_all_button.setAutoDefault(False)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        column.addWidget(self.fault_label)
        column.addWidget(buttons)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._filter)
        self.list.currentItemChanged.connect(self._on_chosen)
        self.key_edit.keySequenceChanged.connect(self._enable)
        self.use_button.clicked.connect(lambda: self._set([self._entered_key()]))
        self.add_button.clicked.connect(
            lambda: self._set([*self._shortcuts.keys(self._name()), self._entered_key()])
        )
        self.no_key_button.clicked.connect(lambda: self._set([]))
        self.reset_button.clicked.connect(
            lambda: self._show_fault(self._shortcuts.reset(self._name()))
        )
        self.reset_all_button.clicked.connect(self._shortcuts.reset_all)
        self._shortcuts.changed.connect(self._refresh)

    def select_command(self, name: str) -> None:
        """Select a command."""
        for item in self.rows():
            if item.data(0, _NAME) == name:
                self.list.setCurrentItem(item)

    def rows(self) -> list[QTreeWidgetItem]:
        """Return the rows of the list, one for each command."""
        found = (self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount()))
        return [item for item in found if item is not None]

    def _name(self) -> str:
        item = self.list.currentItem()
        return "" if item is None else str(item.data(0, _NAME))

    def _entered_key(self) -> str:
        return self.key_edit.keySequence().toString()

    def _set(self, keys: list[str]) -> None:
        self._show_fault(self._shortcuts.set_keys(self._name(), keys))

    def _show_fault(self, fault: str) -> None:
        self.fault_label.setText(fault)
        if not fault:
            self.key_edit.clear()

    def _fill(self) -> None:
        for name in self._shortcuts.names:
            item = QTreeWidgetItem([self._shortcuts.text(name), ""])
            item.setSizeHint(0, QSize(0, _ROW_PX))
            item.setData(0, _NAME, name)
            self.list.addTopLevelItem(item)
        self._refresh()

    def _refresh(self) -> None:
        for item in self.rows():
            name = str(item.data(0, _NAME))
            item.setText(1, ", ".join(native_key_text(key) for key in self._shortcuts.keys(name)))
            font = item.font(1)
            font.setBold(not self._shortcuts.is_default(name))
            item.setFont(1, font)
        self._enable()

    def _filter(self, text: str) -> None:
        for item in self.rows():
            words = f"{item.text(0)} {item.text(1)}".casefold()
            item.setHidden(text.strip().casefold() not in words)

    def _on_chosen(self) -> None:
        self.fault_label.clear()
        self.key_edit.setKeySequence(QKeySequence())
        self._enable()

    def _enable(self) -> None:
        chosen, typed = self.list.currentItem() is not None, bool(self._entered_key())
        self.key_edit.setEnabled(chosen)
        self.use_button.setEnabled(chosen and typed)
        self.add_button.setEnabled(chosen and typed and bool(self._shortcuts.keys(self._name())))
        self.no_key_button.setEnabled(chosen and bool(self._shortcuts.keys(self._name())))
        self.reset_button.setEnabled(chosen and not self._shortcuts.is_default(self._name()))
