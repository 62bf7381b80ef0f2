"""Whole videos and loops over frames give the same numbers as the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from typer.testing import CliRunner

import steadymark as sm
from steadymark.app.cli import main as cli

if TYPE_CHECKING:
    from pathlib import Path

END = 0.5


def command(*arguments: object) -> None:
    result = CliRunner().invoke(cli.app, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("stabilizer", ["auto", "one-euro", "butterworth", "none"])
def test_tables_equal_those_of_the_command_line_byte_for_byte(
    video: Path, tmp_path: Path, stabilizer: str
) -> None:
    result = sm.track_video(video, stabilizer=stabilizer, end_s=END)
    for style in ("native", "openface"):
        out = tmp_path / style
        options = ("--end", END, "--stabilizer", stabilizer, "--csv", style)
        command("track", video, "--out", out, *options)
        result.to_csv(tmp_path / "mine.csv", style=style)
        assert (tmp_path / "mine.csv").read_bytes() == (out / "demo.csv").read_bytes()


def test_a_loop_over_frames_gives_the_same_landmarks_as_track_video(
    landmarker: sm.FaceLandmarker, tracked: sm.VideoLandmarks, video: Path
) -> None:
    tracker = landmarker.tracker()
    frames = list(sm.read_frames(video, end_s=1))
    for _ in range(2):
        for t, frame in enumerate(frames):
            (face,) = tracker.update(frame.image, timestamp_s=frame.timestamp_s)
            np.testing.assert_array_equal(face.landmarks, tracked.landmarks[t, 0])
            assert face.id == 0
        tracker.reset()
    assert [frame.index for frame in frames] == tracked.frame.tolist()
    assert [frame.timestamp_s for frame in frames] == tracked.timestamp_s.tolist()


def test_butterworth_is_refused_in_a_loop_over_frames() -> None:
    landmarker = sm.FaceLandmarker(stabilizer="butterworth")
    with pytest.raises(sm.UsageError, match="butterworth needs the whole video"):
        landmarker.tracker()


def test_a_time_that_is_not_finite_is_refused(landmarker: sm.FaceLandmarker) -> None:
    image = np.zeros((60, 80, 3), np.uint8)
    with pytest.raises(sm.UsageError, match="timestamp_s must be a finite number"):
        landmarker.tracker().update(image, timestamp_s=float("nan"))


def test_arrays_have_an_entry_for_each_frame_and_face(tracked: sm.VideoLandmarks) -> None:
    t = len(tracked)
    assert t == 30
    assert tracked.face_ids.tolist() == [0]
    assert tracked.landmarks.shape == tracked.raw_landmarks.shape == (t, 1, 68, 2)
    assert tracked.scores.shape == (t, 1, 68)
    assert tracked.face_scores.shape == (t, 1)
    assert tracked.boxes.shape == (t, 1, 4)
    assert tracked.head_poses.shape == (t, 1, 6)
    assert np.isfinite(tracked.head_poses).all()
    (face,) = tracked.faces(7)
    np.testing.assert_array_equal(face.landmarks, tracked.landmarks[7, 0])
    assert face.head_pose is not None
    assert face.head_pose.rotation_rad == tuple(tracked.head_poses[7, 0, 3:])
    assert tracked.faces(-1)[0].landmarks[0, 0] == tracked.landmarks[-1, 0, 0, 0]
    with pytest.raises(sm.UsageError, match="there is no frame 30: there are 30"):
        tracked.faces(30)


def test_frames_without_the_face_are_nan(tmp_path: Path, raw: sm.VideoLandmarks) -> None:
    raw.to_csv(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    empty = lines[5].split(",")
    lines[5] = ",".join([empty[0], "nan", empty[2], "lost"] + ["nan"] * (len(empty) - 4))
    (tmp_path / "b.csv").write_text("\n".join(lines) + "\n")
    found = sm.read_csv(tmp_path / "b.csv")
    assert len(found) == 30
    assert found.face_ids.tolist() == [0]
    assert np.flatnonzero(np.isnan(found.landmarks[:, 0, 0, 0])).tolist() == [2]
    assert found.faces(2) == []
    found.to_csv(tmp_path / "c.csv")
    assert (tmp_path / "c.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_reading_and_writing_a_table_gives_the_same_file(
    tracked: sm.VideoLandmarks, tmp_path: Path
) -> None:
    tracked.to_csv(tmp_path / "a.csv")
    sm.read_csv(tmp_path / "a.csv").to_csv(tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_progress_is_reported_up_to_the_last_frame(
    landmarker: sm.FaceLandmarker, video: Path
) -> None:
    reports: list[tuple[int, int | None]] = []
    landmarker.track_video(video, end_s=0.2, progress=lambda done, of: reports.append((done, of)))
    assert reports[-1][0] == 6
    assert [done for done, _ in reports] == sorted(done for done, _ in reports)


def test_the_progress_bar_is_written_to_standard_error(
    landmarker: sm.FaceLandmarker, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    landmarker.track_video(video, end_s=0.1, progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "demo" in shown.err


def test_an_error_in_the_progress_callback_ends_the_tracking(
    landmarker: sm.FaceLandmarker, video: Path
) -> None:
    def stop(done: int, of: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        landmarker.track_video(video, progress=stop)


@pytest.mark.parametrize(
    ("source", "options", "error", "words"),
    [
        ("camera:0", {}, sm.UsageError, "is live and has no end"),
        ("missing.mp4", {}, sm.SourceError, "does not exist"),
        ("demo", {"start_s": 2, "end_s": 1}, sm.UsageError, "end_s 1 is not after start_s 2"),
        ("demo", {"end_s": "x"}, sm.UsageError, "end_s must be a finite number, not 'x'"),
    ],
)
def test_an_input_that_cannot_be_tracked_is_refused_with_a_reason(
    landmarker: sm.FaceLandmarker,
    video: Path,
    source: str,
    options: dict[str, Any],
    error: type[sm.SteadymarkError],
    words: str,
) -> None:
    with pytest.raises(error, match=words):
        landmarker.track_video(video if source == "demo" else source, **options)


def test_a_video_that_cannot_be_decoded_raises_a_source_error(
    landmarker: sm.FaceLandmarker, tmp_path: Path
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(sm.SourceError):
        landmarker.track_video(tmp_path / "a.mp4")


def test_save_video_writes_the_same_frames_as_the_command_line(
    tracked: sm.VideoLandmarks, video: Path, tmp_path: Path
) -> None:
    tracked.save_video(tmp_path / "drawn.mp4")
    command("track", video, "--out", tmp_path, "--end", 1, "--video")
    saved = list(sm.read_frames(tmp_path / "drawn.mp4"))
    expected = list(sm.read_frames(tmp_path / "demo.mp4"))
    assert len(saved) == len(expected) == 30
    for a, b in zip(saved, expected, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        assert a.timestamp_s == b.timestamp_s


def test_drawing_a_table_needs_its_video(
    tracked: sm.VideoLandmarks, video: Path, tmp_path: Path
) -> None:
    tracked.to_csv(tmp_path / "a.csv")
    table = sm.read_csv(tmp_path / "a.csv")
    with pytest.raises(sm.UsageError, match="pass the video as source"):
        table.save_video(tmp_path / "b.mp4")
    table.save_video(tmp_path / "b.mp4", source=video)
    assert len(list(sm.read_frames(tmp_path / "b.mp4"))) == 30
    with pytest.raises(sm.UsageError, match="is the video itself"):
        tracked.save_video(video)


def test_an_output_that_cannot_be_written_leaves_no_file(
    tracked: sm.VideoLandmarks, tmp_path: Path
) -> None:
    with pytest.raises(sm.SinkError, match="the folder does not exist"):
        tracked.to_csv(tmp_path / "no" / "a.csv")
    with pytest.raises(sm.UsageError, match="unknown table format 'excel': choose one of native"):
        tracked.to_csv(tmp_path / "a.csv", style="excel")
    with pytest.raises(sm.SourceError, match="does not exist"):
        tracked.save_video(tmp_path / "a.mp4", source=tmp_path / "gone.mp4")
    assert list(tmp_path.iterdir()) == []


def test_to_pandas_has_the_columns_of_the_table(tracked: sm.VideoLandmarks, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = tracked.to_pandas()
    tracked.to_csv(tmp_path / "a.csv")
    read = pandas.read_csv(tmp_path / "a.csv", skiprows=2)
    assert list(frame.columns) == list(read.columns)
    assert len(frame) == len(read) == 30
    np.testing.assert_allclose(frame["x_30"], read["x_30"], atol=6e-4)
    np.testing.assert_allclose(frame["score_5"], read["score_5"], atol=6e-5)
    assert frame["state"].tolist() == read["state"].tolist()
    assert str(frame["face_id"].dtype) == "Int64"


def test_to_pandas_without_pandas_says_how_to_install_it(
    tracked: sm.VideoLandmarks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(sm.UsageError, match=r"to_pandas needs pandas, .*pip install pandas"):
        tracked.to_pandas()


def test_the_parameters_of_a_filter_reach_the_table_and_are_checked(video: Path) -> None:
    given = {"min_cutoff_hz": 0.5, "beta": 3}
    result = sm.track_video(video, stabilizer="one-euro", stabilizer_parameters=given, end_s=0.2)
    expected = {"min_cutoff_hz": 0.5, "beta": 3.0, "derivative_cutoff_hz": 1.0}
    assert result.header.settings["one_euro"] == expected
    alone = sm.smooth(result.raw_landmarks, result.timestamp_s, "one-euro", **given)
    np.testing.assert_array_equal(result.landmarks, alone)
    with pytest.raises(sm.UsageError, match="flow has no parameter 'beta'"):
        sm.FaceLandmarker(stabilizer="flow", stabilizer_parameters={"beta": 1})
