"""Trackers are compared on the same frames, each in a process of its own."""

from __future__ import annotations

import contextlib
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import support
from steadymark.engine.bench.compare.comparison import PeerRun
from steadymark.engine.bench.compare.peer_process import PeerProcess
from steadymark.engine.bench.compare.peer_scores import (
    common_landmarks,
    median_rows,
    score_clip,
    true_landmarks,
)
from steadymark.engine.bench.compare.peer_spec import parse_peer, parse_peers
from steadymark.engine.core.errors import LandmarkFileError, SteadymarkError, UsageError
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadymark.engine.bench.compare.peer_scores import PeerRow

PEERS = Path(next(iter(support.__path__))) / "peers"
DEMO = str(assets_root() / "clips" / "demo.mp4")
FRAMES = 60


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The truth of the demo clip as a .npy file."""
    points = true_landmarks(DEMO, FRAMES)
    assert points is not None
    path = tmp_path_factory.mktemp("truth") / "truth.npy"
    np.save(path, points)
    return path


def made(truth: Path, name: str, **options: object) -> str:
    listed = "".join(f",{key}={value}" for key, value in options.items())
    return f"adapter:{PEERS / 'made_peer.py'},truth={truth},name={name}{listed}"


def compared(peers: Sequence[str]) -> tuple[dict[str, PeerRow], PeerRun]:
    """Return the rows of the demo clip by tracker, and the run."""
    with contextlib.closing(PeerRun(parse_peers(list(peers), with_ours=False))) as run:
        clip = run.run(DEMO, most_frames=FRAMES, report=lambda _: None)
        assert set(run.facts()) == set(run.names)
    rows = score_clip(clip, true_landmarks(DEMO, FRAMES), common_landmarks([clip]))
    return {row.peer: row for row in rows}, run


def test_error_lag_loss_and_time_are_those_that_were_made(truth: Path) -> None:
    rows, run = compared(
        [
            made(truth, "exact"),
            made(truth, "shifted", shift_px=2),
            made(truth, "late", late=2),
            made(truth, "lossy", lost=20),
            made(truth, "slow", sleep_ms=8),
        ]
    )
    assert run.notes == []
    assert rows["exact"].nrmse == pytest.approx(0, abs=0.01)
    points = np.load(truth)
    eyes_px = np.linalg.norm(points[:, 36] - points[:, 45], axis=-1)
    expected = float(np.nanmean(math.hypot(2, 2) / eyes_px * 100))
    assert rows["shifted"].nrmse == pytest.approx(expected, rel=0.01)
    assert rows["shifted"].nrmse_inner == pytest.approx(expected, rel=0.01)
    assert rows["shifted"].mav == pytest.approx(0, abs=1e-4)
    assert rows["late"].lag == pytest.approx(2, abs=0.3)
    assert rows["exact"].lag == pytest.approx(0, abs=0.1)
    assert rows["lossy"].lost == pytest.approx(100 / FRAMES, abs=0.1)
    assert rows["exact"].lost == 0
    assert rows["slow"].wall_ms >= 8
    assert rows["slow"].cpu_ms < 8  # it sleeps


def test_without_truth_jitter_and_lag_follow_from_optical_flow(truth: Path) -> None:
    with contextlib.closing(
        PeerRun(parse_peers([made(truth, "exact"), made(truth, "late", late=2)], with_ours=False))
    ) as run:
        clip = run.run(DEMO, most_frames=FRAMES, report=lambda _: None)
    rows = {row.peer: row for row in score_clip(clip, None, common_landmarks([clip]))}
    assert math.isnan(rows["exact"].nrmse)
    assert rows["exact"].lag == pytest.approx(0, abs=0.3)
    assert rows["late"].lag > 1
    assert rows["late"].motion > rows["exact"].motion


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"needs": "absent_package"}, r"is left out.*absent_package.*install what"),
        ({"raises": 30}, "failed and is left out: the network is broken"),
        ({"dies": 30}, "ended with code 3 and is left out"),
    ],
)
def test_a_tracker_that_fails_is_told_and_left_out(
    truth: Path, options: dict[str, object], note: str
) -> None:
    rows, run = compared([made(truth, "good"), made(truth, "bad", **options)])
    assert list(rows) == ["good"]
    assert len(run.notes) == 1
    assert re.search(note, run.notes[0])


def test_a_program_that_writes_an_openface_table_is_compared(truth: Path) -> None:
    program = f"{sys.executable} {PEERS / 'made_program.py'} {truth} {{video}} {{csv}}"
    rows, run = compared([made(truth, "exact"), f"program:{program}"])
    name = Path(sys.executable).stem
    assert run.notes == []
    assert rows[name].nrmse == pytest.approx(0, abs=0.01)
    assert rows[name].lost == 0
    assert math.isnan(rows[name].p95_ms)


def test_a_table_without_a_column_is_refused(truth: Path) -> None:
    program = f"{sys.executable} {PEERS / 'made_program.py'} {truth} {{video}} {{csv}} x_5"
    with pytest.raises((UsageError, LandmarkFileError), match="x_5"):
        PeerRun(parse_peers([f"program:{program}"], with_ours=False))


def test_a_program_that_fails_is_left_out_with_its_last_words(truth: Path) -> None:
    program = f"{sys.executable} {PEERS / 'made_program.py'} {truth} {{video}} {{csv}} fails"
    rows, run = compared([made(truth, "exact"), f"program:{program}"])
    assert list(rows) == ["exact"]
    assert "no licence found" in run.notes[0]


def test_the_shipped_model_comes_first_and_runs_in_a_process_of_its_own() -> None:
    (ours,) = parse_peers([])
    process = PeerProcess(ours)
    try:
        assert process.landmarks == "ibug68"
        process.start_clip(64, 64)
        assert process.track(np.zeros((64, 64, 3), np.uint8), 0.0).points is None
        assert process.peak_rss_mib() > 20 or math.isnan(process.peak_rss_mib())
    finally:
        process.close()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("dlib:x", "names no tracker"),
        ("mediapipe:none.task", "no model file"),
        ("openseeface:nowhere", "no folder 'nowhere'"),
        ("openseeface:.", "is not OpenSeeFace's folder"),
        ("model:absent", "unknown model"),
        ("model:heatmap1d-lite,colour=red", "no option 'colour'"),
        ("model:heatmap1d-lite,stabilizer", "is not OPTION=VALUE"),
        ("adapter:none.py", "no adapter"),
        ("facemesh:,python=/none/python", "no Python"),
        ("program:cat {video}", "is not the command"),
        ("program:absent-program {video} {csv}", "no program 'absent-program'"),
    ],
)
def test_a_wrong_tracker_is_refused_with_a_sentence(text: str, fault: str) -> None:
    with pytest.raises(SteadymarkError, match=fault):
        parse_peer(text)


def test_two_trackers_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="give one another name"):
        parse_peers(["model:heatmap1d-lite,stabilizer=none,name=heatmap1d-lite"])


def test_a_program_bundle_says_that_it_cannot_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(UsageError, match="by the Python package"):
        parse_peers([])


def test_medians_leave_out_what_is_not_defined(truth: Path) -> None:
    rows, _ = compared([made(truth, "exact")])
    middle = median_rows(list(rows.values()))["exact"]
    assert middle["nrmse"] == rows["exact"].nrmse
    assert middle["wall_ms"] == rows["exact"].wall_ms
