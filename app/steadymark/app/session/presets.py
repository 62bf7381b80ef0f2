"""Presets of tracking settings.

Some are shipped with the program; the user's own are JSON files.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from steadymark.app.session.settings_values import settings_from_dict, settings_to_dict
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking.face_pass import MOST_FACES, MOST_LOOK_EVERY, TrackerConfig
from steadymark.engine.tracking.settings import TrackSettings, landmark_card
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from pathlib import Path

translate = QCoreApplication.translate

_FORMAT = "steadymark_preset"
_MACHINE_SETTINGS = ("device", "threads")  # not part of a preset
_MAX_NAME_LENGTH = 60


class PresetError(SteadymarkError):
    """A preset cannot be read, saved or deleted."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Named tracking settings.

    Attributes:
        name: The name that the user sees.
        settings: The settings.
        note: What the preset is good for.
        path: The file of a preset of the user, or None for a shipped preset.
    """

    name: str
    settings: TrackSettings
    note: str = ""
    path: Path | None = None

    def with_machine_of(self, settings: TrackSettings) -> TrackSettings:
        """Return the preset's settings with the device and threads of the given settings."""
        return replace(self.settings, device=settings.device, threads=settings.threads)


_SHIPPED: tuple[tuple[object, object, TrackSettings], ...] = (
    (
        QT_TRANSLATE_NOOP("presets", "Most stable"),
        QT_TRANSLATE_NOOP("presets", "A network stabilizes the landmarks with almost no lag."),
        TrackSettings(),
    ),
    (
        QT_TRANSLATE_NOOP("presets", "Raw, lowest latency"),
        QT_TRANSLATE_NOOP(
            "presets", "The landmarks of the network, unchanged, in half the time per face."
        ),
        TrackSettings(stabilizer="none"),
    ),
    (
        QT_TRANSLATE_NOOP("presets", "Light filter"),
        QT_TRANSLATE_NOOP("presets", "Stable at rest, and little lag when the face moves."),
        TrackSettings(stabilizer="one-euro").with_filter(
            choose("one-euro", min_cutoff_hz=3.0, beta=20.0)
        ),
    ),
    (
        QT_TRANSLATE_NOOP("presets", "Smooth recording"),
        QT_TRANSLATE_NOOP("presets", "A filter without lag that needs the whole recording."),
        TrackSettings(stabilizer="butterworth"),
    ),
    (
        QT_TRANSLATE_NOOP("presets", "Several faces"),
        QT_TRANSLATE_NOOP("presets", "Up to six faces, each stabilized by a network."),
        TrackSettings(tracker=TrackerConfig(max_faces=6)),
    ),
)


class Presets:
    """The shipped presets and the user's own.

    Args:
        folder: The folder of the user's presets, one file each. It may be missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def shipped(self) -> list[Preset]:
        """Return the shipped presets in the language of the window."""
        return [
            Preset(translate("presets", str(name)), settings, translate("presets", str(note)))
            for name, note, settings in _SHIPPED
        ]

    def own(self) -> tuple[list[Preset], list[UserText]]:
        """Return the user's presets sorted by name, and the faults of files that are no presets."""
        found, faults = [], []
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(read_preset(path))
            except PresetError as error:
                faults.append(error.sentence)
        return sorted(found, key=lambda preset: preset.name.casefold()), faults

    def find(self, settings: TrackSettings) -> Preset | None:
        """Return the preset that equals these settings, or None."""
        for preset in (*self.shipped(), *self.own()[0]):
            if preset.with_machine_of(settings) == settings:
                return preset
        return None

    def save(self, name: str, settings: TrackSettings) -> Preset:
        """Save settings under this name. A preset of the user with the same name is replaced.

        Raises:
            PresetError: The name is not valid, or the file cannot be written.
        """
        name = " ".join(name.split())
        if not name or len(name) > _MAX_NAME_LENGTH:
            raise PresetError("A preset's name has 1 to {most} characters.", most=_MAX_NAME_LENGTH)
        if name.casefold() in {preset.name.casefold() for preset in self.shipped()}:
            raise PresetError(
                "'{name}' is the name of a shipped preset: choose another name.", name=name
            )
        values = {k: v for k, v in settings_to_dict(settings).items() if k not in _MACHINE_SETTINGS}
        text = json.dumps({_FORMAT: 1, "name": name, "settings": values}, indent=2)
        path = self.folder / _file_name(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise PresetError(
                "The preset cannot be saved in {path}: {why}", path=path, why=error.strerror
            ) from error
        return read_preset(path)

    def delete(self, preset: Preset) -> None:
        """Delete a preset of the user. Raises PresetError if its file cannot be deleted."""
        if preset.path is None:
            return
        try:
            preset.path.unlink(missing_ok=True)
        except OSError as error:
            raise PresetError(
                "The preset {path} cannot be deleted: {why}", path=preset.path, why=error.strerror
            ) from error


def read_preset(path: Path) -> Preset:
    """Read a preset from a file and check every value.

    Raises:
        PresetError: The file is not a preset, or one of its values is not valid.
    """
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
        fault: str = _fault(data)
    except OSError as error:
        fault = error.strerror or str(error)
    except (ValueError, RecursionError) as error:
        fault = f"{type(error).__name__}: {error}"
    if fault:
        raise PresetError(
            "{path} is not a preset ({fault}): correct it, or delete it from its folder",
            path=path,
            fault=fault,
        )
    return Preset(data["name"], settings_from_dict(data["settings"]), path=path)


def _file_name(name: str) -> str:
    """Return a readable file name that is valid on every system and unique to the preset's name."""
    values = name.casefold()
    letters = "".join(c if c.isalnum() or c in " -" else "_" for c in values)
    return f"{letters} {hashlib.sha256(values.encode()).hexdigest()[:8]}.json"


def _fault(data: Any) -> UserText:
    """Return what is wrong with the contents of a preset file. The text is empty if it is valid."""
    if not isinstance(data, dict) or data.get(_FORMAT) != 1:
        return UserText("it lacks '{name}': 1", name=_FORMAT)
    name, values = data.get("name"), data.get("settings")
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME_LENGTH:
        return UserText("its name is missing or too long")
    if not isinstance(values, dict):
        return UserText("it has no settings")
    return _fault_of_settings(values)


def _fault_of_settings(values: dict[str, Any]) -> UserText:
    settings = settings_from_dict(values)
    parsed = _flat(settings_to_dict(settings))
    for key, value in _flat(values).items():
        if key in _MACHINE_SETTINGS or key not in parsed or parsed[key] != value:
            return UserText("'{key}' is unknown, or its value is not valid", key=key)
    if not 1 <= settings.tracker.max_faces <= MOST_FACES:
        return UserText("'tracker.max_faces' must be from 1 to {most}", most=MOST_FACES)
    if not 1 <= settings.tracker.look_every <= MOST_LOOK_EVERY:
        return UserText("'tracker.look_every' must be from 1 to {most}", most=MOST_LOOK_EVERY)
    try:
        landmark_card(settings)
    except SteadymarkError as error:
        return error.sentence
    return NOTHING


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Flatten nested settings into names such as `tracker.max_faces`."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inner = value.items() if isinstance(value, dict) else ()
        flat |= {f"{key}.{k}": v for k, v in inner} if inner else {key: value}
    return flat
