"""The dialog of expressions: bars, settings of a shape, presets and keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLineEdit, QWidget

from steadymark.app.gui.expressions.expressions_dialog import ExpressionsDialog
from steadymark.app.gui.theme import palette
from steadymark.app.session.expressions.expression_presets import ExpressionPresets
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_settings import (
    AS_MEASURED,
    ExpressionSettings,
    ShapeSettings,
)
from support.fakes.stream_receivers import expressive_face, posed_face

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QImage
    from pytestqt.qtbot import QtBot


@pytest.fixture
def presets(tmp_path: Path) -> ExpressionPresets:
    return ExpressionPresets(tmp_path / "expressions")


@pytest.fixture
def dialog(qtbot: QtBot, english: None, presets: ExpressionPresets) -> ExpressionsDialog:
    dialog = ExpressionsDialog(presets)
    dialog.setPalette(palette(dark=False))
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    dialog.changed.connect(lambda settings: setattr(dialog, "last", settings))
    return dialog


def last(dialog: ExpressionsDialog) -> ExpressionSettings:
    settings = dialog.last  # type: ignore[attr-defined]
    assert isinstance(settings, ExpressionSettings)
    return settings


def filled(dialog: ExpressionsDialog, name: str) -> tuple[int, int]:
    """How many pixels of the upper and of the lower bar of a shape are filled."""
    image: QImage = dialog.bars.grab().toImage()
    place, colours = dialog.bars.place_of(name), dialog.bars.palette()
    counts = []
    for colour in (colours.placeholderText().color(), colours.highlight().color()):
        rows = [
            sum(image.pixelColor(x, y) == colour for x in range(place.center().x(), place.right()))
            for y in range(place.top(), place.bottom())
        ]
        counts.append(max(rows))
    return counts[0], counts[1]


def test_bars_show_what_is_measured_and_what_is_sent(dialog: ExpressionsDialog) -> None:
    dialog.show_settings(AS_MEASURED.with_shape("eyeBlinkLeft", ShapeSettings(2.0)))
    dialog.show_face(expressive_face({"eyeBlinkLeft": 0.25, "eyeWideLeft": 1.0}))
    whole = filled(dialog, "eyeWideLeft")
    assert whole[0] == whole[1] > 50
    measured, sent = filled(dialog, "eyeBlinkLeft")
    assert measured == pytest.approx(whole[0] / 4, abs=2)
    assert sent == pytest.approx(whole[1] / 2, abs=2)
    assert filled(dialog, "eyeSquintLeft") == (0, 0)
    assert dialog.controls.strengths.text() == "measured 0.25, sent 0.50"


def test_a_face_without_expressions_has_no_bars(dialog: ExpressionsDialog) -> None:
    dialog.show_face(expressive_face({"eyeBlinkLeft": 1.0}))
    for face in (posed_face(), None):
        dialog.show_face(face)
        assert filled(dialog, "eyeBlinkLeft") == (0, 0)
        assert dialog.controls.strengths.text() == "measured –, sent –"


def test_keys_choose_shapes_and_change_their_settings(dialog: ExpressionsDialog) -> None:
    dialog.bars.setFocus()
    QTest.keyClick(dialog.bars, Qt.Key.Key_End)
    assert dialog.bars.name == "tongueOut"
    assert "landmarks do not show it" in dialog.bars.accessibleDescription()
    QTest.keyClick(dialog.bars, Qt.Key.Key_Home)
    QTest.keyClick(dialog.bars, Qt.Key.Key_Down)
    assert dialog.bars.name == dialog.bars.shown_names[1] == dialog.controls.title.text()
    QTest.keyClick(dialog.bars, Qt.Key.Key_Up)
    assert dialog.bars.name == "eyeBlinkLeft"
    gain = dialog.controls.boxes["gain"]
    assert gain.accessibleName() == "eyeBlinkLeft: Gain"
    gain.setValue(1.5)
    assert last(dialog).of("eyeBlinkLeft") == ShapeSettings(1.5)
    assert last(dialog).of("eyeBlinkRight") == ShapeSettings(1.5)
    dialog.controls.both_sides.setChecked(False)
    dialog.controls.boxes["dead_zone"].setValue(0.9)
    assert last(dialog).of("eyeBlinkLeft") == ShapeSettings(1.5, 0.9)
    assert last(dialog).of("eyeBlinkRight") == ShapeSettings(1.5)
    dialog.controls.reset.click()
    assert last(dialog).of("eyeBlinkLeft") == ShapeSettings()
    dialog.reset.click()
    assert last(dialog) == AS_MEASURED


def test_a_click_chooses_the_shape_under_it(dialog: ExpressionsDialog) -> None:
    at = dialog.bars.place_of("browDownRight").center()
    QTest.mouseClick(dialog.bars, Qt.MouseButton.LeftButton, pos=at)
    assert dialog.controls.title.text() == "browDownRight"
    assert dialog.controls.both_sides.isEnabled()
    dialog.bars.choose("jawOpen")
    assert not dialog.controls.both_sides.isEnabled()


@pytest.mark.parametrize(
    ("text", "count", "first"),
    [
        ("", 52, "eyeBlinkLeft"),
        ("SMILE", 2, "mouthSmileLeft"),
        ("jaw", 4, "jawForward"),
        ("zz", 0, ""),
    ],
)
def test_the_search_shows_the_shapes_that_have_the_text(
    dialog: ExpressionsDialog, text: str, count: int, first: str
) -> None:
    QTest.keyClicks(dialog.search, text)
    assert len(dialog.bars.shown_names) == count
    assert dialog.bars.shown_names[:1] == ((first,) if first else ())
    dialog.bars.setFocus()
    QTest.keyClick(dialog.bars, Qt.Key.Key_Down)  # also where nothing is shown
    dialog.show_face(expressive_face({"jawOpen": 1.0}))
    dialog.bars.grab()


def test_all_shapes_have_a_place_of_their_own_at_every_width(
    qtbot: QtBot, dialog: ExpressionsDialog
) -> None:
    for width in (dialog.minimumSizeHint().width(), 700, 1000, 1600):
        dialog.resize(width, 500)
        QApplication.processEvents()
        assert dialog.width() == width
        places = [dialog.bars.place_of(name) for name in SHAPES]
        assert len(dialog.bars.shown_names) == len(SHAPES)
        for i, place in enumerate(places):
            assert dialog.bars.rect().contains(place)
            assert not any(place.intersects(other) for other in places[i + 1 :])


def test_the_chosen_shape_is_scrolled_to(qtbot: QtBot, dialog: ExpressionsDialog) -> None:
    dialog.resize(dialog.minimumSizeHint())
    dialog.bars.choose("tongueOut")
    place = dialog.bars.place_of("tongueOut")
    shown = dialog.bars.visibleRegion().boundingRect()
    assert shown.contains(place.center())


def test_mirroring_and_the_neutral_face_are_chosen(qtbot: QtBot, dialog: ExpressionsDialog) -> None:
    dialog.show_face(expressive_face({"eyeWideLeft": 1.0}))
    dialog.mirrored.click()
    assert last(dialog).mirrored
    assert filled(dialog, "eyeWideLeft")[1] == 0
    assert filled(dialog, "eyeWideRight")[1] > 50
    dialog.set_live(live=False)
    assert not dialog.neutral.isEnabled()
    dialog.set_live(live=True)
    with qtbot.waitSignal(dialog.neutral_chosen):
        dialog.neutral.click()


def test_presets_are_saved_chosen_and_deleted(
    dialog: ExpressionsDialog, presets: ExpressionPresets
) -> None:
    box = dialog.presets.box
    assert box.currentText() == "As measured"
    own = ExpressionSettings(mirrored=True).with_shape("jawOpen", ShapeSettings(2.0))
    dialog.show_settings(own)
    assert box.currentText() == ""
    dialog.presets.save("Loud")
    assert box.currentText() == "Loud"
    assert dialog.presets.delete_action.isEnabled()
    box.setCurrentIndex(0)
    box.activated.emit(0)
    assert last(dialog) == AS_MEASURED
    assert not dialog.mirrored.isChecked()
    assert not dialog.presets.delete_action.isEnabled()
    index = box.findText("Loud")
    box.activated.emit(index)
    assert last(dialog) == own
    assert dialog.mirrored.isChecked()
    dialog.presets.delete_action.trigger()
    assert presets.all() == ([], [])
    assert box.findText("Loud") == -1


def test_files_are_exported_imported_and_reported_if_they_are_bad(
    dialog: ExpressionsDialog, tmp_path: Path
) -> None:
    own = AS_MEASURED.with_shape("jawOpen", ShapeSettings(2.0))
    dialog.show_settings(own)
    dialog.presets.export_file(tmp_path / "Robot.json")
    dialog.show_settings(AS_MEASURED)
    dialog.presets.import_file(tmp_path / "Robot.json")
    assert last(dialog) == own
    assert dialog.presets.box.currentText() == "Robot"
    assert not dialog.fault.isVisible()
    (tmp_path / "bad.json").write_text("[]")
    dialog.presets.import_file(tmp_path / "bad.json")
    assert "bad.json holds no expression settings" in dialog.fault.text()
    assert dialog.fault.isVisible()
    dialog.presets.export_file(tmp_path / "none" / "a.json")
    assert "cannot write" in dialog.fault.text()
    dialog.presets.save("fine")
    assert not dialog.fault.isVisible()


def test_everything_that_can_be_used_has_a_name(dialog: ExpressionsDialog) -> None:
    kinds = (QAbstractButton, QComboBox, QLineEdit)
    widgets: list[QWidget] = [w for w in dialog.findChildren(QWidget) if isinstance(w, kinds)]
    widgets += [*dialog.controls.boxes.values(), dialog.bars, dialog.controls.curve]
    for widget in widgets:
        if widget.objectName().startswith("qt_") or isinstance(widget.parent(), QLineEdit):
            continue  # parts of Qt's own widgets
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        assert widget.accessibleName() or text, widget


def test_a_frame_is_painted_in_two_milliseconds(dialog: ExpressionsDialog) -> None:
    dialog.resize(1280, 860)
    random, times = np.random.default_rng(0), []
    for _ in range(30):
        dialog.show_face(expressive_face(dict(zip(SHAPES, random.uniform(0, 1, 52), strict=True))))
        began_s = time.process_time()
        dialog.bars.repaint()
        times.append(time.process_time() - began_s)
    assert min(times) < 0.002  # the fastest, since other programs run beside the tests
