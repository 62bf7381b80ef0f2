"""OpenSeeFace packets: 1785 bytes per face, little-endian, for any receiver of OpenSeeFace.

OpenSeeFace has 66 landmarks and two pupils. Up to 47 they are those of iBUG. It leaves out the
outer mouth corners (48, 54), so the edge of the upper lip is at 48…52, the edge of the lower lip at
53…57, and the inner lips with their corners at 58…65. (It has one corner per side. That this is the
inner one follows from its mean face and its order, but is not documented.) Pupils are not tracked:
the centres of the eyes are sent with confidence 0 and the eyeballs behind them, so the gaze is
straight ahead.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.errors import PacketError
from steadymark.engine.face3d.head_pose import mean_face
from steadymark.engine.streaming.expressions import MEASURES, openness, solid_points
from steadymark.engine.streaming.neutral_face import NeutralFace
from steadymark.engine.streaming.pose_axes import OsfPose, unit_mm
from steadymark.engine.streaming.targets import LOOPBACK, TARGETS, TargetKind
from steadymark.engine.streaming.udp import UdpSocket
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import Frame, Landmarks, TrackedFace, TrackResult
    from steadymark.engine.streaming.targets import StreamTarget

Array = NDArray[np.float64]
FEATURES = tuple(MEASURES)
LAYOUT = np.dtype(
    [
        ("time", "<f8"),
        ("id", "<i4"),
        ("size", "<f4", 2),
        ("open", "<f4", 2),
        ("success", "u1"),
        ("error", "<f4"),
        ("quaternion", "<f4", 4),
        ("euler", "<f4", 3),
        ("translation", "<f4", 3),
        ("confidence", "<f4", 68),
        ("points", "<f4", (68, 2)),
        ("points_3d", "<f4", (70, 3)),
        ("features", "<f4", len(FEATURES)),
    ]
)
_KEPT = [i for i in range(68) if i not in (48, 54)]
_EYES = ([36, 39], [42, 45])  # Corners of the right and the left eye.
_EYEBALL = 0.385  # Radius of the eyeball in widths of the eye, as in OpenSeeFace.
_LARGEST = 65_535
_MOST_KEPT = 16  # neutral faces of people who are not in the image, the latest ones


@dataclass(frozen=True, slots=True, eq=False)
class OsfFace:
    """One face of an OpenSeeFace packet.

    Attributes:
        time_s: Seconds since 1970.
        face_id: Id of the face.
        size: Width and height of the image, in pixels.
        right_open: How far the person's right eye is open: 1 open, 0 closed.
        left_open: How far the person's left eye is open: 1 open, 0 closed.
        success: Whether there is a pose; without one, everything derived from it is 0.
        error_px: Error of the pose fit, in pixels.
        quaternion: Rotation, (4,); see `pose_axes.OsfPose`.
        euler_deg: Rotation, (3,), in degrees; see `pose_axes.OsfPose`.
        translation: Position, (3,), in OpenSeeFace's unit.
        confidence: Confidence of each landmark, (68,).
        points_px: Landmarks, (68, 2), in pixels.
        points_3d: Landmarks in 3-D, (70, 3), in a frontal pose with the tip of the nose at 0: x to
            the person's right, y down, z into the head; pupils and eyeballs come last.
        features: Expression features by name; see `expressions.features`.
    """

    time_s: float
    face_id: int
    size: tuple[float, float]
    right_open: float
    left_open: float
    success: bool
    error_px: float
    quaternion: Array
    euler_deg: Array
    translation: Array
    confidence: Array
    points_px: Array
    points_3d: Array
    features: dict[str, float]


def osf_packet(
    face: TrackedFace, frame: Frame, time_s: float, neutral: NeutralFace | None = None
) -> bytes:
    """Encode a face as an OpenSeeFace packet.

    Args:
        face: The face, with 68 stabilized landmarks.
        frame: The frame that shows it.
        time_s: Seconds since 1970.
        neutral: The person's neutral face, which learns from this one; None for the mean person's.

    Returns:
        1785 bytes.
    """
    assert face.stabilized is not None
    row = np.zeros((), LAYOUT)
    row["time"], row["id"], row["size"] = time_s, face.face_id, (frame.width, frame.height)
    row["open"] = 1.0
    row["confidence"][:66] = face.stabilized.score[_KEPT]
    row["points"] = _with_pupils(face.stabilized.xy_px)
    solid = solid_points(face)
    if solid is not None and face.pose is not None:
        pose, expression = OsfPose(face.pose), (neutral or NeutralFace()).features(face, time_s)
        assert expression is not None
        row["open"] = openness(expression["eye_r"]), openness(expression["eye_l"])
        row["success"], row["error"] = 1, _error_px(face.stabilized, face)
        row["quaternion"], row["euler"] = pose.quaternion, pose.euler_deg
        row["translation"], row["points_3d"] = pose.translation, _points_3d(solid)
        row["features"] = list(expression.values())
    return row.tobytes()


def parse_osf_packet(data: bytes) -> tuple[OsfFace, ...]:
    """Decode a datagram, which may hold several faces.

    Args:
        data: The datagram.

    Returns:
        The faces.

    Raises:
        PacketError: The data are not OpenSeeFace packets.
    """
    if not data or len(data) % LAYOUT.itemsize or len(data) > _LARGEST:
        raise PacketError(
            "an OpenSeeFace packet has {itemsize} bytes a face, not {given} bytes",
            itemsize=LAYOUT.itemsize,
            given=len(data),
        )
    rows = np.frombuffer(data, LAYOUT)
    for name in LAYOUT.names or ():
        if not np.isfinite(rows[name]).all():
            raise PacketError("an OpenSeeFace packet has a '{name}' that is no number", name=name)
    if (rows["success"] > 1).any():
        raise PacketError("an OpenSeeFace packet has a 'success' that is neither 0 nor 1")
    return tuple(_face(row) for row in rows)


class OsfWriter:
    """Sends one datagram for each face of a frame; a lost face has none."""

    def __init__(self, target: StreamTarget) -> None:
        self.socket = UdpSocket(target)
        self._since_1970_s = 0.0
        self._neutral: dict[int, NeutralFace] = defaultdict(NeutralFace)

    def open(self) -> None:
        self.socket.open()
        self._since_1970_s = time.time() - time.perf_counter()

    def send(self, result: TrackResult) -> tuple[int, int]:
        faces = [face for face in result.faces if face.stabilized is not None]
        time_s = self._since_1970_s + (result.frame.captured_s or time.perf_counter())
        frame, accepted = result.frame_with_image, []
        shown = {face.face_id for face in faces}
        for gone in [face_id for face_id in self._neutral if face_id not in shown][:-_MOST_KEPT]:
            del self._neutral[gone]
        for face in faces:
            packet = osf_packet(face, frame, time_s, self._neutral[face.face_id])
            accepted.append(self.socket.send(packet))
        return sum(accepted), len(accepted) - sum(accepted)

    @property
    def has_receiver(self) -> bool | None:
        return self.socket.has_receiver

    def choose_neutral(self) -> None:
        for neutral in self._neutral.values():
            neutral.choose_next()

    def close(self) -> None:
        self.socket.close()


def _with_pupils(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert iBUG landmarks (68, 2 or 3) to OpenSeeFace's 66 and the centres of the eyes."""
    middles = [points[corners].mean(0) for corners in _EYES]
    return np.vstack((points[_KEPT], *(middle[None] for middle in middles)))


