"""The registry of streaming targets, and a target that a plug-in adds."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.core.errors import SinkError, UsageError
from steadymark.engine.streaming.sender import Sender, Senders
from steadymark.engine.streaming.targets import TARGETS, parse_target
from support.fakes.fake_results import track_result, tracked_face
from support.plugged import plugged

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = """
from steadymark.engine.streaming.targets import TARGETS, TargetKind, stream_name
from steadymark.models.user_text import UserText

class Diary:
    has_receiver = None
    def __init__(self, target):
        self.place = target.place
    def open(self):
        if self.place == "lost":
            import no_such_package
    def send(self, result):
        with open(self.place, "a") as file:
            file.write(f"{result.frame.index}\\n")
        return 1, 0
    def close(self):
        pass

TARGETS.add(TargetKind("diary", UserText("Diary"), UserText("Frame numbers, into a file."),
    "diary.txt", Diary, stream_name, UserText("file"), package="diary-kit"))
"""


@pytest.fixture
def diary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    plugin = tmp_path / "diary_plugin.py"
    plugin.write_text(PLUGIN, "utf-8")
    with plugged(monkeypatch, plugin, TARGETS):
        yield


@pytest.mark.usefixtures("diary")
def test_a_target_of_a_plug_in_gets_the_results(tmp_path: Path) -> None:
    target = parse_target(f"diary://{tmp_path / 'mine.txt'}")
    senders = Senders([target])
    senders.open()
    senders.offer(track_result(3, tracked_face()))
    (told,) = senders.close()
    assert told == f"1 packet was sent to {target}"
    assert (tmp_path / "mine.txt").read_text() == "3\n"
    assert str(parse_target("diary")) == "diary://diary.txt"
    assert not [t for t in threading.enumerate() if t.name.startswith("sending diary")]


@pytest.mark.usefixtures("diary")
def test_a_package_that_a_target_lacks_is_named() -> None:
    with pytest.raises(SinkError, match=r"Diary needs the package diary-kit.*'diary-kit'"):
        Sender(parse_target("diary://lost")).open()


@pytest.mark.usefixtures("diary")
def test_an_unknown_target_is_refused_with_all_that_exist() -> None:
    with pytest.raises(UsageError, match=r"write one of osf, vmc, lsl, diary.*diary://diary.txt"):
        parse_target("dairy")


def test_the_documentation_lists_every_shipped_target() -> None:
    text = (ROOT / "docs" / "guide.md").read_text("utf-8")
    for kind in TARGETS.all():
        (row,) = re.findall(rf"^\| `{kind.name}`.*$", text, re.MULTILINE)
        assert kind.place in row
        assert bool(kind.package) != row.endswith("| – |")
