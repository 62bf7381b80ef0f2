"""A user text is English text that keeps its template and fields."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

from steadymark.models.errors import ContentError, SteadymarkError, WeightsError
from steadymark.models.user_text import NOTHING, UserText, join_texts


def test_a_user_text_equals_its_english_text() -> None:
    text = UserText("{path} has {count} frames", path=Path("a.mp4"), count=3)
    assert text == "a.mp4 has 3 frames"
    assert text.template == "{path} has {count} frames"
    assert text.fields == {"path": "a.mp4", "count": 3}


def test_numbers_are_formatted_by_their_format() -> None:
    text = UserText("from {first:.3f} s, {size:g}", first=np.float32(1.5), size=np.float64(2))
    assert text == "from 1.500 s, 2"


def test_an_error_has_the_text_of_its_sentence() -> None:
    fault = WeightsError("no weights at {path}", path=Path("a.onnx"))
    assert str(fault) == "no weights at a.onnx"
    assert fault.sentence.template == "no weights at {path}"
    assert WeightsError(fault.sentence).sentence is fault.sentence


@pytest.mark.parametrize(
    "inner", [WeightsError("is {kind}", kind="odd"), UserText("is {kind}", kind="odd")]
)
def test_a_quoted_steadymark_error_stays_a_user_text(inner: object) -> None:
    outer = SteadymarkError("{name} cannot be run: it {why}", name="a", why=inner)
    assert str(outer) == "a cannot be run: it is odd"
    why = outer.sentence.fields["why"]
    assert isinstance(why, UserText)
    assert (why.template, why.fields) == ("is {kind}", {"kind": "odd"})


def test_a_quoted_system_error_becomes_plain_text() -> None:
    fault = SteadymarkError("cannot read: {why}", why=OSError(28, "No space left"))
    assert fault.sentence.fields == {"why": "[Errno 28] No space left"}


def test_errors_and_user_texts_can_be_pickled_and_copied() -> None:
    inner = ContentError("it is larger than {most} MiB", most=4)
    fault = WeightsError("{path} is no card ({error})", path=Path("a.json"), error=inner)
    for restored in (pickle.loads(pickle.dumps(fault)), copy.deepcopy(fault)):
        assert type(restored) is WeightsError
        assert str(restored) == "a.json is no card (it is larger than 4 MiB)"
        assert restored.sentence.template == fault.sentence.template
        why = restored.sentence.fields["error"]
        assert isinstance(why, UserText)
        assert why.template == "it is larger than {most} MiB"


def test_braces_in_quoted_values_are_not_filled_in() -> None:
    assert UserText("{path} is empty", path="{path} {0}.mp4") == "{path} {0}.mp4 is empty"
    assert WeightsError("a {name} that nobody fills").sentence == "a {name} that nobody fills"


def test_unprintable_characters_become_spaces_in_quoted_texts_too() -> None:
    quoted = UserText("'{name}'", name="two\nlines")
    assert UserText("{name}: {what}", name="\x1b[31m", what=quoted) == " [31m: 'two lines'"


def test_several_texts_are_joined_into_one() -> None:
    one, two, three = UserText("one"), UserText("{n}", n=2), UserText("three")
    assert join_texts(()) == NOTHING == ""
    assert join_texts(iter([one])) is one
    assert join_texts([one, two, three]) == "one; 2; three"


def test_a_counted_text_is_in_the_singular_for_exactly_one() -> None:
    def text(count: int) -> UserText:
        return UserText.counted(
            "1 frame of {name}", "{count} frames of {name}", count=count, name="a"
        )

    assert [text(n) for n in (0, 1, 2)] == ["0 frames of a", "1 frame of a", "2 frames of a"]
    assert text(1).template == "1 frame of {name}"
    assert pickle.loads(pickle.dumps(text(2))).fields == {"count": 2, "name": "a"}
