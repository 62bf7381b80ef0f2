"""index.csv, names of results, and what a second run finds done."""

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


class Keeper:
    """Puts what it is told into an index."""

    def __init__(self, index: ResultsIndex) -> None:
        self.index = index
        self.jobs: list[JobReport] = []

    def progressed(self, job: Job, info: SourceInfo, report: PipelineReport) -> None:
        self.index.begin(job.text, str(job.stem), "now")

    def ended(self, job: Job, report: JobReport) -> None:
        self.jobs.append(report)
        self.index.end(job.text, report)


def run(
    films: list[Path],
    folder: Path,
    settings: TrackSettings | None = None,
    stop: Event | None = None,
    **output: bool | str | tuple[str, ...],
) -> list[JobReport]:
    """One run of `steadymark track` over the films."""
    chosen = OutputSettings(folder, **output)  # type: ignore[arg-type]
    index = ResultsIndex(folder)
    keeper = Keeper(index)
    jobs = plan_jobs(
        list(map(str, films)), settings or TrackSettings(), chosen, InputSettings(), index
    )
    run_here(jobs, square_models(), keeper, stop or Event())
    return keeper.jobs


def lines(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        return {row["input"]: row for row in csv.DictReader(file)}


@pytest.mark.parametrize("style", ["native", "openface"])
def test_what_is_done_is_not_done_again_and_keeps_its_figures(tmp_path: Path, style: str) -> None:
    film, out = square_video(tmp_path / "a.mp4", 20), tmp_path / "out"
    (first,) = run([film], out, csv=style)
    line = lines(out)[str(film)]
    assert (line["state"], line["table"], line["frames"]) == ("done", "a.csv", "20")
    assert line["tracked_share"] == "0.8000"
    assert line["lost_spans"] == "1"
    assert line["duration_s"] == "0.760"
    assert first.made is not None
    assert line["source_sha256"] == first.made.source_sha256
    assert line["models"] == "square:0"
    assert line["began_utc"] < line["ended_utc"]
    written = (out / "a.csv").stat().st_mtime_ns
    for _ in range(2):  # the second finds it skipped
        (again,) = run([film], out, csv=style, resume=True)
        assert again.skipped
    assert lines(out)[str(film)] == {**line, "state": "skipped"}
    assert (out / "a.csv").stat().st_mtime_ns == written


@pytest.mark.parametrize("style", ["native", "openface"])
def test_a_source_that_changed_is_tracked_anew_and_so_are_other_settings(
    tmp_path: Path, style: str
) -> None:
    film, out = square_video(tmp_path / "a.mp4", 20), tmp_path / "out"
    run([film], out, csv=style)
    square_video(film, 30)
    (job,) = run([film], out, csv=style, resume=True)
    assert job.notes[0] == "the file has changed since it was tracked: tracked anew"
    assert lines(out)[str(film)]["frames"] == "30"
    other = replace(TrackSettings(), stabilizer="one-euro")
    (job,) = run([film], out, other, csv=style, resume=True)
    assert job.notes[0].startswith("settings or models differ")
    (job,) = run([film], out, other, csv=style, resume=True)
    assert job.skipped


def test_the_style_of_a_table_counts_and_so_does_a_video_that_is_wanted(tmp_path: Path) -> None:
    film, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    run([film], out)
    (job,) = run([film], out, csv="openface", resume=True)
    assert job.notes[0].startswith("settings or models differ")
    (job,) = run([film], out, csv="openface", video=True, resume=True)
    assert not job.skipped
    assert lines(out)[str(film)]["video"] == "a.mp4"
    (job,) = run([film], out, csv="openface", video=True, resume=True)
    assert job.skipped


@pytest.mark.parametrize("style", ["native", "openface"])
def test_a_video_that_was_drawn_otherwise_is_made_anew(tmp_path: Path, style: str) -> None:
    film, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    run([film], out, csv=style, video=True)
    (job,) = run([film], out, csv=style, video=True, drawings=("axes",), resume=True)
    assert job.notes[0].startswith("what was drawn into its video differs")
    drawn = lines(out)[str(film)]["drawn"]
    assert "axes" in drawn.split()
    (job,) = run([film], out, csv=style, video=True, drawings=("axes",), resume=True)
    assert job.skipped
    (job,) = run([film], out, csv=style, resume=True)  # without a video, only the table counts
    assert job.skipped
    assert lines(out)[str(film)]["drawn"] == drawn
    (job,) = run([film], out, csv=style, video=True, resume=True)
    assert job.notes[0].startswith("what was drawn into its video differs")


def test_a_video_that_is_older_than_its_table_is_made_anew(tmp_path: Path) -> None:
    film, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    run([film], out, video=True)
    other = replace(TrackSettings(), stabilizer="one-euro")
    run([film], out, other, overwrite=True)
    (job,) = run([film], out, other, video=True, resume=True)
    assert job.notes[0].startswith("what was drawn into its video differs, or is not known")
    (job,) = run([film], out, other, video=True, resume=True)
    assert job.skipped


def test_a_native_table_is_known_without_the_index_and_another_is_not(tmp_path: Path) -> None:
    film, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    for style, skipped in (("native", True), ("openface", False)):
        run([film], out, csv=style, overwrite=True)
        (out / "index.csv").unlink()
        (job,) = run([film], out, csv=style, resume=True)
        assert job.skipped is skipped
    assert job.refused
    assert "a.csv is there, and nothing tells that it was tracked: use --overwrite" in str(
        job.error
    )
    (job,) = run([film], out, csv=style, overwrite=True)
    assert job.error is None


@pytest.mark.parametrize("name", ["a.csv", "a.mp4"])
@pytest.mark.parametrize("style", ["native", "openface"])
def test_resuming_leaves_files_of_other_origin_alone(tmp_path: Path, style: str, name: str) -> None:
    film, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    for _ in range(2):
        (job,) = run([film], out, csv=style, video=True, resume=True)
        assert f"{name} is there, and nothing tells" in str(job.error)
    assert (out / name).read_text() == "mine"
    (out / name).unlink()
    (job,) = run([film], out, csv=style, video=True, resume=True)
    assert job.error is None


def test_results_of_a_film_that_once_could_not_be_read_are_still_known(tmp_path: Path) -> None:
    film, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    run([film], out, csv="openface")
    whole = film.read_bytes()
    film.write_bytes(b"no video")
    (job,) = run([film], out, csv="openface", resume=True)
    assert job.error is not None
    assert lines(out)[str(film)]["table"] == "a.csv"
    film.write_bytes(whole)
    (job,) = run([film], out, csv="openface", resume=True)
    assert job.notes[0].startswith("how its results were made is not known")
    assert job.error is None


def test_what_was_interrupted_is_tracked_anew_and_its_part_goes(tmp_path: Path) -> None:
    film, out = square_video(tmp_path / "a.mp4", 400), tmp_path / "out"
    stop = Event()
    begin = ResultsIndex.begin

    def stop_it(index: ResultsIndex, text: str, stem: str, began: str) -> None:
        begin(index, text, stem, began)
        assert lines(out)[str(film)]["state"] == "running"
        stop.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ResultsIndex, "begin", stop_it)
        run([film], out, stop=stop)
    line = lines(out)[str(film)]
    assert (line["state"], line["table"]) == ("partial", "a.partial.csv")
    (job,) = run([film], out, resume=True)
    assert not job.skipped
    assert sorted(p.name for p in out.iterdir()) == ["a.csv", "index.csv"]
    run([film], tmp_path / "whole")
    assert (out / "a.csv").read_bytes() == (tmp_path / "whole" / "a.csv").read_bytes()


