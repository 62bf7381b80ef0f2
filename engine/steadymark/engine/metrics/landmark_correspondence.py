"""Correspondence between the model's landmarks and those of the ground truth.

It also selects the landmarks that are scored, because the two may use different schemas or only a
part of the landmarks may count.
"""

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
    """Pairs of landmark numbers: landmark ours[i] corresponds to the truth's landmark theirs[i].

    Attributes:
        ours: Landmark numbers in the model's schema, counted from 0.
        theirs: Landmark numbers in the ground truth, counted from 0.
    """

    ours: tuple[int, ...]
    theirs: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Correspondence:
        """Parse `36,39,42,45`, or `36=27,39=29` where the ground truth has other numbers.

        Args:
            text: Comma-separated landmark numbers, or pairs OURS=THEIRS.

        Returns:
            The correspondence.

        Raises:
            UsageError: The text has another form or names one of the model's landmarks twice.
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
                "'{text}' is not a list of landmarks: write 36,39,42,45, each once, or "
                "36=27,39=29 where 27 and 29 are numbers of the ground truth",
                text=text,
            )
        return cls(ours, theirs)

    @classmethod
    def of_schemas(cls, ours: str, theirs: str) -> Correspondence:
        """Return the landmarks that two schemas share exactly, from assets/schemas/maps.

        Args:
            ours: Name of the model's schema.
            theirs: Name of the ground truth's schema.

        Returns:
            The correspondence.

        Raises:
            ValueError: A schema is unknown, or there is no map between the two.
        """
        place = matching_landmarks(theirs, ours, exact=True)
        shared = [(i, int(j)) for i, j in enumerate(place) if j >= 0]
        return cls(tuple(i for i, _ in shared), tuple(j for _, j in shared))

    @property
    def renumbers(self) -> bool:
        """Whether the ground truth has other landmark numbers than the model."""
        return self.ours != self.theirs

    def __str__(self) -> str:
        shown = zip(self.ours, self.theirs, strict=True)
        return ",".join(f"{a}={b}" if self.renumbers else f"{a}" for a, b in shown)


def in_our_numbers(
    truth: Real, schema: LandmarkSchema, chosen: Correspondence | None, name: str
) -> Values:
    """Convert true landmarks to the numbering of the model's schema.

    Args:
        truth: True landmarks, (..., K', 2).
        schema: The model's schema with K landmarks.
        chosen: Correspondence between the two; None when the numbers are the same.
        name: Name of the ground truth, for error messages.

    Returns:
        Landmarks, (..., K, 2), with NaN for landmarks that the ground truth lacks.

    Raises:
        UsageError: The number of landmarks does not fit, a chosen landmark does not exist, or the
            outer eye corners are missing, without which NRMSE is not defined.
    """
    count = truth.shape[-2]
    if chosen is None or not chosen.renumbers:
        if count != schema.count:
            raise UsageError(
                "{name} has {count} landmarks, {schema} has {wanted}: say with "
                "--landmarks which ones correspond, for example 36=27,45=32",
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
            "--landmarks lacks the outer eye corners {right} and {left}; every "
            "error is divided by their distance: say which landmarks of the ground "
            "truth they are",
            right=right,
            left=left,
        )
    full = np.full((*truth.shape[:-2], schema.count, 2), np.nan)
    full[..., list(chosen.ours), :] = truth[..., list(chosen.theirs), :]
    return full


def scored_landmarks(schema: LandmarkSchema, chosen: Correspondence | None) -> tuple[int, ...]:
    """Return the numbers of the schema's landmarks whose error is scored.

    Args:
        schema: The model's schema.
        chosen: The chosen landmarks; None for all of the schema.

    Returns:
        Landmark numbers in increasing order.
    """
    return tuple(range(schema.count)) if chosen is None else tuple(sorted(chosen.ours))


def _check(needed: int, count: int, name: str) -> None:
    if needed > count:
        raise UsageError(
            "--landmarks names landmark {landmark}, but {name} has 0 to {last}",
            landmark=needed - 1,
            name=name,
            last=count - 1,
        )
