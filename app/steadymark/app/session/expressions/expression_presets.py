"""The user's presets of expression settings, one JSON file each; command line and window use them.

This module needs no Qt.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from steadymark.engine.core.errors import SinkError, SteadymarkError, UsageError
from steadymark.engine.expressions.expression_files import (
    NamedExpressions,
    checked_name,
    read_expressions,
    write_expressions,
)

if TYPE_CHECKING:
    from steadymark.engine.expressions.expression_settings import ExpressionSettings
    from steadymark.models.user_text import UserText


@dataclass(frozen=True, slots=True)
class ExpressionPreset:
    """A preset of the user: its name, its settings and its file."""

    name: str
    settings: ExpressionSettings
    path: Path


def presets_folder() -> Path:
    """Return the folder of the user's presets; it may be missing."""
    return platformdirs.user_config_path("steadymark", appauthor=False) / "expressions"


class ExpressionPresets:
    """The user's presets.

    Args:
        folder: Their folder, which may be missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> tuple[list[ExpressionPreset], list[UserText]]:
        """Return the presets sorted by name, and the faults of files that are none."""
        found, faults = [], []
        for path in sorted(self.folder.glob("*.json")):
            try:
                named = read_expressions(path)
            except SteadymarkError as error:
                faults.append(error.sentence)
            else:
                found.append(ExpressionPreset(named.name, named.settings, path))
        return sorted(found, key=lambda preset: preset.name.casefold()), faults

    def save(self, name: str, settings: ExpressionSettings) -> ExpressionPreset:
        """Save settings under this name. A preset with the same name is replaced.

        Raises:
            UsageError: The name is not valid.
            SinkError: The file cannot be written.
        """
        name = checked_name(name)
        known = [p for p in self.all()[0] if p.name.casefold() == name.casefold()]
        path = known[0].path if known else self.folder / _file_name(name)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(
                "the folder of presets {folder} cannot be created: {reason}",
                folder=self.folder,
                reason=error.strerror or error,
            ) from error
        write_expressions(path, NamedExpressions(name, settings))
        return ExpressionPreset(name, settings, path)

    def delete(self, preset: ExpressionPreset) -> None:
        """Delete a preset.

        Raises:
            SinkError: Its file cannot be deleted.
        """
        try:
            preset.path.unlink(missing_ok=True)
        except OSError as error:
            raise SinkError(
                "the preset {path} cannot be deleted: {reason}",
                path=preset.path,
                reason=error.strerror or error,
            ) from error

    def import_file(self, path: Path) -> ExpressionPreset:
        """Save the settings of a file as a preset with the name that the file gives.

        Raises:
            UsageError: The file holds no expression settings.
            SinkError: The preset cannot be written.
        """
        named = read_expressions(path)
        return self.save(named.name, named.settings)


def find_expressions(text: str, presets: ExpressionPresets) -> ExpressionSettings:
    """Return the settings that a user names on the command line.

    Args:
        text: A file of expression settings, or the name of a preset.
        presets: The user's presets.

    Raises:
        UsageError: There is neither such a file nor such a preset, or the file is not valid.
    """
    if Path(text).is_file():
        return read_expressions(Path(text)).settings
    known, _ = presets.all()
    for preset in known:
        if preset.name.casefold() == text.strip().casefold():
            return preset.settings
    if not known:
        raise UsageError(
            "'{text}' is neither a file nor a preset of expressions, and there are no presets: "
            "name a file, or save a preset in the window with Live > Expressions",
            text=text,
        )
    raise UsageError(
        "'{text}' is neither a file nor a preset of expressions: choose one of {known}",
        text=text,
        known=", ".join(preset.name for preset in known),
    )


def _file_name(name: str) -> str:
    """Return a readable file name that is valid on every system and unique to the name."""
    values = name.casefold()
    letters = "".join(c if c.isalnum() or c in " -" else "_" for c in values)
    return f"{letters} {hashlib.sha256(values.encode()).hexdigest()[:8]}.json"
