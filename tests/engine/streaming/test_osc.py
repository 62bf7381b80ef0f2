"""OSC messages, as another library reads them."""

from __future__ import annotations

import pytest

from steadymark.engine.streaming.osc import osc_bundles, osc_message

osc_message_module = pytest.importorskip("pythonosc.osc_message")
osc_bundle_module = pytest.importorskip("pythonosc.osc_bundle")


def test_a_message_is_read_with_the_types_of_its_values() -> None:
    values = ("Größe", "", "four", 3, -7, 0.25, -1.5e-3)
    read = osc_message_module.OscMessage(osc_message("/a/b", values))
    assert read.address == "/a/b"
    assert list(read.params) == [*values[:6], pytest.approx(-1.5e-3)]
    assert [type(value) for value in read.params] == [type(value) for value in values]


@pytest.mark.parametrize("length", range(1, 9))
def test_texts_of_every_length_end_at_a_multiple_of_four(length: int) -> None:
    data = osc_message("/" + "x" * length, ("y" * length, length))
    assert len(data) % 4 == 0
    assert list(osc_message_module.OscMessage(data).params) == ["y" * length, length]


def test_messages_are_split_into_bundles_in_their_order() -> None:
    messages = [(f"/{number}", ("x" * 50, number)) for number in range(40)]
    bundles = osc_bundles(messages, largest=500)
    assert len(bundles) == 6  # 7 messages of 68 bytes after a head of 16
    assert all(len(data) <= 500 for data in bundles)
    assert osc_bundles([]) == []
    assert len(osc_bundles(messages, largest=10)) == len(messages)
    read = [content for data in bundles for content in osc_bundle_module.OscBundle(data)]
    assert [(each.address, tuple(each.params)) for each in read] == messages
