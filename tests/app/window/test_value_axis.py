"""Values beside a plot never lie on each other, however low it is."""

import numpy as np
import pytest
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from steadymark.app.window.value_axis import ValueAxis


@pytest.mark.parametrize("height", [10, 24, 40, 90, 300])
@pytest.mark.parametrize(("low", "high"), [(300, 460), (-1, 1), (0, 0.004)])
def test_values_have_room(qtbot: QtBot, height: float, low: float, high: float) -> None:
    axis = ValueAxis()
    line = QFontMetricsF(axis.font()).height()
    levels = axis.tickValues(low, high, height)
    spacing, values = levels[0]
    assert spacing is not None
    assert len(values) >= 1
    assert (np.diff(values) * height / (high - low) >= line - 1e-6).all()
