"""Inspect a user's network: its input, its outputs, and which of them are landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.models.errors import WeightsError
from steadymark.models.face.schema import load_schema, schema_names
from steadymark.models.own_models.output_kind import OUTPUT_KINDS
from steadymark.models.runtime.onnx_session import OnnxSession, open_content
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

CHANNELS = 3
SIDES = (16, 1024)  # smallest and largest side of an input, pixels
_TYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}


@dataclass(frozen=True, slots=True, eq=False)
class ForeignNetwork:
    """A user's network and what was found out about it.

    Attributes:
        path: The ONNX file.
        content: Its bytes.
        input: Name of the input.
        input_type: Type of the input, for example `tensor(float)`.
        crop: Side F of the input, pixels.
        channels_last: Whether the input is (n, F, F, 3) instead of (n, 3, F, F).
        batch: Number of faces per run, 0 for any.
        outputs: Shape of each output by its name, without the batch axis.
    """

    path: Path
    content: bytes
    input: str
    input_type: str
    crop: int
    channels_last: bool
    batch: int
    outputs: dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class LandmarkOutputs:
    """The outputs that contain landmarks.

    Attributes:
        output: Name of the kind of the outputs.
        names: Names of the outputs.
        count: Number of landmarks, K.
    """

    output: str
    names: tuple[str, ...]
    count: int


def open_network(
    path: Path, *, crop: int | None = None, channels_last: bool | None = None
) -> ForeignNetwork:
    """Read an ONNX file and run it on a grey image.

    Args:
        path: The ONNX file.
        crop: Side of the input, pixels; needed if the file does not say.
        channels_last: Whether the channels are the last axis of the input; by default it is
            guessed from the shape.

    Returns:
        The network.

    Raises:
        WeightsError: The file cannot be read or run, the network does not take square colour
            images, or the side is unknown, contradicts the file, or is out of range.
    """
    if path.suffix.lower() != ".onnx":
        raise WeightsError(
            "{name} is not an ONNX model: choose a file that ends in .onnx", name=path.name
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            "{path} cannot be read: {reason}", path=path, reason=error.strerror
        ) from error
    runner = open_content(content, path)
    name, kind, shape = _image_input(path, runner)
    side, is_channels_last = _layout(path, shape, channels_last)
    if crop is not None and side not in (0, crop):
        raise WeightsError(
            "{name} takes images of {found} × {found} pixels, not {given} × {given}",
            name=path.name,
            found=side,
            given=crop,
        )
    side = crop or side
    if not side:
        raise WeightsError(
            "{name} takes images of any size: say with input-size which size it was trained on",
            name=path.name,
        )
    if not SIDES[0] <= side <= SIDES[1]:
        raise WeightsError(
            "the input of {name} is {side} pixels wide: it must be between {least} and {most}",
            name=path.name,
            side=side,
            least=SIDES[0],
            most=SIDES[1],
        )
    fixed_batch = shape[0] if isinstance(shape[0], int) else 0
    parts = (side, side, CHANNELS) if is_channels_last else (CHANNELS, side, side)
    grey = np.full((fixed_batch or 1, *parts), 0.5, _TYPES[kind])
    outputs_of_grey = _run(path, runner, {name: grey})
    outputs = {
        output: tuple(value.shape[1:])
        for output, value in outputs_of_grey.items()
        if value.ndim >= 2 and len(value) == len(grey) and value.dtype.kind == "f"
    }
    batch = fixed_batch or _batch(runner, name, grey, outputs_of_grey)
    return ForeignNetwork(path, content, name, kind, side, is_channels_last, batch, outputs)


def _image_input(path: Path, runner: OnnxSession) -> tuple[str, str, list[Any]]:
    """Return the name, type and shape of the only input."""
    inputs = runner.session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        described = ", ".join(f"{i.name} {i.shape}" for i in inputs)
        raise WeightsError(
            "{name} takes {inputs}: it must take one image (n, 3, F, F) or (n, F, F, 3)",
            name=path.name,
            inputs=described or UserText("nothing"),
        )
    image_input = inputs[0]
    if image_input.type not in _TYPES:
        raise WeightsError(
            "the input of {name} is {type}: it must be float, float16 or uint8",
            name=path.name,
            type=image_input.type,
        )
    return image_input.name, image_input.type, list(image_input.shape)


def _layout(path: Path, shape: Sequence[Any], last: bool | None) -> tuple[int, bool]:
    """Return the input's side, 0 if it is variable, and whether the channels come last."""
    if last is None:
        last = shape[3] == CHANNELS and shape[1] != CHANNELS
    channels = shape[3] if last else shape[1]
    sides = {s for s in (shape[1:3] if last else shape[2:]) if isinstance(s, int)}
    if channels != CHANNELS and isinstance(channels, int):
        raise WeightsError(
            "{name} takes images of {channels} channels: it must take {wanted} "
            "(colour; use layout nhwc if the channels come last)",
            name=path.name,
            channels=channels,
            wanted=CHANNELS,
        )
    if len(sides) > 1:
        raise WeightsError(
            "{name} takes images of {shape}: crops of faces are square",
            name=path.name,
            shape=list(shape),
        )
    return (sides.pop() if sides else 0), bool(last)


