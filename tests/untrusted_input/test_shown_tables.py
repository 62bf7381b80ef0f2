"""Untrusted tables are shown or refused in a sentence, whatever they contain."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadymark.app.session.recording.table_results import read_table_results
from steadymark.engine.core.errors import SteadymarkError
from steadymark.engine.output.csv.native_csv import Header, NativeCsvSink
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import moving_results, source_info
from support.malformed_files import corrupted

if TYPE_CHECKING:
    from steadymark.app.session.recording.results import Results

FRAMES = 8


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The table of 8 frames."""
    path = tmp_path_factory.mktemp("table") / "a.csv"
    sink = NativeCsvSink(path, Header(settings={"focal_px": 500.0}), load_schema("ibug68"))
    sink.open(source_info())
    for result in moving_results(FRAMES):
        sink.write(result)
    sink.close(complete=True)
    return path.read_bytes()


def shown(content: bytes, frames: int = FRAMES) -> Results | None:
    """Return the results of a table with this content, or None if it is refused."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(content)
        try:
            return read_table_results(path, source_info(), np.arange(frames) / 25).results
        except SteadymarkError:
            return None


@pytest.mark.hypothesis
@given(data=st.data())
def test_a_corrupted_table_is_shown_or_refused(content: bytes, data: st.DataObject) -> None:
    results = shown(data.draw(corrupted(content)))
    if results is not None:
        rows = results.rows()
        assert ((rows.frame >= 0) & (rows.frame < FRAMES)).all()
        lost = np.isnan(rows.raw).any((1, 2))
        assert np.isfinite(rows.stabilized[~lost]).all()
        for index in range(FRAMES):
            results.faces(index)


@pytest.mark.parametrize("focal", ["true", "0", "-3", "1e400", "NaN", '"x"', "[1]", "{}", "700"])
def test_the_header_may_hold_any_focal_length(content: bytes, focal: str) -> None:
    changed = content.replace(b"500.0", focal.encode())
    assert changed != content
    lines = changed.split(b"\n")
    names = lines[2].split(b",")
    kept = [i for i, name in enumerate(names) if not name.startswith(b"pose_")]
    cut = [b",".join(line.split(b",")[i] for i in kept) for line in lines[2:] if line]
    results = shown(b"\n".join([*lines[:2], *cut]))
    assert results is not None
    assert len(results.rows())
