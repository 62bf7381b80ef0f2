"""The preferences for cameras, streams and recordings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths

from steadymark.app.session.settings_values import with_valid_values
from steadymark.engine.sources.live.network_camera import without_password

if TYPE_CHECKING:
    from steadymark.app.gui.preferences import Preferences

_MOST_ADDRESSES = 8
_NAME = "live"


@dataclass(frozen=True, slots=True)
class LivePreferences:
    """The stored preferences of live views.

    Attributes:
        addresses: The addresses of streams, newest first and without passwords.
        folder: The folder for recordings.
        drawn: Whether landmarks are drawn into recordings.
        mirrored: Whether the view is mirrored.
    """

    addresses: tuple[str, ...] = ()
    folder: str = ""
    drawn: bool = False
    mirrored: bool = False


def read(preferences: Preferences) -> LivePreferences:
    """Read the preferences; a value that cannot be read gets its default."""
    live = with_valid_values(LivePreferences(), preferences.values(_NAME))
    return live if live.folder else replace(live, folder=default_folder())


def write(preferences: Preferences, live: LivePreferences) -> None:
    preferences.set_values(_NAME, asdict(live))


def with_address(live: LivePreferences, address: str) -> LivePreferences:
    """Return the preferences with this address first and without its password."""
    plain = without_password(address)
    others = (a for a in live.addresses if a != plain)
    return replace(live, addresses=(plain, *others)[:_MOST_ADDRESSES])


def default_folder() -> str:
    """Return the folder in which this system keeps videos."""
    places = QStandardPaths.StandardLocation
    return QStandardPaths.writableLocation(
        places.MoviesLocation
    ) or QStandardPaths.writableLocation(places.HomeLocation)
