"""COFW's MATLAB files of version 7.3, which are HDF5 and need the extra `train`."""

from __future__ import annotations

import contextlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

MOST_BYTES = 1 << 28  # of a table; a file can tell of any size without holding it


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """A MATLAB file of version 7.3, open for reading.

    Raises:
        DataError: h5py is missing, or it is no such file, or damaged where it is read.
    """
    if find_spec("h5py") is None:
        raise DataError(f"reading {path} needs h5py: pip install 'steadymark[train]'")
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except DataError:
        raise
    # h5py raises whatever its C library meets, with no base of its own
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is no MATLAB 7.3 file that can be read: copy it again ({error})"
        ) from error


def table_of(file: Any, name: Any) -> NDArray[Any]:
    """A table of such a file, whole. name: or a reference.

    Raises:
        ValueError: it is none, or too large.
    """
    held = file[name]
    if not hasattr(held, "dtype"):
        raise ValueError(f"{name} is no table")
    if held.size * held.dtype.itemsize > MOST_BYTES:
        raise ValueError(f"{name} has more than {MOST_BYTES >> 20} MiB")
    return np.asarray(held)
