"""Any ONNX detector with heatmaps as a backbone, the replaceable backbone of the paper."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import compose, version_converter
from torch import Tensor, nn

from steadymark.models.face.schema import load_schema, schema_names
from steadymark.models.networks.onnx_export import OPSET, count_macs, export_onnx
from steadymark.models.networks.stabilizer.heatmap_stabilizer import (
    Heats,
    StabilizedTail,
    Stabilizer,
    flat,
    read_landmarks,
)
from steadymark.models.networks.stabilizer.memory_warp import identity_motion
from steadymark.models.runtime.onnx_session import open_file
from steadymark.models.training.stabilizer.frozen_backbone import Backbone, BackboneInfo, Floats

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.models.face.crop import Image


class _Prepare(nn.Module):
    """Converts uint8 BGR crops to the backbone's input."""

    mean: Tensor
    std: Tensor

    def __init__(self, info: BackboneInfo) -> None:
        super().__init__()
        self.rgb = info.rgb
        self.register_buffer("mean", torch.tensor(info.mean).reshape(3, 1, 1))
        self.register_buffer("std", torch.tensor(info.std).reshape(3, 1, 1))

    def forward(self, crops: Tensor) -> Tensor:
        image = crops.float()
        if self.rgb:
            image = image.flip(1)
        return (image - self.mean) / self.std


