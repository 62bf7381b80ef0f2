"""Tables and projects are opened beside their video, and nothing is tracked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

from steadymark.app.gui.actions.drag_and_drop import open_dropped_files
from steadymark.app.session.export import ExportKind
from steadymark.app.session.recording.kept_results import delete_kept
from steadymark.app.session.state import Phase
from steadymark.engine.output.csv.landmark_table import read_landmarks
from support.videos.square_video import square_video
from support.window.window_driver import key, open_video

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow

WAIT_MS = 20_000


def export(qtbot: QtBot, window: MainWindow, path: Path, table: str = "native") -> Path:
    """Export the results to a table."""
    with qtbot.waitSignal(window.exports.ended, timeout=WAIT_MS) as ended:
        window.files.export(ExportKind.TABLE, path, table)
    assert ended.args[0].fault == ""
    return Path(ended.args[0].path)


def close(qtbot: QtBot, window: MainWindow) -> None:
    """Close the recording, and delete the results that are kept of it."""
    closed = window.session.recording.current
    window.session.close_source()
    if closed is not None:
        qtbot.waitUntil(closed.closed.is_set)
    delete_kept(window.session.recording.state_root)
    window.messages.dismiss_all()


def open_results(qtbot: QtBot, window: MainWindow, path: Path, video: str = "") -> None:
    """Open a table or a project, and wait until its recording is shown."""
    window.open_path(str(path), video)
    qtbot.waitUntil(lambda: window.session.display.table != "", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.view.shown is not None)
    window.session.recording.pause()


def was_tracked(window: MainWindow) -> bool:
    """Return whether a frame was tracked in this window: tables hold no tracking times."""
    results = window.session.results
    return results is not None and bool(np.isfinite(results.stage_ms()).any())


def rows_by_frame(window: MainWindow) -> list[tuple[int, int, list[float]]]:
    """Return frame, face and stabilized landmarks of all rows, by frame and face."""
    assert window.session.results is not None
    rows = window.session.results.rows()
    order = np.lexsort((rows.face_id, rows.frame))
    return [
        (int(rows.frame[i]), int(rows.face_id[i]), rows.stabilized[i].ravel().tolist())
        for i in order
    ]


@pytest.fixture
def table(qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path) -> Path:
    """Return the exported table of a recording that was closed since, without kept results."""
    open_video(qtbot, window, clip)
    folder = tmp_path / "results"
    folder.mkdir()
    path = export(qtbot, window, folder / "mine.csv")
    close(qtbot, window)
    return path


def test_an_exported_table_shows_the_same_landmarks_without_tracking(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    before = rows_by_frame(window)
    path = export(qtbot, window, tmp_path / "other name.csv")
    close(qtbot, window)
    open_results(qtbot, window, path)
    session = window.session
    assert session.display.path == clip
    assert session.display.phase is Phase.FINISHED
    assert not was_tracked(window)
    assert "Results of other name.csv are shown" in window.messages.texts[0]
    qtbot.waitUntil(
        lambda: window.status.phase.text() == "Results of other name.csv; not tracked here"
    )
    for mine, other in zip(rows_by_frame(window), before, strict=True):
        assert mine[:2] == other[:2]
        np.testing.assert_allclose(mine[2], other[2], atol=0.0006)
    qtbot.waitUntil(lambda: session.measures is not None)
    qtbot.waitUntil(lambda: session.doubts.complete and bool(session.doubts.stretches))
    again = export(qtbot, window, tmp_path / "again.csv")
    assert again.read_bytes() == path.read_bytes()


def test_the_message_and_the_menu_track_anew(qtbot: QtBot, window: MainWindow, table: Path) -> None:
    open_results(qtbot, window, table)
    assert not window.actions_by_name["track"].isEnabled()
    assert window.actions_by_name["again"].isEnabled()
    message = window.messages._shown[0]
    message._on_choice(window.session.recording.retrack)
    qtbot.waitUntil(lambda: window.session.display.table == "")
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=WAIT_MS)
    assert was_tracked(window)


def test_other_settings_ask_for_tracking_and_leave_the_table_as_it_is(
    qtbot: QtBot, window: MainWindow, table: Path
) -> None:
    open_results(qtbot, window, table)
    before = str(rows_by_frame(window))
    stabilizer = window.settings.stabilizer
    stabilizer.setCurrentIndex(stabilizer.findData("one-euro"))
    stabilizer.activated.emit(stabilizer.currentIndex())
    assert window.session.recording.settings_need_retracking
    assert str(rows_by_frame(window)) == before


def test_a_table_of_openface_is_shown(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    open_video(qtbot, window, clip)
    before = rows_by_frame(window)
    path = export(qtbot, window, tmp_path / "a_openface.csv", "openface")
    close(qtbot, window)
    open_results(qtbot, window, path)
    assert window.session.display.path == clip
    mine = [row for row in rows_by_frame(window) if np.isfinite(row[2]).all()]
    tracked = [row for row in before if np.isfinite(row[2]).all()]
    for one, other in zip(mine, tracked, strict=True):
        assert one[:2] == other[:2]
        np.testing.assert_allclose(one[2], other[2], atol=0.06)
    key(window, "scores")  # OpenFace tells no scores of landmarks
    window.view.grab()


def test_a_table_without_the_head_pose_shows_the_pose_of_its_landmarks(
    qtbot: QtBot, window: MainWindow, table: Path
) -> None:
    lines = table.read_text(encoding="utf-8").splitlines()
    names = lines[2].split(",")
    kept = [i for i, name in enumerate(names) if not name.startswith("pose_")]
    assert len(kept) < len(names)
    cut = [",".join(line.split(",")[i] for i in kept) for line in lines[2:]]
    before = read_landmarks(table).pose
    table.write_text("\n".join([*lines[:2], *cut]) + "\n", encoding="utf-8")
    open_results(qtbot, window, table)
    assert window.session.results is not None
    pose = window.session.results.rows().attributes[:, :6]
    known = np.isfinite(before).all(1)
    np.testing.assert_allclose(pose[np.isfinite(pose).all(1)], before[known], atol=0.5)


def test_the_window_asks_for_a_video_that_is_not_there(
    qtbot: QtBot,
    window: MainWindow,
    table: Path,
    clip: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = tmp_path / "videos"
    elsewhere.mkdir()
    moved = Path(clip).rename(elsewhere / "renamed.mp4")
    answers = ["", str(moved)]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (answers.pop(0), ""))
    window.open_path(str(table))
    assert window.messages.texts[0].startswith("The video of mine.csv was not found")
    assert window.session.display.phase is Phase.EMPTY
    open_results(qtbot, window, table)
    assert window.session.display.path == str(moved)
    assert not was_tracked(window)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("frame,what\n1,2\n", "neither a Steadymark file"),
        ("", "the file is empty"),
        (None, "No such file"),
        ("no rows", "has no rows"),
        ("broken row", "is not a number"),
        ("late", "does not fit"),
        ("outside", "outside the picture"),
        ("crowd", "has more faces than a video can show"),
    ],
)
def test_a_table_that_cannot_be_shown_is_told_and_changes_nothing(
    qtbot: QtBot, window: MainWindow, table: Path, clip: str, content: str | None, sentence: str
) -> None:
    open_video(qtbot, window, clip)
    shown = window.session.results
    lines = table.read_text(encoding="utf-8").splitlines()
    changed = {
        "no rows": lines[:3],
        "broken row": [*lines[:4], lines[4].replace(",tracked,", ",tracked,x", 1)],
        "late": [
            *lines[:3],
            *(f"{9000 + i}{row[row.index(',') :]}" for i, row in enumerate(lines[3:])),
        ],
        "outside": [*lines[:3], *map(far_away, lines[3:])],
        "crowd": [*lines[:3], lines[3].replace("0,0,", "0,99999999,", 1)],
    }
    if content is None:
        table.unlink()
    else:
        table.write_text("\n".join(changed.get(content, [content])) + "\n", encoding="utf-8")
    if content == "":
        table.write_text("", encoding="utf-8")
    source = "" if content is not None and content in changed else clip
    window.open_path(str(table), source)
    qtbot.waitUntil(lambda: bool(window.messages.texts), timeout=WAIT_MS)
    assert sentence in window.messages.texts[0]
    assert window.session.results is shown
    assert window.session.display.path == clip


def far_away(row: str) -> str:
    """Return a row of a table whose landmarks lie far outside the picture."""
    fields = row.split(",")
    return ",".join([*fields[:15], *(f"{float(v) + 5000:.3f}" for v in fields[15:])])


def test_frames_beyond_the_video_are_told_and_the_others_shown(
    qtbot: QtBot, window: MainWindow, table: Path, clip: str
) -> None:
    square_video(Path(clip), 60)
    open_results(qtbot, window, table)
    assert len(rows_by_frame(window)) > 0
    assert rows_by_frame(window)[-1][0] == 59
    assert any("more frames than a.mp4" in text for text in window.messages.texts)
    qtbot.waitUntil(
        lambda: any("not the file that mine.csv was made of" in t for t in window.messages.texts)
    )


def test_frames_without_a_row_are_neither_tracked_nor_damaged(
    qtbot: QtBot, window: MainWindow, table: Path, tmp_path: Path
) -> None:
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([*lines[:23], *lines[43:]]) + "\n", encoding="utf-8")
    open_results(qtbot, window, table)
    session = window.session
    assert session.results is not None
    assert session.results.faces(25) is None
    session.recording.seek(25)
    qtbot.waitUntil(lambda: session.doubts.complete)
    assert session.display.phase is Phase.FINISHED
    assert session.display.share == 1.0
    again = read_landmarks(export(qtbot, window, tmp_path / "again.csv"))
    assert set(range(20, 40)) & set(again.frame.tolist()) == set()


def test_a_video_without_kept_results_shows_the_table_that_its_project_lists(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    write_project(tmp_path / "a.steadymark", ["results/a.csv", "missing.csv"])
    (tmp_path / "results").mkdir()
    open_video(qtbot, window, clip)
    assert "cannot be used, so the video is tracked" in window.messages.texts[0]
    path = export(qtbot, window, tmp_path / "results" / "a.csv")
    window.session.close_source()
    window.open_path(clip)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED)
    assert window.session.display.table == ""  # the kept results are used first
    assert window.session.display.kept_since_s > 0
    close(qtbot, window)
    open_results(qtbot, window, Path(clip))
    assert window.session.display.table == path.name
    close(qtbot, window)
    open_results(qtbot, window, tmp_path / "a.steadymark")
    assert window.session.display.path == clip


def write_project(path: Path, tables: list[str], video: str = "a.mp4", version: int = 1) -> None:
    path.write_text(
        json.dumps(
            {
                "steadymark_project": version,
                "written_by": "steadymark 99.0",
                "video": {"path": video},
                "tables": tables,
            }
        ),
        encoding="utf-8",
    )


def test_a_project_with_another_name_opens_its_video(
    qtbot: QtBot, window: MainWindow, clip: str, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir()
    project = tmp_path / "work" / "second opinion.steadymark"
    write_project(project, [], video="../a.mp4")
    window.open_path(str(project))
    qtbot.waitUntil(lambda: window.session.review.path == project, timeout=WAIT_MS)
    assert window.session.review.project is not None
    assert window.session.review.project.video.path == "../a.mp4"
    assert Path(window.session.display.path).samefile(clip)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ('{"steadymark_project": 99, "written_by": "steadymark 99.0"}', "newer version"),
        ('{"steadymark_project": 1, "video": {"path": 3}}', "'path' cannot be 3"),
        ('{"steadymark_project": 1, "video": {"path": "a.mp4"}, "tables": 3}', "must be a list"),
    ],
)
def test_a_project_that_cannot_be_read_is_told_and_stays(
    window: MainWindow, tmp_path: Path, text: str, sentence: str
) -> None:
    project = tmp_path / "a.steadymark"
    project.write_text(text, encoding="utf-8")
    window.open_path(str(project))
    assert sentence in window.messages.texts[0]
    assert window.session.display.phase is Phase.EMPTY
    assert project.read_text(encoding="utf-8") == text


def drop(window: MainWindow, *paths: str | Path) -> None:
    open_dropped_files(
        [str(path) for path in paths],
        open_path=window.open_path,
        load_ground_truth=window.session.analysis.load_ground_truth,
        show_queue=window.files.show_queue,
        messages=window.messages,
    )


def test_a_dropped_table_is_opened_or_compared_if_a_recording_is_open(
    qtbot: QtBot, window: MainWindow, table: Path, clip: str, tmp_path: Path
) -> None:
    drop(window, table)
    qtbot.waitUntil(lambda: window.session.display.table == "mine.csv", timeout=WAIT_MS)
    close(qtbot, window)
    other = square_video(tmp_path / "other.mp4", 120)
    drop(window, table, other)
    qtbot.waitUntil(lambda: window.session.display.table == "mine.csv", timeout=WAIT_MS)
    assert window.session.display.path == str(other)
    close(qtbot, window)
    open_video(qtbot, window, clip)
    drop(window, table)
    qtbot.waitUntil(lambda: window.session.display.truth == "mine.csv", timeout=WAIT_MS)
    message = window.messages._shown[0]
    assert message.text == "mine.csv is compared as ground truth."
    message._on_choice(lambda: window.open_path(str(table)))
    qtbot.waitUntil(lambda: window.session.display.table == "mine.csv", timeout=WAIT_MS)
