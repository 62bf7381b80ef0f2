"""The table format `bvh`: the motion of a head as a skeleton of one joint.

BVH files have frames at a constant rate, no unit and one skeleton. Poses are interpolated at the
median rate of the video from its first frame on, positions are centimetres in glTF's axes, and each
further face has a file of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.output.motion.motion_sink import MotionSink
from steadymark.engine.output.table_formats import TABLE_FORMATS, TableFormat
from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.output.motion.head_motion import HeadMotion

    Floats = NDArray[np.float64]

_CM = 100.0  # per metre
_USUAL_S = 0.04  # time between frames if there is only one
_HIERARCHY = """HIERARCHY
ROOT Head
{
\tOFFSET 0.00 0.00 0.00
\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
\tEnd Site
\t{
\t\tOFFSET 0.00 15.00 0.00
\t}
}
MOTION
"""


def bvh_files(path: Path, motions: list[HeadMotion]) -> dict[Path, bytes]:
    """Return the content of the file of each head, by its path.

    Args:
        path: The file of the first head; those of the others, such as `talk_face3.bvh`, tell their
            numbers.
        motions: One or more heads.
    """
    first, *others = motions
    files = {path: bvh_content(first)}
    for motion in others:
        files[path.with_stem(f"{path.stem}_face{motion.person}")] = bvh_content(motion)
    return files


def bvh_content(motion: HeadMotion) -> bytes:
    """Return the BVH file of a head.

    Args:
        motion: The motion.
    """
    times_s = motion.times_s
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else _USUAL_S
    count = 1 + round(float(times_s[-1] - times_s[0]) / step_s)
    position, rotation = _resampled(motion, times_s[0] + step_s * np.arange(count))
    degrees = np.degrees(np.unwrap(_zxy_angles(rotation), axis=0))
    rows = np.column_stack((_CM * position, degrees)).tolist()
    lines = [f"Frames: {count}", f"Frame Time: {step_s:.8f}"]
    lines += [" ".join(f"{value:.5f}" for value in row) for row in rows]
    return (_HIERARCHY + "\n".join(lines) + "\n").encode("ascii")


def _resampled(motion: HeadMotion, at_s: Floats) -> tuple[Floats, Floats]:
    """Return positions (F, 3) in metres and unit quaternions (F, 4) at other times.

    Before the first frame in which the head is seen, it stands still there.
    """
    times_s, rows = motion.keys()
    position, rotation = (
        np.column_stack([np.interp(at_s, times_s, column) for column in values[rows].T])
        for values in (motion.position_m, motion.rotation)
    )
    return position, rotation / np.linalg.norm(rotation, axis=1, keepdims=True)


def _zxy_angles(rotation: Floats) -> Floats:
    """Return the (F, 3) angles about z, x and y of quaternions (F, 4), with R = Rz Rx Ry."""
    x, y, z, w = rotation.T
    about_z = np.arctan2(2 * (w * z - x * y), 1 - 2 * (x * x + z * z))
    about_x = np.arcsin((2 * (y * z + w * x)).clip(-1, 1))
    about_y = np.arctan2(2 * (w * y - x * z), 1 - 2 * (x * x + y * y))
    return np.column_stack((about_z, about_x, about_y))


TABLE_FORMATS.add(
    TableFormat(
        "bvh",
        UserText("head motion (BVH)"),
        UserText("Position and rotation of the head at a constant rate, for animation programs."),
        lambda path, header, _: MotionSink(path, bvh_files, header.expressions),
        suffix=".bvh",
        schemas=IBUG_ORDER,
        animation=True,
    )
)
