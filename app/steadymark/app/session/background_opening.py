"""Opening recordings and networks, in threads, and when results need tracking anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.app.session.recording.crash_recovery import recover
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.point_filter import without_filter
from steadymark.app.session.recording.results import Results
from steadymark.engine.core.types import Intrinsics
from steadymark.engine.tracking.settings import (
    OpenModels,
    TrackSettings,
    open_models,
    resolved_stabilizer,
)
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.app.session.live.open_stream import LiveFeed
    from steadymark.app.session.recording.crash_recovery import RecoverableSession


@dataclass(frozen=True, slots=True)
class OpenResult:
    """What an opening thread brings home: a film with its networks, or networks, or a fault.

    number: of the opening, later ones make earlier ones void. results: of the film, with what was
    found of an earlier session. retrack: settings to track the film at hand anew with. source: a
    camera or stream.
    """

    number: int
    film: Media | None = None
    models: OpenModels | None = None
    fault: UserText = NOTHING
    results: Results | None = None
    found: RecoverableSession | None = None
    retrack: TrackSettings | None = None
    source: LiveFeed | None = None

    def close(self) -> None:
        """Nobody wants it any more."""
        for opened in (self.film, self.source):
            if opened is not None:
                opened.close()


def open_media(
    number: int,
    path: str,
    settings: TrackSettings,
    models: ModelCache,
    found: RecoverableSession | None,
) -> OpenResult:
    """Raises SteadymarkError where film or networks cannot be opened, or `found` does not fit."""
    film = Media(path)
    try:
        results = Results(film.times_s)
        if found is not None:
            focal_px = found.settings.get("focal_px")
            focal = float(focal_px) if isinstance(focal_px, int | float) else None
            recover(found, results, Intrinsics(film.info.width, film.info.height, focal))
        return OpenResult(number, film, models.get(settings), results=results, found=found)
    except BaseException:
        film.close()
        raise


class ModelCache:
    """Opened networks, the last few kept: they hold no memory of faces. opener: opens them."""

    _MOST = 3

    def __init__(self, opener: Callable[[TrackSettings], OpenModels] = open_models) -> None:
        self.opener = opener
        self._kept: dict[object, OpenModels] = {}

    def get(self, settings: TrackSettings) -> OpenModels:
        """Raises SteadymarkError where they cannot be opened."""
        key = network_key(settings)
        if key not in self._kept:
            models = self.opener(settings)
            while len(self._kept) >= self._MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = models
        return self._kept[key]


def network_key(settings: TrackSettings) -> object:
    """Equal for settings between which nothing but a filter over the points changes."""
    bare = without_filter(settings)
    return (
        bare.model,
        bare.detector,
        resolved_stabilizer(bare),
        bare.device,
        bare.threads,
        bare.detector_threshold,
    )


def needs_tracking_anew(before: TrackSettings, now: TrackSettings) -> bool:
    """Whether results of `before` are worth nothing under `now`."""
    return network_key(before) != network_key(now) or before.tracker != now.tracker
