"""A bound on what models of others may take of the memory when they run.

A small ONNX file can ask for any amount: shapes come out of the graph, and some of them only when
it runs. ONNX Runtime's arena of the CPU is given a most, and refuses what would be beyond it.
"""

from __future__ import annotations

import contextlib
from functools import cache
from typing import TYPE_CHECKING, Any

import onnxruntime as ort

from steadymark.models.errors import WeightsError
from steadymark.models.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_GIB = 4  # for all of them together; the largest of ours takes 0.2 for sixteen faces
_REFUSED = "Available memory of"  # bfc_arena.cc


def limit_memory(options: Any, path: Path) -> None:
    """Of a session for this file, unless it is one of the shipped ones."""
    if not path.resolve().is_relative_to((assets_root() / "weights").resolve()):
        _make_arena()
        options.add_session_config_entry("session.use_env_allocators", "1")


@contextlib.contextmanager
def told_when_too_large(path: Path) -> Iterator[None]:
    """Raises WeightsError where a run was refused memory."""
    try:
        yield
    except Exception as error:
        if _REFUSED not in str(error):
            raise
        raise WeightsError(
            "{name} takes more than {most_gib} GiB of memory when it is run: use a smaller model, "
            "or fewer faces",
            name=path.name,
            most_gib=MOST_GIB,
        ) from error


@cache
def _make_arena() -> None:
    """Once in a process: ONNX Runtime has one such allocator, which sessions may share."""
    kind = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    info = ort.OrtMemoryInfo("Cpu", kind, 0, ort.OrtMemType.DEFAULT)
    unset = -1
    most = ort.OrtArenaCfg(
        {
            "max_mem": MOST_GIB << 30,
            "arena_extend_strategy": 1,  # as much as is asked for
            "initial_chunk_size_bytes": unset,
            "max_dead_bytes_per_chunk": unset,
        }
    )
    ort.create_and_register_allocator(info, most)
