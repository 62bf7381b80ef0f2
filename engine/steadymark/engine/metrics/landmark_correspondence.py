"""Which landmarks are scored, where the truth has other ones or not all should count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.models.face.schema_conversion import matching_landmarks

if TYPE_CHECKING:
    from steadymark.engine.metrics.accuracy import Real, Values
    from steadymark.models.face.schema import LandmarkSchema


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Landmark ours[i] is the truth's landmark theirs[i]; both count from 0."""

    ours: tuple[int, ...]
    theirs: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Correspondence:
        """From `36,39,42,45`, or `36=27,39=29` where the truth numbers them otherwise.

        Raises:
            UsageError: the text is neither, or names a landmark of ours twice.
        """
        pairs = [part.split("=") for part in text.split(",")]
        try:
            numbers = [(int(pair[0]), int(pair[-1])) for pair in pairs if len(pair) <= 2]
        except ValueError:
            numbers = []
        ours, theirs = tuple(n[0] for n in numbers), tuple(n[1] for n in numbers)
        whole = len(numbers) == len(pairs) and min(ours + theirs) >= 0
        if not whole or len(set(ours)) < len(ours):
            raise UsageError(
                "'{text}' is no list of landmarks: write 36,39,42,45, each once, or 36=27,39=29 "
                "where 27 and 29 are the truth's numbers",
                text=text,
            )
        return cls(ours, theirs)

    @classmethod
    def of_schemas(cls, ours: str, theirs: str) -> Correspondence:
        """The landmarks that two schemas share exactly (assets/schemas/maps).

        Raises:
            ValueError: an unknown schema, or one without a map.
        """
        place = matching_landmarks(theirs, ours, exact=True)
        shared = [(i, int(j)) for i, j in enumerate(place) if j >= 0]
        return cls(tuple(i for i, _ in shared), tuple(j for _, j in shared))

    @property
    def renumbers(self) -> bool:
        """Whether the truth has other numbers than ours."""
        return self.ours != self.theirs

    def __str__(self) -> str:
        shown = zip(self.ours, self.theirs, strict=True)
        return ",".join(f"{a}={b}" if self.renumbers else f"{a}" for a, b in shown)


def in_our_numbers(
    truth: Real, schema: LandmarkSchema, chosen: Correspondence | None, name: str
) -> Values:
    """The truth (..., K', 2) with the schema's K landmarks, NaN where it has no such landmark.

    Raises:
        UsageError: it has not K landmarks, or not those that were chosen, or no outer eye corners,
            without which there is no NRMSE.
    """
    count = truth.shape[-2]
    if chosen is None or not chosen.renumbers:
        if count != schema.count:
            raise UsageError(
                "{name} has {count} landmarks, {schema} has {wanted}: say with --landmarks which "
                "are the same, for example 36=27,45=32",
                name=name,
                count=count,
                schema=schema.name,
                wanted=schema.count,
            )
        _check(schema.count if chosen is None else max(chosen.ours) + 1, schema.count, schema.name)
        return truth.astype(np.float64)
    _check(max(chosen.ours) + 1, schema.count, schema.name)
    _check(max(chosen.theirs) + 1, count, name)
    if not set(schema.eyes) <= set(chosen.ours):
        right, left = schema.eyes
        raise UsageError(
            "--landmarks lacks the outer eye corners {right} and {left}, whose distance every "
            "error is divided by: say which of the truth's landmarks they are",
            right=right,
            left=left,
        )
    full = np.full((*truth.shape[:-2], schema.count, 2), np.nan)
    full[..., list(chosen.ours), :] = truth[..., list(chosen.theirs), :]
    return full


def scored_landmarks(schema: LandmarkSchema, chosen: Correspondence | None) -> tuple[int, ...]:
    """The schema's landmarks whose error counts."""
    return tuple(range(schema.count)) if chosen is None else tuple(sorted(chosen.ours))


def _check(needed: int, count: int, name: str) -> None:
    if needed > count:
        raise UsageError(
            "--landmarks names landmark {landmark}, but {name} has 0 to {last}",
            landmark=needed - 1,
            name=name,
            last=count - 1,
        )
