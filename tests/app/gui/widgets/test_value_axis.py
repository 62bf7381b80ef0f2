"""The values of a plot's axis never overlap, at any height."""

import numpy as np
import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from steadymark.app.gui.widgets.value_axis import LocalAxis, ValueAxis


@pytest.mark.parametrize("height", [10, 24, 40, 90, 300])
@pytest.mark.parametrize(("low", "high"), [(300, 460), (-1, 1), (0, 0.004)])
def test_values_do_not_overlap(qtbot: QtBot, height: float, low: float, high: float) -> None:
    axis = ValueAxis()
    line = QFontMetricsF(axis.font()).height()
    levels = axis.tickValues(low, high, height)
    spacing, values = levels[0]
    assert spacing is not None
    assert len(values) >= 1
    assert (np.diff(values) * height / (high - low) >= line - 1e-6).all()


@pytest.mark.parametrize("height", [40, 80, 90, 300])
@pytest.mark.parametrize(("low", "high"), [(0.02, 0.12), (0.0005, 0.3), (0.001, 100)])
def test_values_of_a_logarithmic_axis_do_not_overlap(
    qtbot: QtBot, height: float, low: float, high: float
) -> None:
    axis = ValueAxis()
    axis.setLogMode(y=True)
    line = QFontMetricsF(axis.font()).height()
    low, high = np.log10(low), np.log10(high)
    values = sorted(v for _, level in axis.tickValues(low, high, height) for v in level)
    assert values
    assert (np.diff(values) * height / (high - low) >= 0.99 * line).all()


def test_values_of_a_logarithmic_axis_are_written_as_plain_numbers(qtbot: QtBot) -> None:
    axis = ValueAxis()
    axis.setLogMode(y=True)
    values = np.log10([0.0001, 0.02, 1, 30, 500])
    assert axis.tickStrings(values, 1.0, 1.0) == ["0.0001", "0.02", "1", "30", "500"]


def test_values_have_the_decimal_sign_of_the_language(qtbot: QtBot) -> None:
    before = QLocale()
    QLocale.setDefault(QLocale("de"))
    try:
        left, bottom = ValueAxis(), LocalAxis("bottom")
        left.setLogMode(y=True)
        assert left.tickStrings(np.log10([0.02, 30]), 1.0, 1.0) == ["0,02", "30"]
        assert bottom.tickStrings([0.5, 1.0, -0.5], 1.0, 0.5) == ["0,5", "1,0", "-0,5"]
    finally:
        QLocale.setDefault(before)
