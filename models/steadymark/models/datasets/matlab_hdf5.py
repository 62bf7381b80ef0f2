"""Reader of MATLAB 7.3 files, which are HDF5, for COFW; it needs the extra `train`."""

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

MOST_BYTES = 1 << 28  # largest table; a file can declare any size without storing it


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[Any]:
    """Open a MATLAB 7.3 file for reading, as a context manager.

    Raises:
        DataError: h5py is missing, or the file is of another format or damaged.
    """
    if find_spec("h5py") is None:
        raise DataError(f"reading {path} needs h5py: pip install 'steadymark[train]'")
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except DataError:
        raise
    # h5py passes on errors of its C library, which have no common base class
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(
            f"{path} is no MATLAB 7.3 file that can be read: copy it again ({error})"
        ) from error


def table_of(file: Any, name: Any) -> NDArray[Any]:
    """Read a whole table.

    Args:
        file: The open file.
        name: Name of the table, or an HDF5 reference to it.

    Raises:
        ValueError: It is not a table, or it is too large.
    """
    table = file[name]
    if not hasattr(table, "dtype"):
        raise ValueError(f"{name} is no table")
    if table.size * table.dtype.itemsize > MOST_BYTES:
        raise ValueError(f"{name} has more than {MOST_BYTES >> 20} MiB")
    return np.asarray(table)
