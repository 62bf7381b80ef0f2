"""Qt's objects end in the thread of the tests, as in the program's GUI thread."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def garbage_ends_here() -> Iterator[None]:
    """A worker thread that collects a window of an earlier test would wait for ever."""
    gc.disable()
    yield
    gc.collect()
