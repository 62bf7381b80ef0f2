"""Plan the jobs for all inputs and the names of their results before any job starts."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.batch.results_index import ResultsIndex
from steadymark.engine.batch.run_jobs import Job
from steadymark.engine.core.errors import SinkError, UsageError
from steadymark.engine.output.output_paths import comparison_key, stem_of_first_face
from steadymark.engine.output.table_formats import TABLE_FORMATS
from steadymark.engine.pipeline.job import result_files
from steadymark.engine.sources.input_paths import input_name, plain
from steadymark.engine.sources.resolve_input import absolute, is_live

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from steadymark.engine.pipeline.job import InputSettings, OutputSettings
    from steadymark.engine.tracking.settings import TrackSettings


def plan_jobs(
    texts: Sequence[str],
    settings: TrackSettings,
    output: OutputSettings,
    input_settings: InputSettings,
    index: ResultsIndex,
    *,
    stems_in_use: Iterable[str] = (),
) -> list[Job]:
    """Create one job per input.

    The names of the results do not depend on which job ends first. No input's results get the name
    of another input.

    Args:
        texts: The inputs as `expand_inputs` returns them.
        settings: Tracking settings.
        output: Output settings.
        input_settings: Settings of the input, such as the time span.
        index: Results index of the output folder.
        stems_in_use: Names of results that other jobs are writing.

    Returns:
        The jobs, in the order of the inputs.

    Raises:
        UsageError: A result would overwrite an input, or a file of a further face that of another
            input.
    """
    used_stems = {name.casefold() for name in stems_in_use}
    own_stems = [Path(input_name(text)).stem.casefold() for text in texts if not is_live(text)]
    jobs = []
    for number, text in enumerate(texts):
        stem = None
        if not is_live(text):
            stem = index.name_results(text, input_name(text), used_stems, own_stems)
        indexed = index.fingerprint_of(text, stem) if stem is not None and output.resume else None
        in_index = stem is not None and index.knows(stem)
        damaged = stem is not None and index.is_damaged(text, stem)
        jobs.append(
            Job(number, text, settings, output, input_settings, stem, indexed, in_index, damaged)
        )
    _check_inputs_are_kept(jobs)
    if TABLE_FORMATS.find(output.csv).one_per_face:
        _check_faces_have_own_files(jobs)
    return jobs


def split_results(text: str, found: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate the inputs to track from annotated videos that an earlier run wrote.

    Such videos are left out when a folder or pattern matches them, but not when they are named.

    Args:
        text: The argument of the user.
        found: The inputs that match it.

    Returns:
        The inputs to track, and the results that are left out.
    """
    if len(found) == 1 and absolute(found[0]) == absolute(text):
        return list(found), []
    written_videos: dict[Path, frozenset[str]] = {}
    to_track: list[str] = []
    results: list[str] = []
    for candidate in found:
        path = Path(plain(candidate))
        if path.parent not in written_videos:
            written_videos[path.parent] = _videos_written_in(path.parent)
        (results if path.name in written_videos[path.parent] else to_track).append(candidate)
    return to_track, results


def _videos_written_in(folder: Path) -> frozenset[str]:
    try:
        return ResultsIndex(folder).videos
    except SinkError:  # Another program's file has that name.
        return frozenset()


def _check_inputs_are_kept(jobs: Sequence[Job]) -> None:
    inputs = {_file(plain(job.text)): job.text for job in jobs if not is_live(job.text)}
    inputs.pop(None, None)
    for job in jobs:
        for path in [] if job.stem is None else result_files(job.stem, job.output):
            if (replaced := inputs.get(_file(path))) is not None:
                raise UsageError(
                    "a result would have the name of the input {path} and replace it: "
                    "choose another folder for the results",
                    path=replaced,
                )


def _check_faces_have_own_files(jobs: Sequence[Job]) -> None:
    by_stem = {comparison_key(job.stem): job for job in jobs if job.stem is not None}
    for job in by_stem.values():
        first = by_stem.get(stem_of_first_face(job.stem or "") or "")
        if first is not None:
            raise UsageError(
                "the results of {path} would have the name of the file of a further face in "
                "{other}: track them into different folders",
                path=job.text,
                other=first.text,
            )


def _file(path: str | Path) -> tuple[int, int] | None:
    """Return the identity of a file, which does not depend on its name; None if there is none."""
    with contextlib.suppress(OSError, ValueError):
        status = os.stat(path)  # noqa: PTH116
        return status.st_dev, status.st_ino
    return None
