"""The command `steadymark bench compare`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import support
from steadymark.app.cli.main import app
from steadymark.engine.bench.compare.peer_scores import FIGURES, true_landmarks
from steadymark.models.face.schema import assets_root

PEER = Path(next(iter(support.__path__))) / "peers" / "made_peer.py"
RUN = ["bench", "compare", "--most-frames", "15"]


@pytest.fixture
def peer(tmp_path: Path) -> str:
    points = true_landmarks(str(assets_root() / "clips" / "demo.mp4"), 15)
    assert points is not None
    np.save(tmp_path / "truth.npy", points)
    return f"adapter:{PEER},truth={tmp_path / 'truth.npy'},name=<made>"


def test_table_json_page_and_ratios_are_written(peer: str, tmp_path: Path) -> None:
    files = tmp_path / "run.json", tmp_path / "run.html"
    written = ["--json", str(files[0]), "--html", str(files[1])]
    first = CliRunner().invoke(app, [*RUN, "--peer", peer, *written])
    assert first.exit_code == 0, first.output
    assert "heatmap1d-lite" in first.output
    content = json.loads(files[0].read_text())
    assert list(content["medians"]) == ["heatmap1d-lite", "<made>"]
    assert set(FIGURES) | {"start_s", "rss_mib"} == set(content["medians"]["<made>"])
    assert content["medians"]["<made>"]["nrmse"] == pytest.approx(0, abs=0.01)
    assert 1 < content["medians"]["heatmap1d-lite"]["nrmse"] < 4
    assert {"processor", "cores", "system"} <= set(content["machine"])
    page = files[1].read_text()
    assert "&lt;made&gt;" in page
    assert "<made>" not in page
    assert page.count("<svg") == page.count("</svg>") >= 5
    assert not re.search(r"(src|href)\s*=|https?://|@import", page)  # it loads nothing
    for row in content["medians"].values():
        row["nrmse"] = row["nrmse"] * 2 if row["nrmse"] > 1 else row["nrmse"]
    files[0].write_text(json.dumps(content))
    second = CliRunner().invoke(app, [*RUN, "--peer", peer, "--against", str(files[0])])
    assert second.exit_code == 0, second.output
    assert "this run divided by" in second.output
    assert "0.50" in second.output


def test_a_tracker_that_is_left_out_gives_exit_code_1(peer: str) -> None:
    done = CliRunner().invoke(app, [*RUN, "--peer", f"{peer},needs=nothing_like_it"])
    assert done.exit_code == 1
    assert "nothing_like_it" in done.output
    assert "heatmap1d-lite" in done.output


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--peer", "openseeface:none"], "there is no folder 'none'"),
        (["--peer", "mediapipe:none.task"], "there is no model file at 'none.task'"),
        (["--against", "none.json"], "cannot be read"),
        (["--against", str(assets_root() / "schemas" / "ibug68.json")], "is not a file of"),
        (["none.mp4"], "none.mp4"),
        (["--html", "no/folder/page.html"], "cannot write"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(options: list[str], fault: str) -> None:
    done = CliRunner().invoke(app, [*RUN, *options])
    assert done.exit_code == 2
    assert fault in " ".join(done.output.split())
    assert "Traceback" not in done.output
