"""Make the statistics that the fit of the 3D face needs: of people's labels, and of neutral faces.

    python -m tools.data_statistics.face3d_statistics labels DATA
    python -m tools.data_statistics.face3d_statistics calibrate DATA

The first measures on photos of 300w/train how labels lie around the landmarks of the 3D model.
The second measures on random faces the pitch by which these offsets turn fitted poses, and which
strength an expression reaches on neutral faces.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from steadymark.engine.bench.face3d.face3d_benchmark import (
    FaceChoice,
    MeasuredFace,
    dead_zones,
    measure_faces,
    pitch_bias_deg,
)
from steadymark.engine.expressions.arkit import dead_zones_path
from steadymark.engine.face3d.face_basis import label_statistics_path
from steadymark.engine.face3d.face_fit import forget_face_basis
from steadymark.models.face.pts_file import read_pts
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.synthesis.faces.face_fit import fit_shape
from steadymark.models.synthesis.faces.face_model import LANDMARKS, load_face_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Data = Annotated[Path, typer.Argument(help="The data folder that training.md describes.")]
_MM = 10.0  # per centimetre
_ROUNDS = 3  # of fitting the faces and moving the offsets
_FRONTAL_DEG = 25.0  # largest yaw of a face that counts
_FACES = FaceChoice(people=60, seed=21)

app = typer.Typer(help=__doc__, no_args_is_help=True)


@app.command()
def labels(data: Data) -> None:
    """Write the mean offset and the deviation of labels from the landmarks of the 3D model."""
    paths = sorted((data / "300w" / "train").rglob("*.pts"))
    photos = [read_pts(path).astype(np.float64) for path in paths]
    offset = np.zeros((LANDMARKS, 2))
    for _ in range(_ROUNDS):
        found = [
            residual for points in photos if (residual := _residual(points, offset)) is not None
        ]
        offset += np.median(found, 0)
        offset = _symmetric(offset)
    deviation = np.std(found, 0)
    deviation = np.sqrt((deviation**2 + deviation[load_schema(IBUG68).mirror] ** 2) / 2)
    offset = _without_pose(offset, 1 / np.linalg.norm(deviation, axis=1))
    _write_labels(
        {"offset_mm": offset.round(2).tolist(), "deviation_mm": deviation.round(2).tolist()}
    )
    typer.echo(f"{len(found)} faces of {len(photos)}")


@app.command()
def calibrate(data: Data) -> None:
    """Write the pitch that the offsets cause, and the strengths that neutral faces reach."""
    content = json.loads(label_statistics_path().read_text(encoding="utf-8"))
    for _ in range(_ROUNDS):
        content["pitch_deg"] = round(
            content.get("pitch_deg", 0.0) + pitch_bias_deg(_faces(data)), 2
        )
        _write_labels(content)
    zones = json.dumps(dead_zones(_faces(data)), indent=1)
    dead_zones_path().write_text(zones + "\n", encoding="utf-8")


def _faces(data: Path) -> list[MeasuredFace]:
    return measure_faces(data, _FACES, lambda _done, _all: None)


def _write_labels(content: dict[str, object]) -> None:
    """Write the statistics of labels, for the fits that follow, too."""
    label_statistics_path().write_text(json.dumps(content) + "\n", encoding="utf-8")
    forget_face_basis()


def _residual(points: Floats, offset: Floats) -> Floats | None:
    """Return (68, 2) labels minus the fitted face in millimetres along its axes; None if turned."""
    moved = points
    for _ in range(2):  # The offset is turned with the face, whose pose the first fit finds.
        shape, rotation, shift = fit_shape(moved)
        moved = points - np.pad(offset / _MM, ((0, 0), (0, 1))) @ rotation[:2].T
    scale = np.linalg.norm(rotation[0])
    yaw_deg = np.degrees(np.arcsin(np.clip(rotation[0, 2] / scale, -1, 1)))
    if abs(yaw_deg) > _FRONTAL_DEG:
        return None
    in_image = (moved - shape[:LANDMARKS] @ rotation[:2].T - shift) / scale * _MM
    along_axes: Floats = in_image @ (rotation[:2] / scale)
    return along_axes[:, :2]


def _symmetric(offset: Floats) -> Floats:
    """Return an offset (68, 2) that is alike on both sides of the face."""
    mirrored = offset[load_schema(IBUG68).mirror] * (-1, 1)
    both: Floats = (offset + mirrored) / 2
    return both


def _without_pose(offset: Floats, weights: Floats) -> Floats:
    """Return the part of an offset (68, 2) that no shift, size or pitch of the face explains."""
    face = _MM * load_face_model().neutral[:LANDMARKS]
    face = face - face.mean(0)
    nothing, ones = np.zeros(LANDMARKS), np.ones(LANDMARKS)
    moves = (np.stack((nothing, ones), 1), face[:, :2], np.stack((nothing, -face[:, 2]), 1))
    system = np.stack([(move * weights[:, None]).ravel() for move in moves], 1)
    shares = np.linalg.lstsq(system, (offset * weights[:, None]).ravel(), rcond=None)[0]
    rest: Floats = offset - np.tensordot(shares, np.stack(moves), 1)
    return rest


if __name__ == "__main__":
    app()
