"""OSC messages of the Virtual Motion Capture (VMC) protocol (https://protocol.vmc.info).

Each frame is one bundle: `/VMC/Ext/OK 1 3 0 TRACKED`, the head as `/VMC/Ext/Bone/Pos`, a
`/VMC/Ext/Blend/Val` for each blend shape, and `/VMC/Ext/Blend/Apply`. It describes the first face;
while that face is lost, only the first message is sent. The head's rotation is relative to a face
that looks into the camera, see `pose_axes.unity_quaternion`. Its position is 0 0 0, because the
avatar defines where a bone is.

Eyelids and jaw have names that every VRM avatar knows, and the other blend shapes have ARKit's
names. No blend shape is sent under two names, because an avatar would then move twice as far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.streaming.expressions import openness
from steadymark.engine.streaming.first_face import first_face
from steadymark.engine.streaming.neutral_face import NeutralFace
from steadymark.engine.streaming.pose_axes import unity_quaternion
from steadymark.engine.streaming.targets import LOOPBACK, TARGETS, TargetKind
from steadymark.engine.streaming.udp import UdpSocket
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import TrackedFace, TrackResult
    from steadymark.engine.streaming.targets import StreamTarget

Message = tuple[str, tuple[str | int | float, ...]]


def shapes(features: dict[str, float]) -> dict[str, float]:
    """Convert expression features to blend shapes.

    Args:
        features: Features by name; see `expressions.features`.

    Returns:
        Blend shapes in [0, 1] by name; L and R are the person's left and right.
    """

    def more(name: str) -> float:
        return max(0.0, features[name])

    def less(name: str) -> float:
        return max(0.0, -features[name])

    both = {}
    for side, ending in (("l", "Left"), ("r", "Right")):
        up, out = less(f"mouth_corner_updown_{side}"), more(f"mouth_corner_inout_{side}")
        both[f"mouthSmile{ending}"] = (up + out) / 2
        both[f"browOuterUp{ending}"] = more(f"eyebrow_updown_{side}")
        both[f"browDown{ending}"] = less(f"eyebrow_updown_{side}")
    return {
        "Blink_L": 1.0 - openness(features["eye_l"]),
        "Blink_R": 1.0 - openness(features["eye_r"]),
        "A": more("mouth_open"),
        "mouthPucker": less("mouth_wide"),
        "browInnerUp": (more("eyebrow_steepness_l") + more("eyebrow_steepness_r")) / 2,
        **both,
    }


def messages(
    face: TrackedFace | None, time_s: float = 0.0, neutral: NeutralFace | None = None
) -> list[Message]:
    """Return the OSC addresses and values of one frame.

    Args:
        face: The tracked face; without a face or its pose, the message says that nothing is
            tracked.
        time_s: Time of the frame in seconds.
        neutral: The person's neutral face, which learns from this one; None for the mean person's.

    Returns:
        Pairs of address and values.
    """
    expression = None if face is None else (neutral or NeutralFace()).features(face, time_s)
    if face is None or face.pose is None or expression is None:
        return [("/VMC/Ext/OK", (1, 3, 0, 0))]
    head = ("Head", 0.0, 0.0, 0.0, *unity_quaternion(face.pose))
    values = shapes(expression)
    return [
        ("/VMC/Ext/OK", (1, 3, 0, 1)),
        ("/VMC/Ext/Bone/Pos", head),
        *(("/VMC/Ext/Blend/Val", (name, value)) for name, value in values.items()),
        ("/VMC/Ext/Blend/Apply", ()),
    ]


class VmcWriter:
    """Sends one OSC bundle per frame; needs python-osc."""

    def __init__(self, target: StreamTarget) -> None:
        self.socket, self._neutral = UdpSocket(target), NeutralFace()

    def open(self) -> None:
        """Open the socket.

        Raises:
            ImportError: python-osc is missing.
            SinkError: The host cannot be reached.
        """
        import pythonosc.osc_bundle_builder  # noqa: F401

        self.socket.open()

    def send(self, result: TrackResult) -> tuple[int, int]:
        face, time_s = first_face(result), result.frame.pts_s
        accepted = self.socket.send(bundle(messages(face, time_s, self._neutral)))
        return int(accepted), int(not accepted)

    @property
    def has_receiver(self) -> bool | None:
        return self.socket.has_receiver

    def choose_neutral(self) -> None:
        self._neutral.choose_next()

    def close(self) -> None:
        self.socket.close()


def bundle(contents: list[Message]) -> bytes:
    """Encode messages as one OSC bundle that takes effect immediately."""
    from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscBundleBuilder(IMMEDIATELY)
    for address, values in contents:
        message = OscMessageBuilder(address)
        for value in values:
            message.add_arg(value)
        builder.add_content(message.build())
    data: bytes = builder.build().dgram
    return data


TARGETS.add(
    TargetKind(
        "vmc",
        UserText("VMC"),
        UserText(
            "Head and expression of the first face, by OSC, for avatars of the Virtual Motion "
            "Capture protocol."
        ),
        f"{LOOPBACK}:39540",
        VmcWriter,
        package="python-osc",
        extra="network",
    )
)
