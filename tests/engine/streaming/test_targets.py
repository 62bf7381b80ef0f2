"""Streaming targets are parsed from the text that a user types."""

from __future__ import annotations

import pytest

from steadymark.engine.core.errors import UsageError
from steadymark.engine.streaming.targets import TargetKind, parse_target


@pytest.mark.parametrize(
    ("text", "shown", "host", "port"),
    [
        ("osf", "osf://127.0.0.1:11573", "127.0.0.1", 11573),
        ("vmc", "vmc://127.0.0.1:39540", "127.0.0.1", 39540),
        (" osf://192.168.1.5 ", "osf://192.168.1.5:11573", "192.168.1.5", 11573),
        ("vmc://:39539", "vmc://127.0.0.1:39539", "127.0.0.1", 39539),
        ("osf://[::1]:1", "osf://[::1]:1", "::1", 1),
        ("vmc://studio.local:65535", "vmc://studio.local:65535", "studio.local", 65535),
    ],
)
def test_missing_host_and_port_default_to_this_machine_and_the_usual_port(
    text: str, shown: str, host: str, port: int
) -> None:
    target = parse_target(text)
    assert (str(target), target.host, target.port) == (shown, host, port)
    assert parse_target(str(target)) == target


def test_an_lsl_stream_has_a_name() -> None:
    assert parse_target("lsl").place == "Steadymark"
    target = parse_target("lsl://Fräulein 2")
    assert (target.kind, target.place) == (TargetKind.LSL, "Fräulein 2")


@pytest.mark.parametrize(
    "text",
    [
        "", "udp://127.0.0.1:1", "OSF", "osf:", "osf://", "osf://a:0", "osf://a:65536", "osf://a:x",
        "vmc://a/b", "vmc://me@a:1", "vmc://a b:1", "osf://[::1", "osf://a:1?b",
        "vmc://" + "a" * 300,
        "lsl://", "lsl://a\nb", "lsl://" + "a" * 300, "osf://\x00:1",
    ],
)  # fmt: skip
def test_an_invalid_target_is_reported_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"write|at most") as error:
        parse_target(text)
    assert "\n" not in str(error.value).replace(text, "")
