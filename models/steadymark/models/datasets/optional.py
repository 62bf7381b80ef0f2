"""MATLAB files, of which two data sets are made; those of version 7.3 need the extra `train`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from steadymark.models.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def load_mat(path: Path) -> dict[str, NDArray[np.generic]]:
    """The variables of a MATLAB file up to version 7.

    Raises:
        ValueError: it is no such file.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content: dict[str, NDArray[np.generic]] = loadmat(path)
    except (MatReadError, NotImplementedError, TypeError, OSError, ValueError) as error:
        raise ValueError(f"is no MATLAB file that can be read ({error})") from error
    return content


def open_hdf5(path: Path) -> Any:
    """A MATLAB file of version 7.3, which is HDF5, open for reading.

    Raises:
        DataError: h5py is missing, or it is no such file.
    """
    if find_spec("h5py") is None:
        raise DataError(f"reading {path} needs h5py: pip install 'steadymark[train]'")
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path} is no MATLAB 7.3 file that can be read: copy it again") from error
