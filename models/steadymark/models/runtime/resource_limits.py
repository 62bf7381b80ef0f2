"""Bounds on what models of others may take of memory and time when they run.

A small ONNX file can ask for any amount: shapes and counts of loops come out of the graph, and some
of them only when it runs. ONNX Runtime's arena of the CPU is given a most, and refuses what would
be beyond it; a run that takes too long is told to end, which it does after the step it is at.
"""

from __future__ import annotations

import contextlib
from functools import cache
from threading import Timer
from typing import TYPE_CHECKING, Any

import onnxruntime as ort

from steadymark.models.errors import WeightsError
from steadymark.models.face.schema import assets_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_S = 60.0  # of a run; the slowest of ours takes 0.5 for sixteen faces on a busy core
MOST_GIB = 4  # for all of them together; the largest of ours takes 0.2 for sixteen faces
_REFUSED = "Available memory of"  # bfc_arena.cc


def is_ours(path: Path) -> bool:
    """Whether it is one of the shipped files, which have no bounds."""
    return path.resolve().is_relative_to((assets_root() / "weights").resolve())


def limit_memory(options: Any) -> None:
    """Of a session."""
    _make_arena()
    options.add_session_config_entry("session.use_env_allocators", "1")


@contextlib.contextmanager
def within_limits(path: Path) -> Iterator[Any]:
    """The options for one run. path: for messages.

    Raises:
        WeightsError: it was refused memory, or took too long.
    """
    options = ort.RunOptions()
    clock = Timer(MOST_S, setattr, (options, "terminate", True))
    clock.daemon = True
    clock.start()
    try:
        yield options
    except Exception as error:
        if options.terminate:
            raise WeightsError(
                "{name} takes longer than {most_s} s when it is run: use a smaller model, or fewer "
                "faces",
                name=path.name,
                most_s=f"{MOST_S:g}",
            ) from error
        if _REFUSED in str(error):
            raise WeightsError(
                "{name} takes more than {most_gib} GiB of memory when it is run: use a smaller "
                "model, or fewer faces",
                name=path.name,
                most_gib=MOST_GIB,
            ) from error
        raise
    finally:
        clock.cancel()


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
