"""The frozen values that the parts of the engine exchange; each states its shapes and units."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.rotations import rotation_matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from steadymark.engine.core.fitted_face import FaceFit
    from steadymark.engine.core.gaze import Gaze, GazeCalibration
    from steadymark.engine.core.image_order import ImageOrder
    from steadymark.engine.core.pupils import Pupils
    from steadymark.models.face.crop import Crop, Image, Points
    from steadymark.models.user_text import UserText

Scores = NDArray[np.float32]
AttributeValues = tuple[float, ...]
HEAD_POSE = "head_pose"  # name of the attribute that `TrackedFace.pose` reads
EXPRESSIONS = "expressions"  # name of the attribute with the strengths of ARKit's shapes
ACTION_UNITS = "action_units"  # name of the attribute with FACS' action units
_FOCAL, _WIDTH, _HEIGHT = 500.0, 640.0, 480.0


class FaceState(StrEnum):
    """How the landmarks of a face in a frame were obtained."""

    DETECTED = "detected"
    TRACKED = "tracked"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class FrameTime:
    """The index and the times of a frame; the fields are those of `Frame`."""

    index: int
    pts_s: float
    captured_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image of a source; the frame owns its array.

    Attributes:
        image: (H, W, 3) uint8 in BGR order, upright, with square pixels.
        index: 0-based position in presentation order.
        pts_s: Presentation time in seconds, as in the container; for cameras since the first frame.
        captured_s: Value of `time.perf_counter()` when the frame left the device or decoder.
        independent: Whether the frame is tracked without anything from the frames before it.
    """

    image: Image
    index: int
    pts_s: float
    captured_s: float = 0.0
    independent: bool = False

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(f"image is {self.image.shape} {self.image.dtype}, not (H, W, 3) uint8")

    @property
    def time(self) -> FrameTime:
        """The index and times of this frame, without its image."""
        return FrameTime(self.index, self.pts_s, self.captured_s)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.image.shape[0])


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Upright box around a face's landmarks (brows to chin, jaw to jaw), in frame pixels.

    Attributes:
        left: Left edge in pixels.
        top: Upper edge in pixels.
        width: Width in pixels.
        height: Height in pixels.
        score: The detector's confidence in [0, 1].
        roll_deg: In-plane rotation of the face in degrees, positive clockwise in the image. It
            is 0 if the detector does not estimate it.
    """

    left: float
    top: float
    width: float
    height: float
    score: float = 1.0
    roll_deg: float = 0.0

    def iou(self, other: FaceBox) -> float:
        """Return the intersection over union with another box.

        Args:
            other: The other box.

        Returns:
            The overlap in [0, 1].
        """
        w = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        h = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        if w <= 0 or h <= 0:
            return 0.0
        both = w * h
        return both / (self.width * self.height + other.width * other.height - both)


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Landmarks of one face: xy_px (K, 2) float32 in full-frame pixels, score (K,) in [0, 1]."""

    xy_px: Points
    score: Scores

    def __post_init__(self) -> None:
        if self.xy_px.shape != (len(self.score), 2):
            raise ValueError(f"xy_px is {self.xy_px.shape}, score {self.score.shape}")


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A pinhole camera: the image size and the focal length, all in pixels.

    If `focal_px` is None, the focal length is estimated as OpenFace does; see `focal`.
    """

    width: int
    height: int
    focal_px: float | None = None

    @property
    def focal(self) -> float:
        """Focal length in pixels.

        The default is 500 pixels at 640×480 and scales with the mean of the relative image sides.
        """
        if self.focal_px is not None:
            return self.focal_px
        return _FOCAL * (self.width / _WIDTH + self.height / _HEIGHT) / 2

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The (3, 3) camera matrix; the principal point is the centre of the image."""
        x, y = (self.width - 1) / 2, (self.height - 1) / 2
        return np.array([[self.focal, 0, x], [0, self.focal, y], [0, 0, 1]])


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Position and rotation of a head, in OpenFace's camera space.

    The camera is at the origin. x points right, y points down, and z points away from the camera.
    The rotation is R = Rx Ry Rz; it is the identity for a face that looks into the camera. Pitch
    (Rx) is positive downwards, yaw (Ry) is positive towards the left of the image, and roll (Rz) is
    positive clockwise in the image.

    Attributes:
        position_mm: Position (x, y, z) of the centre of the face's landmarks, in millimetres.
        rotation_rad: Angles (Rx, Ry, Rz) in radians.
        camera: The camera that the pose was estimated with.
    """

    position_mm: tuple[float, float, float]
    rotation_rad: tuple[float, float, float]
    camera: Intrinsics

    @classmethod
    def of_values(cls, values: Iterable[float], camera: Intrinsics) -> HeadPose | None:
        """Return the pose from x, y, z, Rx, Ry and Rz; None if one of them is not finite."""
        x, y, z, pitch, yaw, roll = (float(value) for value in values)
        if not all(map(math.isfinite, (x, y, z, pitch, yaw, roll))):
            return None
        return cls((x, y, z), (pitch, yaw, roll), camera)

    @property
    def values(self) -> AttributeValues:
        """The values x, y, z in millimetres and Rx, Ry, Rz in radians."""
        return (*self.position_mm, *self.rotation_rad)

    @property
    def pitch_deg(self) -> float:
        """Rotation about the x axis, Rx, in degrees."""
        return math.degrees(self.rotation_rad[0])

    @property
    def yaw_deg(self) -> float:
        """Rotation about the y axis, Ry, in degrees."""
        return math.degrees(self.rotation_rad[1])

    @property
    def roll_deg(self) -> float:
        """Rotation about the z axis, Rz, in degrees."""
        return math.degrees(self.rotation_rad[2])

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The (3, 3) rotation matrix from the face's axes to the camera's axes."""
        return rotation_matrix(self.rotation_rad)

    def project(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project points from the face's coordinate system into the image.

        Args:
            points_mm: (n, 3) points in the face's axes, in millimetres.

        Returns:
            (n, 2) pixels; points behind the camera are NaN.
        """
        in_camera = points_mm @ self.matrix.T + self.position_mm
        with np.errstate(divide="ignore", invalid="ignore"):
            in_front = np.where(in_camera[:, 2:] > 1, in_camera, np.nan)
            rays = in_front[:, :2] / in_front[:, 2:]
        pixels: NDArray[np.float64] = rays * self.camera.focal + self.camera.matrix[:2, 2]
        return pixels

    def axes_px(self, length_mm: float = 60.0) -> NDArray[np.float64]:
        """Project the face's axes into the image: x points right, y points down, z out of the face.

        Args:
            length_mm: Length of each axis in millimetres.

        Returns:
            (4, 2) pixels: the centre of the face, then the ends of the x, y and z axes.
        """
        ends = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, -1]]) * length_mm
        return self.project(ends)


@dataclass(frozen=True, slots=True)
class FaceContext:
    """What the attributes of a face are computed from, besides its landmarks.

    Attributes:
        schema: Name of the landmark schema; empty if it is unknown.
        camera: The camera; None if the size of the frames is unknown.
        time_s: Presentation time of the frame in seconds.
        identity: (M,) identity of the person's 3D face, see `engine.face3d`; None if nothing is
            known of the person but the landmarks.
        fit: The 3D face that is fitted to the landmarks; None before it is fitted, if no camera is
            known, or if it does not fit.
        pupils: The pupils; None if they are not tracked.
        gaze_calibration: The person's correction of gaze; None for none.
        gaze: Where the eyes look; None before it is computed, or if it is unknown.
    """

    schema: str
    camera: Intrinsics | None = None
    time_s: float = 0.0
    identity: NDArray[np.float64] | None = None
    fit: FaceFit | None = None
    pupils: Pupils | None = None
    gaze_calibration: GazeCalibration | None = None
    gaze: Gaze | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FaceAttributes:
    """The values of a face's attributes, see `engine.attributes`.

    Attributes:
        context: What the values were computed from.
        values: Values by the attribute's name; unknown attributes are left out.
    """

    context: FaceContext
    values: Mapping[str, AttributeValues]


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFace:
    """One face in one frame.

    A lost face has no box, landmarks, crop or attributes.

    Attributes:
        face_id: Number of the face.
        state: How the landmarks were obtained.
        score: Face score of the network, in [0, 1].
        box: Extent of the raw landmarks, in frame pixels.
        raw: Landmarks from the network.
        stabilized: Landmarks after the stabilizer; the same object as `raw` if none runs.
        crop: The part of the frame that the network was run on.
        attributes: Attributes computed from the stabilized landmarks.
    """

    face_id: int
    state: FaceState
    score: float
    box: FaceBox | None = None
    raw: Landmarks | None = None
    stabilized: Landmarks | None = None
    crop: Crop | None = None
    attributes: FaceAttributes | None = None

    @property
    def pose(self) -> HeadPose | None:
        """The head pose; None if it or the camera is unknown."""
        known = self.attributes
        if known is None or known.context.camera is None or HEAD_POSE not in known.values:
            return None
        return HeadPose.of_values(known.values[HEAD_POSE], known.context.camera)

    def __post_init__(self) -> None:
        if (self.state is FaceState.LOST) != (self.raw is None or self.stabilized is None):
            raise ValueError(f"state {self.state} with raw {self.raw}")


@dataclass(frozen=True, slots=True, eq=False)
class TrackResult:
    """The tracked faces of one frame.

    Attributes:
        frame: The frame, or its `FrameTime` if the image, which only drawing needs, is not kept.
        faces: The tracked and lost faces.
        stage_ms: Duration of each stage (`detect`, `landmarks`, `total`) in milliseconds.
        restarted: Whether no earlier state was used, as after a cut; only the tracker sets it.
        faces_seen: How many sure faces the detector saw, tracked or not; 0 if it did not run.
    """

    frame: Frame | FrameTime
    faces: tuple[TrackedFace, ...]
    stage_ms: dict[str, float] = field(default_factory=dict)
    restarted: bool = False
    faces_seen: int = 0

    @property
    def frame_with_image(self) -> Frame:
        """The frame with its image.

        Raises:
            ValueError: The result does not hold its image.
        """
        if isinstance(self.frame, FrameTime):
            raise ValueError(f"the result of frame {self.frame.index} has no picture")
        return self.frame

    def without_image(self) -> TrackResult:
        """Return the same result without the image, which saves memory."""
        return replace(self, frame=self.frame.time) if isinstance(self.frame, Frame) else self


@dataclass(frozen=True, slots=True)
class CutOff:
    """How much of a file is there that was cut off.

    Attributes:
        share: The share that is there, in [0, 1]; None if it is unknown.
        sentence: What is missing.
    """

    share: float | None
    sentence: UserText


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known about a source before its first frame.

    Attributes:
        name: Name of the source.
        path: File, folder or URL, for reports.
        width, height: Size of the upright, square-pixel frames.
        fps: Mean frame rate, measured if the file has an index, else as declared; None if unknown.
        frames: Number of frames, or None if it is unknown (cameras, streams).
        live: Whether the source is a camera or a stream.
        notes: Remarks about the source, for reports.
        cut_off: How much is there if the file was cut off; None if it is whole.
        image_names: Name of the image file of each frame index, or ""; empty if not image files.
        image_order: For image files, whether they are a sequence; None for other sources.
    """

    name: str
    path: str
    width: int
    height: int
    fps: float | None
    frames: int | None
    live: bool
    notes: tuple[UserText, ...] = ()
    cut_off: CutOff | None = None
    image_names: tuple[str, ...] = ()
    image_order: ImageOrder | None = None
