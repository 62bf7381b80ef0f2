"""The landmarks of a whole video as arrays, from tracking or from a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.api.face import Face, faces_of
from steadymark.engine.api.face_rows import (
    NOBODY,
    FaceRows,
    image_names_of,
    results_of,
    tracked_rows,
)
from steadymark.engine.api.smooth_points import DEFAULT_METHOD, chosen_filter
from steadymark.engine.attributes.attribute_registry import (
    ATTRIBUTES,
    attribute_slices,
)
from steadymark.engine.attributes.attribute_rows import attributes_of_rows
from steadymark.engine.attributes.head_pose_attribute import AXES
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.image_order import ImageOrder
from steadymark.engine.core.types import HEAD_POSE, FaceState
from steadymark.engine.stabilizers.filter_runner import make_filter, run_filter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from steadymark.engine.attributes.looked_at_points import LookedAtPoint
    from steadymark.engine.core.types import Intrinsics
    from steadymark.engine.gaze.gaze_calibration import CalibrationFit
    from steadymark.engine.output.csv.native_csv import Header

    Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False, repr=False)
class VideoLandmarks:
    """The faces of a video: T frames, N faces, K landmarks.

    `sm.track_video` and `sm.read_csv` return it. The values of a face are NaN in frames without it.

    Attributes:
        rows: The values, one row per face and frame.
        schema: The landmark schema, for example `ibug68`; empty if it is unknown.
        header: How the landmarks were made, as in a table's header.
        camera: The camera; None if the size of the images is unknown.
        source: The path of the video; empty if the landmarks were read from a table.
        problems: What the source skipped while it was read, one sentence each.

    Example:
        >>> import steadymark as sm
        >>> result = sm.track_video(video, end_s=0.5)
        >>> result.landmarks.shape
        (15, 1, 68, 2)
        >>> result
        VideoLandmarks(15 frames, 1 face, 68 landmarks of ibug68)
    """

    rows: FaceRows
    schema: str
    header: Header
    camera: Intrinsics | None = None
    source: str = ""
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        """The number of frames, T."""
        return len(self.frame)

    def __repr__(self) -> str:
        t, n, k, _ = self.landmarks.shape
        named = f" of {self.schema}" if self.schema else ""
        faces = "face" if n == 1 else "faces"
        frames = "frame" if t == 1 else "frames"
        return f"VideoLandmarks({t} {frames}, {n} {faces}, {k} landmarks{named})"

    @cached_property
    def frame(self) -> NDArray[np.int64]:
        """(T,) frame indices, counted from 0."""
        return np.unique(self.rows.frame)

    @cached_property
    def face_ids(self) -> NDArray[np.int64]:
        """(N,) ids of the faces, in the order of the second axis of all arrays."""
        return np.unique(self.rows.face_id[self.rows.face_id != NOBODY])

    @cached_property
    def timestamp_s(self) -> NDArray[np.float64]:
        """(T,) presentation times of the frames in seconds."""
        times = np.empty(len(self.frame))
        times[np.searchsorted(self.frame, self.rows.frame)] = self.rows.timestamp_s
        return times

    @cached_property
    def image_names(self) -> tuple[str, ...]:
        """The name of the image file of each of the T frames; empty for videos."""
        names = image_names_of(self.rows)
        return tuple(names[index] for index in self.frame.tolist()) if names else ()

    @cached_property
    def landmarks(self) -> Floats:
        """(T, N, K, 2) float32, stabilized landmarks in full-frame pixels."""
        return self._by_face(self.rows.xy)

    @cached_property
    def raw_landmarks(self) -> Floats:
        """(T, N, K, 2) float32, landmarks from the network; NaN if a table has none."""
        return self._by_face(self.rows.raw_xy)

    @cached_property
    def scores(self) -> Floats:
        """(T, N, K) float32, the network's confidence in each landmark, 0 to 1."""
        return self._by_face(self.rows.point_score)

    @cached_property
    def face_scores(self) -> Floats:
        """(T, N), the network's confidence that this is a face, 0 to 1."""
        return self._by_face(self.rows.score)

    @cached_property
    def boxes(self) -> Floats:
        """(T, N, 4) extents of the landmarks: left, top, width and height in pixels."""
        return self._by_face(self.rows.box)

    @cached_property
    def head_poses(self) -> Floats:
        """(T, N, 6) head poses: x, y, z in millimetres, pitch, yaw, roll in radians.

        Axes are those of `sm.head_pose`.
        """
        return self.attribute(HEAD_POSE)

    def attribute(self, name: str) -> Floats:
        """Return the values of one attribute of the faces.

        Args:
            name: Name of the attribute, such as `head_pose`.

        Returns:
            (T, N, C) with the attribute's C columns, as in tables; NaN where they are unknown.

        Raises:
            UsageError: There is no such attribute.
        """
        part = attribute_slices()[ATTRIBUTES.find(name).name]
        return self._by_face(self.rows.attributes[:, part])

    def faces(self, t: int) -> list[Face]:
        """Return the faces of one frame, sorted by id.

        Args:
            t: Position of the frame in the arrays, which can differ from its frame index.

        Returns:
            The faces.

        Raises:
            UsageError: There is no such frame.
        """
        if not -len(self) <= t < len(self):
            raise UsageError("there is no frame {t}: there are {count}", t=t, count=len(self))
        return faces_of(self._results[t].faces, self.schema)

    def calibrate_gaze(
        self, points: Sequence[LookedAtPoint], *, name: str = "", face_id: int | None = None
    ) -> CalibrationFit:
        """Fit the correction of a person's gaze to points that the person looked at.

        Args:
            points: At least three points, and when the person looked at them.
            name: Name of the person.
            face_id: Number of the face; None for the one that is seen most.

        Returns:
            The calibration, for `FaceLandmarker(gaze_calibration=...)`, and how well it fits.

        Raises:
            UsageError: The video was tracked with a calibration or without gaze, or lacks the face;
                or too few points have known gaze, or they need a correction that no person has.
        """
        from steadymark.engine.attributes.looked_at_points import FaceGaze, calibrate

        seen = FaceGaze(
            self.rows.face_id, self.rows.timestamp_s, self.rows.attributes, self.header.settings
        )
        return calibrate(seen, points, name, face_id)

    def to_pandas(self) -> pd.DataFrame:
        """Return a table with one row per face and frame and the columns of the CSV files.

        Numbers are not rounded. `face_id` is a nullable integer, which is missing in frames without
        a face.

        Raises:
            UsageError: pandas is not installed.
        """
        from steadymark.engine.api.write_files import data_frame

        return data_frame(self.rows)

    def to_csv(self, path: str | Path, *, style: str = "native") -> None:
        """Write a table, as `steadymark track` does; an existing file is replaced.

        Args:
            path: The file; it gets this name when it is complete.
            style: Name of the format: `native`, `openface` for the columns of OpenFace, or one of
                a plug-in.

        Raises:
            SinkError: The file cannot be written, or the format cannot hold landmarks of this
                schema.
            UsageError: The format is unknown, or needs head poses that no face has.
        """
        from steadymark.engine.api.write_files import write_table

        write_table(
            self.rows,
            path,
            style,
            schema=self.schema,
            camera=self.camera,
            header=self.header,
        )

    def save_video(
        self,
        path: str | Path,
        *,
        source: str | Path | None = None,
        axes: bool = False,
        drawings: Sequence[str] = (),
    ) -> None:
        """Write the video with the landmarks drawn in (H.264 in MP4, with the source's sound).

        Args:
            path: The file; an existing one is replaced.
            source: The video that was tracked; needed if the landmarks come from a table.
            axes: Also draw the axes of the head.
            drawings: Names of further attributes to draw, see `steadymark track --draw`.

        Raises:
            UsageError: The video or a drawing is unknown, or `path` is the video itself.
            SourceError: The video cannot be read.
            SinkError: The file cannot be written.
        """
        from steadymark.engine.api.write_files import write_video

        video = str(source or self.source)
        write_video(
            self.rows,
            path,
            source=video,
            schema=self.schema,
            camera=self.camera,
            drawings=(*drawings, AXES) if axes else drawings,
        )

    def smooth(self, method: str = DEFAULT_METHOD, **parameters: float) -> VideoLandmarks:
        """Return the same video with its raw landmarks stabilized by another method.

        Attributes are computed from the new landmarks. Head poses are NaN if the size of the images
        is unknown (pass `image_size` to `sm.read_csv`). If a table has no raw landmarks, its
        landmarks are smoothed.

        Args:
            method: See `sm.smooth`.
            **parameters: See `sm.smooth`.

        Returns:
            The stabilized video.

        Raises:
            UsageError: The images are independent; or see `sm.smooth`.
        """
        if self.header.settings.get("images") == ImageOrder.INDEPENDENT:
            raise UsageError(
                "these landmarks are of independent images, which show no motion: track them "
                "with --sequence to smooth them"
            )
        chosen = chosen_filter(method, parameters)
        point_filter = make_filter(chosen)
        rows = self.rows
        points = rows.raw_xy if np.isfinite(rows.raw_xy).any() else rows.xy
        smoothed = np.full_like(rows.xy, np.nan)
        for face_id in self.face_ids:
            rows_of_face = np.flatnonzero(rows.face_id == face_id)
            restarts = rows.restarted[rows_of_face] | (
                rows.state[rows_of_face] == FaceState.DETECTED
            )
            smoothed[rows_of_face] = run_filter(
                point_filter, points[rows_of_face], rows.timestamp_s[rows_of_face], restarts
            )
        attributes = self._attributes_of(smoothed)
        changed = {"stabilizer": method, chosen.entry.key: dict(chosen.values)}
        settings = {**self.header.settings, **changed}
        return replace(
            self,
            rows=replace(rows, xy=smoothed, attributes=attributes),
            header=replace(self.header, settings=settings),
        )

    @cached_property
    def _results(self) -> list[Any]:
        return results_of(self.rows, self.schema, self.camera, self.header.settings)

    def _by_face(self, values: Floats) -> Floats:
        """Rearrange rows (R, …) to (T, N, …)."""
        shape = (len(self.frame), len(self.face_ids), *values.shape[1:])
        out = np.full(shape, np.nan, values.dtype)
        with_face = np.flatnonzero(self.rows.face_id != NOBODY)
        t = np.searchsorted(self.frame, self.rows.frame[with_face])
        n = np.searchsorted(self.face_ids, self.rows.face_id[with_face])
        out[t, n] = values[with_face]
        return out

    def _attributes_of(self, smoothed: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the (R, C) attributes of stabilized landmarks (R, K, 2)."""
        tracked = tracked_rows(self.rows, self.schema, self.camera, self.header.settings)
        return attributes_of_rows(tracked, smoothed)
