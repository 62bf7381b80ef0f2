"""Whether the scores of landmarks mean something: `steadymark bench scores`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.bench.score_reliability import auc, calibration_error, reliability
from steadymark.engine.core.errors import UsageError
from steadymark.engine.output.video.draw_style import uncertain
from steadymark.engine.tracking.face_pass import TrackerConfig, align_faces
from steadymark.engine.tracking.geometry import box_of_landmarks
from steadymark.models.datasets.hard_faces import exact_faces
from steadymark.models.face.point_scores import IN_PLACE
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.synthesis.conditions.known_occlusion import OCCLUDERS
from steadymark.models.synthesis.hard_variants import roll_of
from steadymark.models.synthesis.score_faces import (
    KINDS,
    MEASURE,
    ScoreFace,
    occluder_textures,
    score_faces,
    score_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.bench.score_reliability import ReliabilityBin
    from steadymark.engine.tracking.face_pass import LandmarkModel

    Floats = NDArray[np.float32]
    Flags = NDArray[np.bool_]

COMMON, EXACT = "300w/common", "aflw2000, exact"
_CONFIG = TrackerConfig(find_from=0.0)  # no face is refused


@dataclass(frozen=True, slots=True, eq=False)
class ScoredFaces:
    """The scores that a model gives to n faces whose landmarks are known.

    Attributes:
        kinds: (n,) kind of each face.
        scores: (n, K) scores that users see.
        network: (n, K) scores as the network gives them.
        in_place: (n, K), True where a landmark lies within 5 % of the eye distance.
        hidden: (n, K), True where an occluder hides the landmark.
    """

    kinds: NDArray[np.str_]
    scores: Floats
    network: Floats
    in_place: Flags
    hidden: Flags


@dataclass(frozen=True, slots=True)
class ScoreFigures:
    """Benchmark results of one model.

    Attributes:
        faces: Number of images of the measuring part.
        bins: Reliability over all their landmarks.
        error: Expected calibration error of all of them.
        error_of: The same by kind of image.
        error_of_region: The same by facial region.
        network_error: The same for the scores as the network gives them.
        separation: AUC of visible against hidden landmarks, over all occluders.
        separation_of: The same by occluder.
        same_landmark: The same AUC among the images of one landmark, averaged over landmarks.
        network_separation: `separation` of the scores as the network gives them.
        in_place_auc: AUC of landmarks in place against those that are not.
        hollow_visible: Share of the visible landmarks that is drawn hollow.
        hollow_hidden: Share of the hidden landmarks that is drawn hollow.
    """

    faces: int
    bins: tuple[ReliabilityBin, ...]
    error: float
    error_of: dict[str, float]
    error_of_region: dict[str, float]
    network_error: float
    separation: float
    separation_of: dict[str, float]
    same_landmark: float
    network_separation: float
    in_place_auc: float
    hollow_visible: float
    hollow_hidden: float


def measuring_faces(data: Path, *, reported: bool = False) -> Iterator[ScoreFace]:
    """Yield the faces of the benchmark.

    Args:
        data: The data folder.
        reported: Whether to add faces that may be reported but not tuned on: 300w/common, and those
            of aflw2000 whose landmarks are exact.

    Raises:
        DataError: 300w/train is missing, or an image cannot be read.
        UsageError: A face of the added sets cannot be read.
    """
    files = score_files(data, MEASURE)
    yield from score_faces(files, KINDS, occluder_textures(data, files))
    if reported:
        common = sorted((data / "300w" / "common").glob("*.pts"))
        exact = [data / "aflw2000" / f"{stem}.pts" for stem in sorted(exact_faces(data))]
        for kind, paths in ((COMMON, common), (EXACT, exact)):
            for path in paths:
                yield _labelled(kind, path)


def _labelled(kind: str, path: Path) -> ScoreFace:
    image = cv2.imread(str(path.with_suffix(".jpg")))
    if image is None:
        raise UsageError("{path} cannot be read: the data are not complete", path=path)
    points = read_pts(path)
    hidden = np.zeros(len(points), np.bool_)
    return ScoreFace(kind, path.stem, image.astype(np.uint8, copy=False), points, hidden)


def score(
    network: LandmarkModel,
    faces: Iterable[ScoreFace],
    *,
    follower: LandmarkModel | None = None,
    on_face: Callable[[int], None] = lambda _: None,
) -> ScoredFaces:
    """Predict the landmarks of faces from their true boxes, as in the first frame of a video.

    Args:
        network: The landmark model.
        faces: The faces. Those of which the first run finds nothing are left out.
        follower: Network of the second run, see `Tracker`.
        on_face: Called with the number of faces done so far.

    Raises:
        UsageError: The model has another schema than iBUG's 68 landmarks.
    """
    schema = load_schema(network.card.schema)
    if schema.name != IBUG68:
        raise UsageError(
            "{name} has the schema {schema}: the scores of {needed} models alone can be measured",
            name=network.card.name,
            schema=schema.name,
            needed=IBUG68,
        )
    right, left = schema.eyes
    rows = []
    for number, face in enumerate(faces, 1):
        box = box_of_landmarks(face.points, score=1.0, roll_deg=roll_of(face.points))
        (found,) = align_faces(network, face.image, [box], schema, _CONFIG, follower)
        on_face(number)
        if found is None:
            continue
        distance = np.linalg.norm(found.raw.xy_px - face.points, axis=1)
        eyes = float(np.linalg.norm(face.points[right] - face.points[left]))
        seen, _ = found.calibrated(found.stabilized)
        in_place = distance <= IN_PLACE * eyes
        rows.append((face.kind, seen.score, found.raw.score, in_place, face.hidden))
    if not rows:
        raise UsageError("{name} finds no face in the data", name=network.card.name)
    kinds, *arrays = zip(*rows, strict=True)
    return ScoredFaces(np.array(kinds), *(np.stack(each) for each in arrays))


def figures_of(scored: ScoredFaces) -> ScoreFigures:
    """Compute the figures of a model.

    Args:
        scored: The model's scores. Faces of COMMON and EXACT only count in `error_of`.
    """
    own = np.isin(scored.kinds, KINDS)
    covered = np.isin(scored.kinds, tuple(OCCLUDERS))
    bins = reliability(scored.scores[own].ravel(), scored.in_place[own].ravel())
    hidden = scored.hidden & covered[:, None]
    visible = ~scored.hidden & own[:, None]
    return ScoreFigures(
        faces=int(own.sum()),
        bins=bins,
        error=calibration_error(bins),
        error_of={str(kind): _error(scored, kind) for kind in dict.fromkeys(scored.kinds.tolist())},
        error_of_region=_errors_of_regions(scored, own),
        network_error=calibration_error(
            reliability(scored.network[own].ravel(), scored.in_place[own].ravel())
        ),
        separation=_separation(scored.scores, scored.hidden, covered),
        separation_of={
            kind: _separation(scored.scores, scored.hidden, scored.kinds == kind)
            for kind in OCCLUDERS
        },
        same_landmark=_same_landmark(scored, covered),
        network_separation=_separation(scored.network, scored.hidden, covered),
        in_place_auc=_separation(scored.scores, ~scored.in_place, own),
        hollow_visible=_hollow(scored.scores[visible]),
        hollow_hidden=_hollow(scored.scores[hidden]),
    )


def _error(scored: ScoredFaces, kind: str) -> float:
    faces = scored.kinds == kind
    return calibration_error(
        reliability(scored.scores[faces].ravel(), scored.in_place[faces].ravel())
    )


def _errors_of_regions(scored: ScoredFaces, own: Flags) -> dict[str, float]:
    found = {}
    for region, landmarks in load_schema(IBUG68).regions.items():
        columns = np.ix_(np.flatnonzero(own), np.array(landmarks))
        bins = reliability(scored.scores[columns].ravel(), scored.in_place[columns].ravel())
        found[region] = calibration_error(bins)
    return found


def _separation(scores: Floats, lower: Flags, faces: Flags) -> float:
    """Return the AUC of the landmarks of some faces against those that should score lower."""
    return auc(scores[faces][~lower[faces]], scores[faces][lower[faces]])


def _same_landmark(scored: ScoredFaces, faces: Flags) -> float:
    each = [
        _separation(scored.scores[:, [k]], scored.hidden[:, [k]], faces)
        for k in range(scored.scores.shape[1])
    ]
    known = [value for value in each if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def _hollow(scores: Floats) -> float:
    return float(uncertain(scores).mean()) if len(scores) else float("nan")
