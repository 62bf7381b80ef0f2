"""Presets of expression settings: files of the user, which may be damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steadymark.app.session.expressions.expression_presets import (
    ExpressionPresets,
    find_expressions,
)
from steadymark.engine.core.errors import SinkError, UsageError
from steadymark.engine.expressions.expression_files import NamedExpressions, write_expressions
from steadymark.engine.expressions.expression_settings import (
    AS_MEASURED,
    ExpressionSettings,
    ShapeSettings,
)

if TYPE_CHECKING:
    from pathlib import Path

OWN = ExpressionSettings(mirrored=True).with_shape("jawOpen", ShapeSettings(1.5, 0.1, 0.5))


def test_presets_are_saved_listed_and_deleted(tmp_path: Path) -> None:
    presets = ExpressionPresets(tmp_path / "new" / "expressions")
    assert presets.all() == ([], [])
    second = presets.save(" Über/Nacht:  laut ", OWN)
    first = presets.save("calm", AS_MEASURED)
    assert second.name == "Über/Nacht: laut"
    assert presets.all() == ([first, second], [])
    replaced = presets.save("CALM", OWN)
    assert presets.all() == ([replaced, second], [])
    presets.delete(second)
    presets.delete(second)  # which is gone
    assert presets.all() == ([replaced], [])


def test_a_damaged_file_is_reported_and_the_others_are_listed(tmp_path: Path) -> None:
    presets = ExpressionPresets(tmp_path)
    saved = presets.save("mine", OWN)
    (tmp_path / "bad.json").write_text("{", "utf-8")
    found, faults = presets.all()
    assert found == [saved]
    (fault,) = faults
    assert "bad.json holds no expression settings" in fault


def test_a_file_is_imported_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "sent by mail.json"
    write_expressions(path, NamedExpressions("Robot", OWN))
    presets = ExpressionPresets(tmp_path / "presets")
    imported = presets.import_file(path)
    assert (imported.name, imported.settings) == ("Robot", OWN)
    assert presets.all() == ([imported], [])
    with pytest.raises(UsageError, match="holds no expression settings"):
        presets.import_file(tmp_path / "none.json")


def test_names_are_checked_and_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    presets = ExpressionPresets(tmp_path / "file" / "presets")
    for name in ("", "  ", "x" * 61, "a\x00b"):
        with pytest.raises(UsageError, match="1 to 60 printable"):
            presets.save(name, OWN)
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot be created"):
        presets.save("a", OWN)


def test_the_command_line_finds_a_preset_by_name_or_file(tmp_path: Path) -> None:
    presets = ExpressionPresets(tmp_path / "presets")
    with pytest.raises(UsageError, match=r"neither a file nor a preset.*there are no presets"):
        find_expressions("robot", presets)
    presets.save("Robot", OWN)
    assert find_expressions(" robot ", presets) == OWN
    path = tmp_path / "other.json"
    write_expressions(path, NamedExpressions("other", AS_MEASURED))
    assert find_expressions(str(path), presets) == AS_MEASURED
    with pytest.raises(UsageError, match=r"'robt' is neither.*choose one of Robot"):
        find_expressions("robt", presets)
