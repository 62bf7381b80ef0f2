"""A stabilizer of a plug-in is there everywhere: options, Python, window, presets and tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import steadymark as sm
from steadymark.app.gui.panels.filter_parameters import FilterParameters
from steadymark.app.gui.panels.settings_panel import SettingsPanel
from steadymark.app.session.analysis.variants import Variant, variants_for
from steadymark.app.session.presets import PresetError, Presets, read_preset
from steadymark.app.session.settings_values import restored_settings, settings_from_dict
from steadymark.engine.stabilizers.stabilizer_registry import (
    STABILIZER_REGISTRY,
    choose,
    point_filters,
)
from steadymark.engine.tracking.settings import TrackSettings, plain_settings
from steadymark.models import choice_registry
from steadymark.models.choice_registry import PLUGINS
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

PLUGIN = Path(__file__).resolve().parents[4] / "examples" / "plugins" / "median_filter.py"
DEMO = assets_root() / "clips" / "demo.mp4"


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Load the plug-in into this process, and remove its stabilizer afterwards."""
    STABILIZER_REGISTRY.load()
    monkeypatch.setenv(PLUGINS, str(PLUGIN))
    monkeypatch.setattr(choice_registry, "_loaded_plugins", {})
    variants_for.cache_clear()
    STABILIZER_REGISTRY.load()
    yield
    STABILIZER_REGISTRY.remove("median")
    variants_for.cache_clear()


def steadymark(*arguments: object, plugins: Path = PLUGIN) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, since options are made at its start."""
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200", PLUGINS: str(plugins)}
    command = [sys.executable, "-m", "steadymark.app", *map(str, arguments)]
    return subprocess.run(
        command, env={**os.environ, **paths}, capture_output=True, text=True, check=False
    )


def test_track_has_the_option_and_the_table_records_its_value(tmp_path: Path) -> None:
    shown = steadymark("track", "--help").stdout
    assert "median: The median over the last frames" in " ".join(shown.replace("│", " ").split())
    assert "--window" in shown
    done = steadymark(
        *("track", DEMO, "--out", tmp_path, "--end", "0.2", "--stabilizer", "median"),
        *("--window", "3"),
    )
    assert done.returncode == 0, done.stderr
    table = sm.read_csv(tmp_path / "demo.csv")
    assert table.header.settings["stabilizer"] == "median"
    assert table.header.settings["median"] == {"window_frames": 3}
    expected = np.median(table.raw_landmarks[3:6, 0], axis=0)
    np.testing.assert_allclose(table.landmarks[5, 0], expected, atol=0.01)
    wrong = steadymark("track", DEMO, "--out", tmp_path, "--stabilizer", "median", "--window", 4)
    assert wrong.returncode == 2
    assert "median's window_frames must be 1, 3, 5 and so on, not 4" in wrong.stderr


def test_a_plug_in_that_cannot_be_loaded_ends_each_command_with_a_sentence(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("1 / 0\n")
    done = steadymark("models", plugins=wrong)
    assert done.returncode == 2
    assert "wrong.py cannot be loaded (ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("plugin")
def test_points_are_smoothed_by_it_and_outliers_vanish() -> None:
    points = np.full((20, 5, 2), 100.0)
    points[10] += 50
    out = sm.smooth(points, np.arange(20) / 30, method="median", window_frames=3)
    np.testing.assert_array_equal(out, np.full((20, 5, 2), 100.0))
    with pytest.raises(sm.UsageError, match="median has no parameter 'beta'"):
        sm.smooth(points, np.arange(20) / 30, method="median", beta=1)


@pytest.mark.usefixtures("plugin")
def test_the_window_lists_it_with_a_control_for_its_parameter(qtbot: QtBot, tmp_path: Path) -> None:
    panel = SettingsPanel(TrackSettings(), Presets(tmp_path))
    qtbot.addWidget(panel)
    index = panel.stabilizer.findData("median")
    assert panel.stabilizer.itemText(index) == "Running median"
    panel.stabilizer.setCurrentIndex(index)
    panel.stabilizer.activated.emit(index)
    box = panel.filters["median"].boxes["window_frames"]
    assert box.isVisibleTo(panel)
    assert box.text() == "5 frames"
    box.setValue(8)  # between two values that can be
    assert panel.settings.chosen == choose("median", window_frames=9)
    assert panel.presets.summary.text().endswith(
        ("Running median 9 frames · 1 face", "Running median 9 frames · 1 face(s)")
    )
    sides = FilterParameters()
    qtbot.addWidget(sides)
    assert Variant("median") in variants_for(TrackSettings())
    sides.show_variant(Variant("median"), panel.settings)
    assert sides.controls["median"].boxes["window_frames"].value() == 9


@pytest.mark.usefixtures("plugin")
def test_a_preset_keeps_it_and_names_it_when_the_plug_in_is_gone(tmp_path: Path) -> None:
    filters = (choose("median", window_frames=7),)
    settings = TrackSettings(stabilizer="median", filters=filters)
    saved = Presets(tmp_path).save("calm", settings)
    assert saved.settings == settings
    assert saved.path is not None
    content = json.loads(saved.path.read_text(encoding="utf-8"))
    assert content["settings"]["median"] == {"window_frames": 7}
    entry = STABILIZER_REGISTRY.find("median")
    STABILIZER_REGISTRY.remove("median")
    try:
        with pytest.raises(PresetError, match=r"calm.*\.json is not a preset \('median"):
            read_preset(saved.path)
        assert restored_settings(content["settings"]) == TrackSettings()
    finally:
        STABILIZER_REGISTRY.add(entry)


@pytest.mark.usefixtures("plugin")
def test_tables_of_other_stabilizers_do_not_change_when_a_plug_in_is_there() -> None:
    assert "median" not in plain_settings(TrackSettings())
    plain = plain_settings(TrackSettings(stabilizer="median"))
    assert plain["median"] == {"window_frames": 5}
    assert settings_from_dict(plain) == TrackSettings(stabilizer="median")


def test_the_documentation_names_every_stabilizer_and_parameter() -> None:
    docs = PLUGIN.parents[2] / "docs"
    rows = {
        row.split("|")[1].replace(" (default)", ""): row
        for row in (docs / "guide.md").read_text(encoding="utf-8").splitlines()
        if row.startswith("| `")
    }
    for entry in STABILIZER_REGISTRY.all():
        (row,) = (row for names, row in rows.items() if f"`{entry.name}`" in names)
        for parameter in entry.parameters:
            assert f"`{parameter.option}`" in row
    text = (docs / "python.md").read_text(encoding="utf-8")
    for entry in point_filters():
        names = ", ".join(f"`{parameter.name}`" for parameter in entry.parameters)
        assert f"| `{entry.name}` | {names} |" in text
