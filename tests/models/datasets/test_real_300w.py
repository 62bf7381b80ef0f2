"""The reader of 300W on the real training images of the data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steadymark.models.datasets import open_dataset
from steadymark.models.datasets.photo_splits import is_held_back, photo_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.data
def test_300w_itself_has_no_defects(data: Path) -> None:
    faces, defects = open_dataset(data / "300w" / "train")
    assert (len(faces), defects) == (2012, ())
    assert [f.name for f in faces] == sorted(f.name for f in faces)
    photos: dict[str, set[bool]] = {}
    for found in faces:
        assert photo_of(found.name) == found.source_photo
        held_back = is_held_back(photo_of(found.name), 0.06)
        photos.setdefault(found.source_photo, set()).add(held_back)
    assert all(len(sides) == 1 for sides in photos.values())
