"""Limit the memory and time that models take which are not shipped with the program.

A small ONNX file can request any amount of memory or time, because the graph determines shapes and
loop counts, some of them only when it runs. ONNX Runtime's memory arena on the CPU has a limit and
refuses to grow beyond it. A run that takes too long is told to stop; it does so after the current
node.
"""

from __future__ import annotations

import contextlib
from functools import cache
from threading import Timer
from typing import TYPE_CHECKING, Any

from steadymark.models.errors import WeightsError
from steadymark.models.face.schema import assets_root
from steadymark.models.runtime.onnxruntime_offline import ort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_S = 60.0  # per run; the slowest shipped model takes 0.5 s for 16 faces on a busy core
MOST_GIB = 4  # for all of them together; the largest shipped model takes 0.2 GiB for 16 faces
_OUT_OF_MEMORY = "Available memory of"  # bfc_arena.cc


def is_shipped(path: Path) -> bool:
    """Return whether a file lies in the folder of the shipped models, which have no limits."""
    return path.resolve().is_relative_to((assets_root() / "weights").resolve())


def limit_memory(options: Any) -> None:
    """Make a session allocate its memory from the limited arena.

    Args:
        options: The `SessionOptions` of ONNX Runtime, which are changed.
    """
    _make_arena()
    options.add_session_config_entry("session.use_env_allocators", "1")


@contextlib.contextmanager
def within_limits(path: Path) -> Iterator[Any]:
    """Limit the time of one run and report exceeded limits.

    Args:
        path: The model file, for messages.

    Yields:
        The `RunOptions` of ONNX Runtime to use for the run.

    Raises:
        WeightsError: The run exceeded the limit of time or memory.
    """
    options = ort.RunOptions()
    timer = Timer(MOST_S, setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        yield options
    except Exception as error:
        if options.terminate:
            raise WeightsError(
                "{name} takes longer than {most_s} s to run: use a smaller model, or fewer faces",
                name=path.name,
                most_s=f"{MOST_S:g}",
            ) from error
        if _OUT_OF_MEMORY in str(error):
            raise WeightsError(
                "{name} needs more than {most_gib} GiB of memory to run: use a smaller "
                "model, or fewer faces",
                name=path.name,
                most_gib=MOST_GIB,
            ) from error
        raise
    finally:
        timer.cancel()


@cache
def _make_arena() -> None:
    """Register the limited arena, once per process; all limited sessions share it."""
    kind = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    info = ort.OrtMemoryInfo("Cpu", kind, 0, ort.OrtMemType.DEFAULT)
    unset = -1
    config = ort.OrtArenaCfg(
        {
            "max_mem": MOST_GIB << 30,
            "arena_extend_strategy": 1,  # grow by the requested size only
            "initial_chunk_size_bytes": unset,
            "max_dead_bytes_per_chunk": unset,
        }
    )
    ort.create_and_register_allocator(info, config)
