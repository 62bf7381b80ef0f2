"""Ground truth of a recording: finding it, reading it, and scoring one face against it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.analysis.landmark_errors import landmark_errors
from steadymark.engine.core.errors import UsageError
from steadymark.engine.metrics.tracker_tables import prepare_video, tracked_video
from steadymark.engine.metrics.video_ground_truth import LabelledVideo, find_videos, read_truth
from steadymark.engine.metrics.video_scores import has_truth, stability_of
from steadymark.engine.sources.input_paths import IMAGE_SUFFIXES, VIDEO_SUFFIXES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.app.session.analysis.landmark_errors import LandmarkErrors
    from steadymark.engine.metrics.tracker_tables import ScoredVideo
    from steadymark.models.face.schema import LandmarkSchema

_SUFFIXES = {".csv", ".txt", ".pts"}
_UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """The ground truth of one recording. path: the table, or the folder of .pts files."""

    path: Path
    video: ScoredVideo

    @property
    def name(self) -> str:
        """The name of its file or folder."""
        return self.path.name

    @property
    def frames(self) -> int:
        """The number of frames that have ground truth."""
        assert self.video.truth is not None
        return int(has_truth(self.video.truth, self.video.scored).sum())

    @property
    def points(self) -> NDArray[np.float64]:
        """The true landmarks, (frames, K, 2) in pixels; NaN in frames that are not scored."""
        assert self.video.truth is not None
        return self.video.truth


@dataclass(frozen=True, slots=True)
class TruthScores:
    """The scores that `steadymark evaluate` reports for a video.

    Attributes:
        nrmse: In %.
        fr8: The failure rate, a share in [0, 1].
        mav: MAV of the error, in (% of the outer-eye distance)².
        mcv: In %.
        lag: In frames.
        faces: The number of frames that were compared.
        missed: The number of frames in which the face was not found.
        regions: The name of each region with its NRMSE.
    """

    nrmse: float = _UNKNOWN
    fr8: float = _UNKNOWN
    mav: float = _UNKNOWN
    mcv: float = _UNKNOWN
    lag: float = _UNKNOWN
    faces: int = 0
    missed: int = 0
    regions: tuple[tuple[str, float], ...] = ()


def looks_like_ground_truth(path: Path) -> bool:
    """Return whether this is a table, a .pts file, or a folder of .pts files without pictures."""
    if path.is_dir():
        suffixes = {file.suffix.lower() for file in path.iterdir()}
        return ".pts" in suffixes and not suffixes & (VIDEO_SUFFIXES | IMAGE_SUFFIXES)
    return path.suffix.lower() in _SUFFIXES


def ground_truth_beside(source: str) -> Path | None:
    """Find a video's ground truth in the places where `steadymark evaluate` looks for it."""
    video = Path(source)
    return find_videos(video)[0].truth if video.is_file() else None


def load_ground_truth(path: Path, source: str, schema: LandmarkSchema) -> GroundTruth:
    """Load the ground truth of a recording. A .pts file stands for its whole folder.

    Args:
        path: The file or folder.
        source: The recording.
        schema: The schema of the tracked landmarks.

    Returns:
        The ground truth.

    Raises:
        SteadymarkError: It cannot be read, or it belongs to another recording.
    """
    path = path.parent if path.suffix.lower() == ".pts" else path
    points = read_truth(path)
    if points.shape[1] != schema.count:
        raise UsageError(
            "{path} has {given} landmarks: the window compares all {count} "
            "landmarks of {name}; 'steadymark evaluate --landmarks' also compares "
            "some of them",
            path=path,
            given=points.shape[1],
            count=schema.count,
            name=schema.name,
        )
    video = LabelledVideo(Path(source).stem, source, path)
    return GroundTruth(path, prepare_video(video, schema, read=points))


def score_face(
    truth: GroundTruth, points: NDArray[np.float32], known: NDArray[np.bool_], fps: float
) -> tuple[TruthScores, NDArray[np.float64], LandmarkErrors | None]:
    """Compare one face's points with the ground truth.

    Args:
        truth: The ground truth.
        points: (frames, K, 2) in pixels. NaN in a tracked frame means that the face was not found.
        known: (frames,), True for the frames that are tracked.
        fps: The frame rate.

    Returns:
        The scores, the NRMSE of each frame in %, and the errors of the compared frames; None
        without any.
    """
    in_table = np.round(points.astype(np.float64), 3).astype(np.float32)  # rounded as in the files
    video = tracked_video(in_table.astype(np.float64), truth.video, fps=fps, known=known)
    compared = video.compared()
    if compared is None or not compared.places:
        return TruthScores(), np.full(len(points), np.nan), None
    errors, stability = landmark_errors(compared), stability_of([video])
    accuracy = errors.scores
    scores = TruthScores(
        accuracy.nrmse,
        accuracy.fr8,
        stability.mav,
        stability.mcv,
        stability.lag_frames,
        accuracy.faces,
        accuracy.missed,
        tuple(accuracy.regions.items()),
    )
    return scores, video.errors(), errors
