"""Display names of landmarks, face regions and compared variants."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from steadymark.app.gui.i18n.local_numbers import local_text
from steadymark.app.gui.i18n.stabilizer_names import short_stabilizer_name
from steadymark.models.face.schema import IBUG68, IBUG_ORDER
from steadymark.models.face.schema_conversion import matching_landmarks

if TYPE_CHECKING:
    from steadymark.app.session.analysis.variants import Variant
    from steadymark.models.face.schema import LandmarkSchema

_LANDMARK_GROUPS = (
    (range(17), QT_TRANSLATE_NOOP("names", "jaw")),
    (range(17, 22), QT_TRANSLATE_NOOP("names", "right brow")),
    (range(22, 27), QT_TRANSLATE_NOOP("names", "left brow")),
    (range(27, 31), QT_TRANSLATE_NOOP("names", "nose bridge")),
    (range(31, 36), QT_TRANSLATE_NOOP("names", "nose base")),
    (range(36, 42), QT_TRANSLATE_NOOP("names", "right eye")),
    (range(42, 48), QT_TRANSLATE_NOOP("names", "left eye")),
    (range(48, 60), QT_TRANSLATE_NOOP("names", "outer lip")),
    (range(60, 68), QT_TRANSLATE_NOOP("names", "inner lip")),
)
_NAMED_LANDMARKS = {
    8: QT_TRANSLATE_NOOP("names", "chin"),
    30: QT_TRANSLATE_NOOP("names", "nose tip"),
    33: QT_TRANSLATE_NOOP("names", "below the nose"),
    36: QT_TRANSLATE_NOOP("names", "right eye, outer corner"),
    39: QT_TRANSLATE_NOOP("names", "right eye, inner corner"),
    42: QT_TRANSLATE_NOOP("names", "left eye, inner corner"),
    45: QT_TRANSLATE_NOOP("names", "left eye, outer corner"),
    48: QT_TRANSLATE_NOOP("names", "right corner of the mouth"),
    54: QT_TRANSLATE_NOOP("names", "left corner of the mouth"),
}
_REGIONS = {
    "": QT_TRANSLATE_NOOP("names", "whole face"),
    "contour": QT_TRANSLATE_NOOP("names", "contour"),
    "brows": QT_TRANSLATE_NOOP("names", "brows"),
    "nose": QT_TRANSLATE_NOOP("names", "nose"),
    "eyes": QT_TRANSLATE_NOOP("names", "eyes"),
    "mouth": QT_TRANSLATE_NOOP("names", "mouth"),
}
REGIONS = tuple(_REGIONS)

_VARIANT_NAMES = {
    "raw": QT_TRANSLATE_NOOP("names", "raw"),
    "stabilized": QT_TRANSLATE_NOOP("names", "stabilized"),
}


def variant_name(variant: Variant) -> str:
    """Return the display name of a compared variant.

    A variant that is another network has the network's name.
    """
    return " ".join(variant_description(variant))


def variant_description(variant: Variant) -> tuple[str, ...]:
    """Return the name of a variant, and its own parameters if it has any.

    Only the parameters that are needed to tell variants apart are included.
    """
    if variant.kind == "none":
        return (variant.model,)
    if variant.is_table:
        any_table = QCoreApplication.translate("names", "A table…")
        return (Path(variant.table).name if variant.table else any_table,)
    if variant.kind in _VARIANT_NAMES:
        return (QCoreApplication.translate("names", str(_VARIANT_NAMES[variant.kind])),)
    name = short_stabilizer_name(variant.kind)
    return (
        (name,)
        if variant.own is None
        else (name, ", ".join(map(local_text, variant.own.summary())))
    )


def region_name(name: str) -> str:
    """Return the display name of a face region.

    Args:
        name: The region's name in the schema; an empty string is the whole face.
    """
    return QCoreApplication.translate("names", str(_REGIONS.get(name, name)))


def landmark_name(index: int, schema: LandmarkSchema) -> str:
    """Return the display name of a landmark; right and left are the person's.

    A landmark of another schema that equals one of iBUG's 68 landmarks has that landmark's name.
    The others are named by their region and their number in it.

    Args:
        index: The landmark's number.
        schema: The schema of the landmarks.
    """
    ibug_index = _ibug_indices(schema.name)[index]
    if ibug_index in _NAMED_LANDMARKS:
        return QCoreApplication.translate("names", str(_NAMED_LANDMARKS[ibug_index]))
    parts = _LANDMARK_GROUPS if schema.name in IBUG_ORDER else ()
    for indices, text in parts:
        if index in indices:
            return f"{QCoreApplication.translate('names', str(text))} {index - indices.start + 1}"
    for region, members in schema.regions.items():
        if index in members:
            return f"{region_name(region)} {members.index(index) + 1}"
    return str(index)


@cache
def _ibug_indices(schema: str) -> list[int]:
    """Return the index in iBUG's schema of each landmark of a schema, or -1 if it has none."""
    return [int(i) for i in matching_landmarks(IBUG68, schema, exact=True)]
