"""Age, sex and group of the people in UTKFace's pictures, which their file names state."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, NamedTuple

from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_\d+")
_SEXES = ("male", "female")
_GROUPS = ("White", "Black", "Asian", "Indian", "other")  # In the words of UTKFace.
AGES = ((0, 12), (13, 29), (30, 49), (50, 69), (70, 120))  # Bounds of each group, years.


class Person(NamedTuple):
    """What the name of a picture of UTKFace states of the person.

    Attributes:
        file: Name of the picture in faces/unlabelled.
        age: Age in years.
        sex: `male` or `female`.
        group: `White`, `Black`, `Asian`, `Indian` or `other`.
    """

    file: str
    age: int
    sex: str
    group: str

    @property
    def labels(self) -> tuple[str, str, str]:
        """Names of the groups that the person belongs to: by age, by sex and by UTKFace's group."""
        low, high = next(bounds for bounds in AGES if self.age <= bounds[1])
        return f"age {low} to {high}", self.sex, self.group


def read_people(folder: Path) -> tuple[Person, ...]:
    """Read what is known of the people in the pictures of faces/unlabelled.

    Args:
        folder: The folder, whose sources.csv names the original file of each picture.

    Returns:
        The people of UTKFace's pictures, in the order of the table; empty without a table. Pictures
        of other sources, and a few of UTKFace whose names lack a part, are left out.

    Raises:
        DataError: The table has another form.
    """
    table = folder / "sources.csv"
    if not table.is_file():
        return ()
    try:
        with table.open(newline="", encoding="utf-8") as file:
            rows = [(row["file"], row["original"]) for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise DataError(f"{table} needs the columns file and original: {error}") from error
    found = ((file, _NAME.match(original.rpartition("/")[2])) for file, original in rows)
    return tuple(
        _person(file, name) for file, name in found if name and int(name[1]) <= AGES[-1][1]
    )


def _person(file: str, name: re.Match[str]) -> Person:
    return Person(file, int(name[1]), _SEXES[int(name[2])], _GROUPS[int(name[3])])
