"""Untrusted sessions, settings and playlists: the program continues, whatever they contain."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSettings

from steadymark.app.gui.preferences import Preferences
from steadymark.app.session.recording import crash_recovery
from steadymark.app.session.recording.crash_recovery import SessionStore, find_sessions, recover
from steadymark.app.session.recording.media import Media
from steadymark.app.session.recording.results import Results
from steadymark.app.session.settings_values import settings_from_dict, settings_to_dict
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.face.schema import load_schema, nameless_schema
from support.fakes.fake_results import moving_results, source_info
from support.malformed_files import VALUES, corrupted, objects
from support.videos.video_corpus import Recipe, make

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = settings_to_dict(TrackSettings())
FACTS = {"source": "clip.mp4", "settings": SETTINGS, "saved_at": 1.7e9}


@pytest.fixture(scope="module")
def session_rows(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file that a session writes for 5 frames."""
    store = SessionStore(tmp_path_factory.mktemp("session"), "clip.mp4", SETTINGS)
    sink = store.sink(1, load_schema("ibug68"), pytest.fail)
    sink.open(source_info())
    for result in moving_results(5):
        sink.write(result)
    sink.close(complete=True)
    (path,) = store.folder.glob("piece-*")
    return path.read_bytes()


def write_session(root: Path, facts: str, content: bytes) -> None:
    """Write the folder of a session with this content."""
    shutil.rmtree(root, ignore_errors=True)
    folder = root / "20260101-000000-0"
    folder.mkdir(parents=True)
    (folder / "session.json").write_text(facts, encoding="utf-8", errors="replace")
    (folder / "piece-0001.csv.part").write_bytes(content)


@pytest.mark.hypothesis
def test_a_session_is_recovered_or_refused(tmp_path: Path, session_rows: bytes) -> None:
    root = tmp_path / "sessions"
    facts_of_sessions = st.one_of(
        st.just(json.dumps(FACTS)),
        objects(list(FACTS)).map(lambda some: json.dumps({**FACTS, **some})),
        VALUES.map(json.dumps),
        st.integers(1, 50_000).map(lambda n: "[" * n),
    )

    @given(
        facts=facts_of_sessions, content=st.one_of(st.just(session_rows), corrupted(session_rows))
    )
    def check(facts: str, content: bytes) -> None:
        write_session(root, facts, content)
        for found in find_sessions(root):
            assert isinstance(settings_from_dict(found.settings), TrackSettings)
            results = Results(np.arange(5) / 25, load_schema("ibug68"))
            try:
                count = recover(found, results)
            except SteadymarkError:
                continue
            assert count >= int((results.rows().frame >= 0).any())
            assert np.isfinite(results.rows().frame).all()

    check()
    write_session(root, json.dumps(FACTS), session_rows)
    (found,) = find_sessions(root)
    assert recover(found, Results(np.arange(5) / 25, load_schema("ibug68"))) == 5


def test_rows_with_another_number_of_landmarks_are_skipped(
    tmp_path: Path, session_rows: bytes
) -> None:
    root = tmp_path / "sessions"
    write_session(root, json.dumps(FACTS), session_rows)
    (found,) = find_sessions(root)
    assert recover(found, Results(np.arange(5) / 25, nameless_schema(5))) == 0


@pytest.mark.parametrize(
    ("column", "value"), [("face_id", 2**40), ("x_0", 1e30), ("raw_y_3", "nan"), ("score_2", "inf")]
)
def test_rows_that_no_tracker_produces_are_skipped(
    tmp_path: Path, session_rows: bytes, column: str, value: object
) -> None:
    root = tmp_path / "sessions"
    *head, rows = session_rows.decode().split("\n", 3)
    first = rows.split("\n", 1)[0].split(",")
    first[head[2].split(",").index(column)] = str(value)
    write_session(root, json.dumps(FACTS), "\n".join([*head, ",".join(first), ""]).encode())
    (found,) = find_sessions(root)
    assert recover(found, Results(np.arange(5) / 25, load_schema("ibug68"))) == 0


