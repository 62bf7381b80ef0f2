"""Presets are stored as separate files, and errors in these files are reported."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from steadymark.app.session.presets import PresetError, Presets, read_preset
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.engine.tracking.settings import TrackSettings, landmark_card

if TYPE_CHECKING:
    from pathlib import Path

OWN = TrackSettings(
    stabilizer="one-euro",
    filters=(choose("one-euro", min_cutoff_hz=0.5, beta=3.0),),
    detector_threshold=0.7,
    tracker=TrackerConfig(max_faces=3),
)


def write(path: Path, **changes: Any) -> Path:
    data = {"steadymark_preset": 1, "name": "mine", "settings": {}}
    path.write_text(json.dumps({**data, **changes}), encoding="utf-8")
    return path


def test_a_saved_preset_is_read_with_every_value(tmp_path: Path) -> None:
    presets = Presets(tmp_path / "new" / "presets")
    assert presets.own() == ([], [])
    saved = presets.save("  Über/Nacht:  still ", OWN)
    assert saved.name == "Über/Nacht: still"
    assert saved.settings == OWN
    assert Presets(tmp_path / "new" / "presets").own() == ([saved], [])
    presets.save("über/nacht: STILL", TrackSettings())
    ((replaced,), _) = presets.own()
    assert replaced.settings == TrackSettings()
    presets.delete(replaced)
    assert presets.own() == ([], [])


@pytest.mark.parametrize("name", ["con", "..", "a/b", "a_b", "面部" * 30, "x" * 60, "\\:*?"])
def test_every_preset_has_its_own_file(tmp_path: Path, name: str) -> None:
    presets = Presets(tmp_path / "presets")
    for saved in (name, "other"):
        presets.save(saved, OWN)
    assert sorted(preset.name for preset in presets.own()[0]) == sorted([name, "other"])
    assert len(list((tmp_path / "presets").iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["presets"]


def test_device_and_threads_are_not_part_of_a_preset(tmp_path: Path) -> None:
    saved = Presets(tmp_path).save("mine", replace(OWN, device="cuda", threads=4))
    assert saved.settings == OWN
    current = TrackSettings(device="cpu", threads=2)
    assert saved.with_machine_of(current) == replace(OWN, device="cpu", threads=2)
    assert Presets(tmp_path).find(replace(OWN, device="cuda")) == saved


def test_shipped_presets_are_distinct_usable_and_described(
    tmp_path: Path,
) -> None:
    shipped = Presets(tmp_path).shipped()
    assert len({preset.settings for preset in shipped}) == len(shipped) == 5
    for preset in shipped:
        assert preset.note
        landmark_card(preset.settings)
        assert Presets(tmp_path).find(preset.settings) == preset
    assert shipped[0].settings == TrackSettings()


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "most stable", "RAW, lowest latency"])
def test_an_invalid_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PresetError):
        Presets(tmp_path).save(name, OWN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"steadymark_preset": 2}, "steadymark_preset"),
        ({"name": 3}, "name"),
        ({"name": "x" * 99}, "name"),
        ({"settings": []}, "no settings"),
        ({"settings": {"stabiliser": "none"}}, "'stabiliser' is unknown"),
        ({"settings": {"stabilizer": "best"}}, "unknown stabilizer 'best'"),
        ({"settings": {"model": "mine"}}, "unknown model 'mine'"),
        ({"settings": {"model": 7}}, "'model'"),
        ({"settings": {"device": "cuda"}}, "'device'"),
        ({"settings": {"detector_threshold": 2}}, "'detector_threshold'"),
        ({"settings": {"tracker": {"max_faces": "many"}}}, r"'tracker\.max_faces'"),
        ({"settings": {"tracker": {"max_faces": 99}}}, "from 1 to 64"),
        ({"settings": {"tracker": {"look_every": 0}}}, "from 1 to 300"),
        ({"settings": {"tracker": {"faces": 1}}}, r"'tracker\.faces'"),
        ({"settings": {"one_euro": {"beta": -1}}}, r"'one_euro\.beta'"),
        ({"settings": {"one_euro": 3}}, "'one_euro'"),
    ],
)
def test_the_error_names_what_is_wrong_in_a_preset_file(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(PresetError, match=why):
        read_preset(write(tmp_path / "a.json", **changes))


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"[1]", b"{", b"[" * 100_000, b"null"])
def test_an_invalid_file_is_reported_and_the_other_presets_stay(
    tmp_path: Path, text: bytes
) -> None:
    (tmp_path / "bad.json").write_bytes(text)
    (tmp_path / "folder.json").mkdir()
    write(tmp_path / "good.json")
    found, faults = Presets(tmp_path).own()
    assert [preset.name for preset in found] == ["mine"]
    assert len(faults) == 2
    assert "bad.json is not a preset" in faults[0]


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PresetError, match="cannot be saved"):
        Presets(tmp_path / "file" / "presets").save("mine", OWN)
