"""Correspondence between the model's landmarks and those of the ground truth.

It also selects the landmarks that are scored, because the two may use different schemas or only a
part of the landmarks may count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.models.face.schema import IBUG68, USUAL_SCHEMAS, load_schema
from steadymark.models.face.schema_conversion import matching_landmarks

if TYPE_CHECKING:
    from steadymark.engine.metrics.accuracy import Real, Values
    from steadymark.models.face.schema import LandmarkSchema


_MOST_LANDMARKS = 10_000  # in a range; more than any schema has


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
        """Parse `36,39,42-45`, or `36=27,39=29` where the ground truth has other numbers.

        Args:
            text: Comma-separated landmark numbers, ranges FIRST-LAST, or pairs OURS=THEIRS.

        Returns:
            The correspondence.

        Raises:
            UsageError: The text has another form or names one of the model's landmarks twice.
        """
        parts = [each for part in text.split(",") for each in _numbers_of_range(part)]
        pairs = [part.split("=") for part in parts]
        try:
            numbers = [(int(pair[0]), int(pair[-1])) for pair in pairs if len(pair) <= 2]
        except ValueError:
            numbers = []
        ours, theirs = tuple(n[0] for n in numbers), tuple(n[1] for n in numbers)
        whole = len(numbers) == len(pairs) > 0 and min(ours + theirs) >= 0
        if not whole or len(set(ours)) < len(ours):
            raise UsageError(
                "'{text}' is not a list of landmarks: write 36,39,42-45, each once, or "
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
        if self.renumbers:
            return ",".join(f"{a}={b}" for a, b in zip(self.ours, self.theirs, strict=True))
        numbers = sorted(self.ours)
        starts = [n for n in numbers if n - 1 not in self.ours]
        ends = [n for n in numbers if n + 1 not in self.ours]
        return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def correspondence_with_truth(
    schema: LandmarkSchema, count: int, name: str, *, named: str = ""
) -> Correspondence | None:
    """Find the landmarks that a model shares with a ground truth, from assets/schemas/maps.

    Args:
        schema: Landmark schema of the model.
        count: Number of landmarks in the ground truth.
        name: Name of the ground truth, for error messages.
        named: Schema of the ground truth if it is known. Otherwise 68 landmarks are those of
            ibug68, the model's number of landmarks those of the model, and other numbers those of
            the schema that most data sets with that number use.

    Returns:
        The correspondence; None if both have the same schema, or if the truth's is unknown.

    Raises:
        UsageError: The ground truth does not have the number of landmarks of its schema, or no map
            between the two schemas is known.
    """
    theirs = named or _usual_schema_of(count, schema)
    if not schema.name or not theirs or theirs == schema.name:
        return None
    if load_schema(theirs).count != count:
        raise UsageError(
            "{name} has {count} landmarks, the schema {schema} has {wanted}: say another one with "
            "--schema",
            name=name,
            count=count,
            schema=theirs,
            wanted=load_schema(theirs).count,
        )
    try:
        return Correspondence.of_schemas(schema.name, theirs)
    except ValueError as error:
        raise UsageError(
            "{name} has the landmarks of {theirs}, the model those of {ours}, and no map between "
            "the two is known: say with --landmarks which ones correspond, for example 36=27,45=32",
            name=name,
            theirs=theirs,
            ours=schema.name,
        ) from error


def _usual_schema_of(count: int, schema: LandmarkSchema) -> str:
    usual = USUAL_SCHEMAS.get(count, "")
    return schema.name if count == schema.count and usual != IBUG68 else usual


def _numbers_of_range(part: str) -> list[str]:
    """Return the numbers of a range such as `0-16`, or the part itself if it is none."""
    first, _, last = part.partition("-")
    if not first.strip().isdecimal() or not last.strip().isdecimal():
        return [part]
    return [str(number) for number in range(int(first), min(int(last), _MOST_LANDMARKS) + 1)]


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
