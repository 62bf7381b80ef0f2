from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from steadymark.app.session.settings_values import (
    settings_from_dict,
    settings_to_dict,
    with_valid_values,
)
from steadymark.engine.core.gaze import GazeCalibration
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.geometry import Recentre
from steadymark.engine.tracking.settings import TrackSettings


@dataclass(frozen=True, slots=True)
class Inner:
    size: int = 1
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outer:
    on: bool = True
    share: float = 0.5
    inner: Inner = field(default_factory=Inner)


def test_settings_come_back_from_json_with_every_value() -> None:
    settings = TrackSettings(
        stabilizer="one-euro",
        filters=(choose("one-euro", min_cutoff_hz=0.5, beta=3.0),),
        detector_threshold=0.7,
        tracker=TrackerConfig(max_faces=3, recentre=list(Recentre)[-1]),
        focal_px=900.0,
        gaze_calibration=GazeCalibration("Anna", (0.9, 1.1), ((4.0, -1.0), (-5.0, 0.5))),
    )
    assert settings_from_dict(json.loads(json.dumps(settings_to_dict(settings)))) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threads", -1),
        ("threads", 1025),
        ("threads", True),
        ("threads", 2.5),
        ("detector_threshold", 1.01),
        ("detector_threshold", math.nan),
        ("focal_px", 0.5),
        ("focal_px", math.inf),
        ("model", None),
        ("tracker", "max_faces"),
    ],
)
def test_a_value_out_of_range_or_of_another_type_keeps_the_default(name: str, value: Any) -> None:
    assert settings_from_dict({name: value, "device": "cpu"}) == TrackSettings(device="cpu")


def test_whole_numbers_become_floats_where_the_field_is_one() -> None:
    found = settings_from_dict({"detector_threshold": 1, "tracker": {"keep_id_s": 3}})
    assert found == replace(
        TrackSettings(), detector_threshold=1.0, tracker=TrackerConfig(keep_id_s=3.0)
    )
    assert isinstance(found.tracker.keep_id_s, float)


def test_valid_values_are_taken_though_others_beside_them_are_not() -> None:
    values = {"on": 1, "share": 1, "inner": {"size": 2.5, "names": ["a", "b"], "other": 1}}
    assert with_valid_values(Outer(), values) == Outer(True, 1.0, Inner(1, ("a", "b")))
    kept = Outer(False, 0.1, Inner(7))
    assert with_valid_values(kept, {"inner": {"names": ["a", 1]}, "x": 2}) == kept