class _Tail(nn.Module):
    """Converts the backbone's heatmaps to landmarks, scores and recurrent state.

    The face score is the mean share of mass near the peaks, divided by `sure` and clipped to 1.
    """

    def __init__(self, stabilizer: Stabilizer, scale: float, sure: float) -> None:
        super().__init__()
        self.tail, self.scale, self.sure = StabilizedTail(stabilizer), scale, sure

    def forward(self, raw: Heats, moved: Tensor, memory: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        scaled = tuple(heat * self.scale for heat in raw)
        points, raw_points, share, *after = self.tail(scaled, moved, memory)
        face = (share.mean(-1) / self.sure).clamp(0, 1)
        return points, raw_points, share, face, *after


class OnnxBackbone(Backbone):
    """An ONNX file from images (n, 3, F, F) to heatmaps (n, K, H, W), or two of (n, K, L).

    `calibrate` measures the scale and width of the peaks on images.

    Args:
        info: Properties of the backbone; those that the file contains are replaced.

    Raises:
        ValueError: The file has other inputs or outputs.
    """

    at_once = 1

    def __init__(self, info: BackboneInfo) -> None:
        path = Path(info.file)
        self.session = open_file(path, threads=0).session
        self.input, crop = _picture_input(self.session, path, info.crop)
        outputs = [o.name for o in self.session.get_outputs()]
        self.prepare = _Prepare(info).eval()
        self.identity = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        self.info = replace(info, crop=crop)
        heatmaps = info.heatmaps or self._guess(path)
        for name in heatmaps:
            if name not in outputs:
                raise ValueError(f"{path} has no output '{name}': it has {', '.join(outputs)}")
        self.info = replace(self.info, heatmaps=heatmaps)
        size = self._run(np.zeros((1, crop, crop, 3), np.uint8))[0].shape[2:]
        self.info = replace(self.info, size=tuple(int(side) for side in size))
        self.at_once = self._batch()

    def prepared(self, **how: Any) -> OnnxBackbone:
        """Return the same network with another preparation of its input: rgb, mean, std."""
        other = copy.copy(self)
        other.info = replace(self.info, **how)
        other.prepare = _Prepare(other.info).eval()
        return other

    def _batch(self) -> int:
        """Return how many images the file takes at once.

        Batches are used only if they give the same result as single images.
        """
        if isinstance(self.session.get_inputs()[0].shape[0], int):
            return 1
        size = self.info.crop
        crops = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
        alone = self._run(crops)
        try:
            together = self.session.run(list(self.info.heatmaps), self._picture(crops))
        except Exception:  # noqa: BLE001 - ONNX Runtime raises exceptions without a common base
            return 1
        pairs = zip(alone, together, strict=True)
        same = all(
            a.shape == b.shape and np.allclose(a, b, 1e-3, 1e-3 * np.ptp(a)) for a, b in pairs
        )
        return _AT_ONCE if same else 1

    def _guess(self, path: Path) -> tuple[str, ...]:
        """Find the last output with a map per landmark, or the last two with a line for each."""
        schema, size = load_schema(self.info.schema), self.info.crop
        count = schema.count
        names = [o.name for o in self.session.get_outputs()]
        given = self._picture(np.zeros((1, size, size, 3), np.uint8))
        try:
            found = self.session.run(names, given)
        except Exception as error:  # ONNX Runtime raises exceptions without a common base
            reason = " ".join(str(error).split())[:160]
            raise ValueError(f"{path} cannot run on pictures of {size} px ({reason})") from error
        shapes = {n: np.shape(a) for n, a in zip(names, found, strict=True)}
        maps = [n for n, s in shapes.items() if len(s) == 4 and s[1] == count]
        lines = [n for n, s in shapes.items() if len(s) == 3 and s[1] == count and s[2] > 2]
        if maps:
            return (maps[-1],)
        if len(lines) >= 2:
            return tuple(lines[-2:])
        told = ", ".join(f"{n} {list(s)}" for n, s in shapes.items())
        raise ValueError(
            f"{path} gives no heatmaps of {count} landmarks (its outputs: {told}): a map "
            f"(n, {count}, H, W), or lines (n, {count}, L) for x and for y, are needed for "
            f"{schema.name}; --schema takes another one of {', '.join(schema_names())}"
        )

    def _picture(self, crops: Image) -> dict[str, Floats]:
        planes = torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2)
        return {self.input: self.prepare(planes).numpy()}

    def _run(self, crops: Image) -> list[Floats]:
        """Return the heatmaps as the file gives them, in batches of `at_once` images."""
        each = self.at_once
        found = [
            self.session.run(list(self.info.heatmaps), self._picture(crops[i : i + each]))
            for i in range(0, len(crops), each)
        ]
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]

    def calibrate(self, faces: Callable[[], Image]) -> None:
        """Set scale, sigma and `sure` from the heatmaps of faces.

        Args:
            faces: Returns crops (N, F, F, 3) uint8 BGR.

        Raises:
            ValueError: The heatmaps have no positive peak.
        """
        seen = self._run(faces())
        heats = [part.clip(0) for part in seen]
        peaks = [part.reshape(*part.shape[:2], -1).max(-1) for part in heats]
        peak = float(np.median(np.concatenate(peaks)))
        if not np.isfinite(peak) or peak <= 0:
            raise ValueError(f"{self.info.file}: its heatmaps of faces have no positive peak")
        mass = np.median(
            np.concatenate(
                [
                    (part.reshape(*part.shape[:2], -1).sum(-1) / top.clip(1e-9))
                    for part, top in zip(heats, peaks, strict=True)
                ]
            )
        )
        sigma = mass / np.sqrt(2 * np.pi) if len(heats) == 2 else np.sqrt(mass / (2 * np.pi))
        share = read_landmarks(tuple(torch.from_numpy(part / peak) for part in seen))[1].mean(-1)
        sure = float(share.quantile(_SURE)) or 1.0
        self.info = replace(self.info, scale=1 / peak, sigma=float(sigma), sure=sure)

    def __call__(self, crops: Image) -> Floats:
        found: Floats = np.stack(self._run(crops), 1).astype(np.float32)
        return found * np.float32(self.info.scale)

    def export(self, stabilizer: Stabilizer, path: Path) -> dict[str, Any]:
        size = self.info.crop
        model = onnx.load(self.info.file)
        if next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")) != OPSET:
            model = version_converter.convert_version(model, OPSET)
        model = compose.add_prefix(model, "backbone_")
        faces = torch.export.Dim("n")
        before, after = path.with_suffix(".before"), path.with_suffix(".after")
        crops = torch.zeros(2, 3, size, size, dtype=torch.uint8)
        export_onnx(
            self.prepare,
            (crops,),
            before,
            inputs=["crops"],
            outputs=["picture"],
            dynamic=({0: faces},),
        )
        names = stabilizer.memory_names()
        memory = tuple(flat(stabilizer.start(2)))
        count = load_schema(self.info.schema).count
        raw = tuple(torch.rand(2, count, *self.info.size) for _ in self.info.heatmaps)
        heats = [f"heat{i}" for i in range(len(raw))]
        tail = _Tail(stabilizer, self.info.scale, self.info.sure).eval()
        export_onnx(
            tail,
            (raw, identity_motion(2), memory),
            after,
            inputs=[*heats, "moved", *names],
            outputs=["points", "raw_points", "scores", "face", *(f"next_{n}" for n in names)],
            dynamic=(
                tuple({0: faces} for _ in raw),
                {0: faces},
                tuple({0: faces} for _ in memory),
            ),
        )
        first, last = (
            compose.add_prefix(onnx.load(p), q, rename_inputs=False, rename_outputs=False)
            for p, q in ((before, "before_"), (after, "after_"))
        )
        for part in (before, after):
            part.unlink()
        for part in (first, model, last):
            part.ir_version = max(first.ir_version, model.ir_version, last.ir_version)
        whole = compose.merge_models(first, model, [("picture", f"backbone_{self.input}")])
        links = [(f"backbone_{n}", h) for n, h in zip(self.info.heatmaps, heats, strict=True)]
        wanted = ["points", "raw_points", "scores", "face", *(f"next_{n}" for n in names)]
        whole = compose.merge_models(whole, last, links, outputs=wanted)
        onnx.checker.check_model(whole)
        onnx.save(whole, str(path))
        held = sum(int(np.prod(t.dims)) for t in model.graph.initializer)
        one_face = (
            tuple(part[:1] for part in raw),
            identity_motion(1),
            tuple(m[:1] for m in memory),
        )
        cells = count_macs(tail, *one_face)
        own = sum(p.numel() for p in stabilizer.parameters())
        return {"params": held + own, "macs_of_the_stabilizer": cells}


_SURE = 0.05  # quantile of the faces' shares that defines `sure`
_AT_ONCE = 8  # images per batch


def _picture_input(session: Any, path: Path, crop: int) -> tuple[str, int]:
    """Return the name of the only image input, and its side, or `crop` if the side is dynamic.

    Raises:
        ValueError: The file does not take a single float32 image.
    """
    inputs = session.get_inputs()
    told = ", ".join(f"{i.name} {list(i.shape)} {i.type}" for i in inputs)
    given = inputs[0]
    shape = list(given.shape)
    fits = len(inputs) == 1 and len(shape) == 4 and shape[1] == 3 and given.type == "tensor(float)"
    if not fits or (isinstance(shape[2], int) and shape[2] != shape[3]):
        raise ValueError(
            f"{path} does not take one picture (n, 3, F, F) of float32 (its inputs: {told})"
        )
    return given.name, shape[2] if isinstance(shape[2], int) else crop
