"""The user's choices, the state of the source, and the display that follows from both."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.app.session.analysis.variants import RAW_AND_STABILIZED, VariantPair

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)


class Phase(StrEnum):
    """What the program does with the recording or live view."""

    EMPTY = "empty"
    OPENING = "opening"
    TRACKING = "tracking"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"  # a live view that can be started again


class ShownLandmarks(StrEnum):
    """Which landmarks are drawn."""

    OFF = "off"
    RAW = "raw"
    STABILIZED = "stabilized"
    BOTH = "both"


class ComparisonLayout(StrEnum):
    """How both sets of landmarks are drawn: overlaid, divided by a line, or beside each other."""

    TOGETHER = "together"
    WIPE = "wipe"
    SIDE = "side"


@dataclass(frozen=True, slots=True)
class OverlayOptions:
    """What is drawn over the picture.

    Attributes:
        scores: Points are coloured by score.
        drawings: Names of the drawings of face attributes, such as `axes`.
    """

    points: bool = True
    contours: bool = True
    numbers: bool = False
    boxes: bool = False
    ids: bool = False
    scores: bool = False
    trails: bool = False
    crop: bool = False
    truth: bool = True
    heatmaps: bool = False
    drawings: tuple[str, ...] = ()

    def shows(self, name: str) -> bool:
        """Return whether this overlay or drawing is drawn."""
        return bool(getattr(self, name, name in self.drawings))

    def toggled(self, name: str) -> OverlayOptions:
        """Return the options with this overlay or drawing switched on or off."""
        changes: dict[str, Any] = {name: not self.shows(name)}
        if not hasattr(self, name):
            others = tuple(each for each in self.drawings if each != name)
            changes = {"drawings": others if name in self.drawings else (*others, name)}
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class UserState:
    """What the user chose.

    Attributes:
        frame: The frame to show.
        playing: Whether the recording plays.
        speed: The factor of the playing speed.
        loop: The first and last frame of the loop.
        loop_start: The start of a loop whose end is not chosen yet.
        shown_landmarks: Which landmarks are drawn.
        layout: How both sets of landmarks are drawn.
        wipe: The position of the dividing line, in [0, 1] of the picture's width.
        overlay: What is drawn over the picture.
        face: The face whose measures are shown. None means the first face.
        landmark: The landmark whose position is plotted.
    """

    frame: int = 0
    playing: bool = False
    speed: float = 1.0
    loop: tuple[int, int] | None = None
    loop_start: int | None = None
    shown_landmarks: ShownLandmarks = ShownLandmarks.STABILIZED
    layout: ComparisonLayout = ComparisonLayout.TOGETHER
    wipe: float = 0.5
    overlay: OverlayOptions = field(default_factory=OverlayOptions)
    face: int | None = None
    landmark: int = 30


@dataclass(frozen=True, slots=True)
class LiveState:
    """The state of a camera or stream.

    Attributes:
        mirrored: Whether the picture on the screen is mirrored.
        recording: The file name of the recording without suffix, or an empty text.
    """

    mirrored: bool = False
    recording: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SourceState:
    """The state of the open recording or live view.

    Attributes:
        phase: What the program does with it.
        name: Its name.
        path: Its path or address.
        size: Width and height in pixels.
        fps: The frame rate, or None if it is unknown.
        times_s: (frames,), the times of the frames; empty without a recording.
        shown: The frame on the screen, -1 without one.
        share: The share of frames that are processed: with a face, without one, or damaged.
        device: The device that the networks run on.
        failure: Why tracking stopped.
        kept_since_s: When results that were kept on disk were finished, in seconds since the epoch;
            0 if this program tracked them.
        table: The name of the table that the results come from; empty if they were tracked.
        live: The state of the live view, or None without one.
        faces_seen: The largest number of faces that the detector saw in a frame, tracked or not.
        max_faces: The largest number of faces that are tracked; 0 if nothing is tracked.
    """

    phase: Phase = Phase.EMPTY
    name: str = ""
    path: str = ""
    size: tuple[int, int] = (0, 0)
    fps: float | None = None
    times_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    shown_frame: int = -1
    share: float = 0.0
    device: str = ""
    failure: str = ""
    kept_since_s: float = 0.0
    table: str = ""
    live: LiveState | None = None
    faces_seen: int = 0
    max_faces: int = 0


@dataclass(frozen=True, slots=True)
class Display:
    """Everything that the widgets show and allow, except pictures and plots.

    The attributes that are not described here are those of `SourceState` and `UserState`.

    Attributes:
        frame: The index of the displayed frame, 0 without one.
        last: The index of the last frame, -1 without a recording.
        time_s: The time of the displayed frame in seconds, 0 without one.
        duration_s: The duration of the recording in seconds.
        can_step_back: Whether there is a frame before the displayed one.
        can_step_forward: Whether there is a frame after the displayed one.
        can_track: Whether tracking can continue.
        can_pause: Whether tracking can pause.
        can_export: Whether tracked frames can be exported.
        can_export_plots: Whether plots can be exported.
        can_record: Whether the live view can be recorded.
        live: The state of the live view, or None without one. Only controls that exist in a live
            view alone depend on it.
        opening: The name of a recording that will replace what is shown, or an empty text.
        truth: The name of the ground truth, or an empty text.
        variants: The two variants that are compared when both are shown.
    """

    phase: Phase
    name: str
    path: str
    size: tuple[int, int]
    fps: float | None
    frame: int
    last: int
    time_s: float
    duration_s: float
    share: float
    device: str
    failure: str
    playing: bool
    speed: float
    loop: tuple[int, int] | None
    loop_start: int | None
    shown_landmarks: ShownLandmarks
    layout: ComparisonLayout
    wipe: float
    overlay: OverlayOptions
    landmark: int
    can_step_back: bool
    can_step_forward: bool
    can_track: bool
    can_pause: bool
    can_export: bool
    can_export_plots: bool
    can_record: bool
    live: LiveState | None = None
    kept_since_s: float = 0.0
    table: str = ""
    opening: str = ""
    truth: str = ""
    variants: VariantPair = RAW_AND_STABILIZED

    @property
    def has_recording(self) -> bool:
        """Whether a recording is open."""
        return self.last >= 0

    @property
    def has_source(self) -> bool:
        """Whether there is a recording or a live view."""
        return self.has_recording or self.live is not None

    @property
    def newest_only(self) -> bool:
        """Whether only the newest picture can be shown, because it is live."""
        return self.live is not None

    @property
    def mirrored(self) -> bool:
        """Whether the picture on the screen is mirrored."""
        return self.live is not None and self.live.mirrored


def resolve_display(user_state: UserState, state: SourceState) -> Display:
    """Combine the user's choices with the state of the source.

    A choice that is not possible at present is left out of the display.
    """
    last = len(state.times_s) - 1
    frame = min(max(state.shown_frame, 0), max(last, 0))
    has_recording = last >= 0
    playing = (user_state.playing and has_recording) or state.phase in (
        Phase.LIVE,
        Phase.RECONNECTING,
    )
    can_export = has_recording and state.share > 0
    return Display(
        phase=state.phase,
        name=state.name,
        path=state.path,
        size=state.size,
        fps=state.fps,
        frame=frame,
        last=last,
        time_s=float(state.times_s[frame]) if has_recording else 0.0,
        duration_s=duration_s(state.times_s),
        share=state.share,
        device=state.device,
        failure=state.failure,
        playing=playing,
        speed=user_state.speed,
        loop=user_state.loop if has_recording else None,
        loop_start=user_state.loop_start if has_recording else None,
        shown_landmarks=user_state.shown_landmarks,
        layout=user_state.layout
        if user_state.shown_landmarks is ShownLandmarks.BOTH
        else ComparisonLayout.TOGETHER,
        wipe=user_state.wipe,
        overlay=user_state.overlay,
        landmark=user_state.landmark,
        can_step_back=has_recording and frame > 0,
        can_step_forward=has_recording and frame < last,
        can_track=state.phase in (Phase.PAUSED, Phase.FAILED) and has_recording,
        can_pause=state.phase is Phase.TRACKING,
        can_export=can_export,
        can_export_plots=can_export or state.live is not None,
        can_record=state.live is not None and playing,
        live=state.live,
        kept_since_s=state.kept_since_s,
        table=state.table,
    )


def duration_s(times_s: NDArray[np.float64]) -> float:
    """Return the time at which the last frame ends, if it lasts as long as the median frame."""
    if len(times_s) < 2:
        return 0.0
    return float(times_s[-1] + np.median(np.diff(times_s)))


def frame_at_time(times_s: NDArray[np.float64], time_s: float) -> int:
    """Return the frame that is displayed at a time, limited to the first and last frame."""
    index = int(np.searchsorted(times_s, time_s + 1e-6, "right")) - 1
    return min(max(index, 0), max(0, len(times_s) - 1))


def clock_text(time_s: float) -> str:
    """Format a time as m:ss.mmm, with hours if there are any."""
    ms = max(0, round(time_s * 1000))
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{minutes:02}" if hours else f"{minutes}"
    text = f"{tail}:{rest // 1000:02}.{rest % 1000:03}"
    return f"{hours}:{text}" if hours else text


def parse_frame(text: str, times_s: NDArray[np.float64]) -> int | None:
    """Return the frame that a text names.

    `f120` and `120` are numbers; `1:23.4` and `83.4s` are times. Returns None for another text. A
    number beyond the end gives the last frame.
    """
    text = text.strip().lower()
    try:
        if ":" in text or text.endswith("s") or "." in text:
            seconds = 0.0
            for part in text.removesuffix("s").split(":"):
                value = float(part)
                if not 0 <= value < float("inf"):
                    return None
                seconds = seconds * 60 + value
            return frame_at_time(times_s, seconds)
        number = int(text.removeprefix("f"))
    except ValueError:
        return None
    return min(max(number, 0), max(0, len(times_s) - 1)) if number >= 0 else None
