"""Checks of what a caller of the public API passes in; each error is one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.errors import UsageError
from steadymark.models.face.schema import load_schema, schema_names

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Image = NDArray[np.uint8]
Points = NDArray[np.float32]
Array = NDArray[np.floating[Any]]
_SHAPES = {2: "(K, 2)", 3: "(T, K, 2)", 4: "(T, N, K, 2)"}
_PREFERRED = ("ibug68", "wflw98", "menpo84", "cofw29", "aflw19")  # of two schemas of one count


def checked_image(image: object) -> Image:
    """The picture itself, when it is one that can be tracked.

    Raises:
        UsageError: it is not an array (H, W, 3) of uint8.
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
    """The points as an array of floating-point numbers (…, K, 2).

    ndim: the numbers of dimensions that are allowed.

    Raises:
        UsageError: the array has another shape, or holds no numbers.
    """
    array = _real(points, name)
    if array.ndim not in ndim or array.shape[-1] != 2 or array.shape[-2] < 1:
        shapes = " or ".join(_SHAPES[n] for n in ndim)
        raise UsageError(
            "{name} is {shape}: it must be {wanted}", name=name, shape=array.shape, wanted=shapes
        )
    return array


def checked_pair(points: ArrayLike, truth: ArrayLike, *, ndim: tuple[int, ...]) -> tuple[Any, Any]:
    """Points and the true points, of the same shape (…, K, 2).

    Raises:
        UsageError: the shapes are not allowed, or differ.
    """
    a = checked_points(points, name="points", ndim=ndim)
    b = checked_points(truth, name="truth", ndim=ndim)
    if a.shape != b.shape:
        raise UsageError("points is {a}, but truth is {b}", a=a.shape, b=b.shape)
    return a, b


def checked_values(values: ArrayLike, *, name: str) -> Array:
    """One number a frame or face: (N,) with N ≥ 1.

    Raises:
        UsageError: the array has another shape, or is empty.
    """
    array = _real(values, name)
    if array.ndim != 1 or not len(array):
        raise UsageError(
            "{name} is {shape}: it must be (N,) with N ≥ 1", name=name, shape=array.shape
        )
    return array


def checked_times(timestamps_s: ArrayLike, frames: int) -> NDArray[np.float64]:
    """One finite time a frame, (T,) in seconds, each later than the one before.

    Raises:
        UsageError: there are more or fewer times than frames, or they do not rise.
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
    """A finite number.

    Raises:
        UsageError: it is none.
    """
    if isinstance(value, int | float | np.integer | np.floating) and math.isfinite(value):
        return float(value)
    raise UsageError("{name} must be a finite number, not {value}", name=name, value=repr(value))


def schema_of(count: int, name: str | None = None) -> str:
    """The name of the landmark schema of so many points; empty where none has that count.

    Raises:
        UsageError: `name` is unknown, or has another number of points.
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
    except ValueError:  # rows of several lengths
        pass
    raise UsageError("{name} must be an array of numbers", name=name)
