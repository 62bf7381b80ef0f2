"""A landmark schema of twelve points that is only two files, as a user would add one."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from steadymark.models.face import schema, schema_conversion
from steadymark.models.face.schema import assets_root, load_schema
from steadymark.models.face.schema_conversion import matching_landmarks

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NAME = "made12"
_HUB = (17, 21, 22, 26, 36, 39, 42, 45, 30, 48, 54, 8)  # their numbers in iBUG's schema
_MIRROR = (3, 2, 1, 0, 7, 6, 5, 4, 8, 10, 9, 11)


def add_made_up_schema(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Add the schema to a copy of the schemas' folder, use the copy, and return its name."""
    shutil.copytree(assets_root() / "schemas", folder / "schemas")
    told = {
        "name": NAME,
        "mirror": _MIRROR,
        "regions": {"brows": [0, 1, 2, 3], "eyes": [4, 5, 6, 7], "nose": [8], "mouth": [9, 10]},
        "contours": [{"points": [4, 8, 7], "closed": False}, {"points": [9, 10], "closed": False}],
        "eyes": [4, 7],
        "mean_shape": load_schema("ibug68").mean_shape[list(_HUB)].tolist(),
    }
    pairs = {"pairs": list(enumerate(_HUB)), "near": []}
    (folder / "schemas" / f"{NAME}.json").write_text(json.dumps(told), "utf-8")
    (folder / "schemas" / "maps" / f"{NAME}_ibug68.json").write_text(json.dumps(pairs), "utf-8")
    for module in (schema, schema_conversion):
        monkeypatch.setattr(module, "assets_root", lambda: folder)
    load_schema.cache_clear()
    matching_landmarks.cache_clear()
    return NAME
