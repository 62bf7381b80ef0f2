"""Heatmaps of a frozen backbone on synthetic sequences, cached on disk with one byte per value.

Sequences are appended one by one, so that an interrupted run can continue.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import torch

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from steadymark.models.face.crop import Points
    from steadymark.models.training.data.face_images import FaceImages
    from steadymark.models.training.data.image_sequences import SequenceConfig
    from steadymark.models.training.stabilizer.frozen_backbone import Backbone, Floats

_FORMAT_VERSION = 5  # version of the file format
_MAX_CODE = 255  # largest code of a value
_INFO = ("crop", "size", "heatmaps", "scale", "rgb", "mean", "std", "schema")


class PackedHeatmaps(NamedTuple):
    """Heatmaps of any leading shape, quantized to bytes.

    A value is low + (high - low) · (code / 255)². The small values around a peak determine its
    position, and this code resolves them more finely than the large ones.

    Attributes:
        code: (..., *size) uint8.
        ends: (..., 2) float16, low and high.
    """

    code: NDArray[np.uint8]
    ends: NDArray[np.float16]


def pack_heatmaps(heat: Floats, axes: int) -> PackedHeatmaps:
    """Quantize heatmaps (..., *size) with 1 or 2 axes, each from 0 or less to its maximum.

    Raises:
        ValueError: Values are not finite, or too large for float16.
    """
    flat = heat.reshape(*heat.shape[: heat.ndim - axes], -1).astype(np.float32)
    with np.errstate(over="ignore"):
        low = flat.min(-1).clip(max=0).astype(np.float16)
        high = flat.max(-1).astype(np.float16)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise ValueError("the backbone gives heatmaps with values that are no numbers or too large")
    ends = np.stack((low, high), -1)
    span = (ends[..., 1:].astype(np.float32) - ends[..., :1]).clip(1e-7)
    share = ((flat - ends[..., :1]) / span).clip(0, 1)
    code = (np.sqrt(share) * _MAX_CODE + 0.5).astype(np.uint8)
    return PackedHeatmaps(code.reshape(heat.shape), ends)


def unpack_heatmaps(code: Tensor, ends: Tensor) -> Tensor:
    """Convert packed heatmaps to float32, on the tensors' device."""
    lows, highs = ends.float().unbind(-1)
    axes = code.ndim - lows.ndim
    low, high = (part.view(*part.shape, *[1] * axes) for part in (lows, highs))
    return low + (high - low) * (code.float() / _MAX_CODE).square()


class HeatmapCache:
    """Cached sequences.

    Attributes:
        code: (N, T, n, K, *size), see `PackedHeatmaps`.
        ends: (N, T, n, K, 2), see `PackedHeatmaps`.
        points: (N, T, K, 2) landmarks in crop pixels.
        moved: (N, T, 2, 3) transforms to the crop before, see `Stabilizer.step`.

    Args:
        folder: Folder of the cache.
        name: Name of the cache.
        count: Number of sequences to use, from the first; by default all.
    """

    def __init__(self, folder: Path, name: str, count: int | None = None) -> None:
        description = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        complete = _count_complete(folder, name, description["shapes"])
        self._files, self._count = _files(folder, name), complete if count is None else count
        self.code: NDArray[np.uint8] = self._memory_map("code", np.uint8, description["shapes"])
        self.ends: NDArray[np.float16] = self._memory_map("ends", np.float16, description["shapes"])
        self.points: Points = np.array(
            self._memory_map("points", np.float32, description["shapes"])
        )
        self.moved: Points = np.array(self._memory_map("moved", np.float32, description["shapes"]))

    def __len__(self) -> int:
        return self._count

    def heats(self, index: int | slice) -> Tensor:
        """Return the heatmaps (..., T, n, K, *size) float32 of some sequences."""
        code, ends = np.array(self.code[index]), np.array(self.ends[index])
        return unpack_heatmaps(torch.from_numpy(code), torch.from_numpy(ends))

    def _memory_map(self, part: str, dtype: type, shapes: dict[str, list[int]]) -> NDArray[Any]:
        shape = (self._count, *shapes[part])
        return np.memmap(self._files[part], dtype, "r", shape=shape)


