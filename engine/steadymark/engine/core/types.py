"""The values that travel through the engine. All frozen; shapes and units are written at each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from steadymark.models.face.crop import Crop, Image, Points
    from steadymark.models.user_text import UserText

Scores = NDArray[np.float32]
_FOCAL, _WIDTH, _HEIGHT = 500.0, 640.0, 480.0


class FaceState(StrEnum):
    """How a face's landmarks of a frame came about."""

    DETECTED = "detected"
    TRACKED = "tracked"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class FrameTime:
    """Which frame of a source this is, and when it was taken; the fields are those of `Frame`."""

    index: int
    pts_s: float
    captured_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source, which owns its array.

    image: (H, W, 3) uint8 BGR, upright, square pixels. index: 0-based, in presentation order.
    pts_s: presentation time in seconds as the container gives it (cameras: monotonic seconds since
    the first frame). captured_s: time.perf_counter() when the frame left the device or decoder.
    """

    image: Image
    index: int
    pts_s: float
    captured_s: float = 0.0

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise ValueError(f"image is {self.image.shape} {self.image.dtype}, not (H, W, 3) uint8")

    @property
    def time(self) -> FrameTime:
        """Which frame this is, without the memory that its image takes."""
        return FrameTime(self.index, self.pts_s, self.captured_s)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.image.shape[0])


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Extent of a face's landmarks (brows to chin, jaw to jaw), frame pixels, upright.

    score: detector's confidence in [0, 1]. roll_deg: in-plane rotation of the face, positive
    clockwise as seen; 0 where the detector does not tell.
    """

    left: float
    top: float
    width: float
    height: float
    score: float = 1.0
    roll_deg: float = 0.0

    def iou(self, other: FaceBox) -> float:
        """Intersection over union."""
        w = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        h = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        if w <= 0 or h <= 0:
            return 0.0
        both = w * h
        return both / (self.width * self.height + other.width * other.height - both)


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """xy_px: (K, 2) float32, full-frame pixels; score: (K,) float32 in [0, 1]."""

    xy_px: Points
    score: Scores

    def __post_init__(self) -> None:
        if self.xy_px.shape != (len(self.score), 2):
            raise ValueError(f"xy_px is {self.xy_px.shape}, score {self.score.shape}")


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A camera: width and height of its pictures, and focal_px; None takes OpenFace's guess."""

    width: int
    height: int
    focal_px: float | None = None

    @property
    def focal(self) -> float:
        """Pixels: 500 at 640×480, and in proportion to the mean of both sides."""
        if self.focal_px is not None:
            return self.focal_px
        return _FOCAL * (self.width / _WIDTH + self.height / _HEIGHT) / 2

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(3, 3): the middle of the picture is where the camera looks."""
        x, y = (self.width - 1) / 2, (self.height - 1) / 2
        return np.array([[self.focal, 0, x], [0, self.focal, y], [0, 0, 1]])


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Where a head is and how it is turned.

    position_mm: of the middle of the face's landmarks. rotation_rad: Rx, Ry, Rz. Camera space as
    in OpenFace: millimetres and radians, x right, y down, z away from the camera, its centre at 0;
    rotations R = Rx Ry Rz of a face that looks into the camera. So pitch (Rx) is positive
    downwards, yaw (Ry) towards the left of the picture, roll (Rz) clockwise as seen.
    """

    position_mm: tuple[float, float, float]
    rotation_rad: tuple[float, float, float]
    camera: Intrinsics

    @property
    def pitch_deg(self) -> float:
        return math.degrees(self.rotation_rad[0])

    @property
    def yaw_deg(self) -> float:
        return math.degrees(self.rotation_rad[1])

    @property
    def roll_deg(self) -> float:
        return math.degrees(self.rotation_rad[2])

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(3, 3): from the face's own axes to the camera's."""
        return rotation_matrix(self.rotation_rad)

    def project(self, points_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (n, 3) in the face's axes → (n, 2) pixels; NaN behind the camera."""
        seen = points_mm @ self.matrix.T + self.position_mm
        with np.errstate(divide="ignore", invalid="ignore"):
            there = np.where(seen[:, 2:] > 1, seen, np.nan)
            rays = there[:, :2] / there[:, 2:]
        pixels: NDArray[np.float64] = rays * self.camera.focal + self.camera.matrix[:2, 2]
        return pixels

    def axes_px(self, length_mm: float = 60.0) -> NDArray[np.float64]:
        """(4, 2) pixels: the middle of the face, and the ends of its x, y and z axes.

        x to the right of the picture, y down, z out of the face.
        """
        ends = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, -1]]) * length_mm
        return self.project(ends)


def rotation_matrix(rotation_rad: tuple[float, float, float]) -> NDArray[np.float64]:
    """Rx Ry Rz."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(rotation_rad), np.cos(rotation_rad)
    return np.array(
        [
            [cy * cz, -cy * sz, sy],
            [cx * sz + sx * sy * cz, cx * cz - sx * sy * sz, -sx * cy],
            [sx * sz - cx * sy * cz, sx * cz + cx * sy * sz, cx * cy],
        ]
    )


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFace:
    """One face in one frame.

    raw: the network's points; stabilized: after the stabilizer (the same object when none runs).
    crop: what the network saw. pose: of the stabilized points. A lost face carries none of these.
    """

    face_id: int
    state: FaceState
    score: float
    box: FaceBox | None = None
    raw: Landmarks | None = None
    stabilized: Landmarks | None = None
    crop: Crop | None = None
    pose: HeadPose | None = None

    def __post_init__(self) -> None:
        if (self.state is FaceState.LOST) != (self.raw is None or self.stabilized is None):
            raise ValueError(f"state {self.state} with raw {self.raw}")


@dataclass(frozen=True, slots=True, eq=False)
class TrackResult:
    """Everything tracked in one frame.

    frame: a `FrameTime` where the picture is not kept, which nothing but drawing needs.
    stage_ms: milliseconds of each stage (detect, landmarks). restarted: the tracker remembered
    nothing of any face before this frame, because it is the first one, shows another scene than
    the frame before, or did not come shortly after it. Only the tracker decides this.
    """

    frame: Frame | FrameTime
    faces: tuple[TrackedFace, ...]
    stage_ms: dict[str, float] = field(default_factory=dict)
    restarted: bool = False

    @property
    def picture(self) -> Frame:
        """The frame with its image.

        Raises:
            ValueError: The result is kept without its picture.
        """
        if isinstance(self.frame, FrameTime):
            raise ValueError(f"the result of frame {self.frame.index} has no picture")
        return self.frame

    def without_picture(self) -> TrackResult:
        """The same result, without the memory that the picture takes."""
        return replace(self, frame=self.frame.time) if isinstance(self.frame, Frame) else self


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a source says of itself before its first frame.

    frames: count of frames that will come, None where unknown (cameras, streams). fps: mean rate
    measured from the PTS where there is an index, else declared, None where unknown. width,
    height: of the upright, square-pixel frames. path: file, folder or URL, for reports.
    """

    name: str
    path: str
    width: int
    height: int
    fps: float | None
    frames: int | None
    live: bool
    notes: tuple[UserText, ...] = ()
