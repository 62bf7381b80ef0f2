from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.recording.crash_recovery import (
    RecoverableSession,
    SessionStore,
    delete_session,
    find_sessions,
    recover,
)
from steadymark.app.session.recording.results import Results
from steadymark.app.session.settings_values import settings_from_dict, settings_to_dict
from steadymark.engine.core.errors import LandmarkFileError
from steadymark.engine.core.types import Intrinsics
from steadymark.engine.pipeline.pipeline import SINK_QUEUE
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import moving_results, source_info
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM_TO_KILL = """
import sys
from pathlib import Path
from support.videos.square_video import square_models
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.crash_recovery import SessionStore
from steadymark.app.session.recording.results import Results
from steadymark.app.session.recording.background_tracking import BackgroundTracking
from steadymark.engine.tracking.settings import TrackSettings

film, models = Media(sys.argv[1]), square_models()
results = Results(film.times_s, models.schema)
keeping = SessionStore(Path(sys.argv[2]), sys.argv[1], {})
def tell():
    if tracking.last_tracked == int(sys.argv[3]):
        print("far enough", flush=True)  # and on
tracking = BackgroundTracking(film, models, TrackSettings(), results, on_change=tell,
                    sinks=lambda n: [keeping.sink(n, models.schema, print)])
tracking.start()
import threading
threading.Event().wait()
"""


def crashed_session(root: Path, frames: int = 12) -> RecoverableSession:
    """Write the files of a session that ended without cleaning up, and find it."""
    store = SessionStore(root, "clip.mp4", settings_to_dict(TrackSettings()))
    sink = store.sink(1, load_schema("ibug68"), lambda _: None)
    sink.open(source_info())
    for result in moving_results(frames):
        sink.write(result)
    sink.close(complete=False)
    store._lock.unlock()
    (found,) = find_sessions(root)
    return found


def test_written_results_are_recovered(tmp_path: Path) -> None:
    found = crashed_session(tmp_path)
    assert (found.source, found.frames) == ("clip.mp4", 12)
    results = Results(np.arange(12) / 25, load_schema("ibug68"))
    camera = Intrinsics(160, 120)
    assert recover(found, results, camera) == 12
    for expected in moving_results(12):
        faces = results.faces(expected.frame.index)
        assert faces is not None
        assert [(f.face_id, f.state) for f in faces] == [
            (f.face_id, f.state) for f in sorted(expected.faces, key=lambda f: f.face_id)
        ]
        for face, other in zip(faces, sorted(expected.faces, key=lambda f: f.face_id), strict=True):
            assert (face.pose is None) == (other.pose is None)
            if face.pose is not None and other.pose is not None:
                assert face.pose.camera == camera
                assert face.pose.rotation_rad == pytest.approx(other.pose.rotation_rad, abs=6e-6)


def test_an_incomplete_last_row_is_ignored(tmp_path: Path) -> None:
    found = crashed_session(tmp_path)
    (part,) = found.folder.glob("piece-*")
    part.write_bytes(part.read_bytes()[:-100])
    (recovered,) = find_sessions(tmp_path)
    assert 10 <= recovered.frames < 13


def test_a_running_session_is_not_offered(tmp_path: Path) -> None:
    store = SessionStore(tmp_path, "clip.mp4", {})
    assert find_sessions(tmp_path) == ()
    assert store.folder.exists()
    store.discard()
    assert not store.folder.exists()


def test_a_session_without_frames_is_removed(tmp_path: Path) -> None:
    store = SessionStore(tmp_path, "clip.mp4", {})
    store._lock.unlock()
    assert find_sessions(tmp_path) == ()
    assert not store.folder.exists()


def test_a_forgotten_session_is_deleted(tmp_path: Path) -> None:
    delete_session(crashed_session(tmp_path))
    assert find_sessions(tmp_path) == ()


def test_another_video_with_the_same_name_is_refused(tmp_path: Path) -> None:
    found = crashed_session(tmp_path)
    with pytest.raises(LandmarkFileError, match="changed"):
        recover(found, Results(np.arange(5) / 25, load_schema("ibug68")))


def test_a_disk_that_cannot_be_written_is_reported_once(tmp_path: Path) -> None:
    store = SessionStore(tmp_path, "clip.mp4", {})
    messages: list[str] = []
    sink = store.sink(1, load_schema("ibug68"), messages.append)
    (store.folder / "piece-0001.csv.part").mkdir()
    sink.open(source_info())
    for result in moving_results(3):
        sink.write(result)
    sink.close(complete=True)
    assert len(messages) == 1
    assert "Tracking continues" in messages[0]


def test_settings_are_restored_and_invalid_values_become_defaults(tmp_path: Path) -> None:
    filters = (choose("one-euro", min_cutoff_hz=0.3, beta=2.0),)
    settings = TrackSettings(stabilizer="one-euro", filters=filters, threads=2)
    assert settings_from_dict(settings_to_dict(settings)) == settings
    assert (
        settings_from_dict({"model": 5, "one_euro": {"beta": -1}, "threads": "x"})
        == TrackSettings()
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("frames", [12, 30, 217])
def test_killing_the_program_loses_no_tracked_frames(tmp_path: Path, frames: int) -> None:
    clip = square_video(tmp_path / "a.mp4", 400)
    state = tmp_path / "state"
    command = [sys.executable, "-c", _PROGRAM_TO_KILL, str(clip), str(state), str(frames)]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=paths) as run:
        assert run.stdout is not None
        assert run.stdout.readline().strip() == "far enough"
        run.send_signal(signal.SIGKILL)
        run.wait(10)
    (found,) = find_sessions(state)
    assert found.frames >= frames - SINK_QUEUE  # rows in the queue are written within milliseconds
    assert found.saved_at <= time.time()
    results = Results(np.arange(400) / 25, load_schema("ibug68"))
    assert recover(found, results) == found.frames
    np.testing.assert_array_equal(results.rows().frame, np.arange(found.frames))
