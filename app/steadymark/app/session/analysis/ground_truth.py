"""Ground truth beside a recording: read, and how far from it one face's landmarks lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.accuracy_scores import accuracy_of
from steadymark.engine.metrics.tracker_tables import prepare_video, tracked_video
from steadymark.engine.metrics.video_ground_truth import LabelledVideo, find_videos, read_truth
from steadymark.engine.metrics.video_scores import has_truth, stability_of
from steadymark.engine.sources.input_paths import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from steadymark.models.face.schema import load_schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.metrics.tracker_tables import ScoredVideo

_SUFFIXES = {".csv", ".txt", ".pts"}
_NOTHING = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """Of one recording. path: the table, or the folder of .pts files."""

    path: Path
    known: ScoredVideo

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def frames(self) -> int:
        """How many frames have truth."""
        assert self.known.truth is not None
        return int(has_truth(self.known.truth, self.known.scored).sum())

    @property
    def points(self) -> NDArray[np.float64]:
        """(frames, K, 2), pixels; NaN in frames that do not count."""
        assert self.known.truth is not None
        return self.known.truth


@dataclass(frozen=True, slots=True)
class TruthScores:
    """What `steadymark evaluate` tells of a video: nrmse, mcv in %, fr8 a share, lag in frames.

    mav: of the error, in (% of the outer-eye distance)². regions: nrmse of each. faces, missed:
    frames compared, and those without the face.
    """

    nrmse: float = _NOTHING
    fr8: float = _NOTHING
    mav: float = _NOTHING
    mcv: float = _NOTHING
    lag: float = _NOTHING
    faces: int = 0
    missed: int = 0
    regions: tuple[tuple[str, float], ...] = ()


def looks_like_ground_truth(path: Path) -> bool:
    """A table, a .pts file, or a folder of nothing but these."""
    if path.is_dir():
        there = {file.suffix.lower() for file in path.iterdir()}
        return ".pts" in there and not there & (VIDEO_SUFFIXES | IMAGE_SUFFIXES)
    return path.suffix.lower() in _SUFFIXES


def ground_truth_beside(source: str) -> Path | None:
    """Where a video's truth lies, if it lies where `steadymark evaluate` looks for it."""
    video = Path(source)
    return find_videos(video)[0].truth if video.is_file() else None


def load_ground_truth(path: Path, source: str) -> GroundTruth:
    """The truth of a recording; of a .pts file its whole folder.

    Raises:
        SteadymarkError: it cannot be read, or is of another recording.
    """
    path = path.parent if path.suffix.lower() == ".pts" else path
    points, schema = read_truth(path), load_schema()
    if points.shape[1] != schema.count:
        raise UsageError(
            "{path} has {given} landmarks: the window compares all {count} of {name}, 'steadymark "
            "evaluate --landmarks' also some",
            path=path,
            given=points.shape[1],
            count=schema.count,
            name=schema.name,
        )
    video = LabelledVideo(Path(source).stem, source, path)
    return GroundTruth(path, prepare_video(video, schema, read=points))


def compared_with(
    truth: GroundTruth, points: NDArray[np.float32], known: NDArray[np.bool_], fps: float
) -> tuple[TruthScores, NDArray[np.float64]]:
    """One face's points (frames, K, 2) against the truth, and the NRMSE of each frame in %.

    known: (frames,), those that are tracked; NaN there is a face not found.
    """
    in_table = np.round(points.astype(np.float64), 3).astype(np.float32)  # as files hold them
    video = tracked_video(in_table.astype(np.float64), truth.known, fps=fps, known=known)
    compared = video.compared()
    if compared is None or not compared.places:
        return TruthScores(), np.full(len(points), np.nan)
    accuracy, stability = accuracy_of(compared), stability_of([video])
    right = TruthScores(
        accuracy.nrmse,
        accuracy.fr8,
        stability.mav,
        stability.mcv,
        stability.lag_frames,
        accuracy.faces,
        accuracy.missed,
        tuple(accuracy.regions.items()),
    )
    return right, video.errors()
