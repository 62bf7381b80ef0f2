"""Opening recordings and networks in threads, and deciding when a recording is tracked again."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
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
from steadymark.app.session.recording.table_results import (
    TableResults,
    read_table_results,
    results_of_project,
)
from steadymark.engine.core.types import Intrinsics
from steadymark.engine.review.project_file import project_path
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
class OpeningRequest:
    """The recording to open, and where its results come from.

    Attributes:
        path: The path of the recording.
        recover_from: The earlier session whose results are recovered.
        table: The table whose results are shown. None uses the results that were kept of an earlier
            session, or else those of a table that the project lists, or else tracks.
        project: The file of the project; None takes the one beside the recording.
    """

    path: str
    recover_from: RecoverableSession | None = None
    table: Path | None = None
    project: Path | None = None


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
        table: The table that the results come from.
        project: The file of the project; None means the one beside the recording.
        notes: What the user should know about the results.
    """

    number: int
    media: Media | None = None
    models: OpenModels | None = None
    fault: UserText = NOTHING
    results: Results | None = None
    recover_from: RecoverableSession | None = None
    retrack: TrackSettings | None = None
    source: LiveFeed | None = None
    table: TableResults | None = None
    project: Path | None = None
    notes: tuple[UserText, ...] = ()

    def close(self) -> None:
        """Close what was opened because it is no longer needed."""
        for opened in (self.media, self.source):
            if opened is not None:
                opened.close()


def open_media(
    number: int,
    request: OpeningRequest,
    settings: TrackSettings,
    models: ModelCache,
    state_root: Path,
) -> OpenResult:
    """Open a recording with its networks, and read its results if there are any.

    Raises:
        SteadymarkError: The recording, the networks or the table cannot be opened, or what is to be
            shown belongs to another recording.
    """
    media = Media(request.path)
    try:
        opened = models.get(settings)
        crops = {opened.schema.name: _crop_of(opened, settings)}

        def read(path: Path) -> TableResults:
            return read_table_results(path, media.info, media.times_s, crops)

        found = OpenResult(number, media, opened, project=request.project)
        if request.table is not None:
            return _with_table(found, read(request.table))
        results, earlier = _earlier_results(media, opened, settings, request, state_root)
        if results is not None:
            return replace(found, results=results, recover_from=earlier)
        table, note = results_of_project(request.project or project_path(request.path), read)
        if table is not None:
            return _with_table(found, table)
        notes = (note,) if note else ()
        return replace(found, results=Results(media.times_s, opened.schema), notes=notes)
    except BaseException:
        media.close()
        raise


def _with_table(found: OpenResult, table: TableResults) -> OpenResult:
    notes = (table.note,) if table.note else ()
    return replace(found, results=table.results, table=table, notes=notes)


def _earlier_results(
    media: Media,
    models: OpenModels,
    settings: TrackSettings,
    request: OpeningRequest,
    state_root: Path,
) -> tuple[Results | None, RecoverableSession | None]:
    """Return the results of the session to recover, or else kept ones, and their session."""
    earlier, crop_of = request.recover_from, _crop_of(models, settings)
    results: Results | None = None
    if earlier is not None:
        results = Results(media.times_s, models.schema)
        camera = _camera(media, earlier.settings.get("focal_px"))
        recover(earlier, results, camera, crop_of=crop_of)
    else:
        earlier = find_kept(state_root, results_fingerprint(media, models, settings))
        if earlier is not None:
            camera = _camera(media, settings.focal_px)
            results = recover_kept(earlier, media, models, camera, crop_of)
    choice = filter_of(settings)
    if results is not None and choice != NO_FILTER and not choice.needs_future:
        results.set_stabilized(PointFilter(choice).refilter(results))
    return results, earlier


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
