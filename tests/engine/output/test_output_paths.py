"""Names of results keep the names of their inputs, and no input gets another one's name."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.batch.job_planning import plan_jobs
from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.output_paths import face_file, face_files_there, output_stem
from steadymark.engine.pipeline.job import InputSettings, OutputSettings
from steadymark.engine.tracking.settings import TrackSettings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "stem",
    [
        "P01&P02",
        "Jörg",
        unicodedata.normalize("NFD", "Jörg"),
        "हिन्दी",
        "🙂 test",
        "a'b, [c] {d} #1 50%",
        "v1.2",
        "-start",
    ],
)
def test_a_name_that_every_file_system_allows_is_kept(stem: str) -> None:
    assert output_stem(f"{stem}.mp4", set()) == stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("10:30.mp4", "10_30"),
        ("a?b*c.mp4", "a_b_c"),
        ("tab\there.mp4", "tab_here"),
        ("CON.mp4", "CON_"),
        ("nul.x.mp4", "nul.x_"),
        ("dots...mp4", "dots"),
        (" .mp4", "source"),
        ("done.partial.mp4", "done.partial_"),
    ],
)
def test_what_a_file_system_forbids_is_replaced(name: str, stem: str) -> None:
    assert output_stem(name, set()) == stem


def test_names_that_a_file_system_may_not_tell_apart_are_numbered() -> None:
    taken: set[str] = set()
    names = ["Jörg.mp4", unicodedata.normalize("NFD", "Jörg.mp4"), "JÖRG.mp4"]
    found = [output_stem(name, taken) for name in names]
    assert found == ["Jörg", unicodedata.normalize("NFD", "Jörg") + "-2", "JÖRG-3"]


def planned(tmp_path: Path, *names: str) -> dict[str, str | None]:
    """Return the name of the results of each input."""
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    out = tmp_path / "out"
    texts = [str(tmp_path / name) for name in names]
    jobs = plan_jobs(
        texts, TrackSettings(), OutputSettings(out), InputSettings(), ResultsIndex(out)
    )
    return {name: job.stem for name, job in zip(names, jobs, strict=True)}


def test_an_exact_name_is_never_given_to_another_input(tmp_path: Path) -> None:
    assert planned(tmp_path, "A/P01.mp4", "B/P01.mp4", "C/P01-2.mp4") == {
        "A/P01.mp4": "P01",
        "B/P01.mp4": "P01-3",
        "C/P01-2.mp4": "P01-2",
    }


def test_a_corrected_name_is_not_that_of_another_input(tmp_path: Path) -> None:
    assert planned(tmp_path, "10:30.mp4", "10_30.mp4") == {
        "10:30.mp4": "10_30-2",
        "10_30.mp4": "10_30",
    }


def test_no_input_has_the_name_of_the_file_of_a_further_face(tmp_path: Path) -> None:
    videos = [str(tmp_path / name) for name in ("Talk.mp4", "talk_face12.mp4", "talk_face.mp4")]

    def plan(csv: str, texts: list[str]) -> list[str | None]:
        output = OutputSettings(tmp_path, csv=csv)
        index = ResultsIndex(tmp_path)
        return [
            job.stem for job in plan_jobs(texts, TrackSettings(), output, InputSettings(), index)
        ]

    for csv in ("livelink", "bvh"):
        with pytest.raises(UsageError, match=r"talk_face12\.mp4 would have the name"):
            plan(csv, videos)
        assert plan(csv, videos[1:]) == ["talk_face12", "talk_face"]
    assert plan("native", videos) == ["Talk", "talk_face12", "talk_face"]


def test_files_of_further_faces_are_known_by_their_names(tmp_path: Path) -> None:
    names = ("a_face1.csv", "a_face10.csv", "a_face.csv", "b_face1.csv", "a_face2.bvh", "a.csv")
    for name in names:
        (tmp_path / name).touch()
    there = face_files_there(tmp_path / "a.csv")
    assert [path.name for path in there] == ["a_face1.csv", "a_face10.csv"]
    assert face_file(tmp_path / "a.csv", 10) == there[1]
    assert face_files_there(tmp_path / "nowhere" / "a.csv") == []