class HeatmapCacheWriter:
    """Appends sequences to a cache; a cache with other parameters is replaced."""

    def __init__(self, folder: Path, name: str, parameters: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name, self.parameters = folder, name, parameters
        self.bytes_each, self.finished = 0, 0
        self._shapes: dict[str, list[int]] | None = None
        description_file = folder / f"{name}.json"
        try:
            description = json.loads(description_file.read_text(encoding="utf-8"))
            is_same = description["make"] == parameters
        except (OSError, ValueError, KeyError, TypeError):
            is_same = False
        if is_same:
            self._keep_complete(description["shapes"])
        else:
            for file in (description_file, *_files(folder, name).values()):
                file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self._open = {p: f.open("ab") for p, f in _files(self.folder, self.name).items()}
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._open.values():
            file.close()

    def add(self, heat: Floats, points: Points, moved: Points) -> None:
        """Append one sequence: heat (T, n, K, *size), points (T, K, 2) and moved (T, 2, 3)."""
        packed = pack_heatmaps(heat, heat.ndim - 3)
        parts: dict[str, NDArray[Any]] = {
            "code": packed.code,
            "ends": packed.ends,
            "points": points,
            "moved": moved,
        }
        if self._shapes is None:
            self._shapes = {part: list(values.shape) for part, values in parts.items()}
            self.bytes_each = sum(_bytes(self._shapes).values())
            description = {"make": self.parameters, "shapes": self._shapes}
            (self.folder / f"{self.name}.json").write_text(
                json.dumps(description), encoding="utf-8"
            )
        for part, values in parts.items():
            self._open[part].write(np.ascontiguousarray(values).tobytes())
            self._open[part].flush()
        self.finished += 1

    def _keep_complete(self, shapes: dict[str, list[int]]) -> None:
        """Keep the complete sequences, and truncate an incomplete one."""
        self._shapes = shapes
        self.finished = _count_complete(self.folder, self.name, shapes)
        bytes_of_parts = _bytes(shapes)
        self.bytes_each = sum(bytes_of_parts.values())
        for part, path in _files(self.folder, self.name).items():
            with path.open("ab") as file:
                file.truncate(self.finished * bytes_of_parts[part])


def sequence_parameters(
    faces: FaceImages, backbone: Backbone, seed: int, config: SequenceConfig
) -> str:
    """Return a text of all parameters that determine the sequences.

    Caches with the same text hold the same sequences.
    """
    digest = hashlib.sha256(np.ascontiguousarray(faces.points).tobytes())
    digest.update("\n".join(faces.names).encode())
    info = asdict(backbone.info)
    return json.dumps(
        {
            "form": _FORMAT_VERSION,
            "seed": seed,
            "backbone": [backbone.identity, *(info[name] for name in _INFO)],
            "faces": digest.hexdigest()[:16],
            **asdict(config),
        }
    )


_PARTS = {"code": 1, "ends": 2, "points": 4, "moved": 4}  # bytes per value


def _files(folder: Path, name: str) -> dict[str, Path]:
    return {part: folder / f"{name}.{part}" for part in _PARTS}


def _bytes(shapes: dict[str, list[int]]) -> dict[str, int]:
    """Return the bytes of one sequence, by part."""
    return {part: value_bytes * int(np.prod(shapes[part])) for part, value_bytes in _PARTS.items()}


def _count_complete(folder: Path, name: str, shapes: dict[str, list[int]]) -> int:
    """Return the number of sequences that all files hold completely."""
    bytes_of_parts, files = _bytes(shapes), _files(folder, name)
    return min(
        f.stat().st_size // bytes_of_parts[p] if f.is_file() else 0 for p, f in files.items()
    )
