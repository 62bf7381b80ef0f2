"""The virtual camera of a scene: it projects a photo's landmarks and renders the moving face."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.models.face.crop import compose, inverse, transform
from steadymark.models.synthesis.faces.mesh_warp import backward_map

if TYPE_CHECKING:
    from steadymark.models.face.crop import Image, Points
    from steadymark.models.synthesis.faces.moving_face import MovingFace
    from steadymark.models.synthesis.head_path import HeadPath

Floats = NDArray[np.float64]
Light = NDArray[np.float32]
SIDE = 320  # side of a frame in pixels
_MAX_RENDERINGS = 15  # most renderings that are averaged for the motion blur of one frame
# A face whose landmarks move further than _SWEPT_PX during one exposure is rendered _PARTS times.
_MAX_RIGID_PX, _DEFORMATIONS = 1.5, 3


class SceneCamera:
    """A camera that looks at a photo which moves along a path.

    Args:
        image: (H, W, 3) uint8 BGR photo.
        points: (K, 2) landmarks in pixels of the photo.
        path: Path of the head.
        zoom: Scale from photo pixels to frame pixels, before the path's own scale.
        eyes: Indices of the outer eye corners.
        face: Expressions and head rotation of the face, or None for a photo that moves rigidly.
        readout_s: Time in seconds in which a rolling shutter reads all rows; 0 for a global
            shutter.
    """

    def __init__(
        self,
        image: Image,
        points: Points,
        path: HeadPath,
        *,
        zoom: float,
        eyes: tuple[int, int],
        face: MovingFace | None = None,
        readout_s: float = 0.0,
    ) -> None:
        right, left = eyes
        self.zoom, self.readout_s = zoom, readout_s
        self.eyes_px = self.zoom * float(np.linalg.norm(points[right] - points[left]))
        self.image, self.points, self.path, self.face = image, points, path, face
        self.centre = points.mean(0)

    def pose(self, t_s: float) -> Floats:
        """Return the (2, 3) affine transform from photo pixels to frame pixels at time `t_s`."""
        pose: Floats = self._poses(np.array([t_s]))[0]
        return pose

    def truth(self, t_s: float) -> Points:
        """Return the landmarks (K, 2) in pixels of the frame whose exposure is centred on `t_s`."""
        if self.face is None and not self.readout_s:
            return transform(self.pose(t_s), self.points)
        if self.face is None:
            return self._project(self.points, t_s).astype(np.float32)
        return self._project(self.face.landmarks(t_s), t_s).astype(np.float32)

    def render_exposure(self, t_s: float, open_s: float) -> Light:
        """Render the frame whose exposure is centred on `t_s`.

        Args:
            t_s: Centre of the exposure in seconds.
            open_s: Length of the exposure in seconds.

        Returns:
            (SIDE, SIDE, 3) float32 grey levels: the mean of several renderings, so that motion blur
            lies along the path.
        """
        if self.face is None:
            return self._average_over_exposure(self.image, None, t_s, open_s)
        before, after = (self.face.landmarks(t_s + side * open_s / 2) for side in (-1, 1))
        parts = 1 if np.abs(after - before).max() * self.zoom < _MAX_RIGID_PX else _DEFORMATIONS
        renderings = []
        for part in range(parts):
            at_s = t_s + open_s * ((part + 0.5) / parts - 0.5)
            image = self._render_face(at_s, sharp=parts == 1)
            renderings.append(
                self._average_over_exposure(image, inverse(self.pose(at_s)), at_s, open_s / parts)
            )
        light = renderings[0]
        for other in renderings[1:]:
            light += other
        return light if parts == 1 else light / np.float32(parts)

    def _average_over_exposure(
        self, image: Image, to_photo: Floats | None, t_s: float, open_s: float
    ) -> Light:
        """Average an image over an exposure.

        Args:
            image: The photo, or a rendering of the frame at `t_s`.
            to_photo: (2, 3) transform from frame pixels to photo pixels if `image` is a rendering
                of the frame, otherwise None.
            t_s: Centre of the exposure in seconds.
            open_s: Length of the exposure in seconds.
        """
        count = self._rendering_count(t_s, open_s)
        if to_photo is not None and count == 1:
            return image.astype(np.float32)
        light = np.zeros((SIDE, SIDE, 3), np.float32)
        # Linear is enough, since the result is blurred.
        interpolation = cv2.INTER_CUBIC if to_photo is None else cv2.INTER_LINEAR
        for pose in self._poses(t_s + open_s * ((np.arange(count) + 0.5) / count - 0.5)):
            rendering = cv2.warpAffine(
                image,
                inverse(pose if to_photo is None else compose(pose, to_photo)),
                (SIDE, SIDE),
                flags=interpolation | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REFLECT_101,
            )
            cv2.accumulate(rendering, light)
        light /= np.float32(count)
        return light

    def _rendering_count(self, t_s: float, open_s: float) -> int:
        before, after = self.path.at(np.array([t_s - open_s / 2, t_s + open_s / 2]))
        x, y, growth, roll_deg = np.abs(after - before)
        motion_px = self.eyes_px * max(x, y, 1.5 * growth, 1.5 * np.radians(roll_deg))
        return 1 if motion_px < 0.05 else min(_MAX_RENDERINGS, 3 + 2 * int(motion_px / 2))

    def _poses(self, t_s: Floats) -> Floats:
        """Return the affine transforms (n, 2, 3) at times (n,)."""
        x, y, growth, roll_deg = self.path.at(t_s).T
        scale, angle = self.zoom * np.exp(growth), np.radians(roll_deg)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        linear = np.empty((len(cos), 2, 2))
        linear[:, 0, 0] = linear[:, 1, 1] = cos
        linear[:, 0, 1], linear[:, 1, 0] = -sin, sin
        poses = np.empty((len(cos), 2, 3))
        poses[:, :, :2] = linear
        shift = self.eyes_px * np.stack((x, y), -1)
        poses[:, :, 2] = (SIDE - 1) / 2 + shift - linear @ self.centre
        return poses

    def _project(self, xy: NDArray[np.floating], t_s: float) -> Floats:
        """Project points (n, 2) of the photo into the frame, each when its row is read."""
        if not self.readout_s:
            pose = self.pose(t_s)
            return xy @ pose[:, :2].T + pose[:, 2]
        times = np.full(len(xy), t_s)
        # Fixed-point iteration: the row depends on the time and the time on the row.
        for _ in range(4):
            poses = self._poses(times)
            projected: Floats = np.einsum("nij,nj->ni", poses[:, :, :2], xy) + poses[:, :, 2]
            rows = (projected[:, 1] / SIDE - 0.5).clip(-0.75, 0.75)
            times = t_s + self.readout_s * rows
        return projected

    def _render_face(self, t_s: float, *, sharp: bool) -> Image:
        """Render the deformed face at `t_s`; `sharp` selects cubic instead of linear sampling."""
        if self.face is None:
            raise ValueError("a photo that does not move in itself needs no mesh")
        triangles = self.face.mesh.triangles
        nodes = self._project(self.face.places(t_s), t_s)
        source_map = backward_map(nodes[triangles], self.face.sources(t_s), (SIDE, SIDE))
        image = cv2.remap(
            self.image,
            source_map[0],
            source_map[1],
            interpolation=cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return self.face.darken_mouth(np.asarray(image, np.uint8), nodes, t_s)
