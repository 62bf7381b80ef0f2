"""The LSL stream, as an inlet receives it."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from steadymark.engine.core.errors import SinkError
from steadymark.engine.core.types import TrackResult
from steadymark.engine.streaming import lsl
from steadymark.engine.streaming.lsl import CHANNELS, sample
from steadymark.engine.streaming.sender import Sender, SendState
from steadymark.engine.streaming.targets import parse_target
from support.fakes.fake_results import lost_face, track_result
from support.fakes.stream_receivers import posed_face


@pytest.fixture
def library() -> Any:
    try:
        return lsl.library()
    except SinkError as error:
        pytest.skip(str(error))


def test_an_inlet_receives_the_first_face_with_its_time(library: Any) -> None:
    name = f"test {time.time_ns()}"
    sender = Sender(parse_target(f"lsl://{name}"))
    sender.open()
    (found,) = library.resolve_byprop("name", name, timeout=20)
    inlet = library.StreamInlet(found)
    inlet.open_stream(timeout=20)
    info = inlet.info(timeout=20)
    assert (info.type(), info.nominal_srate(), info.channel_count()) == ("Face", 0.0, 144)
    labels, channel = [], info.desc().child("channels").child("channel")
    for _ in range(info.channel_count()):
        labels.append(channel.child_value("label"))
        channel = channel.next_sibling()
    assert tuple(labels) == CHANNELS
    face, stamps = posed_face((0.1, 0.2, 0.3), face_id=4), []
    captured_s = time.perf_counter() - 0.25
    for tracked in (face, lost_face(4)):
        result = track_result(0, tracked)
        sender.offer(TrackResult(replace(result.frame, captured_s=captured_s), result.faces))
        values, stamp = inlet.pull_sample(timeout=20)
        stamps.append(stamp)
        np.testing.assert_array_equal(np.float32(values), sample(tracked))
    # of several readings, since other programs may interrupt between the two clocks
    ahead_s = max(library.local_clock() - time.perf_counter() for _ in range(20))
    assert stamps[0] == stamps[1] == pytest.approx(captured_s + ahead_s, abs=0.05)
    assert sender.report.has_receiver is True
    assert sender.close()
    assert sender.report.state is SendState.CLOSED
    inlet.close_stream()


def test_a_sample_contains_the_stabilized_points_and_nan_for_missing_values() -> None:
    face = posed_face((0.1, 0.2, 0.3), face_id=4)
    assert face.stabilized is not None
    assert face.pose is not None
    values = dict(zip(CHANNELS, sample(face), strict=True))
    assert values["face_id"] == 4
    assert values["score"] == np.float32(0.9)
    assert (values["x_30"], values["y_30"]) == tuple(face.stabilized.xy_px[30])
    assert values["pose_Ry"] == np.float32(face.pose.rotation_rad[1])
    assert values["pose_Tz"] == np.float32(face.pose.position_mm[2])
    assert np.isnan(sample(None)).all()
    assert np.isnan(sample(replace(face, attributes=None))[2:8]).all()


@pytest.mark.parametrize("error", [ImportError("no module"), RuntimeError("no liblsl")])
def test_the_error_for_a_missing_library_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class BrokenFinder:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "pylsl":
                raise error

    monkeypatch.setattr(lsl, "_library", None)
    monkeypatch.delitem(sys.modules, "pylsl", raising=False)
    monkeypatch.setattr(sys, "meta_path", [BrokenFinder(), *sys.meta_path])
    with pytest.raises(SinkError, match=r"pylsl.*pip install 'steadymark\[network\]'"):
        Sender(parse_target("lsl")).open()
