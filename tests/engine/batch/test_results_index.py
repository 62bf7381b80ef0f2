"""index.csv, names of results, and which results a second run skips."""

from __future__ import annotations

import csv
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.batch.job_planning import plan_jobs
from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.batch.run_jobs import Job, run_here
from steadymark.engine.core.errors import SinkError
from steadymark.engine.pipeline.job import InputSettings, JobReport, OutputSettings
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.user_text import UserText
from support.videos.square_video import square_models, square_video

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.engine.core.types import SourceInfo
    from steadymark.engine.pipeline.pipeline_report import PipelineReport


class IndexObserver:
    """Writes the reports that it receives into an index."""

    def __init__(self, index: ResultsIndex) -> None:
        self.index = index
        self.jobs: list[JobReport] = []

    def progressed(self, job: Job, info: SourceInfo, report: PipelineReport) -> None:
        self.index.begin(job.text, [f"{job.stem}.csv"], "now")

    def ended(self, job: Job, report: JobReport) -> None:
        self.jobs.append(report)
        self.index.end(job.text, report)


def run(
    videos: list[Path],
    folder: Path,
    settings: TrackSettings | None = None,
    stop: Event | None = None,
    **output: bool | str | tuple[str, ...],
) -> list[JobReport]:
    """Run `steadymark track` once over the videos."""
    chosen = OutputSettings(folder, **output)  # type: ignore[arg-type]
    index = ResultsIndex(folder)
    observer = IndexObserver(index)
    jobs = plan_jobs(
        list(map(str, videos)), settings or TrackSettings(), chosen, InputSettings(), index
    )
    run_here(jobs, square_models(), observer, stop or Event())
    return observer.jobs


