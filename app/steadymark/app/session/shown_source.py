"""What the window shows at present: a recording, or a live view of a camera or stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from steadymark.engine.core.face_frames import NO_FRAMES, FaceFrames

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance

    from steadymark.app.session.recording.results import Results
    from steadymark.app.session.state import SourceState
    from steadymark.engine.core.types import Frame
    from steadymark.engine.tracking.settings import OpenModels, TrackSettings


@dataclass(frozen=True, slots=True)
class TrackingProgress:
    """How far tracking has come.

    Attributes:
        time_s: The time of the frame that the plots mark.
        share: The share of the frames that are processed, in [0, 1].
        frames: The number of frames of the recording, or of those that a camera has delivered.
        faces: The numbers of frames processed and of frames with a face.
    """

    time_s: float = 0.0
    share: float = 0.0
    frames: int = 0
    faces: FaceFrames = NO_FRAMES


class ShownSource(Protocol):
    """Controls what the window shows. It lives in the GUI thread.

    `RecordingView` plays and tracks a recording. `LiveView` watches a camera or stream. The session
    holds one of each and shows one of them. `state.resolve_display` derives from `state` which
    commands are possible.
    """

    @property
    def changed(self) -> SignalInstance:
        """Emitted when `state` has changed."""

    @property
    def frame_changed(self) -> SignalInstance:
        """Emitted when there is a new `frame`."""

    @property
    def results_changed(self) -> SignalInstance:
        """Emitted when there are new results."""

    @property
    def message_posted(self) -> SignalInstance:
        """Emitted with a UserText: a fault or a note for the user."""

    @property
    def state(self) -> SourceState:
        """The state that the widgets show."""

    @property
    def frame(self) -> Frame | None:
        """The frame on the screen."""

    @property
    def results(self) -> Results | None:
        """The results that are painted, measured and plotted; None while nothing is open."""

    @property
    def models(self) -> OpenModels | None:
        """The networks that track; None while nothing is open."""

    @property
    def fps(self) -> float:
        """The number of frames per second of the results."""

    @property
    def settings_need_retracking(self) -> bool:
        """Whether the newest settings take effect only when the recording is tracked again."""

    @property
    def comparable(self) -> bool:
        """Whether its frames can be compared with ground truth and with other variants."""

    def progress(self) -> TrackingProgress:
        """Return how far tracking has come."""

    def use_settings(self, settings: TrackSettings) -> None:
        """Use these settings as soon as possible."""

    def toggle(self) -> None:
        """Play or pause; start the camera again or stop it."""

    def stop(self) -> None:
        """Go back to the beginning, or release the camera."""

    def export_base(self, folder: str) -> str:
        """Return the path that the names of exported files begin with.

        Args:
            folder: The folder for exports of what does not come from a file.
        """

    def frame_name(self) -> str:
        """Return what distinguishes the frame on the screen from others in file names."""

    def close(self) -> None:
        """Close what is open. The threads end later."""
