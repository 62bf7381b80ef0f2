"""Clips are measured without ground truth: synthetic tracks whose figures are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from steadymark.engine.bench.clips import clip_tracks
from steadymark.engine.bench.clips.clip_benchmark import (
    ClipRow,
    clip_row,
    figures,
    medians,
    worst_clips_first,
)
from steadymark.engine.bench.clips.clip_tracks import (
    ClipStabilizers,
    ClipTrack,
    ClipTracker,
    open_choices,
    read_clip,
)
from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.stabilizers.butterworth import Butterworth
from steadymark.engine.stabilizers.no_stabilizer import NoStabilizer
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.engine.tracking.tracker import Tracker
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import ListSource, SquareDetector, SquareNetwork, frame
from support.fakes.fake_results import face_points

FRAMES, FPS = 60, 25.0
FACE = face_points().astype(np.float64)
EYE_DISTANCE = float(np.linalg.norm(FACE[36] - FACE[45]))
RIGID = np.repeat(np.array([[[1.0, 0, 1], [0, 1, 0]]]), FRAMES - 1, axis=0)  # a pixel a frame


def track(noise_px: float = 1.0, remaining_noise: float = 0.25) -> ClipTrack:
    """Return a face that moves right by a pixel a frame. remaining_noise: share of noise_px."""
    rng = np.random.default_rng(0)
    path = FACE.repeat(FRAMES, 0).reshape(68, FRAMES, 2).transpose(1, 0, 2).copy()
    path[..., 0] += np.arange(FRAMES)[:, None]
    noise = rng.normal(0, noise_px, (FRAMES, 68, 2))
    nothing = np.zeros(FRAMES, np.bool_)
    times = np.arange(FRAMES) / FPS
    return ClipTrack(path + noise, path + remaining_noise * noise, times, nothing, nothing.copy())


def row(original: ClipTrack, choice: str = "convlstm", clip: str = "a.mp4") -> ClipRow:
    still = np.zeros(FRAMES, np.bool_)
    still[20:50] = True
    return clip_row(clip, choice, original, still, RIGID, FPS)


def test_motion_besides_the_rigid_one_is_the_remaining_noise() -> None:
    result = row(track())
    for besides in (result.besides, result.without_jaw, result.nose_and_eyes):
        assert besides.ratio == pytest.approx(0.25)
        assert besides.raw == pytest.approx(np.sqrt(np.pi) / EYE_DISTANCE * 100, rel=0.1)
    assert (result.frames, result.still, result.lost, result.resets) == (FRAMES, 30, 0, 0)
    assert result.motion > result.besides.stabilized  # the whole face moves
    assert result.lag_frames == pytest.approx(0, abs=0.2)


def test_a_lagging_stabilizer_is_measured_as_deviation() -> None:
    original = track(0.0)
    delayed = np.concatenate((original.raw[:1].repeat(3, 0), original.raw[:-3]))
    positions = np.where(np.arange(FRAMES) % 30 < 15, 1.0, -1.0).cumsum()
    swing = np.stack((positions, np.zeros(FRAMES)), -1)[:, None]
    result = row(replace(original, raw=FACE + swing, stabilized=delayed))
    assert result.besides.stabilized > 0
    assert result.furthest > 5
    assert result.deviation_98 >= result.deviation > 0


def test_lost_frames_and_restarts_are_counted() -> None:
    original = track()
    original.stabilized[30] = original.raw[30]
    original.raw[40:43], original.stabilized[40:43] = np.nan, np.nan
    original.detected[43] = True
    result = row(original)
    assert result.lost == pytest.approx(100 * 3 / FRAMES)
    assert result.resets == 2
    assert row(original, "one-euro").resets == 1  # filters restart only where they are reset


def test_a_clip_without_a_face_has_no_figures() -> None:
    nothing = np.full((FRAMES, 68, 2), np.nan)
    result = row(replace(track(), raw=nothing, stabilized=nothing))
    assert result.lost == 100
    assert np.isnan([result.besides.ratio, result.furthest, result.deviation, result.mouth]).all()


def test_rows_are_sorted_worst_first_and_medians_ignore_missing_values() -> None:
    nothing = np.full((FRAMES, 68, 2), np.nan)
    without_face = replace(track(), raw=nothing, stabilized=nothing)
    rows = [
        row(track(remaining_noise=0.2), clip="good"),
        row(track(remaining_noise=0.5), clip="bad"),
        row(without_face, clip="gone"),
        row(track(remaining_noise=1.0), "none", "good"),
        row(track(remaining_noise=0.4), clip="middle"),
    ]
    ordered = [(each.choice, each.clip) for each in worst_clips_first(rows)]
    names = [("convlstm", clip) for clip in ("bad", "middle", "good", "gone")]
    assert ordered == [*names, ("none", "good")]
    assert figures(rows[0])["besides_ratio"] == pytest.approx(0.2)
    assert medians([r for r in rows if r.choice == "convlstm"])["besides_ratio"] == pytest.approx(
        0.4
    )


def test_filters_use_the_raw_points_of_the_first_pass_and_restart_at_cuts() -> None:
    original = track()
    original.cuts[30] = True
    settings = TrackSettings(filters=(choose("one-euro", min_cutoff_hz=0.05, beta=0.0),))
    choices = ClipStabilizers(("none", "one-euro", "butterworth", "convlstm"), settings, {})
    passes = {"convlstm": original}
    assert choices.stabilized("convlstm", passes) is original
    np.testing.assert_array_equal(choices.stabilized("none", passes).stabilized, original.raw)
    slow = choices.stabilized("one-euro", passes).stabilized
    np.testing.assert_allclose(slow[30], original.raw[30], atol=1e-3)
    assert np.abs(slow[29] - original.raw[29]).max() > 3
    smooth = choices.stabilized("butterworth", passes).stabilized
    np.testing.assert_allclose(smooth, Butterworth().smooth(original.raw, original.times_s))


def test_a_clip_tracker_records_cuts_and_detections() -> None:
    clip_tracker = ClipTracker(
        Tracker(SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema("ibug68"))
    )
    squares = [(100.0, 100.0, 60.0)] * 6 + [None] * 2 + [(220.0, 150.0, 60.0)] * 4
    returned = [clip_tracker.add(frame(i, square)) for i, square in enumerate(squares)]
    followed = clip_tracker.track()
    np.testing.assert_array_equal(followed.there, [square is not None for square in squares])
    assert followed.detected[0]
    assert followed.cuts[6]  # the image turned black
    assert [continues for _, continues in returned[:7]] == [False, *[True] * 5, False]
    np.testing.assert_allclose(followed.times_s, np.arange(12) / 25)


def test_the_given_number_of_frames_is_read_and_the_source_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = ListSource([frame(i, None) for i in range(9)])
    monkeypatch.setattr(clip_tracks, "open_source", lambda _: source)
    fps, frames = read_clip("clip.mp4", 4)
    assert (fps, len(list(frames))) == (25.0, 4)
    assert list(source.frames()) == []
    live = ListSource([], live=True)
    monkeypatch.setattr(clip_tracks, "open_source", lambda _: live)
    with pytest.raises(UsageError, match="live"):
        read_clip("camera:0")


def test_a_missing_clip_is_reported() -> None:
    with pytest.raises(SourceError):
        read_clip("no_such_clip.mp4")


def test_networks_are_opened_only_for_recurrent_stabilizers() -> None:
    settings = TrackSettings(device="cpu")
    assert list(open_choices(settings, ("none", "convlstm", "one-euro")).models) == ["convlstm"]
    assert list(open_choices(settings, ("one-euro", "butterworth")).models) == ["none"]
    with pytest.raises(UsageError, match="unknown stabilizer 'calm'"):
        open_choices(settings, ("calm",))
