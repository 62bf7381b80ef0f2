"""What makes the landmarks of a frame doubtful: each kind measures a value and has a limit.

Lengths are in percent of the eye distance, the distance of the outer eye corners.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.output.video.draw_style import UNCERTAIN_BELOW
from steadymark.models.choice_registry import Parameter
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.review.person_track import Floats, PersonTrack

    Values = NDArray[np.float64]

Measure = Callable[["PersonTrack", Sequence["PersonTrack"]], "Values"]

_NEIGHBOURS_S = 0.25  # time on either side with whose motion a jump is compared
_TIMES_NEIGHBOURS = 3.0  # how many times larger than its neighbours' a jump is
_TIMES_INTERVAL = 2.5  # a pause between two frames that is this many times the usual one


@dataclass(frozen=True, slots=True, eq=False)
class DoubtKind:
    """A reason to doubt the landmarks of a frame.

    Attributes:
        name: Name in tables, such as `low_score`.
        label: A few words for lists.
        limit: The largest value that is not doubtful, or the smallest if `below`.
        measure: Returns the value of each frame, (T,), from the track and the tracks of the other
            faces; NaN where it is not known, which is never doubtful.
        text: Says the worst value of a stretch in a few words; `{value}` is the value.
        below: Whether values below the limit are doubtful, instead of values above it.
    """

    name: str
    label: UserText
    limit: Parameter
    measure: Measure
    text: Callable[[float], UserText]
    below: bool = False

    def doubtful(self, values: Values, limit: float) -> NDArray[np.bool_]:
        """Return in which frames the value is beyond the limit."""
        beyond: NDArray[np.bool_] = values < limit if self.below else values > limit
        return beyond

    def severity(self, values: Values, limit: float) -> Values:
        """Return how far values are beyond the limit: 0 at the limit, towards 1 far beyond it."""
        ratio = values / limit if self.below else limit / np.maximum(values, 1e-9)
        return np.clip(1 - ratio, 0.0, 1.0)


def missing_s(track: PersonTrack, others: Sequence[PersonTrack]) -> Values:
    """Return for how long the face is missing around each frame, between two frames with it."""
    del others
    values = np.full(len(track), np.nan)
    seen = np.flatnonzero(track.present)
    for before, after in pairwise(seen.tolist()):
        if after > before + 1:
            values[before + 1 : after] = track.time_s[after] - track.time_s[before]
    return values


def median_score(track: PersonTrack, others: Sequence[PersonTrack]) -> Values:
    """Return the median score of the landmarks, or else the score of the face."""
    del others
    scores = np.full(len(track), np.nan)
    known = np.isfinite(track.point_score).all(1)
    scores[known] = np.median(track.point_score[known], axis=1)
    return np.where(known, scores, track.score)


def hidden_percent(track: PersonTrack, others: Sequence[PersonTrack]) -> Values:
    """Return the percentage of landmarks that are drawn hollow, since their score is low."""
    del others
    hidden = (track.point_score < UNCERTAIN_BELOW).mean(1) * 100
    return np.where(np.isfinite(track.point_score).all(1), hidden, np.nan)


def apart_percent(track: PersonTrack, others: Sequence[PersonTrack]) -> Values:
    """Return the mean distance from raw to stabilized landmarks."""
    del others
    apart = np.linalg.norm(track.raw_xy.astype(np.float64) - track.xy, axis=-1)
    return np.asarray(apart.mean(1) / track.eye_px * 100)


def turned_deg(track: PersonTrack, others: Sequence[PersonTrack]) -> Values:
    """Return the larger one of the absolute yaw and pitch of the head."""
    del others
    return np.asarray(np.abs(track.rotation_deg[:, :2]).max(1), np.float64)


def jump_percent(track: PersonTrack, others: Sequence[PersonTrack]) -> Values:
    """Return the median step of the landmarks from the frame before, where it is a jump.

    A jump is three times as long as the median step in the quarter of a second on either side,
    which fast motion of a head is not. Other frames have 0.
    """
    del others
    steps = np.full(len(track), np.nan)
    moved = np.linalg.norm(np.diff(track.xy.astype(np.float64), axis=0), axis=-1)
    steps[1:] = np.median(moved, axis=1) / track.eye_px * 100
    usual = _median_of_neighbours(steps, track.time_s)
    return np.where(
        steps > _TIMES_NEIGHBOURS * usual, steps, np.where(np.isfinite(steps), 0.0, steps)
    )


def _median_of_neighbours(values: Values, times_s: Values) -> Values:
    """Return the median of the values around each one, without it; 0 where there are none."""
    interval_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0
    half = max(1, round(_NEIGHBOURS_S / max(interval_s, 1e-3)))
    padded = np.pad(values, half, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1).copy()
    windows[:, half] = np.nan
    known = np.isfinite(windows).any(1)
    medians = np.zeros(len(values))
    medians[known] = np.nanmedian(windows[known], axis=1)
    return medians


def overlap_percent(track: PersonTrack, others: Sequence[PersonTrack]) -> Values:
    """Return the largest overlap with another face, in percent of the smaller one's box."""
    values = np.zeros(len(track))
    low, high = _box(track)
    area = np.prod(high - low, axis=1)
    for other in others:
        other_low, other_high = _box(other)
        shared = np.clip(np.minimum(high, other_high) - np.maximum(low, other_low), 0.0, None)
        smaller = np.minimum(area, np.prod(other_high - other_low, axis=1))
        percent = np.prod(shared, axis=1) / np.maximum(smaller, 1e-9) * 100
        values = np.fmax(values, np.where(np.isfinite(percent), percent, 0.0))
    return np.where(track.present, values, np.nan)


