"""What the error views show, and its text."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from steadymark.app.gui.i18n.display_names import landmark_name
from steadymark.app.gui.i18n.local_numbers import file_number, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from steadymark.app.session.analysis.landmark_errors import ErrorPair
    from steadymark.engine.metrics.accuracy_scores import AccuracyScores
    from steadymark.models.face.schema import LandmarkSchema

translate = QCoreApplication.translate

_DIGITS = 6  # significant digits in tables


@dataclass(frozen=True, slots=True, eq=False)
class ShownErrors:
    """The errors of two variants.

    Attributes:
        title: What the landmarks are compared with.
        names: The names of the two variants.
        pair: Their errors, in the same frames.
        times_s: (frames,), the times of the recording; None for several videos.
    """

    title: str
    names: tuple[str, str]
    pair: ErrorPair
    times_s: NDArray[np.float64] | None

    @property
    def schema(self) -> LandmarkSchema:
        """The schema of the landmarks."""
        return self.pair[0].schema

    def time_s(self, index: int) -> float | None:
        """Return the time of one of the compared frames; None if it is not known."""
        frame = self.pair[0].places[index].frame
        return None if self.times_s is None or frame is None else float(self.times_s[frame])


def scores_of(scores: AccuracyScores) -> list[tuple[str, float, int]]:
    """Return the scores that are shown: title, value, and number of decimals."""
    return [
        (translate("errors", "NRMSE, %"), scores.nrmse, 3),
        (translate("errors", "median, %"), scores.median, 3),
        ("FR8, %", 100 * scores.fr8, 2),
        ("AUC 0.08", scores.auc8, 4),
        ("FR10, %", 100 * scores.fr10, 2),
        ("AUC 0.10", scores.auc10, 4),
    ]


def main_scores(scores: AccuracyScores) -> list[tuple[str, str]]:
    """Return the scores that have room beside the curves, with their titles."""
    return [
        ("NRMSE", number_text(scores.nrmse, 2, "%")),
        ("FR8", number_text(100 * scores.fr8, 1, "%")),
        ("AUC 0.08", number_text(scores.auc8, 3)),
    ]


def errors_text(shown: ShownErrors, dialect: str) -> str:
    """Return all errors as a table: the scores, each landmark, and each frame.

    Args:
        shown: The errors.
        dialect: Name of a dialect of the module csv: `excel` or, with tabs, `excel-tab`.
    """
    lines = io.StringIO()
    writer = csv.writer(lines, dialect, lineterminator="\n")
    writer.writerow(("of", "name", "frame", "time_s", *shown.names))
    for of, name, frame, time_s, *values in _rows(shown):
        writer.writerow((of, name, frame, time_s, *(file_number(v, _DIGITS) for v in values)))
    return lines.getvalue()


def _rows(shown: ShownErrors) -> Iterator[tuple[str, str, str, str, float, float]]:
    first, second = shown.pair
    for (title, a, _), (_, b, _) in zip(
        scores_of(first.scores), scores_of(second.scores), strict=True
    ):
        yield "score", title, "", "", a, b
    for index in range(shown.schema.count):
        name = f"{index} {landmark_name(index, shown.schema)}"
        a, b = (float(one.by_landmark[index]) for one in shown.pair)
        yield "landmark", name, "", "", a, b
    for index, place in enumerate(first.places):
        time_s = shown.time_s(index)
        text = "" if time_s is None else f"{time_s:.6f}"
        a, b = (float(one.errors[index]) for one in shown.pair)
        yield "frame", place.name, f"{place.frame}", text, a, b
