"""Try a wrapped network on known faces, to find its preprocessing and to measure its quality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.models.face.crop import cut, planar, transform
from steadymark.models.own_models.demo_faces import (
    demo_faces,
    displaced_crops,
    face_crops,
    faceless_crops,
    hard_face_crops,
)
from steadymark.models.own_models.network_wrapper import rename_conflicting_tensors, wrap_network
from steadymark.models.own_models.output_kind import OUTPUT_KINDS
from steadymark.models.runtime.face_score import (
    PEAK,
    TWO_LOOKS,
    FaceScore,
    disagreement,
    move_crops,
)
from steadymark.models.runtime.onnx_session import OnnxSession, open_content
from steadymark.models.runtime.onnx_writer import GRAPH, OUTPUT, field
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.own_models.network_inspection import ForeignNetwork
    from steadymark.models.own_models.wrapper_config import CoordinateUnit, WrapperConfig

MARGINS = (1.0, 1.2, 1.4, 1.7, 2.0)
USABLE = 0.08  # largest error on the demo clip without a warning, share of the eye distance
_MIN_COMPENSATION = 0.5  # smallest share of a crop's motion that the points must compensate
_MIN_SEPARATION = 1.6  # smallest ratio of the score's measure between faces and other images
_PREPROCESSINGS = (  # common preprocessings: white, mean, std
    (1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    (1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    (1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    (255.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
)
_SAFETY_FACTOR = 1.1  # safety factor, since different people vary more than images of one person
_MAX_COORDINATE = 1e6  # largest coordinate that counts as a point, in the network's unit
_SHIFT = 0.05  # share of a crop's side

Triple = tuple[float, float, float]
_TRIAL_MARGINS = (1.2, 1.4)  # margins at which preprocessings are compared
_IMPROVEMENT = 0.95  # an error must be below this share of the best so far to replace it


@dataclass(frozen=True, slots=True)
class NetworkDescription:
    """What the user knows of a network; fields that are None are found by trying.

    The fields have the meaning of the fields of `WrapperConfig`. In addition, `schema` is the name
    of the landmark schema, and `margin` is the crop's side divided by the face's fitted size.
    """

    output: str | None = None
    outputs: tuple[str, ...] = ()
    crop: int | None = None
    mean: Triple | None = None
    std: Triple | None = None
    white: float | None = None
    rgb: bool | None = None
    channels_last: bool | None = None
    scale: CoordinateUnit | None = None
    schema: str | None = None
    margin: float | None = None


def find_preprocessing(
    network: ForeignNetwork,
    wrapping: WrapperConfig,
    description: NetworkDescription,
    schema: str,
    on_try: Callable[[int, int], None],
) -> NetworkTrial:
    """Find the preprocessing with the smallest error on known faces.

    Args:
        network: The user's network.
        wrapping: What is known from the file.
        description: What the user knows of the network.
        schema: Name of the landmark schema.
        on_try: Called with the number of trials that are done and the number of all trials.

    Returns:
        The best trial. An earlier one is kept unless a later one is at least 5 % better.
    """
    margins = _TRIAL_MARGINS if description.margin is None else (description.margin,)
    candidates = list(candidate_descriptions(wrapping, description))
    best, least = None, float("inf")
    for number, candidate in enumerate(candidates):
        on_try(number, len(candidates))
        trial = NetworkTrial.of(
            network, interpret_outputs(network, candidate, description, schema), schema
        )
        error = min(trial.error(margin) for margin in margins)
        if best is None or error < _IMPROVEMENT * least:
            best, least = trial, error
    on_try(len(candidates), len(candidates))
    assert best is not None
    return best


def candidate_descriptions(
    wrapping: WrapperConfig, description: NetworkDescription
) -> Iterator[WrapperConfig]:
    """Iterate over the common preprocessings that agree with what the user knows.

    Args:
        wrapping: What is known from the file.
        description: What the user knows of the network.

    Yields:
        `wrapping` with each preprocessing.
    """
    preprocessings: tuple[tuple[float, Triple, Triple], ...] = _PREPROCESSINGS
    if wrapping.input_type == "tensor(uint8)":
        preprocessings = _PREPROCESSINGS[-1:]
    if description.mean is not None or description.std is not None:
        mean, std = description.mean or (0.0, 0.0, 0.0), description.std or (1.0, 1.0, 1.0)
        preprocessings = tuple((white, mean, std) for white in _whites(mean, std))
    if description.white is not None:
        matching = [
            preprocessing
            for preprocessing in preprocessings
            if preprocessing[0] == description.white
        ]
        preprocessings = tuple(matching) or tuple(
            (description.white, *preprocessing[1:]) for preprocessing in preprocessings
        )
    for white, mean, std in preprocessings:
        for rgb in (True, False) if description.rgb is None else (description.rgb,):
            yield replace(wrapping, white=white, mean=mean, std=std, rgb=rgb)


def _whites(mean: Triple, std: Triple) -> tuple[float, ...]:
    """Return the possible values of white (1 or 255) for a given mean and std."""
    if max(*mean, *std) > 1:
        return (255.0,)
    return (1.0,) if any(mean) or min(std) < 1 else (1.0, 255.0)


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTrial:
    """A wrapped network that is open, to be tried on known faces.

    Attributes:
        content: The wrapped ONNX file.
        wrapping: How it is wrapped.
        schema: Name of the landmark schema.
        batch: Number of faces per run, 0 for any.
        runner: The open session.
    """

    content: bytes
    wrapping: WrapperConfig
    schema: str
    batch: int
    runner: OnnxSession

    @classmethod
    def of(cls, network: ForeignNetwork, wrapping: WrapperConfig, schema: str) -> NetworkTrial:
        content = wrap_network(network.content, wrapping)
        runner = open_content(content, network.path)
        return cls(content, wrapping, schema, network.batch, runner)

    def run(self, crops: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Run the network.

        Args:
            crops: (n, F, F, 3) uint8 BGR.

        Returns:
            Points (n, K, 2), NaN where they are not finite or far too large, and `face` (n,).
        """
        inputs = crops if self.wrapping.channels_last else planar(crops)
        step = self.batch or len(inputs)
        points, face = [], []
        for first in range(0, len(inputs), step):
            part = inputs[first : first + step]
            padding = step - len(part)
            padded = np.concatenate((part, part[:1].repeat(padding, 0))) if padding else part
            found, face_scores = self.runner(("points", "face"), crops=np.ascontiguousarray(padded))
            points.append(found[: len(part)])
            face.append(face_scores[: len(part)])
        all_points = np.concatenate(points)
        places = np.where(np.abs(all_points) < _MAX_COORDINATE, all_points, np.nan)
        return places.astype(np.float32), np.concatenate(face)

    def error(self, margin: float) -> float:
        """Compute the mean landmark error on the crops of `displaced_crops`.

        Args:
            margin: Side of the crop divided by the fitted size of the face.

        Returns:
            The error as a share of the eye distance; infinite if points are not finite.
        """
        size = self.wrapping.crop
        places = displaced_crops(demo_faces(), self.schema, margin)
        parts = [cut(face.image, crop.matrix_to_image(size), size) for face, crop in places]
        points, _ = self.run(np.stack(parts))
        errors = [
            face.error(transform(crop.matrix_to_image(size), found), self.schema)
            for (face, crop), found in zip(places, points, strict=True)
        ]
        mean = float(np.mean(errors))
        return mean if np.isfinite(mean) else float("inf")

    def cost(self, margin: float) -> float:
        """Return the cost by which margins are compared: the error plus the median disagreement.

        The disagreement of `two looks` is added because the error on one person says too little.

        Args:
            margin: Side of the crop divided by the fitted size of the face.
        """
        crops = face_crops(demo_faces(), self.schema, margin, self.wrapping.crop)
        return self.error(margin) + float(np.median(_median_disagreement(self, crops)))


