"""A table of landmarks can be compared with what is shown, like any other variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.i18n.display_names import variant_name
from steadymark.app.session.analysis.variants import (
    ANY_TABLE,
    RAW_AND_STABILIZED,
    STABILIZED,
    table_variant,
)
from steadymark.app.session.export import ExportKind
from steadymark.app.session.state import ComparisonLayout, ShownLandmarks
from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

WAIT_MS = 20_000


@pytest.fixture
def tables(qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path) -> dict[str, Path]:
    """Return an exported table of each kind that can be read, while their recording is shown."""
    open_video(qtbot, window, clip)
    paths = {}
    for kind in ("native", "openface"):
        paths[kind] = tmp_path / f"by {kind}.csv"
        with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS):
            window.files.export(ExportKind.TABLE, paths[kind], kind)
    window.messages.dismiss_all()
    return paths


def choose_table(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, path: Path | None, side: int = 1
) -> None:
    """Choose "A table…" on one side, and a file in the dialog that follows; None cancels."""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path or ""), ""))
    box = window.statistics.variants[side]
    assert box.itemText(box.count() - 1) == "A table…"
    assert box.itemData(box.count() - 1) == ANY_TABLE
    box.setCurrentIndex(box.count() - 1)
    box.activated.emit(box.count() - 1)


@pytest.mark.parametrize(("kind", "digits_px"), [("native", 0.0006), ("openface", 0.06)])
def test_a_table_is_compared_with_the_tracked_landmarks(
    qtbot: QtBot,
    window: MainWindow,
    tables: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    digits_px: float,
) -> None:
    choose_table(window, monkeypatch, tables[kind], side=0)
    chosen = table_variant(tables[kind])
    qtbot.waitUntil(lambda: window.session.analysis.compared is not None, timeout=WAIT_MS)
    session = window.session
    compared = session.analysis.compared
    assert compared is not None
    assert compared.variants == (chosen, STABILIZED)
    qtbot.waitUntil(
        lambda: bool((now := session.analysis.compared) and np.isfinite(now.first).any()),
        timeout=WAIT_MS,
    )
    compared = session.analysis.compared
    assert compared is not None
    np.testing.assert_allclose(compared.first, compared.second, atol=digits_px)
    table = read_landmarks(tables[kind])
    assert compared.known.sum() == len(np.unique(table.frame))
    assert session.display.shown_landmarks is ShownLandmarks.BOTH
    session.set_layout(ComparisonLayout.SIDE)
    window.view.grab()
    box = window.statistics.variants[0]
    assert box.currentText() == f"by {kind}.csv"
    assert variant_name(chosen) == f"by {kind}.csv"
    assert not session.analysis.running_passes()


def test_a_chosen_table_stays_in_the_list_and_cancelling_changes_nothing(
    qtbot: QtBot, window: MainWindow, tables: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_table(window, monkeypatch, None)
    box = window.statistics.variants[1]
    assert box.currentData() == STABILIZED
    assert window.session.display.variants == RAW_AND_STABILIZED
    choose_table(window, monkeypatch, tables["native"])
    chosen = table_variant(tables["native"])
    qtbot.waitUntil(lambda: box.currentData() == chosen)
    box.setCurrentIndex(box.findData(STABILIZED))
    box.activated.emit(box.currentIndex())
    assert window.session.display.variants == RAW_AND_STABILIZED
    qtbot.waitUntil(lambda: chosen in [box.itemData(i) for i in range(box.count())])
    assert box.itemData(box.count() - 1) == ANY_TABLE


@pytest.mark.parametrize("fault", ["missing", "other landmarks"])
def test_a_table_that_cannot_be_compared_is_told(
    qtbot: QtBot,
    window: MainWindow,
    tables: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    path = tables["openface"]
    if fault == "missing":
        path.unlink()
    else:
        lines = [line.split(", ") for line in path.read_text(encoding="utf-8").splitlines()]
        kept = [i for i, n in enumerate(lines[0]) if n[:2] not in ("x_", "y_") or int(n[2:]) < 29]
        rows = (", ".join(line[i] for i in kept) for line in lines)
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    choose_table(window, monkeypatch, path)
    qtbot.waitUntil(lambda: bool(window.messages.texts), timeout=WAIT_MS)
    expected = "No such file" if fault == "missing" else "has other landmarks (cofw29)"
    assert expected in window.messages.texts[0]
    assert window.session.display.variants == RAW_AND_STABILIZED