def test_a_session_file_without_line_ends_does_not_fill_the_memory(
    tmp_path: Path, session_rows: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crash_recovery, "_MAX_ROW_BYTES", 10_000)
    write_session(tmp_path / "a", json.dumps(FACTS), session_rows + b"7" * 50_000)
    (found,) = find_sessions(tmp_path / "a")
    assert found.frames == 5


@given(values=st.one_of(objects(list(SETTINGS)), st.dictionaries(st.text(), VALUES, max_size=3)))
def test_invalid_settings_are_replaced_by_defaults(values: dict[str, Any]) -> None:
    settings = settings_from_dict(values)
    assert settings_from_dict(settings_to_dict(settings)) == settings
    assert 0 <= settings.threads <= 1024
    assert settings.detector_threshold is None or 0 <= settings.detector_threshold <= 1


@given(
    values=st.dictionaries(
        st.sampled_from(["tracker", "one_euro", "butterworth"]),
        objects([name for part in SETTINGS.values() if isinstance(part, dict) for name in part]),
    )
)
def test_invalid_nested_settings_are_replaced_by_defaults(values: dict[str, Any]) -> None:
    settings = settings_from_dict(values)
    assert settings_from_dict(settings_to_dict(settings)) == settings


@pytest.mark.hypothesis
def test_stored_preferences_of_the_window_may_be_invalid(tmp_path: Path) -> None:
    settings = QSettings(str(tmp_path / "a.ini"), QSettings.Format.IniFormat)
    stored_texts = st.one_of(VALUES.map(json.dumps), st.text(max_size=30), st.just("[" * 20_000))

    @given(stored_text=stored_texts)
    def check(stored_text: str) -> None:
        for name in ("tracking", "overlay", "recent", "geometry", "state"):
            settings.setValue(name, stored_text)
        preferences = Preferences(settings)
        assert isinstance(preferences.tracking(), TrackSettings)
        assert all(isinstance(name, str) for name in preferences.recent())
        preferences.overlay()
        preferences.window()

    check()


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXTINF:1,\nreal.mp4\n#EXT-X-ENDLIST\n",
        "\ufeff#EXTM3U\nhttp://127.0.0.1:9/a.ts\n",
        "ffconcat version 1.0\nfile real.mp4\n",
        "\n\nffconcat version 1.0\nfile /etc/passwd\n",
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
    ],
)
@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.m3u8"])
def test_a_playlist_named_like_a_video_is_refused(tmp_path: Path, name: str, text: str) -> None:
    make(tmp_path, Recipe("real.mp4", frames=3))
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SteadymarkError, match="is a list that names other files"):
        Media(str(tmp_path / name))


DECODE_GIANT_IMAGE = """
import struct, sys, zlib
import numpy as np
import steadymark.engine.sources.image_pages as images
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
data = zlib.compress(bytes(99))
content = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data)
try:
    images.cv2.imdecode(np.frombuffer(content, np.uint8), images.cv2.IMREAD_COLOR)
except images.cv2.error as error:
    sys.exit("CV_IO_MAX_IMAGE_PIXELS" not in str(error))
sys.exit("decoding was started")
"""


def test_an_image_of_giant_size_is_not_decoded() -> None:
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    paths.pop("OPENCV_IO_MAX_IMAGE_PIXELS", None)
    run = subprocess.run(
        [sys.executable, "-c", DECODE_GIANT_IMAGE],
        capture_output=True,
        text=True,
        env=paths,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-500:]


@pytest.mark.parametrize("source", ["http://127.0.0.1:9/a.mp4", "camera:0", "rtsp://127.0.0.1:9/"])
def test_a_session_that_names_a_live_source_is_not_opened(source: str) -> None:
    with pytest.raises(SteadymarkError, match="is live"):
        Media(source)
