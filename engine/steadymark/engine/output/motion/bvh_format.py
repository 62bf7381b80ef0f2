"""The table format `bvh`: the motion of a head, and of its eyes if their gaze is known.

BVH files have frames at a constant rate, no unit and one skeleton. Poses are interpolated at the
median rate of the video from its first frame on, positions are centimetres in glTF's axes, and each
further face has a file of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.face3d.face_mesh import load_face_mesh
from steadymark.engine.output.motion.motion_sink import MotionSink
from steadymark.engine.output.output_paths import face_file
from steadymark.engine.output.table_formats import TABLE_FORMATS, TableFormat
from steadymark.models.face.schema import IBUG_ORDER
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.engine.output.motion.head_motion import HeadMotion

    Floats = NDArray[np.float64]

_CM, _MM = 100.0, 10.0  # centimetres per metre, and millimetres per centimetre
_USUAL_S = 0.04  # time between frames if there is only one
_MOST = 100  # frames of the file for each frame of a video with damaged times
_TURNS = "Zrotation Xrotation Yrotation"


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
        files[face_file(path, motion.person)] = bvh_content(motion)
    return files


def bvh_content(motion: HeadMotion) -> bytes:
    """Return the BVH file of a head.

    Args:
        motion: The motion. Its eyes are joints, too, if they ever turn.
    """
    times_s = motion.times_s
    step_s, duration_s = _USUAL_S, float(times_s[-1] - times_s[0])
    if len(times_s) > 1:
        step_s = max(float(np.median(np.diff(times_s))), duration_s / (_MOST * len(times_s)))
    count = 1 + round(duration_s / step_s)
    at_s = times_s[0] + step_s * np.arange(count)
    times_s, rows = motion.keys()
    eyes = motion.eye_rotation
    columns = [_CM * _interpolated(at_s, times_s, motion.position_m[rows])]
    columns += [
        _zxy_degrees(_interpolated(at_s, times_s, turns[rows]))
        for turns in (motion.rotation, *(() if eyes is None else eyes))
    ]
    lines = [*_hierarchy(motion, has_eyes=eyes is not None), "MOTION"]
    lines += [f"Frames: {count}", f"Frame Time: {step_s:.8f}"]
    lines += [" ".join(f"{each:.5f}" for each in row) for row in np.column_stack(columns).tolist()]
    return ("\n".join(lines) + "\n").encode("ascii")


def _hierarchy(motion: HeadMotion, *, has_eyes: bool) -> list[str]:
    """Return the lines that describe the skeleton: the head, and the eyes in it."""
    lines = ["HIERARCHY", "ROOT Head", "{", "\tOFFSET 0.0 0.0 0.0"]
    lines.append(f"\tCHANNELS 6 Xposition Yposition Zposition {_TURNS}")
    centres = load_face_mesh().person(motion.identity).eye_centres / _MM
    for name, (x, y, z) in zip(("LeftEye", "RightEye"), centres.tolist(), strict=True):
        if has_eyes:
            lines += [f"\tJOINT {name}", "\t{", f"\t\tOFFSET {x:.4f} {y:.4f} {z:.4f}"]
            lines += [f"\t\tCHANNELS 3 {_TURNS}", *_end_site("\t\t", "0.0 0.0 2.0"), "\t}"]
    return [*lines, *([] if has_eyes else _end_site("\t", "0.0 15.0 0.0")), "}"]


def _end_site(indent: str, offset: str) -> list[str]:
    return [f"{indent}End Site", f"{indent}{{", f"{indent}\tOFFSET {offset}", f"{indent}}}"]


def _interpolated(at_s: Floats, times_s: Floats, values: Floats) -> Floats:
    """Return values (K, columns) at other times; outside of theirs, they are the nearest."""
    return np.column_stack([np.interp(at_s, times_s, column) for column in values.T])


def _zxy_degrees(rotation: Floats) -> Floats:
    """Return the (F, 3) angles about z, x and y, with R = Rz Rx Ry, of interpolated quaternions."""
    x, y, z, w = (rotation / np.linalg.norm(rotation, axis=1, keepdims=True)).T
    about_z = np.arctan2(2 * (w * z - x * y), 1 - 2 * (x * x + z * z))
    about_x = np.arcsin((2 * (y * z + w * x)).clip(-1, 1))
    about_y = np.arctan2(2 * (w * y - x * z), 1 - 2 * (x * x + y * y))
    angles: Floats = np.degrees(np.unwrap(np.column_stack((about_z, about_x, about_y)), axis=0))
    return angles


TABLE_FORMATS.add(
    TableFormat(
        "bvh",
        UserText("head motion (BVH)"),
        UserText("Position and rotation of the head at a constant rate, for animation programs."),
        lambda path, header, _: MotionSink(path, bvh_files, header.expressions),
        suffix=".bvh",
        schemas=IBUG_ORDER,
        animation=True,
        one_per_face=True,
    )
)
