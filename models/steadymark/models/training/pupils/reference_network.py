"""An iris network of somebody else, to tell the errors of ours from those of the labels.

The labels of faces/unlabelled/pupils.csv are uncertain by more than half a pixel, or 3 % of an eye
that is 23 pixels wide. A second network that knows neither the labels nor ours tells the three
apart: if their errors are independent, the variance of the difference of two is the sum of their
variances ("three-cornered hat", Gray and Allan 1974).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.training.pupils.eye_pictures import EYE_SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.training.pupils.eye_pictures import EyePicture

    Values = NDArray[np.floating]

_SIDE, _MARGIN = 64, 2.3  # input of MediaPipe's iris network, pixels; its side in eye widths
_OUTPUT = "output_iris"  # five points (x, y, z), the centre first
_MOST_PERCENT = 12.0  # larger differences are gross errors, and count as this


class OwnErrors(NamedTuple):
    """Root mean square errors in % of the eye's width, each without the errors of the others.

    Attributes:
        network: Of our network.
        labels: Of the labels.
        reference: Of the reference network.
    """

    network: float
    labels: float
    reference: float


def reference_pupils(file: Path, eyes: Sequence[EyePicture]) -> Values:
    """Find pupils with MediaPipe's iris network, as the mean over the eye and its mirror image.

    Args:
        file: Its iris_landmark.tflite.
        eyes: The eyes.

    Returns:
        (n, 2) centres in pixels of the eyes' pictures.

    Raises:
        WeightsError: OpenCV cannot run the file, or it has other outputs.
    """
    try:
        network = cv2.dnn.readNetFromTFLite(str(file))
        found = [
            (_centre(network, eye, mirrored=False) + _centre(network, eye, mirrored=True)) / 2
            for eye in eyes
        ]
    except (cv2.error, ValueError) as error:
        raise WeightsError(
            "{path} is not MediaPipe's iris network: name its iris_landmark.tflite", path=file
        ) from error
    return np.array(found)


def _centre(network: cv2.dnn.Net, eye: EyePicture, *, mirrored: bool) -> Values:
    outer, inner = eye.lids[0].astype(np.float64), eye.lids[3].astype(np.float64)
    scale = _MARGIN * float(np.hypot(*(inner - outer))) / _SIDE
    turn = np.diag((-1.0 if mirrored else 1.0, 1.0)) * scale
    shift = (outer + inner) / 2 - turn @ np.full(2, (_SIDE - 1) / 2)
    matrix = np.concatenate((turn, shift[:, None]), 1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part: Image = cv2.warpAffine(
        eye.image, matrix, (_SIDE, _SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8, copy=False)
    network.setInput(np.repeat(part[None, None].astype(np.float32) / 255, 3, 1))
    points = network.forward(_OUTPUT).reshape(5, 3)
    centre: Values = turn @ (points[0, :2] - 0.5) + shift
    return centre


def own_errors(network: Values, labels: Values, reference: Values) -> OwnErrors:
    """Estimate the error of each of three measurements of the same pupils.

    A constant offset between two of them does not count, since they may mean different points.

    Args:
        network: (n, 2) centres in pixels of the eyes' pictures.
        labels: (n, 2) likewise.
        reference: (n, 2) likewise.

    Returns:
        The errors; 0 where an estimated variance is negative.
    """
    with_labels = _variances(network, labels)
    with_reference = _variances(network, reference)
    without = _variances(labels, reference)
    variances = (
        with_labels + with_reference - without,
        with_labels + without - with_reference,
        with_reference + without - with_labels,
    )
    return OwnErrors(*(float(np.sqrt((v / 2).clip(0).sum())) for v in variances))


def _variances(one: Values, other: Values) -> Values:
    """Return the variances (2,) of the differences in x and y, in (% of the eye's width)²."""
    difference = (one - other) / EYE_SCALE * 100
    centred = difference - np.median(difference, axis=0)
    found: Values = np.square(centred.clip(-_MOST_PERCENT, _MOST_PERCENT)).mean(0)
    return found
