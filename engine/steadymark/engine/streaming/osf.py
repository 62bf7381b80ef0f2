"""OpenSeeFace packets: 1785 bytes per face, little-endian, for any receiver of OpenSeeFace.

OpenSeeFace has 66 landmarks and two pupils. Up to 47 they are those of iBUG. It leaves out the
outer mouth corners (48, 54), so the edge of the upper lip is at 48…52, the edge of the lower lip at
53…57, and the inner lips with their corners at 58…65. (It has one corner per side. That this is the
inner one follows from its mean face and its order, but is not documented.)

The 3D points are the landmarks at the depths of the fitted 3D face; without one, of the mean face.
The eyeballs lie behind the middle of the eye's corners, as in OpenSeeFace, and a pupil is where its
ray meets the eyeball, so that receivers, which look from the eyeball to the pupil, get the gaze. An
eye whose pupil is unknown has the centre of the eye with confidence 0: it looks straight ahead.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.errors import PacketError
from steadymark.engine.core.pupils import Pupils
from steadymark.engine.face3d.head_pose import mean_face
from steadymark.engine.streaming.mirrored_face import mirrored_face
from steadymark.engine.streaming.neutral_face import NeutralFace
from steadymark.engine.streaming.openseeface_features import MEASURES, openness
from steadymark.engine.streaming.pose_axes import OsfPose, unit_mm
from steadymark.engine.streaming.targets import LOOPBACK, TARGETS, TargetKind
from steadymark.engine.streaming.udp import UdpSocket
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.core.types import Frame, HeadPose, Landmarks, TrackedFace, TrackResult
    from steadymark.engine.expressions.expression_settings import ExpressionSettings
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
_NOSE_TIP = 30
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
        features: Expression features by name; see `openseeface_features.features`.
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
    face: TrackedFace,
    frame: Frame,
    time_s: float,
    neutral: NeutralFace | None = None,
    *,
    mirrored: bool = False,
) -> bytes:
    """Encode a face as an OpenSeeFace packet.

    Args:
        face: The face, with 68 stabilized landmarks.
        frame: The frame that shows it.
        time_s: Seconds since 1970.
        neutral: The person's neutral face, which learns from this one; None for the mean person's.
        mirrored: Whether to send the face that a mirror shows.

    Returns:
        1785 bytes.
    """
    assert face.stabilized is not None
    expression = (neutral or NeutralFace()).features(face, time_s)
    if mirrored:
        face = mirrored_face(face, frame.width)
        expression = None if expression is None else _other_sides(expression)
    assert face.stabilized is not None
    points, context = face.stabilized, None if face.attributes is None else face.attributes.context
    pupils = _seen_pupils(points, None if context is None else context.pupils)
    row = np.zeros((), LAYOUT)
    row["time"], row["id"], row["size"] = time_s, face.face_id, (frame.width, frame.height)
    row["open"] = 1.0
    row["confidence"] = (*points.score[_KEPT], *pupils.score)
    row["points"] = np.vstack((points.xy_px[_KEPT], pupils.xy_px))
    if expression is not None and face.pose is not None:
        fit = None if context is None else context.fit
        shape = mean_face() if fit is None else fit.shape
        pose = OsfPose(face.pose, shape)
        row["open"] = openness(expression["eye_r"]), openness(expression["eye_l"])
        row["success"], row["error"] = 1, _error_px(points, face.pose, shape)
        row["quaternion"], row["euler"] = pose.quaternion, pose.euler_deg
        row["translation"] = pose.translation
        row["points_3d"] = _points_3d(points, face.pose, shape, pupils)
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
        self._mirrored = False

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
            neutral = self._neutral[face.face_id]
            packet = osf_packet(face, frame, time_s, neutral, mirrored=self._mirrored)
            accepted.append(self.socket.send(packet))
        return sum(accepted), len(accepted) - sum(accepted)

    @property
    def has_receiver(self) -> bool | None:
        return self.socket.has_receiver

    def choose_neutral(self) -> None:
        for neutral in self._neutral.values():
            neutral.choose_next()

    def use_expressions(self, settings: ExpressionSettings) -> None:
        """Mirror the faces or not; gain, dead zone and curve are of shapes that OSF has not."""
        self._mirrored = settings.mirrored

    def close(self) -> None:
        self.socket.close()


def _other_sides(features: dict[str, float]) -> dict[str, float]:
    """Return the features of the mirrored face."""
    other = {"_l": "_r", "_r": "_l"}
    return {name: features[name[:-2] + other.get(name[-2:], name[-2:])] for name in features}


def _seen_pupils(points: Landmarks, pupils: Pupils | None) -> Pupils:
    """Return the pupils; one that is unknown is at the centre of the eye, with score 0."""
    middles = np.array([points.xy_px[corners].mean(0) for corners in _EYES], np.float64)
    if pupils is None:
        return Pupils(middles, np.zeros(2))
    known = np.isfinite(pupils.xy_px).all(1) & np.isfinite(pupils.score)
    return Pupils(
        np.where(known[:, None], pupils.xy_px, middles), np.where(known, pupils.score, 0.0)
    )


def _points_3d(points: Landmarks, pose: HeadPose, shape: Array, pupils: Pupils) -> Array:
    """Return the (70, 3) points of `OsfFace.points_3d`."""
    shift = np.array(pose.position_mm)
    depths = (shape @ pose.matrix.T + shift)[:, 2:]
    solid = (_rays(points.xy_px, pose) * depths - shift) @ pose.matrix
    balls = np.array([solid[corners].mean(0) for corners in _EYES])
    radii = _EYEBALL * np.array([np.linalg.norm(solid[a] - solid[b]) for a, b in _EYES])
    balls[:, 2] += radii
    fronts = balls - radii[:, None] * (0, 0, 1)
    rays = _rays(pupils.xy_px, pose) @ pose.matrix
    centre = -shift @ pose.matrix  # of the camera, in the face's axes
    seen = pupils.score > 0
    for eye in np.flatnonzero(seen):
        fronts[eye] = _on_sphere(centre, rays[eye], balls[eye], float(radii[eye]))
    placed: Array = (np.vstack((solid[_KEPT], fronts, balls)) - solid[_NOSE_TIP]) * (-1, 1, 1)
    return placed / unit_mm()


def _rays(xy_px: NDArray[np.floating], pose: HeadPose) -> Array:
    """Return the (n, 3) directions of pixels in the camera's axes, with z = 1."""
    rays = (xy_px.astype(np.float64) - pose.camera.matrix[:2, 2]) / pose.camera.focal
    return np.hstack((rays, np.ones((len(rays), 1))))


def _on_sphere(start: Array, ray: Array, middle: Array, radius: float) -> Array:
    """Return where a ray first meets a sphere, or the point of the sphere nearest to the ray."""
    ray = ray / np.linalg.norm(ray)
    along = float((middle - start) @ ray)
    nearest = start + along * ray - middle
    distance = float(np.linalg.norm(nearest))
    if distance >= radius:
        return np.asarray(middle + nearest * (radius / distance))
    return np.asarray(middle + nearest - ray * np.sqrt(radius**2 - distance**2))


def _error_px(points: Landmarks, pose: HeadPose, shape: Array) -> float:
    """Return the root mean square distance per axis from the projected 3D face, in pixels."""
    off = pose.project(shape) - points.xy_px
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
