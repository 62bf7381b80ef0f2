"""The available models, and adding ONNX networks of other origin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypedDict, TypeVar, Unpack

from steadymark.engine.api.inputs import checked_number
from steadymark.engine.api.landmarker import FaceLandmarker
from steadymark.engine.core.errors import UsageError
from steadymark.models.own_models.add_model import UNKNOWN, check_name, prepare_model, save_model
from steadymark.models.own_models.output_kind import OUTPUT_KINDS
from steadymark.models.own_models.preprocessing_search import NetworkDescription
from steadymark.models.own_models.wrapper_config import CoordinateUnit
from steadymark.models.runtime.zoo import ModelCard
from steadymark.models.runtime.zoo import list_models as list_cards
from steadymark.models.runtime.zoo import list_own_models as list_own_cards

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadymark.models.own_models.preprocessing_search import Triple

Channels = float | tuple[float, float, float]
_Choice = TypeVar("_Choice")
_COLOURS = {"rgb": True, "bgr": False}
_LAYOUTS = {"nchw": False, "nhwc": True}
_NAME = "network"  # name of a model that is not in the models folder


class NetworkOptions(TypedDict, total=False):
    """The known properties of a user's network; see `OnnxLandmarker`."""

    input_size: int
    mean: Channels
    std: Channels
    white: float
    colours: str
    layout: str
    output: str
    output_names: tuple[str, ...]
    scale: str
    schema: str
    margin: float


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """An available model.

    Attributes:
        name: The name to pass as `model` or `detector`.
        kind: `landmarks`, `face_detector` or `stabilizer`.
        schema: The landmark schema; empty for other kinds.
        licence: The licence of the weights.
        scores: The model's results by name of the metric.
    """

    name: str
    kind: str
    schema: str
    licence: str
    scores: dict[str, float]


def list_models() -> list[ModelInfo]:
    """List the shipped models and the models that were added on this computer.

    Returns:
        The models.

    Example:
        >>> import steadymark as sm
        >>> "heatmap1d-lite" in [model.name for model in sm.list_models()]
        True
    """
    return [_info(card) for card in (*list_cards(), *list_own_cards())]


def add_model(
    path: str | Path,
    name: str,
    *,
    licence: str = UNKNOWN,
    data: str = UNKNOWN,
    overwrite: bool = False,
    **network: Unpack[NetworkOptions],
) -> ModelInfo:
    """Add an ONNX network to the models on this computer, as `steadymark add-model` does.

    Afterwards the window, the command line and `sm.FaceLandmarker(model=name)` can use it.

    Args:
        path: The .onnx file; it is copied.
        name: The name of the model.
        licence: The licence of the weights; `unknown` if you do not know it.
        data: The training data; `unknown` if you do not know it.
        overwrite: Replace a model of this name that was added before.
        **network: The known properties of the network; see `sm.OnnxLandmarker`.

    Returns:
        The model as `sm.list_models` lists it.

    Raises:
        WeightsError: The file is not a landmark network, or the name is in use.
        UsageError: A property of the network is not valid.
    """
    check_name(name, overwrite=overwrite)
    prepared = prepare_model(Path(path), _network_description(network))
    return _info(save_model(prepared, name=name, licence=licence, data=data, overwrite=overwrite))


class OnnxLandmarker(FaceLandmarker):
    """A `FaceLandmarker` with a landmark network of your own, from any ONNX file.

    Properties that you leave out are read from the file, or found by trials on the face of the demo
    clip, whose landmarks are known. The network is not changed, and it is not added to the models.

    Args:
        path: The .onnx file. Its input is one square image (n, 3, F, F) or (n, F, F, 3). Its
            output is coordinates, heatmaps, or for each landmark one line of scores along x and one
            along y.
        stabilizer: See `FaceLandmarker`; `auto` is `flow`, which works with every network.
        max_faces: See `FaceLandmarker`.
        device: See `FaceLandmarker`.
        input_size: F in pixels.
        mean: What is subtracted from the input: one number, or one per channel in the network's
            order.
        std: What the input is then divided by, in the same form.
        white: The value of a white pixel before `mean` is subtracted, 1 or 255.
        colours: The order of the channels, `rgb` or `bgr`.
        layout: `nchw` or `nhwc`.
        output: `coordinates`, `heatmaps`, `lines`, or an output kind that a plug-in adds.
        output_names: The names of the outputs: one, or two for `lines` (x and y).
        scale: The unit of coordinates: `pixels` of the input, `unit` (0 to 1) or `signed` (−1
            to 1).
        schema: The landmark schema, for example `ibug68` or `wflw98`.
        margin: The side of the network's crop, divided by the size of the face.

    Raises:
        WeightsError: The file is not a usable landmark network; the message gives the reason.
        UsageError: A property of the network is not valid.

    Example:
        >>> import steadymark as sm
        >>> landmarker = sm.OnnxLandmarker(  # doctest: +SKIP
        ...     "pfld.onnx", input_size=112, output="coordinates", schema="wflw98"
        ... )
    """

    def __init__(
        self,
        path: str | Path,
        *,
        stabilizer: str = "auto",
        max_faces: int = 1,
        device: str = "auto",
        **network: Unpack[NetworkOptions],
    ) -> None:
        prepared = prepare_model(Path(path), _network_description(network))
        with TemporaryDirectory(prefix="steadymark-") as folder:
            card = save_model(
                prepared, name=_NAME, licence=UNKNOWN, data=UNKNOWN, folder=Path(folder)
            )
            super().__init__(
                model=card.path, stabilizer=stabilizer, max_faces=max_faces, device=device
            )
        self.error = prepared.error
        self.warnings = tuple(str(warning) for warning in prepared.warnings)


def _network_description(options: NetworkOptions) -> NetworkDescription:
    size = options.get("input_size")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise UsageError("input_size must be a whole number of pixels, not {size}", size=repr(size))
    return NetworkDescription(
        output=_choice(
            "output", options.get("output"), {name: name for name in OUTPUT_KINDS.names()}
        ),
        outputs=_names(options.get("output_names", ())),
        crop=size,
        mean=_channels("mean", options.get("mean")),
        std=_channels("std", options.get("std")),
        white=_number("white", options.get("white")),
        rgb=_choice("colours", options.get("colours"), _COLOURS),
        channels_last=_choice("layout", options.get("layout"), _LAYOUTS),
        scale=_choice("scale", options.get("scale"), {str(each): each for each in CoordinateUnit}),
        schema=options.get("schema"),
        margin=_number("margin", options.get("margin")),
    )


def _choice(name: str, given: str | None, choices: Mapping[str, _Choice]) -> _Choice | None:
    if given is None:
        return None
    if given not in choices:
        raise UsageError(
            "{name} is {given}: choose one of {known}",
            name=name,
            given=repr(given),
            known=", ".join(choices),
        )
    return choices[given]


def _names(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _number(name: str, given: float | None) -> float | None:
    return None if given is None else checked_number(given, name=name)


def _channels(name: str, given: Channels | None) -> Triple | None:
    if given is None:
        return None
    values = tuple(given) if isinstance(given, Iterable) else (given,) * 3
    if len(values) != 3:
        raise UsageError(
            "{name} has {count} numbers: pass one, or three (one a channel)",
            name=name,
            count=len(values),
        )
    first, second, third = (checked_number(value, name=name) for value in values)
    return first, second, third


def _info(card: ModelCard) -> ModelInfo:
    return ModelInfo(card.name, card.kind, card.schema, card.licence, dict(card.scores))