def _points_3d(solid: Array) -> Array:
    placed = (solid - solid[30]) * (-1, 1, 1) / unit_mm()
    points = _with_pupils(placed.astype(np.float32)).astype(np.float64)
    balls = points[66:].copy()
    for ball, (outer, inner) in zip(balls, _EYES, strict=True):
        ball[2] += _EYEBALL * np.linalg.norm(placed[outer] - placed[inner])
    both: Array = np.vstack((points, balls))
    return both


def _error_px(points: Landmarks, face: TrackedFace) -> float:
    """Return the root mean square distance per axis from the projected mean face, in pixels."""
    assert face.pose is not None
    off = face.pose.project(mean_face()) - points.xy_px
    return float(np.sqrt((off**2).mean()))


def _face(row: np.void) -> OsfFace:
    def values(name: str) -> Array:
        return np.asarray(row[name], np.float64)

    right, left = (float(v) for v in row["open"])
    width, height = (float(v) for v in row["size"])
    return OsfFace(
        float(row["time"]),
        int(row["id"]),
        (width, height),
        right,
        left,
        bool(row["success"]),
        float(row["error"]),
        values("quaternion"),
        values("euler"),
        values("translation"),
        values("confidence"),
        values("points"),
        values("points_3d"),
        dict(zip(FEATURES, values("features").tolist(), strict=True)),
    )


TARGETS.add(
    TargetKind(
        "osf",
        UserText("OpenSeeFace"),
        UserText(
            "Landmarks, head pose and expression of every face, as OpenSeeFace's UDP packets, for "
            "VSeeFace, VTube Studio and others."
        ),
        f"{LOOPBACK}:11573",
        OsfWriter,
    )
)
