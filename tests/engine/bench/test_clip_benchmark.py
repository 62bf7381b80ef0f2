"""Clips are measured without truth: made tracks whose figures are known, and a made clip."""

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
EYES = float(np.linalg.norm(FACE[36] - FACE[45]))
RIGID = np.repeat(np.array([[[1.0, 0, 1], [0, 1, 0]]]), FRAMES - 1, axis=0)  # a pixel a frame


def track(noise_px: float = 1.0, kept: float = 0.25) -> ClipTrack:
    """A face that goes a pixel to the right in each frame; the stabilizer keeps so much noise."""
    rng = np.random.default_rng(0)
    way = FACE.repeat(FRAMES, 0).reshape(68, FRAMES, 2).transpose(1, 0, 2).copy()
    way[..., 0] += np.arange(FRAMES)[:, None]
    noise = rng.normal(0, noise_px, (FRAMES, 68, 2))
    nothing = np.zeros(FRAMES, np.bool_)
    times = np.arange(FRAMES) / FPS
    return ClipTrack(way + noise, way + kept * noise, times, nothing, nothing.copy())


def row(made: ClipTrack, choice: str = "convlstm", clip: str = "a.mp4") -> ClipRow:
    still = np.zeros(FRAMES, np.bool_)
    still[20:50] = True
    return clip_row(clip, choice, made, still, RIGID, FPS)


def test_what_is_left_besides_the_rigid_motion_is_the_noise_that_was_kept() -> None:
    told = row(track())
    for besides in (told.besides, told.without_jaw, told.nose_and_eyes):
        assert besides.ratio == pytest.approx(0.25)
        assert besides.raw == pytest.approx(np.sqrt(np.pi) / EYES * 100, rel=0.1)
    assert (told.frames, told.still, told.lost, told.resets) == (FRAMES, 30, 0, 0)
    assert told.motion > told.besides.stabilized  # the whole face moves
    assert told.lag_frames == pytest.approx(0, abs=0.2)


def test_a_stabilizer_that_lags_is_not_stiller_and_strays() -> None:
    made = track(0.0)
    late = np.concatenate((made.raw[:1].repeat(3, 0), made.raw[:-3]))
    turns = np.where(np.arange(FRAMES) % 30 < 15, 1.0, -1.0).cumsum()
    swing = np.stack((turns, np.zeros(FRAMES)), -1)[:, None]
    told = row(replace(made, raw=FACE + swing, steady=late))
    assert told.besides.stabilized > 0
    assert told.furthest > 5
    assert told.deviation_98 >= told.deviation > 0


def test_lost_frames_detections_and_returns_to_raw_are_counted() -> None:
    made = track()
    made.steady[30] = made.raw[30]
    made.raw[40:43], made.steady[40:43] = np.nan, np.nan
    made.detected[43] = True
    told = row(made)
    assert told.lost == pytest.approx(100 * 3 / FRAMES)
    assert told.resets == 2
    assert row(made, "one-euro").resets == 1  # filters begin anew only where they are told to


def test_a_clip_without_a_face_has_no_figures() -> None:
    nothing = np.full((FRAMES, 68, 2), np.nan)
    told = row(replace(track(), raw=nothing, steady=nothing))
    assert told.lost == 100
    assert np.isnan([told.besides.ratio, told.furthest, told.deviation, told.mouth]).all()


def test_rows_come_worst_first_in_each_choice_and_medians_pass_over_what_is_unknown() -> None:
    nothing = np.full((FRAMES, 68, 2), np.nan)
    gone = replace(track(), raw=nothing, steady=nothing)
    rows = [
        row(track(kept=0.2), clip="good"),
        row(track(kept=0.5), clip="bad"),
        row(gone, clip="gone"),
        row(track(kept=1.0), "none", "good"),
        row(track(kept=0.4), clip="middle"),
    ]
    ordered = [(each.choice, each.clip) for each in worst_clips_first(rows)]
    names = [("convlstm", clip) for clip in ("bad", "middle", "good", "gone")]
    assert ordered == [*names, ("none", "good")]
    assert figures(rows[0])["besides_ratio"] == pytest.approx(0.2)
    assert medians([r for r in rows if r.choice == "convlstm"])["besides_ratio"] == pytest.approx(
        0.4
    )


def test_filters_start_from_the_raw_points_of_the_first_pass_and_begin_anew_at_cuts() -> None:
    made = track()
    made.cuts[30] = True
    settings = TrackSettings(filters=(choose("one-euro", min_cutoff_hz=0.05, beta=0.0),))
    choices = ClipStabilizers(("none", "one-euro", "butterworth", "convlstm"), settings, {})
    passes = {"convlstm": made}
    assert choices.stabilized("convlstm", passes) is made
    np.testing.assert_array_equal(choices.stabilized("none", passes).steady, made.raw)
    slow = choices.stabilized("one-euro", passes).steady
    np.testing.assert_allclose(slow[30], made.raw[30], atol=1e-3)
    assert np.abs(slow[29] - made.raw[29]).max() > 3
    smooth = choices.stabilized("butterworth", passes).steady
    np.testing.assert_allclose(smooth, Butterworth().smooth(made.raw, made.times_s))


def test_a_tracker_is_followed_with_its_cuts_and_detections() -> None:
    follower = ClipTracker(
        Tracker(SquareDetector(), SquareNetwork(), NoStabilizer(), load_schema())
    )
    places = [(100.0, 100.0, 60.0)] * 6 + [None] * 2 + [(220.0, 150.0, 60.0)] * 4
    told = [follower.add(frame(i, place)) for i, place in enumerate(places)]
    seen = follower.track()
    np.testing.assert_array_equal(seen.there, [place is not None for place in places])
    assert seen.detected[0]
    assert seen.cuts[6]  # the picture turned black
    assert [goes_on for _, goes_on in told[:7]] == [False, *[True] * 5, False]
    np.testing.assert_allclose(seen.times_s, np.arange(12) / 25)


def test_only_so_many_frames_are_read_and_the_source_is_closed(
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


def test_a_missing_clip_is_told() -> None:
    with pytest.raises(SourceError):
        read_clip("no_such_clip.mp4")


def test_networks_are_opened_for_recurrent_choices_only() -> None:
    settings = TrackSettings(device="cpu")
    assert list(open_choices(settings, ("none", "convlstm", "one-euro")).models) == ["convlstm"]
    assert list(open_choices(settings, ("one-euro", "butterworth")).models) == ["none"]
    with pytest.raises(UsageError, match="unknown stabilizer 'calm'"):
        open_choices(settings, ("calm",))