def pause_s(track: PersonTrack, others: Sequence[PersonTrack]) -> Values:
    """Return the time since the frame before, where frames of the video are missing between.

    Frames are missing where the pause is longer than usual, or where indices are skipped. If they
    are missing at the start or the end of the video, the first or the last frame has their
    duration.
    """
    del others
    gaps, steps = np.diff(track.time_s), np.diff(track.frame)
    values = np.full(len(track), np.nan)
    if len(gaps):
        missing = (gaps > _TIMES_INTERVAL * np.median(gaps)) | (steps > np.median(steps))
        values[1:][missing] = gaps[missing]
        for place, count in ((0, track.missing_before), (-1, track.missing_after)):
            if count:
                values[place] = np.fmax(values[place], count * np.median(gaps))
    return values


def _box(track: PersonTrack) -> tuple[Floats, Floats]:
    return track.xy.min(1).astype(np.float64), track.xy.max(1).astype(np.float64)


DOUBT_KINDS = (
    DoubtKind(
        "missing",
        UserText("face not found"),
        Parameter(
            "missing_s",
            UserText("Missing for more than"),
            default=0.0,
            least=0.0,
            unit="s",
            shown_most=3600.0,
            help=UserText("A face that is missing for longer, between two frames with it."),
        ),
        missing_s,
        lambda value: UserText("not found for {seconds:.2f} s", seconds=value),
    ),
    DoubtKind(
        "low_score",
        UserText("low score"),
        Parameter(
            "score",
            UserText("Score below"),
            default=UNCERTAIN_BELOW,
            least=0.0,
            most=1.0,
            step=0.05,
            help=UserText("Frames in which the median score of the landmarks is lower."),
        ),
        median_score,
        lambda value: UserText("score {value:.2f}", value=value),
        below=True,
    ),
    DoubtKind(
        "hidden",
        UserText("hidden landmarks"),
        Parameter(
            "hidden",
            UserText("Hidden landmarks above"),
            default=25.0,
            least=0.0,
            most=100.0,
            step=5.0,
            unit="%",
            help=UserText("Frames in which more landmarks have a score below 0.6."),
        ),
        hidden_percent,
        lambda value: UserText("{percent:.0f} % of the landmarks hidden", percent=value),
    ),
    DoubtKind(
        "apart",
        UserText("raw and stabilized apart"),
        Parameter(
            "apart",
            UserText("Raw and stabilized apart by more than"),
            default=4.0,
            least=0.0,
            step=0.5,
            unit="%",
            shown_most=1000.0,
            help=UserText(
                "Frames in which the stabilizer moves the landmarks further, in % of the eye "
                "distance."
            ),
        ),
        apart_percent,
        lambda value: UserText("raw and stabilized {percent:.1f} % apart", percent=value),
    ),
    DoubtKind(
        "turned",
        UserText("head turned far"),
        Parameter(
            "turned_deg",
            UserText("Head turned by more than"),
            default=60.0,
            least=0.0,
            most=180.0,
            step=5.0,
            unit="°",
            help=UserText("Frames in which the yaw or the pitch of the head is larger."),
        ),
        turned_deg,
        lambda value: UserText("head turned by {degrees:.0f}°", degrees=value),
    ),
    DoubtKind(
        "jump",
        UserText("jump"),
        Parameter(
            "jump",
            UserText("Jump of more than"),
            default=10.0,
            least=0.0,
            unit="%",
            step=1.0,
            shown_most=1000.0,
            help=UserText(
                "Frames in which the landmarks jump further from the frame before, in % of the "
                "eye distance, while they move little before and after."
            ),
        ),
        jump_percent,
        lambda value: UserText("jump by {percent:.0f} % of the eye distance", percent=value),
    ),
    DoubtKind(
        "identity",
        UserText("identity uncertain"),
        Parameter(
            "overlap",
            UserText("Overlap of two faces above"),
            default=25.0,
            least=0.0,
            most=100.0,
            step=5.0,
            unit="%",
            help=UserText(
                "Frames in which another face covers more of this one, so that the two may "
                "exchange their numbers."
            ),
        ),
        overlap_percent,
        lambda value: UserText("another face overlaps by {percent:.0f} %", percent=value),
    ),
    DoubtKind(
        "damaged",
        UserText("frames missing"),
        Parameter(
            "pause_s",
            UserText("Pause of the video above"),
            default=0.0,
            least=0.0,
            unit="s",
            shown_most=3600.0,
            help=UserText(
                "Places at which frames of the video are missing, since they are damaged or were "
                "not recorded."
            ),
        ),
        pause_s,
        lambda value: UserText("frames are missing for {seconds:.2f} s", seconds=value),
    ),
)