def interpret_outputs(
    network: ForeignNetwork, wrapping: WrapperConfig, description: NetworkDescription, schema: str
) -> WrapperConfig:
    """Find what the user leaves open of the outputs, such as the unit of coordinates, by running.

    Args:
        network: The user's network.
        wrapping: The settings so far.
        description: What the user knows of the network.
        schema: Name of the landmark schema.

    Returns:
        The completed settings.
    """
    kind = OUTPUT_KINDS.find(wrapping.output)
    return kind.complete(wrapping, _DemoFaceTrial(network, schema), description.scale)


@dataclass(frozen=True, slots=True)
class _DemoFaceTrial:
    """The `OutputTrial` of a network on the faces of the demo clip."""

    network: ForeignNetwork
    schema: str

    def points(self, wrapping: WrapperConfig) -> NDArray[np.float32]:
        crops = face_crops(demo_faces(), self.schema, 1.4, wrapping.crop)
        return NetworkTrial.of(self.network, wrapping, self.schema).run(crops)[0]

    def values(self, wrapping: WrapperConfig) -> list[NDArray[np.float32]]:
        crops = face_crops(demo_faces(), self.schema, 1.4, wrapping.crop)
        crops = crops[: self.network.batch or 1]
        content, wrapping = rename_conflicting_tensors(self.network.content, wrapping)
        content = wrap_network(content, wrapping)
        extra_outputs = [field(GRAPH, field(OUTPUT, field(1, name))) for name in wrapping.outputs]
        runner = open_content(content + b"".join(extra_outputs), self.network.path)
        inputs = crops if wrapping.channels_last else planar(crops)
        return runner(wrapping.outputs, crops=np.ascontiguousarray(inputs))

    def error(self, wrapping: WrapperConfig) -> float:
        return NetworkTrial.of(self.network, wrapping, self.schema).error(1.4)


