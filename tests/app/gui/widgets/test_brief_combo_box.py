"""A combo box can show a briefer text than its list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QStyleOptionComboBox

from steadymark.app.gui.widgets.brief_combo_box import BRIEF_ROLE, BriefComboBox

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def shown_text(box: BriefComboBox) -> str:
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    return str(option.currentText)


def test_the_box_shows_the_brief_text_and_the_list_the_whole_one(qtbot: QtBot) -> None:
    box = BriefComboBox()
    qtbot.addWidget(box)
    box.addItem("heatmap1d-lite (3.1 ms, 3.12 %)", "heatmap1d-lite")
    box.setItemData(0, "heatmap1d-lite", BRIEF_ROLE)
    box.addItem("mine (own)", "/models/mine.json")
    assert shown_text(box) == "heatmap1d-lite"
    box.setCurrentIndex(1)
    assert shown_text(box) == "mine (own)"


def test_the_list_is_as_wide_as_its_texts(qtbot: QtBot) -> None:
    box = BriefComboBox()
    qtbot.addWidget(box)
    box.addItem("a text that is much longer than the box is wide", "short")
    box.resize(60, 24)
    box.show()
    box.showPopup()
    assert box.view().width() >= box.view().sizeHintForColumn(0)
    box.hidePopup()
