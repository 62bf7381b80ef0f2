"""Files of expression settings, also those that nobody should have written."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest

from steadymark.engine.core.errors import SinkError, UsageError
from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_files import (
    NamedExpressions,
    read_expressions,
    write_expressions,
)
from steadymark.engine.expressions.expression_settings import ExpressionSettings, ShapeSettings

HEAD = '{"steadymark_expressions": 1, "name": "a", '


def test_settings_are_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    settings = ExpressionSettings(mirrored=True).with_shape(
        "jawOpen", ShapeSettings(1.25, 0.1, 0.5)
    )
    path = tmp_path / "cartoon.json"
    write_expressions(path, NamedExpressions("  Größe  顔 ", settings))
    assert read_expressions(path) == NamedExpressions("Größe 顔", settings)
    assert list(json.loads(path.read_text("utf-8"))["shapes"]) == ["jawOpen"]


def test_all_shapes_can_be_changed(tmp_path: Path) -> None:
    shapes = tuple(ShapeSettings(dead_zone=i / 100) for i in range(len(SHAPES)))
    path = tmp_path / "all.json"
    write_expressions(path, NamedExpressions("all", ExpressionSettings(shapes)))
    assert read_expressions(path).settings.shapes == shapes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "JSONDecodeError"),
        ("[]", "it lacks 'steadymark_expressions': 1"),
        ('{"steadymark_expressions": 2}', "it lacks 'steadymark_expressions': 1"),
        ('{"steadymark_expressions": 1}', "it has no name"),
        ('{"steadymark_expressions": 1, "name": " "}', "has 1 to 60 printable"),
        (HEAD + '"colour": 3}', "'colour' is unknown"),
        (HEAD + '"mirrored": 1}', "'mirrored' is neither true nor false"),
        (HEAD + '"shapes": []}', "'shapes' is no object"),
        (HEAD + '"shapes": {"jawopen": {}}}', "there is no shape 'jawopen'"),
        (HEAD + '"shapes": {"jawOpen": 2}}', "'jawOpen' is no object with gain, dead_zone, curve"),
        (HEAD + '"shapes": {"jawOpen": {"gian": 2}}}', "'jawOpen' has an unknown 'gian'"),
        (HEAD + '"shapes": {"jawOpen": {"gain": "2"}}}', "the gain of 'jawOpen' is no number"),
        (HEAD + '"shapes": {"jawOpen": {"gain": true}}}', "the gain of 'jawOpen' is no number"),
        (HEAD + '"shapes": {"jawOpen": {"gain": NaN}}}', "gain must be from 0 to 5, not nan"),
        (
            HEAD + '"shapes": {"jawOpen": {"curve": 1e999}}}',
            "from 0.25 to 4, not inf",
        ),
        (HEAD + '"shapes": {"jawOpen": {"gain": 1' + "0" * 400 + "}}}", "number is too large"),
        ("[" * 100_000, "RecursionError"),
        ("\ud800", "UnicodeDecodeError"),
        (" " * (1 << 21), "it is too large"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path: Path, content: str, reason: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError) as caught:
        read_expressions(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path} holds no expression settings (")
    assert reason in sentence
    assert "\n" not in sentence


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(UsageError, match="holds no expression settings"):
            read_expressions(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"cannot write .*none.*the folder does not exist"):
        write_expressions(tmp_path / "none" / "a.json", NamedExpressions("a", ExpressionSettings()))


def test_a_file_stays_as_it_is_if_the_disk_is_full_while_a_new_one_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, named = tmp_path / "a.json", NamedExpressions("a", ExpressionSettings())
    write_expressions(path, named)

    def fill_disk(target: Path, *_: object, **__: object) -> int:
        target.write_bytes(b'{"steadymark')
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fill_disk)
    with pytest.raises(SinkError, match="the disk is full"):
        write_expressions(path, replace(named, name="b"))
    assert read_expressions(path) == named
    assert list(tmp_path.iterdir()) == [path]
