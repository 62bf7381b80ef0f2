"""Which results many inputs will have: decided before any is tracked, in their order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.batch.running import Job
from steadymark.engine.sources.naming import plain
from steadymark.engine.sources.opening import is_live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.batch.index import ResultsIndex
    from steadymark.engine.jobs import InputSettings, OutputSettings
    from steadymark.engine.settings import TrackSettings


def planned(
    texts: Sequence[str],
    settings: TrackSettings,
    output: OutputSettings,
    wish: InputSettings,
    index: ResultsIndex,
) -> list[Job]:
    """A job an input, as `expand_inputs` gives them; names do not depend on what ends first."""
    taken: set[str] = set()
    jobs = []
    for number, text in enumerate(texts):
        stem = None
        if not is_live(text):
            stem = index.name_results(text, Path(plain(text)).name, taken)
        before = index.made(text, stem) if stem is not None and output.resume else None
        jobs.append(Job(number, text, settings, output, wish, stem, before))
    return jobs
