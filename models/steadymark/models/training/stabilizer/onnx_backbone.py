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

    batch = 1

    def __init__(self, info: BackboneInfo) -> None:
        path = Path(info.file)
        self.session = open_file(path, threads=0).session
        self.input, crop = _image_input(self.session, path, info.crop)
        outputs = [o.name for o in self.session.get_outputs()]
        self.prepare = _Prepare(info).eval()
        self.identity = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        self.info = replace(info, crop=crop)
        heatmaps = info.heatmaps or self._find_heatmaps(path)
        for name in heatmaps:
            if name not in outputs:
                raise ValueError(f"{path} has no output '{name}': it has {', '.join(outputs)}")
        self.info = replace(self.info, heatmaps=heatmaps)
        size = self._run(np.zeros((1, crop, crop, 3), np.uint8))[0].shape[2:]
        self.info = replace(self.info, size=tuple(int(side) for side in size))
        self.batch = self._supported_batch()

    def prepared(self, **preparation: Any) -> OnnxBackbone:
        """Return the same network with another preparation of its input: rgb, mean, std."""
        other = copy.copy(self)
        other.info = replace(self.info, **preparation)
        other.prepare = _Prepare(other.info).eval()
        return other

    def _supported_batch(self) -> int:
        """Return how many images the file takes at once.

        Batches are used only if they give the same result as single images.
        """
        if isinstance(self.session.get_inputs()[0].shape[0], int):
            return 1
        size = self.info.crop
        crops = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), np.uint8)
        single = self._run(crops)
        try:
            together = self.session.run(list(self.info.heatmaps), self._prepare_input(crops))
        except Exception:  # noqa: BLE001 - ONNX Runtime raises exceptions without a common base
            return 1
        pairs = zip(single, together, strict=True)
        is_same = all(
            one.shape == batched.shape and np.allclose(one, batched, 1e-3, 1e-3 * np.ptp(one))
            for one, batched in pairs
        )
        return _BATCH if is_same else 1

    def _find_heatmaps(self, path: Path) -> tuple[str, ...]:
        """Find the last output with a map per landmark, or the last two with a line for each."""
        schema, size = load_schema(self.info.schema), self.info.crop
        count = schema.count
        names = [o.name for o in self.session.get_outputs()]
        inputs = self._prepare_input(np.zeros((1, size, size, 3), np.uint8))
        try:
            found = self.session.run(names, inputs)
        except Exception as error:  # ONNX Runtime raises exceptions without a common base
            reason = " ".join(str(error).split())[:160]
            raise ValueError(f"{path} cannot run on pictures of {size} px ({reason})") from error
        shapes = {name: np.shape(array) for name, array in zip(names, found, strict=True)}
        maps = [name for name, shape in shapes.items() if len(shape) == 4 and shape[1] == count]
        lines = [
            name
            for name, shape in shapes.items()
            if len(shape) == 3 and shape[1] == count and shape[2] > 2
        ]
        if maps:
            return (maps[-1],)
        if len(lines) >= 2:
            return tuple(lines[-2:])
        described = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
        raise ValueError(
            f"{path} gives no heatmaps of {count} landmarks (its outputs: {described}): a map "
            f"(n, {count}, H, W), or lines (n, {count}, L) for x and for y, are needed for "
            f"{schema.name}; --schema takes another one of {', '.join(schema_names())}"
        )

    def _prepare_input(self, crops: Image) -> dict[str, Floats]:
        planes = torch.from_numpy(np.ascontiguousarray(crops)).permute(0, 3, 1, 2)
        return {self.input: self.prepare(planes).numpy()}

    def _run(self, crops: Image) -> list[Floats]:
        """Return the heatmaps as the file gives them, in batches of `batch` images."""
        each = self.batch
        found = [
            self.session.run(list(self.info.heatmaps), self._prepare_input(crops[i : i + each]))
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
        raw_heatmaps = self._run(faces())
        heats = [part.clip(0) for part in raw_heatmaps]
        peaks = [part.reshape(*part.shape[:2], -1).max(-1) for part in heats]
        peak = float(np.median(np.concatenate(peaks)))
        if not np.isfinite(peak) or peak <= 0:
            raise ValueError(f"{self.info.file}: its heatmaps of faces have no positive peak")
        mass_over_peak = np.median(
            np.concatenate(
                [
                    (part.reshape(*part.shape[:2], -1).sum(-1) / peak_of_map.clip(1e-9))
                    for part, peak_of_map in zip(heats, peaks, strict=True)
                ]
            )
        )
        sigma = (
            mass_over_peak / np.sqrt(2 * np.pi)
            if len(heats) == 2
            else np.sqrt(mass_over_peak / (2 * np.pi))
        )
        share = read_landmarks(tuple(torch.from_numpy(part / peak) for part in raw_heatmaps))[
            1
        ].mean(-1)
        sure = float(share.quantile(_SURE_QUANTILE)) or 1.0
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
        preparation_file, stabilizer_file = path.with_suffix(".before"), path.with_suffix(".after")
        crops = torch.zeros(2, 3, size, size, dtype=torch.uint8)
        export_onnx(
            self.prepare,
            (crops,),
            preparation_file,
            inputs=["crops"],
            outputs=["picture"],
            dynamic=({0: faces},),
        )
        names = stabilizer.state_names()
        memory = tuple(flat(stabilizer.start(2)))
        count = load_schema(self.info.schema).count
        raw = tuple(torch.rand(2, count, *self.info.size) for _ in self.info.heatmaps)
        heats = [f"heat{i}" for i in range(len(raw))]
        tail = _Tail(stabilizer, self.info.scale, self.info.sure).eval()
        export_onnx(
            tail,
            (raw, identity_motion(2), memory),
            stabilizer_file,
            inputs=[*heats, "moved", *names],
            outputs=["points", "raw_points", "scores", "face", *(f"next_{n}" for n in names)],
            dynamic=(
                tuple({0: faces} for _ in raw),
                {0: faces},
                tuple({0: faces} for _ in memory),
            ),
        )
        preparation, stabilizer_model = (
            compose.add_prefix(onnx.load(p), q, rename_inputs=False, rename_outputs=False)
            for p, q in ((preparation_file, "before_"), (stabilizer_file, "after_"))
        )
        for part in (preparation_file, stabilizer_file):
            part.unlink()
        for part in (preparation, model, stabilizer_model):
            part.ir_version = max(
                preparation.ir_version, model.ir_version, stabilizer_model.ir_version
            )
        merged = compose.merge_models(preparation, model, [("picture", f"backbone_{self.input}")])
        links = [(f"backbone_{n}", h) for n, h in zip(self.info.heatmaps, heats, strict=True)]
        wanted = ["points", "raw_points", "scores", "face", *(f"next_{n}" for n in names)]
        merged = compose.merge_models(merged, stabilizer_model, links, outputs=wanted)
        onnx.checker.check_model(merged)
        onnx.save(merged, str(path))
        backbone_parameters = sum(int(np.prod(t.dims)) for t in model.graph.initializer)
        one_face = (
            tuple(part[:1] for part in raw),
            identity_motion(1),
            tuple(m[:1] for m in memory),
        )
        stabilizer_macs = count_macs(tail, *one_face)
        stabilizer_parameters = sum(p.numel() for p in stabilizer.parameters())
        return {
            "params": backbone_parameters + stabilizer_parameters,
            "macs_of_the_stabilizer": stabilizer_macs,
        }


_SURE_QUANTILE = 0.05  # quantile of the faces' shares that defines `sure`
_BATCH = 8  # images per batch


def _image_input(session: Any, path: Path, crop: int) -> tuple[str, int]:
    """Return the name of the only image input, and its side, or `crop` if the side is dynamic.

    Raises:
        ValueError: The file does not take a single float32 image.
    """
    inputs = session.get_inputs()
    described = ", ".join(f"{i.name} {list(i.shape)} {i.type}" for i in inputs)
    image_input = inputs[0]
    shape = list(image_input.shape)
    fits = (
        len(inputs) == 1
        and len(shape) == 4
        and shape[1] == 3
        and image_input.type == "tensor(float)"
    )
    if not fits or (isinstance(shape[2], int) and shape[2] != shape[3]):
        raise ValueError(
            f"{path} does not take one picture (n, 3, F, F) of float32 (its inputs: {described})"
        )
    return image_input.name, shape[2] if isinstance(shape[2], int) else crop
