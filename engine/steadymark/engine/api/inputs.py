"""Validation of the arguments of the public API; each error is one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.errors import UsageError
from steadymark.models.face.schema import IBUG68, load_schema, schema_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
Array = NDArray[np.floating[Any]]
_SHAPES = {2: "(K, 2)", 3: "(T, K, 2)", 4: "(T, N, K, 2)"}
# order of preference if schemas have the same number of landmarks
_PREFERRED = (IBUG68, "wflw98", "menpo84", "cofw29", "aflw19")


def checked_image(image: object) -> Image:
    """Return the image if it has the right shape and type.

    Raises:
        UsageError: It is not an array (H, W, 3) of uint8.
    """
    if not isinstance(image, np.ndarray):
        raise UsageError(
            "the image is of type {kind}: pass a NumPy array (H, W, 3) of uint8 in BGR order, for "
            "example from sm.read_image(path)",
            kind=type(image).__name__,
        )
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise UsageError(
            "the image is {shape} {dtype}: pass an array (H, W, 3) of uint8 in BGR order; "
            "cv2.cvtColor converts grey and RGBA pictures",
            shape=image.shape,
            dtype=image.dtype,
        )
    return image


def checked_points(points: ArrayLike, *, name: str = "points", ndim: tuple[int, ...]) -> Array:
    """Return landmarks as a floating-point array (…, K, 2).

    Args:
        points: The landmarks.
        name: Name of the argument, for the error.
        ndim: Allowed numbers of dimensions.

    Returns:
        The array.

    Raises:
        UsageError: The array has another shape, or is not numeric.
    """
    array = _real(points, name)
    if array.ndim not in ndim or array.shape[-1] != 2 or array.shape[-2] < 1:
        shapes = " or ".join(_SHAPES[n] for n in ndim)
        raise UsageError(
            "{name} is {shape}: it must be {wanted}", name=name, shape=array.shape, wanted=shapes
        )
    return array


def checked_pair(points: ArrayLike, truth: ArrayLike, *, ndim: tuple[int, ...]) -> tuple[Any, Any]:
    """Return landmarks and ground truth of the same shape (…, K, 2).

    Args:
        points: The landmarks.
        truth: The ground truth.
        ndim: Allowed numbers of dimensions.

    Returns:
        Both arrays.

    Raises:
        UsageError: A shape is not allowed, or the shapes differ.
    """
    a = checked_points(points, name="points", ndim=ndim)
    b = checked_points(truth, name="truth", ndim=ndim)
    if a.shape != b.shape:
        raise UsageError("points is {a}, but truth is {b}", a=a.shape, b=b.shape)
    return a, b


def checked_values(values: ArrayLike, *, name: str) -> Array:
    """Return an array with one number per frame or face, (N,) with N ≥ 1.

    Args:
        values: The numbers.
        name: Name of the argument, for the error.

    Returns:
        The array.

    Raises:
        UsageError: The array has another shape, or is empty.
    """
    array = _real(values, name)
    if array.ndim != 1 or not len(array):
        raise UsageError(
            "{name} is {shape}: it must be (N,) with N ≥ 1", name=name, shape=array.shape
        )
    return array


def checked_times(timestamps_s: ArrayLike, frames: int) -> NDArray[np.float64]:
    """Return one finite time per frame, (T,) in seconds and strictly increasing.

    Args:
        timestamps_s: The times.
        frames: Number of frames T.

    Returns:
        (T,) float64.

    Raises:
        UsageError: The number of times differs from `frames`, or the times do not increase.
    """
    times = _real(timestamps_s, "timestamps_s").astype(np.float64)
    if times.shape != (frames,):
        raise UsageError(
            "timestamps_s is {shape}, but there are {frames} frames: pass one time a frame",
            shape=times.shape,
            frames=frames,
        )
    if not np.isfinite(times).all() or not (np.diff(times) > 0).all():
        raise UsageError("timestamps_s must be finite, and each later than the one before")
    return times


def checked_number(value: object, *, name: str) -> float:
    """Return a finite number.

    Args:
        value: The number.
        name: Name of the argument, for the error.

    Returns:
        The number as a float.

    Raises:
        UsageError: The value is not a finite number.
    """
    if isinstance(value, int | float | np.integer | np.floating) and math.isfinite(value):
        return float(value)
    raise UsageError("{name} must be a finite number, not {value}", name=name, value=repr(value))


def schema_of(count: int, name: str | None = None) -> str:
    """Return the name of the landmark schema with this number of landmarks.

    Args:
        count: Number of landmarks.
        name: Name of the schema; None chooses the usual one.

    Returns:
        The name, or an empty string if no schema has this number.

    Raises:
        UsageError: `name` is unknown, or has another number of landmarks.
    """
    if name is not None:
        if name not in schema_names():
            raise UsageError(
                "unknown landmark schema '{name}': choose one of {known}",
                name=name,
                known=", ".join(schema_names()),
            )
        if load_schema(name).count != count:
            raise UsageError(
                "the schema {name} has {wanted} landmarks, but there are {count}",
                name=name,
                wanted=load_schema(name).count,
                count=count,
            )
        return name
    names = (*_PREFERRED, *schema_names())
    return next((each for each in names if load_schema(each).count == count), "")


def _real(values: ArrayLike, name: str) -> Array:
    try:
        array = np.asarray(values)
        if array.dtype.kind == "f":
            return array
        if array.dtype.kind in "iu":
            return array.astype(np.float64)
    except ValueError:  # rows of different lengths
        pass
    raise UsageError("{name} must be an array of numbers", name=name)
