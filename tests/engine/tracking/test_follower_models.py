"""Two-network tracking with model files: a card names the follower of its model."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models
from steadymark.models.errors import WeightsError
from steadymark.models.face.schema import IBUG68_3D
from steadymark.models.runtime.zoo import weights_folder

if TYPE_CHECKING:
    from pathlib import Path


def copy_model(name: str, folder: Path, **entries: str) -> Path:
    """Copy a shipped model to `folder`, with other entries in its card."""
    file = folder / f"{name}.onnx"
    shutil.copy(weights_folder() / file.name, file)
    card = json.loads((weights_folder() / f"{name}.json").read_text("utf-8"))
    file.with_suffix(".json").write_text(json.dumps({**card, **entries}), "utf-8")
    return file


def test_a_model_and_its_follower_track_in_the_3d_scheme(tmp_path: Path) -> None:
    copy_model("dan-lite", tmp_path, schema=IBUG68_3D)
    first = copy_model("local_global-lite", tmp_path, schema=IBUG68_3D, follower="dan-lite")
    for stabilizer in ("none", "auto"):
        settings = TrackSettings(model=str(first), stabilizer=stabilizer)
        models = open_models(settings)
        assert models.follower is not None
        assert models.follower.card.name == "dan-lite"
        assert [card.name for card in models.cards][:2] == ["local_global-lite", "dan-lite"]
        tracker = make_tracker(models, settings)
        assert (tracker.network, tracker.follower) == (models.network, models.follower)
        assert tracker.schema.name == IBUG68_3D


def test_a_follower_of_another_schema_is_refused(tmp_path: Path) -> None:
    copy_model("dan-lite", tmp_path)
    first = copy_model("local_global-lite", tmp_path, schema=IBUG68_3D, follower="dan-lite")
    with pytest.raises(WeightsError, match="'dan-lite' has landmarks of ibug68, but 'local_global"):
        open_models(TrackSettings(model=str(first)))
