"""What `steadymark track` says after its summary: what to try when the results lack something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.core.face_frames import no_face_found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.pipeline.job import JobReport

_NO_FACE = (
    "Try: --rotate 90, 180 or 270 if the picture is not upright; a lower --threshold for faces "
    "that the detector is not sure of; another --detector; or a video in which the face is "
    "larger and sharper."
)


def hints(reports: Sequence[JobReport]) -> list[str]:
    """Return a sentence for each input without any face, and then one about what to try."""
    without = [job for job in reports if job.report.face_frames.none_found]
    lines: list[str] = [no_face_found(job.name, job.report.frames) for job in without]
    return [*lines, _NO_FACE] if lines else []
