"""Whether several image files are one sequence or independent pictures."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from steadymark.engine.core.image_order import ImageOrder
from steadymark.engine.sources.image_size import same_size
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Sequence

_LAST_NUMBER = re.compile(r"(.*?)(\d+)(\D*)", re.ASCII | re.DOTALL)
_LARGEST_SPARSENESS = 1000  # frames per image file above which its number does not count frames


class ImageArrangement(NamedTuple):
    """How image files are tracked.

    Attributes:
        order: Sequence or independent pictures.
        frames: The frame index of each file.
        note: Why the files are not a sequence; None if they are, or if the user asks for it.
    """

    order: ImageOrder
    frames: tuple[int, ...]
    note: UserText | None = None


def arrange(files: Sequence[Path], wanted: ImageOrder | None = None) -> ImageArrangement:
    """Decide how image files are tracked.

    Files are a sequence if their names differ only in one number and their images have the same
    size. A missing number leaves a gap in the frame indices.

    Args:
        files: The files, in natural order.
        wanted: What the user asks for; None decides by the names and sizes.

    Returns:
        The arrangement.
    """
    positions = tuple(range(len(files)))
    if len(files) < 2:
        return ImageArrangement(wanted or ImageOrder.SEQUENCE, positions)
    if wanted is ImageOrder.INDEPENDENT:
        return ImageArrangement(wanted, positions)
    numbers = image_numbers(files)
    if wanted is None and numbers is None:
        note = UserText(
            "{count} images whose names do not differ in one number only are tracked "
            "independently: 'steadymark track --sequence' tracks them as one sequence",
            count=len(files),
        )
        return ImageArrangement(ImageOrder.INDEPENDENT, positions, note)
    if wanted is None and not same_size(files):
        note = UserText(
            "{count} images of different sizes are tracked independently: "
            "'steadymark track --sequence' tracks them as one sequence",
            count=len(files),
        )
        return ImageArrangement(ImageOrder.INDEPENDENT, positions, note)
    if numbers is None:
        return ImageArrangement(ImageOrder.SEQUENCE, positions)
    frames = tuple(number - numbers[0] for number in numbers)
    return ImageArrangement(ImageOrder.SEQUENCE, frames)


def image_numbers(files: Sequence[Path]) -> tuple[int, ...] | None:
    """Return the number in each file name.

    Args:
        files: The files, in natural order.

    Returns:
        The increasing numbers; None if the names differ in more than one number, or if the numbers
        are so sparse that they do not count frames, as dates do not.
    """
    found = [_LAST_NUMBER.fullmatch(file.name.removesuffix(file.suffix)) for file in files]
    if not all(found):
        return None
    frames = {
        (file.parent, file.suffix.casefold(), match[1], match[3])
        for file, match in zip(files, found, strict=True)
        if match is not None
    }
    numbers = tuple(int(match[2]) for match in found if match is not None)
    increasing = all(a < b for a, b in pairwise(numbers))
    span = numbers[-1] - numbers[0]
    if len(frames) > 1 or not increasing or span > _LARGEST_SPARSENESS * len(files):
        return None
    return numbers


def image_names(files: Sequence[Path]) -> tuple[str, ...]:
    """Return a name for each file: its file name, with its folders where names are not unique."""
    names = tuple(file.name for file in files)
    if len(set(names)) == len(names):
        return names
    absolute = [os.path.abspath(file) for file in files]  # noqa: PTH100 - links stay as they are
    shared = os.path.commonpath([os.path.dirname(path) for path in absolute])  # noqa: PTH120
    return tuple(Path(os.path.relpath(path, shared)).as_posix() for path in absolute)
