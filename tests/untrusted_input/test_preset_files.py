"""Untrusted presets: every value is checked, or they are refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from steadymark.app.session.presets import read_preset
from steadymark.app.session.settings_values import settings_to_dict
from steadymark.engine.tracking.settings import TrackSettings
from support.malformed_files import MALICIOUS_NAMES, VALUES, corrupted, objects, read_or_refused

if TYPE_CHECKING:
    import pytest

SETTINGS = settings_to_dict(TrackSettings())
VALID_PRESET = {"steadymark_preset": 1, "name": "mine", "settings": SETTINGS}


@given(
    text=st.one_of(
        objects(list(VALID_PRESET)).map(lambda some: json.dumps({**VALID_PRESET, **some})),
        objects(list(SETTINGS)).map(
            lambda some: json.dumps({**VALID_PRESET, "settings": {**SETTINGS, **some}})
        ),
        st.sampled_from(MALICIOUS_NAMES).map(
            lambda name: json.dumps({**VALID_PRESET, "settings": {**SETTINGS, "model": name}})
        ),
        corrupted(json.dumps(VALID_PRESET).encode()).map(lambda content: content.decode("latin-1")),
        VALUES.map(json.dumps),
        st.integers(1, 50_000).map(lambda n: "[" * n),
    )
)
def test_a_preset_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "mine.json"
    path.write_text(text, encoding="utf-8", errors="replace")
    preset = read_or_refused(lambda: read_preset(path), "mine.json")
    if preset is not None:
        assert 1 <= preset.settings.tracker.max_faces <= 16
        assert 0 <= preset.settings.threads <= 1024
