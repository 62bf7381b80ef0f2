"""Registries find the entries of their package and of plug-ins, and check parameters."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from steadymark.models import choice_registry
from steadymark.models.choice_registry import PLUGINS, Parameter, Registry, checked_parameters
from steadymark.models.errors import UsageError
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

CUTOFF = Parameter("cutoff_hz", UserText("Cut-off"), 6.0, 0.1, 60.0, unit="Hz")
WINDOW = Parameter("window_frames", UserText("Window"), 3, 1, whole=True)


@dataclass(frozen=True)
class Entry:
    name: str


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[Entry]:
    """Return a registry over an empty package."""
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "__init__.py").write_text("loaded = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(choice_registry, "_loaded_plugins", {})
    for name in [name for name in sys.modules if name.split(".")[0] == "shelf"]:
        monkeypatch.delitem(sys.modules, name)
    return Registry("shelf entry", "shelf", first=("plain", "zoom"))


def test_entries_are_listed_in_the_order_of_the_registry_and_then_by_name(
    registry: Registry[Entry],
) -> None:
    for name in ("b", "zoom", "a", "plain"):
        registry.add(Entry(name))
    assert registry.names() == ("plain", "zoom", "a", "b")


def test_the_modules_of_the_package_are_imported_when_the_registry_is_read(
    registry: Registry[Entry], tmp_path: Path
) -> None:
    (tmp_path / "shelf" / "one.py").write_text("import shelf\nshelf.loaded.append('one')\n")
    import shelf  # type: ignore[import-not-found]

    assert shelf.loaded == []
    assert registry.names() == ()
    assert shelf.loaded == ["one"]


def test_an_unknown_name_is_refused_with_the_names_that_exist(registry: Registry[Entry]) -> None:
    registry.add(Entry("a"))
    with pytest.raises(UsageError, match="unknown shelf entry 'c': choose one of a"):
        registry.find("c")


def test_a_name_cannot_be_registered_twice(registry: Registry[Entry]) -> None:
    registry.add(Entry("a"))
    with pytest.raises(ValueError, match="registered twice"):
        registry.add(Entry("a"))


def test_a_plug_in_is_run_when_a_registry_is_read(
    registry: Registry[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = tmp_path / "plugin.py"
    plugin.write_text("import shelf\nshelf.loaded.append('plugin')\n")
    monkeypatch.setenv(PLUGINS, str(plugin))
    registry.names()
    registry.names()
    import shelf

    assert shelf.loaded == ["plugin"]


@pytest.mark.parametrize("content", ["1 / 0", "def", None])
def test_a_failing_plug_in_is_reported_in_one_sentence(
    registry: Registry[Entry],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str | None,
) -> None:
    plugin = tmp_path / "plugin.py"
    if content is not None:
        plugin.write_text(content)
    monkeypatch.setenv(PLUGINS, str(plugin))
    for _ in range(2):
        with pytest.raises(UsageError, match=r"plugin\.py cannot be loaded"):
            registry.names()


def test_parameters_take_given_values_and_otherwise_defaults() -> None:
    assert checked_parameters([CUTOFF, WINDOW], {"window_frames": 5}, "filter") == {
        "cutoff_hz": 6.0,
        "window_frames": 5,
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cutoff_hz": 0.0}, "filter's cutoff_hz must be from 0.1 to 60, not 0"),
        ({"cutoff_hz": float("nan")}, "must be from 0.1 to 60, not nan"),
        ({"window_frames": 0}, "filter's window_frames must be 1 or more, not 0"),
        ({"window_frames": float("inf")}, "must be 1 or more, not inf"),
        ({"window_frames": 2.5}, "must be a whole number, not 2.5"),
        ({"beta": 1.0}, "filter has no parameter 'beta': choose one of cutoff_hz, window_frames"),
    ],
)
def test_an_invalid_parameter_is_refused_with_a_reason(
    values: dict[str, float], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        checked_parameters([CUTOFF, WINDOW], values, "filter")


def test_a_whole_parameter_has_the_values_that_its_step_leads_to() -> None:
    odd = Parameter("window_frames", UserText("Window"), 5, 1, 99, step=2, whole=True)
    assert odd.checked(7, "filter") == 7
    assert [odd.nearest(value) for value in (4.9, 5, 6.1)] == [5, 5, 7]
    with pytest.raises(UsageError, match="must be 1, 3, 5 and so on, not 4"):
        odd.checked(4, "filter")
    assert WINDOW.nearest(4) == 4


def test_a_value_is_shown_with_its_unit() -> None:
    assert (CUTOFF.text(6.0), WINDOW.text(3)) == ("6 Hz", "3")


def test_the_option_of_a_parameter_has_no_unit() -> None:
    assert (CUTOFF.option, WINDOW.option) == ("--cutoff", "--window")