def test_films_of_one_name_keep_their_results_apart_in_every_run(tmp_path: Path) -> None:
    films = []
    for i, folder in enumerate("xyz"):
        (tmp_path / folder).mkdir()
        films.append(square_video(tmp_path / folder / "a.mp4", 10 + i))
    out = tmp_path / "out"
    run(films[:2], out)
    tables = {path: line["table"] for path, line in lines(out).items()}
    assert tables == {str(films[0]): "a.csv", str(films[1]): "a-2.csv"}
    (job,) = run([films[1]], out, resume=True)  # alone, and not mistaken for the first
    assert job.skipped
    run([films[2], films[1], films[0]], out, resume=True)
    assert {path: line["table"] for path, line in lines(out).items()} == {
        **tables,
        str(films[2]): "a-3.csv",
    }
    for film, frames in zip(films, (10, 11, 12), strict=True):
        table = out / lines(out)[str(film)]["table"]
        assert len(table.read_text(encoding="utf-8").splitlines()) == 3 + frames


def test_a_film_that_was_moved_is_known_again(tmp_path: Path) -> None:
    film, out = square_video(tmp_path / "a.mp4", 10), tmp_path / "out"
    run([film], out, csv="openface")
    (tmp_path / "moved").mkdir()
    moved = film.rename(tmp_path / "moved" / "a.mp4")
    (job,) = run([moved], out, csv="openface", resume=True)
    assert job.skipped
    ((path, line),) = lines(out).items()
    assert (path, line["state"], line["frames"]) == (str(moved), "skipped", "10")


