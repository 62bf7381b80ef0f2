"""A sentence is English text that remembers what it was made of."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

from steadymark.models.errors import ContentError, SteadymarkError, WeightsError
from steadymark.models.user_text import NOTHING, UserText, join_texts


def test_a_sentence_is_its_english_text() -> None:
    told = UserText("{path} has {count} frames", path=Path("a.mp4"), count=3)
    assert told == "a.mp4 has 3 frames"
    assert told.template == "{path} has {count} frames"
    assert told.fields == {"path": "a.mp4", "count": 3}


def test_numbers_stay_numbers_for_their_format() -> None:
    told = UserText("from {first:.3f} s, {size:g}", first=np.float32(1.5), size=np.float64(2))
    assert told == "from 1.500 s, 2"


def test_a_fault_tells_what_its_sentence_tells() -> None:
    fault = WeightsError("no weights at {path}", path=Path("a.onnx"))
    assert str(fault) == "no weights at a.onnx"
    assert fault.sentence.template == "no weights at {path}"
    assert WeightsError(fault.sentence).sentence is fault.sentence


@pytest.mark.parametrize(
    "inner", [WeightsError("is {kind}", kind="odd"), UserText("is {kind}", kind="odd")]
)
def test_what_is_quoted_of_ours_stays_a_sentence(inner: object) -> None:
    outer = SteadymarkError("{name} cannot be run: it {why}", name="a", why=inner)
    assert str(outer) == "a cannot be run: it is odd"
    why = outer.sentence.fields["why"]
    assert isinstance(why, UserText)
    assert (why.template, why.fields) == ("is {kind}", {"kind": "odd"})


def test_what_is_quoted_of_the_system_is_text() -> None:
    fault = SteadymarkError("cannot read: {why}", why=OSError(28, "No space left"))
    assert fault.sentence.fields == {"why": "[Errno 28] No space left"}


def test_faults_and_sentences_travel_to_other_processes() -> None:
    inner = ContentError("it is larger than {most} MiB", most=4)
    fault = WeightsError("{path} is no card ({error})", path=Path("a.json"), error=inner)
    for again in (pickle.loads(pickle.dumps(fault)), copy.deepcopy(fault)):
        assert type(again) is WeightsError
        assert str(again) == "a.json is no card (it is larger than 4 MiB)"
        assert again.sentence.template == fault.sentence.template
        why = again.sentence.fields["error"]
        assert isinstance(why, UserText)
        assert why.template == "it is larger than {most} MiB"


def test_braces_of_what_is_quoted_are_nothing_to_be_filled_in() -> None:
    assert UserText("{path} is empty", path="{path} {0}.mp4") == "{path} {0}.mp4 is empty"
    assert WeightsError("a {name} that nobody fills").sentence == "a {name} that nobody fills"


def test_what_cannot_be_printed_becomes_a_space_also_in_what_is_quoted() -> None:
    quoted = UserText("'{name}'", name="two\nlines")
    assert UserText("{name}: {what}", name="\x1b[31m", what=quoted) == " [31m: 'two lines'"


def test_several_sentences_are_one() -> None:
    one, two, three = UserText("one"), UserText("{n}", n=2), UserText("three")
    assert join_texts(()) == NOTHING == ""
    assert join_texts(iter([one])) is one
    assert join_texts([one, two, three]) == "one; 2; three"
