"""Measures whether a backbone is accurate enough to train a stabilizer on, and its best margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.errors import DataError
from steadymark.models.face.crop import cut, inverse, transform
from steadymark.models.face.schema import load_schema
from steadymark.models.training.data.augment import clean_crop
from steadymark.models.training.stabilizer.onnx_backbone import OnnxBackbone

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from steadymark.models.face.crop import Image, Points
    from steadymark.models.training.data.face_images import FaceImages
    from steadymark.models.training.stabilizer.frozen_backbone import Backbone

MARGINS = (1.2, 1.4, 1.6, 1.8, 2.0)
MOST_NRMSE = 8.0  # %; a stabilizer cannot repair a backbone with a larger error
FACES, TRIED = 50, 20  # faces for the reported error, and for the comparison of options
_FAR_BETTER = 0.7  # an option is suggested if it reduces the error to less than this share
_SCALES = {  # mean and std on a scale of 0 to 255
    "127.5,127.5,127.5 and 127.5,127.5,127.5": ((127.5,) * 3, (127.5,) * 3),
    "0,0,0 and 255,255,255": ((0.0,) * 3, (255.0,) * 3),
    "123.675,116.28,103.53 and 58.395,57.12,57.375": (
        (123.675, 116.28, 103.53),
        (58.395, 57.12, 57.375),
    ),
    "0,0,0 and 1,1,1": ((0.0,) * 3, (1.0,) * 3),
}


@dataclass(frozen=True, slots=True)
class BackboneCheck:
    """Result of measuring a backbone.

    Attributes:
        margin: Margin of the crop, as given or the best.
        nrmse: Error in % on `FACES` faces.
        tried: NRMSE by margin on `TRIED` faces; empty if a margin was given.
        hint: Options with which the network would be far more accurate, or an empty string.
    """

    margin: float
    nrmse: float
    tried: dict[float, float]
    hint: str


def check_backbone(
    backbone: Backbone,
    faces: tuple[FaceImages, FaceImages],
    *,
    margin: float | None,
    force: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> BackboneCheck:
    """Measure a backbone on faces, and choose the best margin if none is given.

    Args:
        backbone: The backbone.
        faces: Training and held-back faces; held-back ones are used first.
        margin: Side of the crop relative to the fitted size of the face, or None to choose it.
        force: Accept a backbone with a large error.
        tell: Called with each sentence for the user.

    Raises:
        DataError: The error is above MOST_NRMSE, and `force` is False.
    """
    measured_faces = _choose_faces(faces, FACES)
    compared_faces = _choose_faces(faces, TRIED)
    tried = {m: nrmse_of(backbone, compared_faces, m) for m in MARGINS} if margin is None else {}
    best_margin = margin if margin is not None else min(tried, key=lambda m: tried[m])
    if tried:
        table = ", ".join(f"{m:g}: {error:.2f} %" for m, error in tried.items())
        tell(
            f"NRMSE on {len(compared_faces)} faces by margin: {table}; "
            f"--margin {best_margin:g} is taken"
        )
    nrmse = nrmse_of(backbone, measured_faces, best_margin)
    tell(f"the backbone's NRMSE on {len(measured_faces)} faces is {nrmse:.2f} %")
    hint = (
        _hint(backbone, compared_faces, best_margin) if isinstance(backbone, OnnxBackbone) else ""
    )
    if hint:
        tell(hint)
    if not nrmse <= MOST_NRMSE and not force:
        raise DataError(
            f"the backbone's NRMSE is {nrmse:.1f} %, above {MOST_NRMSE:g} %: it does not see these "
            f"faces as it is fed, and no stabilizer mends that; {hint or 'check its options'}, "
            "or go on with --force"
        )
    return BackboneCheck(best_margin, nrmse, tried, hint)


def nrmse_of(backbone: Backbone, faces: list[tuple[FaceImages, int]], margin: float) -> float:
    """Return the mean NRMSE in % of the outer-eye distance, on crops that true landmarks define."""
    crops, truths = _crops(backbone, faces, margin)
    right, left = load_schema(backbone.info.schema).eyes
    eyes = np.linalg.norm(truths[:, right] - truths[:, left], axis=-1)
    error = np.linalg.norm(backbone.points(crops) - truths, axis=-1).mean(-1)
    return float((error / eyes).mean() * 100)


def _crops(
    backbone: Backbone, faces: list[tuple[FaceImages, int]], margin: float
) -> tuple[Image, Points]:
    schema, size = load_schema(backbone.info.schema), backbone.info.crop
    crops, truths = [], []
    for part, index in faces:
        matrix = clean_crop(part, index, schema, margin).matrix_to_image(size)
        crops.append(cut(part.images[index], matrix, size))
        truths.append(transform(inverse(matrix), part.points[index]))
    return np.stack(crops), np.stack(truths)


def _choose_faces(faces: tuple[FaceImages, FaceImages], count: int) -> list[tuple[FaceImages, int]]:
    """Choose `count` faces, spread over each part; held-back faces come first."""
    chosen: list[tuple[FaceImages, int]] = []
    for part in (faces[1], faces[0]):
        missing = min(count - len(chosen), len(part))
        chosen += [(part, int(i)) for i in np.linspace(0, len(part) - 1, missing).round()]
    return chosen


def _hint(backbone: OnnxBackbone, faces: list[tuple[FaceImages, int]], margin: float) -> str:
    """Return options for colours, mean and std that make the network far more accurate, or ""."""
    current_nrmse = nrmse_of(backbone, faces, margin)
    trials = []
    for rgb in (backbone.info.rgb, not backbone.info.rgb):
        for name, (mean, std) in _input_scales(backbone).items():
            other = backbone.prepared(rgb=rgb, mean=mean, std=std)
            trials.append((nrmse_of(other, faces, margin), rgb, name))
    error, rgb, name = min(trials)
    if not error < _FAR_BETTER * current_nrmse:
        return ""
    colours = "" if rgb == backbone.info.rgb else f"--{'' if rgb else 'no-'}rgb"
    scale = "" if not name else "--mean {} --std {}".format(*name.split(" and "))
    options = " ".join(part for part in (colours, scale) if part)
    return (
        f"with {options} its NRMSE is {error:.1f} instead of {current_nrmse:.1f} % on "
        f"{len(faces)} faces"
    )


def _input_scales(backbone: OnnxBackbone) -> dict[str, Any]:
    current = (backbone.info.mean, backbone.info.std)
    others = {name: scale for name, scale in _SCALES.items() if scale != current}
    return {"": current, **others}
