"""OSC messages of the Virtual Motion Capture (VMC) protocol (https://protocol.vmc.info).

Each frame has `/VMC/Ext/OK 1 3 0 TRACKED`, the place of the head, its rotation as
`/VMC/Ext/Bone/Pos Head`, a `/VMC/Ext/Blend/Val` for each blend shape, and `/VMC/Ext/Blend/Apply`.
It describes the first face; while that face is lost, only the first message is sent. The head's
rotation is relative to a face that looks into the camera, see `pose_axes.unity_quaternion`.

The protocol has no message for the place of a head alone. The position of a bone is local: it is
the length of the neck, which the avatar defines, so that it stays 0 0 0. The offset from the
neutral place (`pose_axes.HeadPlace`) is therefore sent in the way that the option `position`
chooses: as `/VMC/Ext/Root/Pos`, which moves the whole avatar, or as `/VMC/Ext/Tra/Pos`, a virtual
tracker named `steadymark-head`, which is what assistants send to performers.

The option `shapes` chooses the names of blend shapes. `arkit`: ARKit's 52 names, which avatars for
"perfect sync" have. `vrm`: the eyelids and vowels that every VRM avatar has. No blend shape is sent
under two names, because an avatar would then move twice as far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadymark.engine.expressions.arkit import SHAPES
from steadymark.engine.expressions.expression_settings import AS_MEASURED, character_face
from steadymark.engine.streaming.first_face import first_face
from steadymark.engine.streaming.osc import osc_bundles
from steadymark.engine.streaming.pose_axes import HeadPlace, unity_quaternion
from steadymark.engine.streaming.target_options import TargetOption
from steadymark.engine.streaming.targets import LOOPBACK, TARGETS, TargetKind
from steadymark.engine.streaming.udp import UdpSocket
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.engine.core.types import TrackedFace, TrackResult
    from steadymark.engine.expressions.expression_settings import ExpressionSettings
    from steadymark.engine.streaming.osc import Message
    from steadymark.engine.streaming.targets import StreamTarget

TRACKER = "steadymark-head"  # name of the virtual tracker
_UNTURNED = (0.0, 0.0, 0.0, 1.0)
_SHAPES = TargetOption(
    "shapes",
    UserText("Shapes"),
    UserText("Names of the blend shapes that the avatar has."),
    {
        "arkit": UserText("ARKit (perfect sync)"),
        "vrm": UserText("VRM (eyelids and vowels)"),
    },
)
_POSITION = TargetOption(
    "position",
    UserText("Position"),
    UserText("How the movement of the head is sent."),
    {
        "root": UserText("moves the avatar"),
        "tracker": UserText("as a virtual tracker"),
        "none": UserText("not sent"),
    },
)


def vrm_shapes(strengths: Mapping[str, float]) -> dict[str, float]:
    """Convert ARKit's shapes to the eyelids and vowels that every VRM avatar has.

    The vowels share the opening of the jaw and the rounding and spreading of the lips, so that
    their sum is never above 1. VRM's moods (Joy, Angry, …) are not sent: they close eyes and open
    mouths on their own.

    Args:
        strengths: Strengths of ARKit's shapes by name, 0 to 1.

    Returns:
        Blend shapes of VRM 0 by name, 0 to 1; L and R are the person's left and right.
    """
    jaw = strengths["jawOpen"]
    rounded = max(strengths["mouthFunnel"], strengths["mouthPucker"])
    spread = (strengths["mouthStretchLeft"] + strengths["mouthStretchRight"]) / 2
    return {
        "Blink_L": strengths["eyeBlinkLeft"],
        "Blink_R": strengths["eyeBlinkRight"],
        "A": jaw * (1 - rounded) * (1 - spread),
        "I": (1 - jaw) * (1 - rounded) * spread,
        "U": (1 - jaw) * rounded,
        "E": jaw * (1 - rounded) * spread,
        "O": jaw * rounded,
    }


class VmcMessages:
    """Makes the messages of the frames of one stream.

    Args:
        shapes: Value of the option `shapes`.
        position: Value of the option `position`.
    """

    def __init__(self, *, shapes: str = "arkit", position: str = "root") -> None:
        self._vrm, self._position = shapes == "vrm", position
        self.place = HeadPlace()
        self.settings: ExpressionSettings = AS_MEASURED

    def of(self, face: TrackedFace | None) -> list[Message]:
        """Return the OSC addresses and values of one frame.

        Args:
            face: The tracked face; without one, or without pose or expressions, the messages say
                that nothing is tracked.

        Returns:
            Pairs of address and values.
        """
        shown = None if face is None else character_face(face, self.settings)
        if face is None or shown is None:
            return [("/VMC/Ext/OK", (1, 3, 0, 0))]
        turned = unity_quaternion(shown.pose)
        place = self.place.offset_m(face.face_id, shown.pose)
        values = dict(zip(SHAPES, shown.shapes.tolist(), strict=True))
        if self._vrm:
            values = vrm_shapes(values)
        return [
            ("/VMC/Ext/OK", (1, 3, 0, 1)),
            *self._places(place, turned),
            ("/VMC/Ext/Bone/Pos", ("Head", 0.0, 0.0, 0.0, *turned)),
            *(("/VMC/Ext/Blend/Val", (name, value)) for name, value in values.items()),
            ("/VMC/Ext/Blend/Apply", ()),
        ]

    def _places(
        self, place: tuple[float, float, float], turned: tuple[float, float, float, float]
    ) -> list[Message]:
        if self._position == "root":
            return [("/VMC/Ext/Root/Pos", ("root", *place, *_UNTURNED))]
        if self._position == "tracker":
            return [("/VMC/Ext/Tra/Pos", (TRACKER, *place, *turned))]
        return []


class VmcWriter:
    """Sends the OSC bundles of each frame; an average frame has two, of at most 1400 bytes."""

    def __init__(self, target: StreamTarget) -> None:
        self.socket, self._messages = UdpSocket(target), VmcMessages(**target.options)

    def open(self) -> None:
        self.socket.open()

    def send(self, result: TrackResult) -> tuple[int, int]:
        bundles = osc_bundles(self._messages.of(first_face(result)))
        accepted = sum(self.socket.send(data) for data in bundles)
        return accepted, len(bundles) - accepted

    @property
    def has_receiver(self) -> bool | None:
        return self.socket.has_receiver

    def choose_neutral(self) -> None:
        self._messages.place.choose_next()

    def use_expressions(self, settings: ExpressionSettings) -> None:
        self._messages.settings = settings

    def close(self) -> None:
        self.socket.close()


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
        options=(_SHAPES, _POSITION),
    )
)
