"""The project of the open recording: saved by itself, locked, undone, and never lost."""

from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from steadymark.app.session.review.review_store import ReviewStore
from steadymark.engine.core.types import SourceInfo
from steadymark.engine.review import edits
from steadymark.engine.review.project import Correction
from steadymark.engine.review.project_file import read_project
from steadymark.models.user_text import UserText

ACTION = UserText("exclude")


@pytest.fixture
def info(tmp_path: Path) -> SourceInfo:
    video = tmp_path / "talk.mp4"
    video.write_bytes(b"a video")
    return SourceInfo("talk.mp4", str(video), 640, 480, 25.0, 250, live=False)


def opened(info: SourceInfo) -> tuple[ReviewStore, list[str]]:
    """Return a store with the project of a recording, and the messages that it posts."""
    store = ReviewStore()
    messages: list[str] = []
    store.message_posted.connect(messages.append)
    store.open(info)
    return store, messages


def test_an_edit_is_saved_and_found_again(info: SourceInfo, qtbot: QtBot) -> None:
    store, messages = opened(info)
    path = Path(info.path).with_name("talk.steadymark")
    assert store.path == path
    assert not path.exists()
    assert store.edit(ACTION, lambda p: edits.exclude(p, 1.0, 2.0, note="hand"))
    assert store.close()
    assert [one.note for one in read_project(path).annotations] == ["hand"]
    again, _ = opened(info)
    assert again.project is not None
    assert again.project.video.frames == 250
    assert [one.note for one in again.project.annotations] == ["hand"]
    assert again.close()
    assert messages == []
    assert [file.name for file in path.parent.iterdir() if file.name.startswith(".")] == []


def test_undo_and_redo_are_saved_too(info: SourceInfo, qtbot: QtBot) -> None:
    store, _ = opened(info)
    store.edit(ACTION, lambda p: edits.exclude(p, 1.0, 2.0))
    store.edit(ACTION, lambda p: edits.exclude(p, 3.0, 4.0))
    assert store.undo()
    assert store.undo()
    assert not store.undo()
    assert store.redo()
    assert store.path is not None
    path = store.path
    store.close()
    assert [one.start_s for one in read_project(path).annotations] == [1.0]


def test_an_impossible_edit_is_told_and_changes_nothing(info: SourceInfo, qtbot: QtBot) -> None:
    store, messages = opened(info)
    assert not store.edit(ACTION, lambda p: edits.annotate(p, "speech", 1.0))
    assert not store.edit(ACTION, lambda p: p)
    assert messages == ["there is no lane called 'speech': there are exclude"]
    assert store.path is not None
    path = store.path
    store.close()
    assert not path.exists()


def test_a_project_that_another_program_has_open_is_not_edited(
    info: SourceInfo, qtbot: QtBot
) -> None:
    first, _ = opened(info)
    first.edit(ACTION, lambda p: edits.exclude(p, 1.0, 2.0))
    second, messages = opened(info)
    assert not second.edit(ACTION, lambda p: edits.exclude(p, 5.0, 6.0))
    assert not second.undo()
    assert all("open in another window or program" in message for message in messages)
    assert len(messages) == 2
    second.close()
    assert first.edit(ACTION, lambda p: edits.exclude(p, 3.0, 4.0))
    assert first.path is not None
    path = first.path
    first.close()
    assert len(read_project(path).annotations) == 2


def test_a_damaged_project_is_told_and_left_as_it_is(info: SourceInfo, qtbot: QtBot) -> None:
    path = Path(info.path).with_name("talk.steadymark")
    path.write_text('{"steadymark_project": 1,')
    store, messages = opened(info)
    assert not store.edit(ACTION, lambda p: edits.exclude(p, 1.0, 2.0))
    store.close()
    assert "not JSON" in messages[0]
    assert path.read_text() == '{"steadymark_project": 1,'


def test_a_changed_video_is_told(info: SourceInfo, qtbot: QtBot) -> None:
    store, _ = opened(info)
    store.edit(ACTION, lambda p: edits.exclude(p, 1.0, 2.0))
    store.close()
    Path(info.path).write_bytes(b"another video")
    store, messages = opened(info)
    assert "is not the file that talk.steadymark was made for" in messages[0]
    assert store.edit(ACTION, lambda p: edits.exclude(p, 3.0, 4.0))
    store.close()


def test_a_correction_of_a_landmark_that_there_is_not_is_told(
    info: SourceInfo, qtbot: QtBot
) -> None:
    store, messages = opened(info)
    wrong = Correction(0, 0, 0.0, ((99, 1.0, 2.0),), span_s=0.1)
    store.edit(ACTION, lambda p: edits.correct(p, wrong))
    store.open(info, landmarks=106)
    assert messages == []
    store.open(info, landmarks=68)
    assert "corrects landmark 99 of face 0 in frame 0, and the landmarks are 0 to 67" in messages[0]
    store.close()


def test_a_full_disk_is_told_and_the_edit_is_saved_later(
    info: SourceInfo, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, messages = opened(info)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        store.edit(ACTION, lambda p: edits.exclude(p, 1.0, 2.0))
        qtbot.waitUntil(lambda: bool(messages))
    assert "kept in memory" in messages[0]
    store.edit(ACTION, lambda p: edits.exclude(p, 3.0, 4.0))
    qtbot.waitUntil(lambda: messages[-1] == "The project is saved again.")
    assert store.close()


def test_live_sources_have_no_project(info: SourceInfo, qtbot: QtBot) -> None:
    store, _ = opened(replace(info, live=True))
    assert store.project is None
    assert not store.edit(ACTION, lambda p: edits.exclude(p, 1.0, 2.0))
