"""`steadymark track --send`: other programs receive what the table contains."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.engine.output.csv.landmark_table import read_landmarks
from steadymark.engine.streaming.osf import parse_osf_packet
from support.fakes.stream_receivers import address_of, free_address, receiver
from support.videos.square_video import square_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    Run = Callable[..., Result]


def test_every_sent_packet_equals_a_row_of_the_table(run: Run, tmp_path: Path) -> None:
    video = square_video(tmp_path / "a.mp4")
    with receiver() as bound:
        target = f"osf://{address_of(bound)}"
        done = run("track", video, "--out", tmp_path / "out", "--send", target)
        assert done.exit_code == 0, done.output
        summary = re.search(r"(\d+) packets? (?:was|were) sent to (\S+?)[\s;]", f"{done.output} ")
        assert summary is not None
        assert summary[2] == target
        received = [parse_osf_packet(bound.recv(65535))[0] for _ in range(int(summary[1]))]
    table = read_landmarks(tmp_path / "out" / "a.csv")
    kept = [i for i in range(68) if i not in (48, 54)]
    distances = [
        np.abs(table.xy_px[:, kept] - face.points_px[:66]).max((1, 2)) for face in received
    ]
    rows = [int(np.nanargmin(each)) for each in distances]
    assert rows == sorted(set(rows))  # in order, none twice
    for row, face, each in zip(rows, received, distances, strict=True):
        assert each[row] < 1e-3
        assert face.face_id == table.face_id[row]
        assert face.size == (320, 240)
    assert rows[-1] == len(table.frame) - 1


def test_sending_does_not_change_the_table(run: Run, tmp_path: Path) -> None:
    video = square_video(tmp_path / "a.mp4")
    assert run("track", video, "--out", tmp_path / "one").exit_code == 0
    sent = run("track", video, "--out", tmp_path / "two", "--send", f"vmc://{free_address()}")
    assert sent.exit_code == 0, sent.output
    plain, with_stream = ((tmp_path / name / "a.csv").read_bytes() for name in ("one", "two"))
    assert plain == with_stream


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--send", "udp://1.2.3.4:5"], "write one of osf, vmc, lsl"),
        (["--send", "osf://127.0.0.1:99999"], "port from 1 to 65535"),
        (["--send", "osf://no-such-host.invalid"], "'no-such-host.invalid' is unknown"),
        (
            ["--send", "osf", "--stabilizer", "butterworth"],
            "--send sends each frame as soon as it is tracked",
        ),
        (["--send", "osf", "b.mp4"], "there are several"),
        (["--send", "osf", "--scheduler", "tcp://127.0.0.1:1"], "of a cluster's workers"),
    ],
)
def test_an_invalid_target_is_reported_before_tracking_starts(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.mp4"):
        square_video(tmp_path / name, 2)
    done = run("track", "a.mp4", "--out", tmp_path / "out", *options)
    assert done.exit_code == 2
    assert words in done.output
    assert "Traceback" not in done.output
    assert {path.name for path in tmp_path.glob("out/*")} <= {"index.csv"}


def test_live_refuses_a_bad_target_before_the_window_opens(run: Run) -> None:
    done = run("live", "camera:0", "--send", "osf://:0")
    assert done.exit_code == 2
    assert "port from 1 to 65535" in done.output
