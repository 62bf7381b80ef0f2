"""Tracked frames on disk: the next start offers to recover them after a crash.

Finished results stay there when the recording is closed, see `kept_results`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLockFile

from steadymark.app.session.recording.table_results import results_in
from steadymark.engine.core.errors import LandmarkFileError, SteadymarkError
from steadymark.engine.core.types import FaceState
from steadymark.engine.output.csv.landmark_table import LandmarkTable, read_landmarks
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.models.bounded_read import read_bounded_text
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from steadymark.app.session.recording.results import Results
    from steadymark.engine.core.types import Intrinsics, SourceInfo, TrackResult
    from steadymark.models.face.crop import Crop, Points
    from steadymark.models.face.schema import LandmarkSchema

log = logging.getLogger(__name__)

_METADATA = "session.json"
_LOCK = "lock"
_MAX_ROW_BYTES = 1 << 20  # bytes
_MAX_IDS, _MAX_FACES, _MAX_COORDINATE_PX = 2**31, 1000, 1e6


@dataclass(frozen=True, slots=True)
class RecoverableSession:
    """A session that did not end properly, or the kept results of one that did.

    Attributes:
        folder: The folder of its files.
        source: The path of its recording.
        settings: The values of its `TrackSettings`.
        saved_at: When it was started, in seconds since the epoch.
        frames: The number of frames that it tracked.
        fingerprint: Identifies the recording, the settings and the models; empty if unknown.
        kept: Whether these are kept results.
    """

    folder: Path
    source: str
    settings: Mapping[str, object]
    saved_at: float
    frames: int
    fingerprint: str = ""
    kept: bool = False


class SessionStore:
    """The folder of a running session: a metadata file, a lock, and a table per segment.

    Args:
        root: The folder of all sessions.
        source: The path of the recording.
        settings: The values of its `TrackSettings`.
        fingerprint: Identifies the recording, the settings and the models; empty if unknown.
    """

    def __init__(
        self, root: Path, source: str, settings: Mapping[str, object], fingerprint: str = ""
    ) -> None:
        self.folder = root / f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:8]}"
        self.folder.mkdir(parents=True)
        self._lock = _locked(self.folder)
        self._settings = dict(settings)
        self._metadata = {
            "source": source,
            "settings": self._settings,
            "saved_at": time.time(),
            "fingerprint": fingerprint,
        }
        self._write_metadata()

    def sink(
        self, number: int, schema: LandmarkSchema, on_error: Callable[[UserText], None]
    ) -> TolerantSink:
        """Return a sink for a segment. on_error: is called with a sentence if it cannot write."""
        path, header = self.folder / f"piece-{number:04}.csv", Header(settings=self._settings)
        return TolerantSink(NativeCsvSink(path, header, schema), on_error)

    def take_over(self, earlier: RecoverableSession) -> None:
        """Move the tables of an earlier session into this one."""
        for path in sorted(earlier.folder.glob("piece-*")):
            path.replace(self.folder / f"piece-0000-{path.name}")
        delete_session(earlier)

    def discard(self) -> None:
        """Remove the folder because the session ended properly and nothing needs recovery."""
        self._lock.unlock()
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, frames: int) -> bool:
        """Keep the files as finished results for the next time that the recording is opened.

        Args:
            frames: The number of frames that were tracked.

        Returns:
            Whether the files are kept. Otherwise nothing has changed: not all frames were written,
            or the folder cannot be written any more.
        """
        try:
            if sum(map(_count_frames, self.folder.glob("piece-*"))) != frames:
                return False
            self._metadata |= {"kept": True, "frames": frames, "saved_at": time.time()}
            self._write_metadata()
        except OSError as error:
            log.warning("%s cannot be kept: %s", self.folder, error)
            return False
        self._lock.unlock()
        return True

    def _write_metadata(self) -> None:
        text = json.dumps(self._metadata, ensure_ascii=False, default=str)
        new = self.folder / f"{_METADATA}.new"
        new.write_text(text, encoding="utf-8")
        new.replace(self.folder / _METADATA)


class TolerantSink:
    """A sink that stops writing after an error, so that tracking can continue."""

    def __init__(self, sink: NativeCsvSink, on_error: Callable[[UserText], None]) -> None:
        self._sink, self._on_error = sink, on_error
        self._broken = False

    @property
    def path(self) -> str:
        """The path of the table."""
        return self._sink.path

    def open(self, info: SourceInfo) -> None:
        """Open the table."""
        self._try(lambda: self._sink.open(info))

    def write(self, result: TrackResult) -> None:
        """Write a result, unless an earlier call failed."""
        self._try(lambda: self._sink.write(result))

    def close(self, *, complete: bool) -> None:
        """Close the table."""
        if self._broken:
            with contextlib.suppress(SteadymarkError, OSError):  # the user has been informed
                self._sink.close(complete=False)
        self._try(lambda: self._sink.close(complete=complete))

    def _try(self, act: Callable[[], None]) -> None:
        if self._broken:
            return
        try:
            act()
        except (SteadymarkError, OSError) as error:
            self._broken = True
            self._on_error(
                UserText(
                    "Tracking continues, but the results are not protected against a "
                    "crash: {error}",
                    error=error,
                )
            )


def find_sessions(root: Path) -> tuple[RecoverableSession, ...]:
    """Find the sessions that ended without `discard` or `keep`, newest first.

    Sessions that are still running are left out. Folders without a tracked frame are removed.
    """
    return tuple(session for session in sessions_in(root) if not session.kept)


def sessions_in(root: Path) -> tuple[RecoverableSession, ...]:
    """Find the sessions that are not running, kept ones included, newest first."""
    sessions = []
    for folder in sorted(root.glob("*/"), reverse=True):
        lock = QLockFile(str(folder / _LOCK))
        lock.setStaleLockTime(0)
        if not lock.tryLock(0):
            continue
        lock.unlock()
        session = _read(folder)
        if session is None:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            sessions.append(session)
    return tuple(sessions)


def delete_session(earlier: RecoverableSession) -> None:
    """Remove the files of an earlier session."""
    shutil.rmtree(earlier.folder, ignore_errors=True)


def recover(
    earlier: RecoverableSession,
    results: Results,
    camera: Intrinsics | None = None,
    *,
    crop_of: Callable[[Points], Crop] | None = None,
) -> int:
    """Add the frames that an earlier session tracked to the results of the same recording.

    Args:
        earlier: The earlier session.
        results: Receives the frames.
        camera: The camera of the recording, for head poses.
        crop_of: Computes the crop of a face from its raw landmarks, since tables hold no crops.

    Returns:
        The number of frames.

    Raises:
        LandmarkFileError: The recording has fewer frames than the earlier session tracked.
    """
    count = 0
    for table in _tables(earlier.folder, results.schema):
        if len(table) and int(table.frame.max()) >= results.frames:
            raise LandmarkFileError(
                "the tracked results of {source} do not fit this file: it has changed "
                "since; track it again",
                source=earlier.source,
            )
        results.begin_segment()
        for result in results_in(table, results.schema.name, camera, crop_of=crop_of):
            results.add(result)
            count += 1
    return count


def _locked(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder / _LOCK))
    lock.setStaleLockTime(0)  # a lock becomes free only when its process has ended
    lock.tryLock(0)
    return lock


def _read(folder: Path) -> RecoverableSession | None:
    try:
        metadata = json.loads(read_bounded_text(folder / _METADATA))
        kept = metadata.get("kept") is True
        frames = (
            int(metadata["frames"]) if kept else sum(map(_count_frames, folder.glob("piece-*")))
        )
        source, saved_at = str(metadata["source"]), float(metadata["saved_at"])
        settings, fingerprint = dict(metadata["settings"]), str(metadata.get("fingerprint", ""))
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        log.warning("%s cannot be recovered: %s", folder, error)
        return None
    if frames < 1:
        return None
    return RecoverableSession(folder, source, settings, saved_at, frames, fingerprint, kept)


def _count_frames(path: Path) -> int:
    """Count the frames of a segment's table without parsing more than the frame numbers."""
    count, last = 0, b""
    with path.open("rb") as file:
        while line := file.readline(_MAX_ROW_BYTES):
            number = line.partition(b",")[0]
            if number != last and number.isdigit() and line.endswith(b"\n"):
                count, last = count + 1, number
    return count


