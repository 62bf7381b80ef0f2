"""Output to Lab Streaming Layer (LSL): a stream with the first face of each frame.

The float32 channels (see CHANNELS) have names and units in the stream's description; the rate is
irregular. A frame without the face is a sample of NaN. Time stamps are the time, in LSL's clock, at
which the frame left the camera or decoder.

The stream is announced on this machine only, unless the user has an LSL configuration (lsl_api.cfg,
or LSLAPICFG), which then applies.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.attributes.head_pose_attribute import POSE
from steadymark.engine.core.errors import SinkError
from steadymark.engine.face3d.face_fit import POINTS
from steadymark.engine.output.csv.columns import numbered
from steadymark.engine.streaming.first_face import first_face
from steadymark.engine.streaming.targets import TARGETS, TargetKind, stream_name
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.engine.core.types import TrackedFace, TrackResult
    from steadymark.engine.streaming.targets import StreamTarget

CHANNELS = ("face_id", "score", *POSE, *numbered("x", POINTS), *numbered("y", POINTS))
_UNITS = {
    "face_id": "",
    "score": "",
    **dict.fromkeys(POSE[:3], "mm"),
    **dict.fromkeys(POSE[3:], "rad"),
}
_LOCAL_CONFIGURATION = """
[ports]
IPv6 = disable
[multicast]
ResolveScope = machine
ListenAddress = 127.0.0.1
[log]
level = -2
"""
_CONFIGURATION_FILES = ("lsl_api.cfg", "~/lsl_api/lsl_api.cfg", "/etc/lsl_api/lsl_api.cfg")
_CLOCK_READINGS = 5  # Readings of both clocks.
_BUFFERED_S = 10  # For a receiver that stalls; LSL counts a second as 100 samples.
_configuring = Lock()
_library: Any = None


def sample(face: TrackedFace | None) -> NDArray[np.float32]:
    """Return the LSL sample of a face.

    Args:
        face: The tracked face; None while it is lost.

    Returns:
        Values, (144,) float32, in the order of CHANNELS; NaN where they are unknown.
    """
    values = np.full(len(CHANNELS), np.nan, np.float32)
    if face is None or face.stabilized is None:
        return values
    values[0], values[1] = face.face_id, face.score
    if face.pose is not None:
        values[2:8] = *face.pose.position_mm, *face.pose.rotation_rad
    values[8:] = face.stabilized.xy_px.T.ravel()
    return values


class LslWriter:
    """Sends the first face of each frame as an LSL stream; needs pylsl.

    The place of the target is the stream's name.
    """

    def __init__(self, target: StreamTarget) -> None:
        self._name = target.place
        self._outlet: Any = None
        self._clock_s = 0.0

    def open(self) -> None:
        """Open the stream.

        Raises:
            ImportError: pylsl or its library is missing.
            SinkError: pylsl is too old.
        """
        pylsl = library()
        info = pylsl.StreamInfo(
            self._name,
            "Face",
            len(CHANNELS),
            pylsl.IRREGULAR_RATE,
            pylsl.cf_float32,
            f"steadymark {self._name}",  # Receivers recognize the stream after a restart.
        )
        channels = info.desc().append_child("channels")
        for name in CHANNELS:
            channel = channels.append_child("channel")
            channel.append_child_value("label", name)
            channel.append_child_value("unit", _UNITS.get(name, "px"))
        info.desc().append_child_value("manufacturer", "Steadymark")
        self._outlet = pylsl.StreamOutlet(info, max_buffered=_BUFFERED_S)
        # The largest of several readings is the least delayed between the two clocks.
        self._clock_s = max(
            pylsl.local_clock() - time.perf_counter() for _ in range(_CLOCK_READINGS)
        )

    def send(self, result: TrackResult) -> tuple[int, int]:
        time_s = result.frame.captured_s or time.perf_counter()
        self._outlet.push_sample(sample(first_face(result)), self._clock_s + time_s)
        return 1, 0

    @property
    def has_receiver(self) -> bool | None:
        outlet = self._outlet
        return None if outlet is None else bool(outlet.have_consumers())

    def close(self) -> None:
        self._outlet = None  # This ends the stream.


def library() -> Any:
    """Import pylsl once; it stays on this machine unless the user has an LSL configuration.

    Returns:
        The module.

    Raises:
        ImportError: pylsl or its library is missing.
        SinkError: pylsl is too old to be configured.
    """
    global _library
    with _configuring:
        if _library is not None:
            return _library
        try:
            import pylsl
        except (RuntimeError, OSError) as error:  # pylsl does not find its library
            raise ImportError(str(error)) from error
        own = [os.environ.get("LSLAPICFG", ""), *_CONFIGURATION_FILES]
        if not any(path and Path(path).expanduser().is_file() for path in own):
            try:
                pylsl.set_config_content(_LOCAL_CONFIGURATION)
            except (AttributeError, NotImplementedError) as error:
                raise SinkError(
                    "the installed LSL library is too old to stay on this computer: pip "
                    "install --upgrade 'steadymark[network]'"
                ) from error
        _library = pylsl
        return pylsl


TARGETS.add(
    TargetKind(
        "lsl",
        UserText("LSL"),
        UserText(
            "Landmarks and head pose of the first face, as a stream of the Lab Streaming Layer."
        ),
        "Steadymark",
        LslWriter,
        stream_name,
        UserText("name of the stream"),
        package="pylsl",
        extra="network",
    )
)
