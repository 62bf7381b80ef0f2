"""What `steadymark track` says after its summary: what to try when the results lack something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.core.face_frames import no_face_found
from steadymark.engine.tracking.face_pass import MOST_FACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.pipeline.job import JobReport

_NO_FACE = (
    "Try: --rotate 90, 180 or 270 if the picture is not upright; a lower --threshold for faces "
    "that the detector is not sure of; another --detector; or a video in which the face is "
    "larger and sharper."
)


def hints(reports: Sequence[JobReport], max_faces: int) -> list[str]:
    """Return a sentence for each input without any face, or with more faces than are tracked.

    Args:
        reports: The reports of all inputs.
        max_faces: The largest number of faces to track.
    """
    without = [job for job in reports if job.report.face_frames.none_found]
    lines: list[str] = [no_face_found(job.name, job.report.frames) for job in without]
    more = [_more_faces(job, max_faces) for job in reports if job.report.most_seen > max_faces]
    return [*more, *lines, *([_NO_FACE] if lines else [])]


def _more_faces(job: JobReport, max_faces: int) -> str:
    seen = job.report.most_seen
    were = "was" if max_faces == 1 else "were"
    wanted = min(seen, MOST_FACES)
    return (
        f"{job.name}: {seen} faces were seen, {max_faces} {were} tracked; pass --max-faces {wanted}"
    )