def _tables(folder: Path, schema: LandmarkSchema) -> list[LandmarkTable]:
    tables = []
    for path in sorted(folder.glob("piece-*")):
        try:
            _cut_off_incomplete_row(path)
            table = read_landmarks(path)
        except (LandmarkFileError, OSError) as error:
            log.warning("not recovered: %s", error)
            continue
        if _is_valid(table, schema):
            tables.append(table)
        else:
            log.warning("not recovered: %s holds what was never tracked", path)
    return tables


def _is_valid(table: LandmarkTable, schema: LandmarkSchema) -> bool:
    """Return whether these are landmarks that a tracker can have produced."""
    present = table.state != FaceState.LOST
    places = (table.xy_px[present], table.raw_xy_px[present], table.point_score[present])
    return (
        table.schema == schema.name
        and bool(np.all(table.face_id < _MAX_IDS))
        and bool(np.all(np.unique(table.frame, return_counts=True)[1] <= _MAX_FACES))
        and all(
            np.isfinite(p).all() and np.abs(p).max(initial=0) < _MAX_COORDINATE_PX for p in places
        )
    )


def _cut_off_incomplete_row(path: Path) -> None:
    """Cut off an incomplete last row, which a killed program may have left."""
    with path.open("rb+") as file:
        end = file.seek(0, 2)
        step = min(end, 1 << 16)
        file.seek(end - step)
        tail = file.read(step)
        if tail and not tail.endswith(b"\n"):
            file.truncate(end - step + tail.rfind(b"\n") + 1)
