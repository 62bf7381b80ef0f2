"""Opening recordings and networks in threads, and deciding when a recording is tracked again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING

from steadymark.app.session.recording.crash_recovery import recover
from steadymark.app.session.recording.kept_results import (
    find_kept,
    recover_kept,
    results_fingerprint,
)
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.point_filter import (
    NO_FILTER,
    PointFilter,
    filter_of,
    without_filter,
)
from steadymark.app.session.recording.results import Results
from steadymark.engine.core.types import Intrinsics
from steadymark.engine.tracking.geometry import crop_of_landmarks
from steadymark.engine.tracking.settings import (
    OpenModels,
    TrackSettings,
    open_models,
    resolved_stabilizer,
)
from steadymark.models.user_text import NOTHING, UserText

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.app.session.live.open_stream import LiveFeed
    from steadymark.app.session.recording.crash_recovery import RecoverableSession
    from steadymark.models.face.crop import Crop, Points


@dataclass(frozen=True, slots=True)
class OpenResult:
    """The result of an opening thread: a recording with its networks, networks only, or a fault.

    Attributes:
        number: The number of the opening. A later opening makes earlier ones void.
        media: The recording that was opened.
        models: The networks that were opened.
        fault: A sentence that says what failed, or nothing.
        results: The results of the recording, including those of an earlier session.
        recover_from: The earlier session that the results come from.
        retrack: The settings with which the open recording is tracked again.
        source: The camera or stream that was opened.
    """

    number: int
    media: Media | None = None
    models: OpenModels | None = None
    fault: UserText = NOTHING
    results: Results | None = None
    recover_from: RecoverableSession | None = None
    retrack: TrackSettings | None = None
    source: LiveFeed | None = None

    def close(self) -> None:
        """Close what was opened because it is no longer needed."""
        for opened in (self.media, self.source):
            if opened is not None:
                opened.close()


def open_media(
    number: int,
    path: str,
    settings: TrackSettings,
    models: ModelCache,
    recover_from: RecoverableSession | None,
    state_root: Path,
) -> OpenResult:
    """Open a recording with its networks, and read the results of an earlier session.

    These are the results of `recover_from`, or else the kept results of the same recording,
    settings and models.

    Raises:
        SteadymarkError: The recording or the networks cannot be opened, or `recover_from`
            belongs to another recording.
    """
    media = Media(path)
    try:
        opened = models.get(settings)
        results, crop_of = None, _crop_of(opened, settings)
        if recover_from is not None:
            results = Results(media.times_s, opened.schema)
            camera = _camera(media, recover_from.settings.get("focal_px"))
            recover(recover_from, results, camera, crop_of=crop_of)
        else:
            fingerprint = results_fingerprint(media, opened, settings)
            recover_from = find_kept(state_root, fingerprint)
            if recover_from is not None:
                camera = _camera(media, settings.focal_px)
                results = recover_kept(recover_from, media, opened, camera, crop_of)
        if results is None:
            results, recover_from = Results(media.times_s, opened.schema), None
        elif (choice := filter_of(settings)) != NO_FILTER and not choice.needs_future:
            results.set_stabilized(PointFilter(choice).refilter(results))
        return OpenResult(number, media, opened, results=results, recover_from=recover_from)
    except BaseException:
        media.close()
        raise


def _crop_of(models: OpenModels, settings: TrackSettings) -> Callable[[Points], Crop]:
    """Return a function that computes the crop of a face from its raw landmarks."""
    card = (models.follower or models.network).card
    return partial(
        crop_of_landmarks,
        schema=models.schema,
        margin=card.margin,
        rule=settings.tracker.recentre,
    )


def _camera(media: Media, focal_px: object) -> Intrinsics:
    focal = float(focal_px) if isinstance(focal_px, int | float) else None
    return Intrinsics(media.info.width, media.info.height, focal)


class ModelCache:
    """A cache of the networks that were opened last. Networks hold no state of faces.

    Args:
        opener: Opens the networks for given settings.
    """

    _MAX_MODELS = 3

    def __init__(self, opener: Callable[[TrackSettings], OpenModels] = open_models) -> None:
        self.opener = opener
        self._open: dict[object, OpenModels] = {}

    def get(self, settings: TrackSettings) -> OpenModels:
        """Return the networks for these settings.

        Raises SteadymarkError if they cannot be opened.
        """
        key = network_key(settings)
        if key not in self._open:
            models = self.opener(settings)
            while len(self._open) >= self._MAX_MODELS:
                del self._open[next(iter(self._open))]
            self._open[key] = models
        return self._open[key]


def network_key(settings: TrackSettings) -> object:
    """Return a key that is equal for settings that differ only in a filter over the points."""
    unfiltered = without_filter(settings)
    return (
        unfiltered.model,
        unfiltered.detector,
        resolved_stabilizer(unfiltered),
        unfiltered.device,
        unfiltered.threads,
        unfiltered.detector_threshold,
    )


def settings_to_retrack(before: TrackSettings, now: TrackSettings) -> frozenset[str]:
    """Return the names of the settings that differ and are used only after tracking anew.

    These are the names of the fields of `TrackSettings` and of its tracker.
    """
    if not needs_retracking(before, now):
        return frozenset()
    names = ("model", "detector", "device", "detector_threshold")
    changed = {name for name in names if getattr(before, name) != getattr(now, name)}
    for field in fields(now.tracker):
        if getattr(before.tracker, field.name) != getattr(now.tracker, field.name):
            changed.add(field.name)
    stabilizers = {resolved_stabilizer(without_filter(each)) for each in (before, now)}
    if len(stabilizers) > 1:
        changed.add("stabilizer")
    return frozenset(changed)


def needs_retracking(before: TrackSettings, now: TrackSettings) -> bool:
    """Return whether results of the settings `before` cannot be used with the settings `now`."""
    if before == now:
        return False  # without reading model cards, as the window asks after each change
    return network_key(before) != network_key(now) or before.tracker != now.tracker
