"""The video of a table or a project is found by what they name and by where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steadymark.engine.core.errors import LandmarkFileError
from steadymark.engine.output.csv.columns import openface_columns
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.engine.review import edits
from steadymark.engine.review.find_reviewed import find_reviewed, holds_results, video_of
from steadymark.engine.review.history import History
from steadymark.engine.review.project import Correction, Person, Project, VideoReference
from steadymark.engine.review.project_file import relative_path, write_project
from steadymark.models.face.schema import load_schema
from steadymark.models.user_text import UserText
from support.fakes.fake_results import source_info, track_result
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from pathlib import Path


def native_table(path: Path, source: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    sink = NativeCsvSink(path, Header(source_name=source), load_schema("ibug68"))
    sink.open(source_info())
    sink.write(track_result(0))
    sink.close(complete=True)
    return path


def openface_table(path: Path) -> Path:
    path.write_text(", ".join(openface_columns(68)) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("table", "video"),
    [
        ("talk.csv", "talk.mp4"),
        ("results/other.csv", "talk.mp4"),
        ("results/other.csv", "results/talk.mp4"),
        ("talk.mov.reviewed.csv", "talk.mp4"),
    ],
)
def test_the_header_of_a_table_names_its_video(tmp_path: Path, table: str, video: str) -> None:
    path = native_table(tmp_path / table, "talk.mp4")
    (tmp_path / video).touch()
    assert video_of(path) == tmp_path / video


def test_the_folder_of_images_that_a_table_names_is_its_video(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    path = native_table(tmp_path / "results" / "frames.csv", "frames")
    assert video_of(path) == tmp_path / "frames"


@pytest.mark.parametrize(
    "name", ["talk.csv", "talk_openface.csv", "talk.openface.csv", "my.talk.csv"]
)
def test_a_table_without_a_header_has_the_name_of_its_video(tmp_path: Path, name: str) -> None:
    video = tmp_path / ("my.talk.avi" if name.startswith("my") else "talk.avi")
    path = openface_table(tmp_path / name)
    assert video_of(path) is None
    video.touch()
    assert video_of(path) == video


def test_a_project_names_its_video_or_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    video = tmp_path / "videos" / "a.mp4"
    path = tmp_path / "b.steadymark"
    write_project(path, Project(VideoReference(relative_path(video, tmp_path))))
    assert video_of(path) is None
    (tmp_path / "b.mp4").touch()
    assert video_of(path) == tmp_path / "b.mp4"
    video.touch()
    assert video_of(path) == video


def test_ground_truth_and_other_files_hold_no_results(tmp_path: Path) -> None:
    truth = tmp_path / "a_truth.csv"
    truth.write_text("frame,timestamp_s,visible,x_0,y_0\n0,0,1,2,3\n", encoding="utf-8")
    assert not holds_results(truth)
    assert not holds_results(tmp_path / "missing.csv")
    assert not holds_results(tmp_path)
    assert holds_results(openface_table(tmp_path / "a.csv"))
    assert holds_results(native_table(tmp_path / "b.csv", ""))


def test_the_newest_table_is_listed_first_and_undo_keeps_it() -> None:
    history = History(Project(VideoReference("a.mp4"), tables=("a.csv",)))
    history.do(UserText("name"), edits.name_person(history.state, 0, "Ada"))
    history.change_all(lambda project: edits.list_table(project, "b.csv"))
    history.change_all(lambda project: edits.list_table(project, "c.csv", first=False))
    assert history.state.tables == ("b.csv", "a.csv", "c.csv")
    assert history.state.people == (Person(0, "Ada"),)
    assert history.undo().tables == ("b.csv", "a.csv", "c.csv")
    assert not history.state.people
    assert edits.list_table(history.state, "a.csv", first=False) is history.state
    assert edits.list_table(history.state, "a.csv").tables == ("a.csv", "b.csv", "c.csv")


def test_a_video_in_the_current_folder_is_not_taken_for_that_of_a_table_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "a" / "b"
    elsewhere.mkdir(parents=True)
    path = native_table(elsewhere / "results" / "talk.csv", "talk.mp4")
    (tmp_path / "talk.mp4").touch()
    monkeypatch.chdir(tmp_path)
    assert video_of(path) is None


def test_a_table_in_a_folder_beside_the_video_is_found(tmp_path: Path) -> None:
    path = native_table(tmp_path / "results" / "talk.csv", "talk.mp4")
    (tmp_path / "talk.mp4").touch()
    assert find_reviewed(tmp_path / "talk.mp4").table_path == path


def test_a_project_without_the_size_of_the_frames_takes_it_from_the_video(tmp_path: Path) -> None:
    video = square_video(tmp_path / "talk.mp4", frames=3)
    native_table(tmp_path / "talk.csv", "talk.mp4")
    write_project(tmp_path / "talk.steadymark", Project(VideoReference("talk.mp4")))
    found = find_reviewed(video).project.video
    assert (found.width, found.height) == (320, 240)


def test_a_project_of_a_video_of_another_size_is_refused(tmp_path: Path) -> None:
    square_video(tmp_path / "talk.mp4", 4)
    table = native_table(tmp_path / "talk.csv", "talk.mp4")
    project = Project(VideoReference("talk.mp4", width=1920, height=1080), tables=("talk.csv",))
    write_project(tmp_path / "talk.steadymark", project)
    with pytest.raises(LandmarkFileError, match="of 1920×1080 pixels, and this one has 320×240"):
        find_reviewed(table)


def test_a_correction_of_a_landmark_that_the_table_lacks_is_told(tmp_path: Path) -> None:
    table = native_table(tmp_path / "talk.csv", "talk.mp4")
    wrong = Correction(0, 3, 0.1, ((99, 5.0, 6.0),), span_s=0.1)
    project = edits.correct(Project(VideoReference("talk.mp4"), tables=("talk.csv",)), wrong)
    write_project(tmp_path / "talk.steadymark", project)
    with pytest.raises(
        LandmarkFileError, match=r"landmark 99 of face 0 in frame 3, .* are 0 to 67"
    ):
        find_reviewed(table)