def _run(
    path: Path, runner: OnnxSession, given: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    try:
        names = [o.name for o in runner.session.get_outputs()]
        found = runner(names, **given)
    except WeightsError:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsError(
            "{name} fails when it runs: {reason}", name=path.name, reason=reason
        ) from error
    return {
        name: value
        for name, value in zip(names, found, strict=True)
        if isinstance(value, np.ndarray)
    }


def _batch(
    runner: OnnxSession, name: str, grey: NDArray[Any], single: dict[str, NDArray[Any]]
) -> int:
    """Return 0 (any batch) if two equal images give the single result twice, else 1."""
    try:
        found = runner(tuple(single), **{name: np.concatenate((grey, grey))})
    except Exception:  # noqa: BLE001 - any error means that two images cannot be run
        return 1
    twice = dict(zip(single, found, strict=True))
    is_same = all(
        twice[output].shape == (2 * len(value), *value.shape[1:])
        and np.allclose(twice[output][: len(value)], value, atol=1e-3, equal_nan=True)
        for output, value in single.items()
        if value.ndim >= 2 and len(value) == len(grey)
    )
    return 0 if is_same else 1


def find_landmarks(
    network: ForeignNetwork,
    *,
    output: str | None = None,
    names: tuple[str, ...] = (),
    count: int | None = None,
) -> LandmarkOutputs:
    """Find the outputs that can be landmarks of a known schema.

    Args:
        network: The network.
        output: Name of the kind of the outputs, if the user knows it.
        names: Names of the outputs, if the user knows them.
        count: Number of landmarks, if the user knows it.

    Returns:
        The outputs.

    Raises:
        WeightsError: No output can be landmarks, or there is no output of a given name.
        UsageError: There is no kind of that name.
    """
    unknown = [name for name in names if name not in network.outputs]
    if unknown:
        raise WeightsError(
            "{name} has no output '{output}': its outputs are {known}",
            name=network.path.name,
            output=unknown[0],
            known=_describe_shapes(network.outputs),
        )
    shapes = {n: network.outputs[n] for n in names} if names else network.outputs
    counts = (count,) if count else tuple(sorted(load_schema(n).count for n in schema_names()))
    every = sorted(OUTPUT_KINDS.all(), key=lambda kind: kind.order)
    kinds = [OUTPUT_KINDS.find(output)] if output else every
    for kind in kinds:
        found = kind.find(shapes, counts)
        if found is not None:
            return LandmarkOutputs(kind.name, *found)
    raise WeightsError(
        "{name} returns {outputs}: none of them holds {kinds} of {counts} landmarks",
        name=network.path.name,
        outputs=_describe_shapes(shapes) or UserText("nothing"),
        kinds=", ".join(kind.name for kind in kinds),
        counts=", ".join(map(str, dict.fromkeys(counts))),
    )


def _describe_shapes(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {['n', *shape]}".replace("'", "") for name, shape in shapes.items())