def index_rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        return {row["input"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("style", ["native", "openface"])
def test_finished_videos_are_skipped_and_keep_their_figures(tmp_path: Path, style: str) -> None:
    video, out = square_video(tmp_path / "a.mp4", 20), tmp_path / "out"
    (first,) = run([video], out, csv=style)
    row = index_rows(out)[str(video)]
    assert (row["state"], row["table"], row["frames"]) == ("done", "a.csv", "20")
    assert row["face_share"] == "0.8000"
    assert row["lost_spans"] == "1"
    assert row["duration_s"] == "0.760"
    assert first.fingerprint is not None
    assert row["source_sha256"] == first.fingerprint.source_sha256
    assert row["models"] == "square:0"
    assert row["began_utc"] < row["ended_utc"]
    written = (out / "a.csv").stat().st_mtime_ns
    for _ in range(2):  # the second time, the index says skipped
        (second,) = run([video], out, csv=style, resume=True)
        assert second.skipped
    assert index_rows(out)[str(video)] == {**row, "state": "skipped"}
    assert (out / "a.csv").stat().st_mtime_ns == written


def test_the_share_of_an_index_of_an_earlier_version_is_kept(tmp_path: Path) -> None:
    video, out = square_video(tmp_path / "a.mp4", 20), tmp_path / "out"
    run([video], out)
    path = out / "index.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("face_share", "tracked_share"))
    run([square_video(tmp_path / "b.mp4", 4)], out)
    assert index_rows(out)[str(video)]["face_share"] == "0.8000"


@pytest.mark.parametrize("style", ["native", "openface"])
def test_changed_sources_and_settings_are_tracked_again(tmp_path: Path, style: str) -> None:
    video, out = square_video(tmp_path / "a.mp4", 20), tmp_path / "out"
    run([video], out, csv=style)
    square_video(video, 30)
    (job,) = run([video], out, csv=style, resume=True)
    assert job.notes[0] == "the file has changed since it was tracked: tracked again"
    assert index_rows(out)[str(video)]["frames"] == "30"
    other_settings = replace(TrackSettings(), stabilizer="one-euro")
    (job,) = run([video], out, other_settings, csv=style, resume=True)
    assert job.notes[0].startswith("it was tracked with other settings or models")
    (job,) = run([video], out, other_settings, csv=style, resume=True)
    assert job.skipped


def test_another_table_style_or_a_missing_video_is_tracked_again(tmp_path: Path) -> None:
    video, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    run([video], out)
    (job,) = run([video], out, csv="openface", resume=True)
    assert job.notes[0].startswith("it was tracked with other settings or models")
    (job,) = run([video], out, csv="openface", video=True, resume=True)
    assert not job.skipped
    assert index_rows(out)[str(video)]["video"] == "a.mp4"
    (job,) = run([video], out, csv="openface", video=True, resume=True)
    assert job.skipped


@pytest.mark.parametrize("style", ["native", "openface"])
def test_a_video_with_other_drawing_options_is_written_again(tmp_path: Path, style: str) -> None:
    video, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    run([video], out, csv=style, video=True)
    (job,) = run([video], out, csv=style, video=True, drawings=("axes",), resume=True)
    assert job.notes[0].startswith("its video was drawn in another or unknown way")
    drawn = index_rows(out)[str(video)]["drawn"]
    assert "axes" in drawn.split()
    (job,) = run([video], out, csv=style, video=True, drawings=("axes",), resume=True)
    assert job.skipped
    (job,) = run([video], out, csv=style, resume=True)  # without a video, only the table counts
    assert job.skipped
    assert index_rows(out)[str(video)]["drawn"] == drawn
    (job,) = run([video], out, csv=style, video=True, resume=True)
    assert job.notes[0].startswith("its video was drawn in another or unknown way")


def test_a_video_that_is_older_than_its_table_is_written_again(tmp_path: Path) -> None:
    video, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    run([video], out, video=True)
    other_settings = replace(TrackSettings(), stabilizer="one-euro")
    run([video], out, other_settings, overwrite=True)
    (job,) = run([video], out, other_settings, video=True, resume=True)
    assert job.notes[0].startswith("its video was drawn in another or unknown way")
    (job,) = run([video], out, other_settings, video=True, resume=True)
    assert job.skipped


def test_without_the_index_only_native_tables_are_recognized(tmp_path: Path) -> None:
    video, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    for style, skipped in (("native", True), ("openface", False)):
        run([video], out, csv=style, overwrite=True)
        (out / "index.csv").unlink()
        (job,) = run([video], out, csv=style, resume=True)
        assert job.skipped is skipped
    assert job.refused
    assert "a.csv exists, and no index says that it was tracked: use --overwrite" in str(job.error)
    (job,) = run([video], out, csv=style, overwrite=True)
    assert job.error is None


@pytest.mark.parametrize("name", ["a.csv", "a.mp4"])
@pytest.mark.parametrize("style", ["native", "openface"])
def test_resuming_does_not_replace_unrelated_files(tmp_path: Path, style: str, name: str) -> None:
    video, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    for _ in range(2):
        (job,) = run([video], out, csv=style, video=True, resume=True)
        assert f"{name} exists, and no index says" in str(job.error)
    assert (out / name).read_text() == "mine"
    (out / name).unlink()
    (job,) = run([video], out, csv=style, video=True, resume=True)
    assert job.error is None


def test_results_of_a_temporarily_unreadable_video_stay_in_the_index(tmp_path: Path) -> None:
    video, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    run([video], out, csv="openface")
    content = video.read_bytes()
    video.write_bytes(b"no video")
    (job,) = run([video], out, csv="openface", resume=True)
    assert job.error is not None
    assert index_rows(out)[str(video)]["table"] == "a.csv"
    video.write_bytes(content)
    (job,) = run([video], out, csv="openface", resume=True)
    assert job.notes[0].startswith("it is not known how its results were computed")
    assert job.error is None


def test_an_interrupted_video_is_tracked_again_and_its_partial_table_removed(
    tmp_path: Path,
) -> None:
    video, out = square_video(tmp_path / "a.mp4", 400), tmp_path / "out"
    stop = Event()
    begin = ResultsIndex.begin

    def stop_after_begin(index: ResultsIndex, text: str, stem: str, start_time: str) -> None:
        begin(index, text, stem, start_time)
        assert index_rows(out)[str(video)]["state"] == "running"
        stop.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResultsIndex, "begin", stop_after_begin)
        run([video], out, stop=stop)
    row = index_rows(out)[str(video)]
    assert (row["state"], row["table"]) == ("partial", "a.partial.csv")
    (job,) = run([video], out, resume=True)
    assert not job.skipped
    assert sorted(p.name for p in out.iterdir()) == ["a.csv", "index.csv"]
    run([video], tmp_path / "whole")
    assert (out / "a.csv").read_bytes() == (tmp_path / "whole" / "a.csv").read_bytes()


def test_videos_with_the_same_name_keep_separate_results_in_every_run(tmp_path: Path) -> None:
    videos = []
    for i, folder in enumerate("xyz"):
        (tmp_path / folder).mkdir()
        videos.append(square_video(tmp_path / folder / "a.mp4", 10 + i))
    out = tmp_path / "out"
    run(videos[:2], out)
    tables = {path: row["table"] for path, row in index_rows(out).items()}
    assert tables == {str(videos[0]): "a.csv", str(videos[1]): "a-2.csv"}
    (job,) = run([videos[1]], out, resume=True)  # it is not mistaken for the first
    assert job.skipped
    run([videos[2], videos[1], videos[0]], out, resume=True)
    assert {path: row["table"] for path, row in index_rows(out).items()} == {
        **tables,
        str(videos[2]): "a-3.csv",
    }
    for video, frames in zip(videos, (10, 11, 12), strict=True):
        table = out / index_rows(out)[str(video)]["table"]
        assert len(table.read_text(encoding="utf-8").splitlines()) == 3 + frames


def test_a_moved_video_is_recognized(tmp_path: Path) -> None:
    video, out = square_video(tmp_path / "a.mp4", 10), tmp_path / "out"
    run([video], out, csv="openface")
    (tmp_path / "moved").mkdir()
    moved = video.rename(tmp_path / "moved" / "a.mp4")
    (job,) = run([moved], out, csv="openface", resume=True)
    assert job.skipped
    ((path, row),) = index_rows(out).items()
    assert (path, row["state"], row["frames"]) == (str(moved), "skipped", "10")


def test_reserved_names_are_not_used_for_results(tmp_path: Path) -> None:
    names = ("index", "a", "a.partial", "a.smooth")
    videos = [square_video(tmp_path / f"{name}.mp4", 4) for name in names]
    run(videos, tmp_path / "out")
    assert [index_rows(tmp_path / "out")[str(video)]["table"] for video in videos] == [
        "index-2.csv",
        "a.csv",
        "a.partial_.csv",
        "a.smooth_.csv",
    ]


def test_a_failure_is_written_to_the_index_and_a_refusal_changes_nothing(tmp_path: Path) -> None:
    video, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    bad = tmp_path / "bad, \n name.mp4"
    bad.write_bytes(b"no video")
    run([video, bad], out)
    before = index_rows(out)
    assert before[str(bad)]["state"] == "failed"
    assert "is not a video" in before[str(bad)]["error"]
    (refused,) = run([video], out)
    assert refused.refused
    assert index_rows(out) == before


def test_two_programs_can_add_to_the_index(tmp_path: Path) -> None:
    first, second = ResultsIndex(tmp_path), ResultsIndex(tmp_path)
    first.end("camera:0", JobReport("a", error=UserText("x")))
    second.end("camera:1", JobReport("b", error=UserText("y")))
    first.end("camera:2", JobReport("c", error=UserText("z")))
    assert list(index_rows(tmp_path)) == ["camera:0", "camera:1", "camera:2"]


def test_a_later_entry_of_another_program_is_kept(tmp_path: Path) -> None:
    first, second = ResultsIndex(tmp_path), ResultsIndex(tmp_path)
    first.end("camera:0", JobReport("a", error=UserText("x")))
    second.end("camera:0", JobReport("a", error=UserText("later")))
    first.end("camera:1", JobReport("b", error=UserText("y")))
    assert index_rows(tmp_path)["camera:0"]["error"] == "later"


def test_a_foreign_file_named_index_csv_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("mine,yours\n1,2\n", encoding="utf-8")
    with pytest.raises(SinkError, match=r"index.csv: it is not a results index"):
        ResultsIndex(tmp_path)
    assert (tmp_path / "index.csv").read_text(encoding="utf-8") == "mine,yours\n1,2\n"


def test_a_failed_write_leaves_the_index_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = ResultsIndex(tmp_path)
    index.end("camera:0", JobReport("a", error=UserText("x")))
    before = (tmp_path / "index.csv").read_bytes()

    def raise_disk_full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(csv.DictWriter, "writerow", raise_disk_full)
        with pytest.raises(SinkError, match="the disk is full"):
            index.end("camera:1", JobReport("b", error=UserText("y")))
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [before]
    index.end("camera:2", JobReport("c", error=UserText("z")))
    assert list(index_rows(tmp_path)) == ["camera:0", "camera:1", "camera:2"]


def test_changed_images_are_tracked_again(tmp_path: Path) -> None:
    import cv2

    folder, out = tmp_path / "pictures", tmp_path / "out"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.png"), np.full((32, 32, 3), 40 + i, np.uint8))
    run([folder], out)
    (job,) = run([folder], out, resume=True)
    assert job.skipped
    cv2.imwrite(str(folder / "1.png"), np.full((32, 32, 3), 90, np.uint8))
    (job,) = run([folder], out, resume=True)
    assert job.notes[0].startswith("the file has changed")
