"""The comparison of two variants of one recording, aligned row by row with its results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.app.session.analysis.variants import RAW, RAW_AND_STABILIZED, STABILIZED
from steadymark.app.session.recording.point_filter import PointFilter
from steadymark.app.session.recording.results import FrameStatus
from steadymark.engine.core.types import Landmarks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from steadymark.app.session.analysis.variants import Variant, VariantPair
    from steadymark.app.session.recording.face_rows import FaceRows
    from steadymark.app.session.recording.results import Results, Trail
    from steadymark.engine.core.types import TrackedFace
    from steadymark.engine.tracking.settings import TrackSettings

    Points = NDArray[np.float32]

_MAX_DISTANCE = 0.5  # largest distance between two networks' results for one face, in face widths


@dataclass(frozen=True, slots=True, eq=False)
class ComparedPoints:
    """The points of two variants, aligned with the rows of the results.

    Attributes:
        variants: The two variants.
        results: The results whose rows the points are aligned with.
        first: Points of the first variant for the first M rows, (M, K, 2); NaN where it has none.
        second: Points of the second variant, like `first`.
        known: (frames,), True for the frames that both variants have tracked.
    """

    variants: VariantPair
    results: Results
    first: Points
    second: Points
    known: NDArray[np.bool_]

    def rows(self, rows: FaceRows) -> FaceRows:
        """Return rows with the first variant as raw points and the second as stabilized points."""
        count = len(self.first)
        cut = {name: getattr(rows, name)[:count] for name in type(rows).__slots__}
        return type(rows)(**{**cut, "raw": self.first, "stabilized": self.second})

    def faces(self, index: int) -> tuple[TrackedFace, ...] | None:
        """Return the faces of a frame with the points of both variants; None if not tracked."""
        faces = self.results.faces(index)
        if faces is None:
            return None
        rows = self.results.rows_at(index)
        return tuple(self._face(face, row) for face, row in zip(faces, rows, strict=True))

    def trails(self, index: int, *, over_s: float, raw: bool) -> dict[int, Trail]:
        """Return the trails of a frame's faces.

        raw: of the first variant, otherwise of the second.
        """
        points = self.first if raw else self.second
        return self.results.trails(index, over_s=over_s, points=points)

    def _face(self, face: TrackedFace, row: int) -> TrackedFace:
        if face.raw is None or face.stabilized is None:
            return face
        first, second = (
            Landmarks(
                points[row] if row < len(points) else np.full_like(face.raw.xy_px, np.nan),
                face.raw.score,
            )
            for points in (self.first, self.second)
        )
        return replace(face, raw=first, stabilized=second)


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A request to compare two variants.

    Attributes:
        variants: The two variants.
        settings: The settings that give filters their parameters.
        passes: The results so far of the variants that are tracked separately, and of tables.
    """

    variants: VariantPair
    settings: TrackSettings
    passes: Mapping[Variant, Results]

    def compute(
        self, results: Results, stop: Callable[[], bool] = lambda: False
    ) -> ComparedPoints | None:
        """Return the compared points, or None if raw and stabilized points are compared."""
        if self.variants == RAW_AND_STABILIZED:
            return None
        rows, _, known = results.window()
        for variant in self.variants:
            if variant.has_results:
                other = self.passes.get(variant)
                known &= other is not None and other.frame_status() == FrameStatus.TRACKED
        first, second = (self._points(variant, results, rows, stop) for variant in self.variants)
        return ComparedPoints(self.variants, results, first, second, known)

    def _points(
        self, variant: Variant, results: Results, rows: FaceRows, stop: Callable[[], bool]
    ) -> Points:
        if variant == RAW:
            return rows.raw
        if variant == STABILIZED:
            return rows.stabilized
        if variant.has_results:
            other = self.passes.get(variant)
            return (
                np.full_like(rows.raw, np.nan)
                if other is None or other.schema.name != results.schema.name
                else align_variants(rows, other.rows())
            )
        choice = variant.filter_of(self.settings)
        return PointFilter(choice).refilter(results, stop=stop)[: len(rows)]


def align_variants(rows: FaceRows, others: FaceRows) -> Points:
    """Return, for each row, the points of the nearest face in another tracking of the recording.

    Returns:
        The points, (N, K, 2). They are NaN where no face lies within half of the face's width.
    """
    points = np.full_like(rows.raw, np.nan)
    centres = others.raw.mean(1)
    rows_by_frame: dict[int, list[int]] = {}
    for other in np.flatnonzero(np.isfinite(centres).all(1)).tolist():
        rows_by_frame.setdefault(int(others.frame[other]), []).append(other)
    for row in range(len(rows)):
        centre = rows.raw[row].mean(0)
        near = rows_by_frame.get(int(rows.frame[row]))
        if near is None or not np.isfinite(centre).all():
            continue
        distances = np.linalg.norm(centres[near] - centre, axis=-1)
        best = int(np.argmin(distances))
        if distances[best] <= _MAX_DISTANCE * np.ptp(rows.raw[row, :, 0]):
            points[row] = others.stabilized[near[best]]
    return points
