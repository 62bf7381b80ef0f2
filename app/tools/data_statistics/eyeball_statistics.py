"""Make the file of the eyeballs that gaze needs.

    python -m tools.data_statistics.eyeball_statistics DATA

The centres of the eyeballs and their modes come from ICT-FaceKit. The correction of the centres by
the landmarks is a ridge regression on random faces that look somewhere. They lie where people
label them; a part of the people has labels that deviate as those of real people do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import typer

from steadymark.engine.bench.face3d.random_faces import CAMERA
from steadymark.engine.bench.face3d.random_gaze import GazingPerson, whole_eyes
from steadymark.engine.face3d.face_fit import fit_face
from steadymark.engine.face3d.identity import follow_identity
from steadymark.engine.gaze.eyeballs import (
    EYES,
    eye_centres,
    eye_residuals,
    eyeball_basis,
    eyeballs_path,
)
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.synthesis.faces.face_model import LANDMARKS, SOURCE, load_face_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Data = Annotated[Path, typer.Argument(help="The folder that contains face3d.")]
_PEOPLE, _LEARNED, _MEASURED, _STEP_S = 500, 20, 12, 0.5
_NOISES, _DEVIATIONS = (0.0, 0.0025, 0.005), (0.0, 0.0, 0.45)
_LARGEST_DEG = np.array([25.0, 20.0])  # of the gaze relative to the head
_YAW_DEG = 30.0
_RIDGE = 100.0
_SEED = 31
_RESIDUALS, _LABELS = 24, 2 * LANDMARKS


class _Sample(NamedTuple):
    """Features (160,) of a face, and the (2, 2) error of its eyes along x and y of the face."""

    features: Floats
    missing_mm: Floats


def main(data: Data) -> None:
    """Write the file of the eyeballs."""
    modes = len(load_face_model().identity)
    neutral, identity = whole_eyes(data)
    origin = 10 * load_face_model().neutral[:LANDMARKS].mean(0)
    content: dict[str, object] = {
        "source": SOURCE,
        "neutral_mm": (neutral + origin).round(2).tolist(),
        "identity_mm": identity[:modes].round(3).tolist(),
    }
    _write(content, np.zeros((1 + _RESIDUALS + _LABELS, 2, 2)))
    samples = [sample for number in range(_PEOPLE) for sample in _samples(data, number)]
    _write(content, _regression([*samples, *map(_mirrored, samples)]))
    typer.echo(f"{len(samples)} faces")


def _write(content: dict[str, object], shares: Floats) -> None:
    parts = {
        "offset_mm": shares[0].round(3).tolist(),
        "residual_shares": shares[1 : 1 + _RESIDUALS].round(3).tolist(),
        "label_shares": shares[1 + _RESIDUALS :].round(3).tolist(),
    }
    eyeballs_path().write_text(json.dumps({**content, **parts}) + "\n", encoding="utf-8")
    eyeball_basis.cache_clear()


def _samples(data: Path, number: int) -> list[_Sample]:
    """Return the samples of one random person."""
    rng = np.random.default_rng((_SEED, number))
    person = GazingPerson(
        data,
        rng,
        noise=_NOISES[number % len(_NOISES)],
        label_deviation=_DEVIATIONS[number // len(_NOISES) % len(_DEVIATIONS)],
    )
    found, identity = [], None
    for index in range(_LEARNED + _MEASURED):
        seen = person.look(
            angles_deg=rng.uniform(-_LARGEST_DEG, _LARGEST_DEG),
            yaw_deg=_YAW_DEG,
            strength=float(index % 3 > 0),
        )
        points = seen.face.landmarks
        identity = follow_identity(identity, points, CAMERA, index * _STEP_S)
        if index < _LEARNED or identity is None:
            continue
        fit = fit_face(points, CAMERA, identity.used)
        if fit is None:
            continue
        centres = eye_centres(fit, points, CAMERA)
        missing = np.zeros((2, 3))  # as the camera sees it
        there = seen.centres_mm[:, :2] / seen.centres_mm[:, 2:] * centres[:, 2:]
        missing[:, :2] = there - centres[:, :2]
        modes = len(load_face_model().identity)
        labels = fit.identity[modes : modes + _LABELS]  # see `FaceBasis.identity`
        features = np.concatenate((eye_residuals(fit, points, CAMERA), labels))
        found.append(_Sample(features, (missing @ fit.rotation)[:, :2]))
    return found


def _mirrored(sample: _Sample) -> _Sample:
    """Return a sample as a mirror shows it."""
    mirror = np.array(load_schema(IBUG68).mirror)
    residuals = sample.features[:_RESIDUALS].reshape(-1, 2)[mirror[EYES] - EYES.start] * (-1, 1)
    labels = sample.features[_RESIDUALS:].reshape(2, -1)[:, mirror] * [[-1], [1]]
    features = np.concatenate((residuals.ravel(), labels.ravel()))
    return _Sample(features, sample.missing_mm[::-1] * (-1, 1))


def _regression(samples: list[_Sample]) -> Floats:
    """Return the (1 + 160, 2, 2) offset and shares of the features."""
    features = np.array([sample.features for sample in samples])
    scale = features.std(0)
    system = np.concatenate((np.ones((len(samples), 1)), features / scale), 1)
    wanted = np.array([sample.missing_mm.ravel() for sample in samples])
    ridge = np.diag(np.r_[0.0, np.full(len(scale), _RIDGE)])
    shares = np.linalg.solve(system.T @ system + ridge, system.T @ wanted)
    shares[1:] /= scale[:, None]
    return np.asarray(shares).reshape(-1, 2, 2)


if __name__ == "__main__":
    typer.run(main)