def test_names_that_belong_to_the_program_are_not_given_to_results(tmp_path: Path) -> None:
    names = ("index", "a", "a.partial", "a.smooth")
    films = [square_video(tmp_path / f"{name}.mp4", 4) for name in names]
    run(films, tmp_path / "out")
    assert [lines(tmp_path / "out")[str(film)]["table"] for film in films] == [
        "index-2.csv",
        "a.csv",
        "a.partial_.csv",
        "a.smooth_.csv",
    ]


def test_a_failure_is_a_line_and_a_refusal_leaves_it(tmp_path: Path) -> None:
    film, out = square_video(tmp_path / "a.mp4", 8), tmp_path / "out"
    bad = tmp_path / "bad, \n name.mp4"
    bad.write_bytes(b"no video")
    run([film, bad], out)
    before = lines(out)
    assert before[str(bad)]["state"] == "failed"
    assert "is not a video" in before[str(bad)]["error"]
    (refused,) = run([film], out)
    assert refused.refused
    assert lines(out) == before


def test_another_program_may_add_to_the_index_meanwhile(tmp_path: Path) -> None:
    one, other = ResultsIndex(tmp_path), ResultsIndex(tmp_path)
    one.end("camera:0", JobReport("a", error=UserText("x")))
    other.end("camera:1", JobReport("b", error=UserText("y")))
    one.end("camera:2", JobReport("c", error=UserText("z")))
    assert list(lines(tmp_path)) == ["camera:0", "camera:1", "camera:2"]


def test_what_another_program_found_later_of_the_same_input_stays(tmp_path: Path) -> None:
    one, other = ResultsIndex(tmp_path), ResultsIndex(tmp_path)
    one.end("camera:0", JobReport("a", error=UserText("x")))
    other.end("camera:0", JobReport("a", error=UserText("later")))
    one.end("camera:1", JobReport("b", error=UserText("y")))
    assert lines(tmp_path)["camera:0"]["error"] == "later"


def test_a_file_of_that_name_that_is_no_index_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("mine,yours\n1,2\n", encoding="utf-8")
    with pytest.raises(SinkError, match=r"index.csv: it is no results index"):
        ResultsIndex(tmp_path)
    assert (tmp_path / "index.csv").read_text(encoding="utf-8") == "mine,yours\n1,2\n"


def test_a_write_that_fails_leaves_the_index_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = ResultsIndex(tmp_path)
    index.end("camera:0", JobReport("a", error=UserText("x")))
    before = (tmp_path / "index.csv").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(csv.DictWriter, "writerow", full)
        with pytest.raises(SinkError, match="the disk is full"):
            index.end("camera:1", JobReport("b", error=UserText("y")))
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [before]
    index.end("camera:2", JobReport("c", error=UserText("z")))
    assert list(lines(tmp_path)) == ["camera:0", "camera:1", "camera:2"]


def test_pictures_that_changed_are_tracked_anew(tmp_path: Path) -> None:
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