def face_score_of(trial: NetworkTrial, margin: float) -> tuple[FaceScore, tuple[UserText, ...]]:
    """Choose the cheapest face score that separates faces from images without a face.

    Args:
        trial: The wrapped network.
        margin: Side of the crop divided by the fitted size of the face.

    Returns:
        The face score, and a warning if it does not separate them well.
    """
    crop_arguments = (demo_faces(), trial.schema, margin, trial.wrapping.crop)
    with_face, without_face = hard_face_crops(*crop_arguments), faceless_crops(*crop_arguments)
    if OUTPUT_KINDS.find(trial.wrapping.output).has_peaks:
        likely = float(np.quantile(trial.run(with_face)[1], 0.05)) / _SAFETY_FACTOR
        unlikely = float(np.quantile(trial.run(without_face)[1], 0.95))
        if likely > _MIN_SEPARATION * unlikely and likely > 0:
            return FaceScore(
                PEAK, likely, _threshold_between(likely, max(unlikely, likely / 50))
            ), ()
    likely = _SAFETY_FACTOR * float(np.quantile(_median_disagreement(trial, with_face), 0.95))
    unlikely = float(np.quantile(_median_disagreement(trial, without_face), 0.05))
    warnings: tuple[UserText, ...] = ()
    if not unlikely > _MIN_SEPARATION * likely:
        warnings = (
            UserText(
                "Its landmarks hardly tell whether there is a face: tracking may "
                "continue after a face has left."
            ),
        )
        unlikely = _MIN_SEPARATION * max(likely, 1e-3)
    return FaceScore(
        TWO_LOOKS, max(likely, 1e-3), _threshold_between(max(likely, 1e-3), unlikely)
    ), warnings


def _threshold_between(likely: float, unlikely: float) -> float:
    """Return the value two thirds of the way to `unlikely` on a logarithmic scale.

    It is nearer to `unlikely`, because the demo clip shows less variety than all faces.
    """
    return float(np.exp(0.35 * np.log(likely) + 0.65 * np.log(unlikely)))


def _median_disagreement(trial: NetworkTrial, crops: Image) -> NDArray[np.float32]:
    """Return the median disagreement (n,) of the points in a crop and in a moved crop."""
    moved, matrix = move_crops(crops)
    distances = disagreement(trial.run(crops)[0], trial.run(moved)[0], matrix)
    median: NDArray[np.float32] = np.median(distances, axis=1)
    return median


def quality_warnings(trial: NetworkTrial, margin: float, error: float) -> tuple[UserText, ...]:
    """Return warnings about a network that does badly on known faces.

    Args:
        trial: The wrapped network.
        margin: Side of the crop divided by the fitted size of the face.
        error: Mean landmark error, as a share of the eye distance.

    Returns:
        The warnings; none for a good network.
    """
    warnings = []
    compensated = _compensated_share(trial, margin)
    if compensated < _MIN_COMPENSATION:
        warnings.append(
            UserText(
                "Its landmarks hardly follow the face: where the crop moves, they "
                "compensate {percent:.0f} % of the motion.",
                percent=100 * max(0.0, compensated),
            )
        )
    if error > USABLE:
        warnings.append(
            UserText(
                "Its error on the demo clip is {percent:.1f} % of the inter-ocular "
                "distance ({usable:.0f} % are usable): check its output, schema, mean, "
                "std and colour order",
                percent=100 * error,
                usable=100 * USABLE,
            )
        )
    return tuple(warnings)


def _compensated_share(trial: NetworkTrial, margin: float) -> float:
    """Return which share of a crop's motion the points compensate; 1 for a good network."""
    size, shares = trial.wrapping.crop, []
    for face in demo_faces():
        crop = face.crop(trial.schema, margin)
        shift = _SHIFT * crop.side
        pair = (replace(crop, x=crop.x - shift), replace(crop, x=crop.x + shift))
        parts = [cut(face.image, each.matrix_to_image(size), size) for each in pair]
        first, second = trial.run(np.stack(parts))[0].mean(1)[:, 0] / size * crop.side
        shares.append((first - second) / (2 * shift))
    return float(np.median(shares))
