"""The stored preferences of the window, which use QSettings."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.app.gui.i18n.language import SYSTEM
from steadymark.app.gui.theme import THEMES
from steadymark.app.session.expressions.expression_presets import ExpressionPresets
from steadymark.app.session.presets import Presets
from steadymark.app.session.settings_values import (
    restored_settings,
    settings_to_dict,
    with_valid_values,
)
from steadymark.app.session.state import OverlayOptions
from steadymark.engine.attributes.attribute_registry import drawing_names

if TYPE_CHECKING:
    from PySide6.QtCore import QByteArray, QSettings

    from steadymark.engine.tracking.settings import TrackSettings

_MOST_RECENT = 8


class Preferences:
    """The stored preferences; a value that cannot be read gets its default.

    Args:
        settings: Where the preferences are stored.
        presets: The folder of the user's presets; by default it is next to the settings file.
    """

    def __init__(self, settings: QSettings, presets: Path | None = None) -> None:
        self._settings = settings
        folder = presets or Path(settings.fileName()).parent / "presets"
        self.presets = Presets(folder)
        self.expression_presets = ExpressionPresets(folder.with_name("expressions"))

    def tracking(self) -> TrackSettings:
        """Return the tracking settings."""
        return restored_settings(self._dict("tracking"))

    def set_tracking(self, settings: TrackSettings) -> None:
        self._settings.setValue("tracking", json.dumps(settings_to_dict(settings)))

    def overlay(self) -> OverlayOptions:
        """Return which overlays are drawn."""
        values = self._dict("overlay")
        drawings = tuple(name for name in drawing_names() if values.get(name) is True)
        return replace(with_valid_values(OverlayOptions(), values), drawings=drawings)

    def set_overlay(self, overlay: OverlayOptions) -> None:
        values = asdict(overlay)
        values |= dict.fromkeys(values.pop("drawings"), True)
        self._settings.setValue("overlay", json.dumps(values))

    def language(self) -> str:
        """Return a key of LANGUAGES, or SYSTEM."""
        return str(self._settings.value("language", SYSTEM))

    def theme(self) -> str:
        """Return one of THEMES."""
        stored = str(self._settings.value("theme", THEMES[0]))
        return stored if stored in THEMES else THEMES[0]

    def set_theme(self, theme: str) -> None:
        self._settings.setValue("theme", theme)

    def set_language(self, language: str) -> None:
        self._settings.setValue("language", language)

    def shortcuts(self) -> dict[str, list[str]]:
        """Return the shortcuts of the commands that do not use the defaults."""
        own = self._dict("keys")
        return {k: [str(key) for key in v] for k, v in own.items() if isinstance(v, list)}

    def set_shortcuts(self, shortcuts: dict[str, list[str]]) -> None:
        self._settings.setValue("keys", json.dumps(shortcuts))

    def models(self) -> list[str]:
        """Return the user's own ONNX files."""
        return self._files("models")

    def set_models(self, files: list[str]) -> None:
        self._settings.setValue("models", json.dumps({"files": files}))

    def recent(self) -> list[str]:
        """Return the recent recordings, newest first."""
        return self._files("recent")

    def add_recent(self, path: str) -> None:
        files = [path, *(p for p in self.recent() if p != path)][:_MOST_RECENT]
        self._settings.setValue("recent", json.dumps({"files": files}))

    def clear_recent(self) -> None:
        self._settings.remove("recent")

    def window(self) -> tuple[QByteArray | None, QByteArray | None]:
        """Return the geometry and the state of the main window."""
        return self._bytes("geometry"), self._bytes("state")

    def set_window(self, geometry: QByteArray, state: QByteArray) -> None:
        self._settings.setValue("geometry", geometry)
        self._settings.setValue("state", state)

    def values(self, name: str) -> dict[str, object]:
        """Return the values that are stored under this name, or an empty dict."""
        return self._dict(name)

    def set_values(self, name: str, values: dict[str, object]) -> None:
        self._settings.setValue(name, json.dumps(values))

    def _bytes(self, name: str) -> QByteArray | None:
        from PySide6.QtCore import QByteArray

        value = self._settings.value(name)
        return value if isinstance(value, QByteArray) else None

    def _files(self, name: str) -> list[str]:
        values = self._dict(name).get("files", [])
        return [str(v) for v in values] if isinstance(values, list) else []

    def _dict(self, name: str) -> dict[str, object]:
        try:
            value = json.loads(str(self._settings.value(name, "{}")))
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}
