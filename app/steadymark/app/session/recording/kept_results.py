"""Finished results that are kept on disk, so that a reopened recording is not tracked again."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from steadymark.app.session.recording.crash_recovery import delete_session, recover, sessions_in
from steadymark.app.session.recording.media import source_state
from steadymark.app.session.recording.point_filter import without_filter
from steadymark.app.session.recording.results import FrameStatus, Results
from steadymark.engine.core.errors import LandmarkFileError
from steadymark.engine.pipeline.fingerprint import fingerprint
from steadymark.engine.pipeline.job import InputSettings, header
from steadymark.engine.tracking.settings import resolved_stabilizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steadymark.app.session.recording.crash_recovery import RecoverableSession, SessionStore
    from steadymark.app.session.recording.media import Media
    from steadymark.engine.core.types import Intrinsics
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings
    from steadymark.models.face.crop import Crop, Points

log = logging.getLogger(__name__)

MOST_BYTES = 2 << 30  # about six hours of video with one face


def results_fingerprint(media: Media, models: OpenModels, settings: TrackSettings) -> str:
    """Return the fingerprint of everything that the tracked points of a recording depend on.

    A filter over the points is left out, since it is applied to the kept results again.
    """
    if not media.state:
        return ""
    bare = without_filter(settings)
    bare = replace(bare, stabilizer=resolved_stabilizer(bare), filters=())
    head = header(media.info, models, bare, InputSettings(), source_sha256=media.state)
    tracked_with = {**head.settings, "steadymark": head.versions["steadymark"]}
    parts = asdict(fingerprint(head.source_sha256, head.models, tracked_with, "native"))
    return hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()


def find_kept(root: Path, wanted: str) -> RecoverableSession | None:
    """Return the newest kept results with this fingerprint, or None."""
    kept = (session for session in sessions_in(root) if session.kept)
    return next((session for session in kept if wanted and session.fingerprint == wanted), None)


def recover_kept(
    found: RecoverableSession,
    media: Media,
    models: OpenModels,
    camera: Intrinsics,
    crop_of: Callable[[Points], Crop],
) -> Results | None:
    """Read kept results.

    Args:
        found: The kept results.
        media: The recording.
        models: The networks that tracked it.
        camera: Its camera.
        crop_of: Computes the crop of a face from its raw landmarks.

    Returns:
        The results. None if the files do not hold every frame any more; they are then removed.
    """
    results = Results(media.times_s, models.schema)
    try:
        recover(found, results, camera, crop_of=crop_of)
    except (LandmarkFileError, OSError) as error:
        log.warning("%s cannot be used: %s", found.folder, error)
    if int((results.frame_status() == FrameStatus.TRACKED).sum()) == found.frames:
        return results
    delete_session(found)
    return None


def keep_finished(store: SessionStore, root: Path, media: Media, results: Results) -> bool:
    """Keep the files of a finished tracking, and remove the oldest ones beyond `MOST_BYTES`.

    Returns:
        Whether they are kept: the tracking is finished, and the recording is still the same.
    """
    status = results.frame_status()
    complete = bool(len(status)) and not bool((status == FrameStatus.UNKNOWN).any())
    if not complete or not media.state or source_state(media.info.path) != media.state:
        return False
    if not store.keep(int((status == FrameStatus.TRACKED).sum())):
        return False
    _drop_oldest(root)
    return True


def kept_bytes(root: Path) -> int:
    """Return the size of all kept results."""
    return sum(_size(session) for session in sessions_in(root) if session.kept)


def delete_kept(root: Path) -> None:
    """Remove all kept results except those of open recordings."""
    for session in sessions_in(root):
        if session.kept:
            delete_session(session)


def _drop_oldest(root: Path) -> None:
    kept = [session for session in sessions_in(root) if session.kept]
    total = 0
    seen: set[str] = set()
    for session in sorted(kept, key=lambda each: each.saved_at, reverse=True):
        total += _size(session)
        if total > MOST_BYTES or session.fingerprint in seen:
            delete_session(session)
        seen.add(session.fingerprint)


def _size(session: RecoverableSession) -> int:
    return sum(file.stat().st_size for file in session.folder.glob("*") if file.is_file())
