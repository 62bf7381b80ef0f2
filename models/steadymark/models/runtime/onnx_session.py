"""Run networks with ONNX Runtime, without torch; recurrent state stays on the device."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadymark.models.errors import DeviceError, WeightsError
from steadymark.models.face.brightness import brighten_crops
from steadymark.models.face.crop import CHANNELS, planar
from steadymark.models.face.crop_batches import crop_batches
from steadymark.models.face.point_scores import VISIBLE
from steadymark.models.runtime.face_score import compute_scores
from steadymark.models.runtime.onnx_reader import refuse_external_data
from steadymark.models.runtime.onnxruntime_offline import ort
from steadymark.models.runtime.resource_limits import is_shipped, limit_memory, within_limits
from steadymark.models.runtime.zoo import ModelCard, verified_bytes
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from steadymark.models.face.crop import Image

DEVICES = ("auto", "cpu", "cuda")
_REQUIRED_OUTPUTS = ("points", "scores", "face")
_MAX_STATE_NUMBERS = 1 << 24  # numbers per face
Moves = NDArray[np.floating]
State = tuple[Any, ...]  # OrtValues, one per recurrent input, on the device that runs the network


class Prediction(NamedTuple):
    """What a landmark network predicts for n crops.

    Attributes:
        points: (n, K, 2) float32 landmarks, crop pixels.
        raw: (n, K, 2) landmarks before stabilization; the same array if the network has none.
        scores: (n, K) scores of the landmarks as the network gives them. The tracker and the
            stabilizers use them.
        face: (n,) scores of the faces.
        state: The recurrent state for the next step.
        calibrated: (n, K) probability that each landmark is in place, see `PointScores`; None if
            the model card does not tell how to compute it.
        visible: (n, K) output `visible`, if the network has it and the model card uses it.
    """

    points: NDArray[np.float32]
    raw: NDArray[np.float32]
    scores: NDArray[np.float32]
    face: NDArray[np.float32]
    state: State
    calibrated: NDArray[np.float32] | None = None
    visible: NDArray[np.float32] | None = None


def gather(rows: Sequence[tuple[Prediction, int] | None]) -> State | None:
    """Collect the recurrent states of faces from earlier predictions.

    If the faces are all rows of one prediction in order, its state is returned without a copy and
    stays on the device.

    Args:
        rows: For each face, a prediction and the face's row in it, or None for a new face.

    Returns:
        The state of these faces, with zeros for new ones, or None if all faces are new.
    """
    known_rows = [row for row in rows if row is not None]
    if not known_rows:
        return None
    first_prediction = known_rows[0][0]
    if len(rows) == len(first_prediction.face) and all(
        row is not None and row[0] is first_prediction and row[1] == i for i, row in enumerate(rows)
    ):
        return first_prediction.state
    values = {id(each): [value.numpy() for value in each.state] for each, _ in known_rows}
    zeros = [np.zeros_like(value[:1]) for value in values[id(first_prediction)]]
    parts = [
        zeros if row is None else [v[row[1] : row[1] + 1] for v in values[id(row[0])]]
        for row in rows
    ]
    device = first_prediction.state[0].device_name()
    return tuple(
        ort.OrtValue.ortvalue_from_numpy(np.concatenate(each), device, 0)
        for each in zip(*parts, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class OnnxSession:
    """An ONNX Runtime session with limits for models that are not shipped.

    Running raises WeightsError if a model that is not shipped takes too much memory or time.

    Attributes:
        session: The session of ONNX Runtime.
        device: The device that runs it, `cpu` or `cuda`.
        path: The model file, or None for a shipped model, which has no limits.
    """

    session: Any
    device: str
    path: Path | None = None

    def __call__(self, outputs: Sequence[str], /, **inputs: NDArray[Any]) -> list[NDArray[Any]]:
        """Run the network on named input arrays and return the named outputs.

        Outputs that are not named are not computed.
        """
        with self._bounded() as options:
            found: list[NDArray[Any]] = self.session.run(list(outputs), inputs, options)
        return found

    def run_bound(self, binding: Any) -> None:
        """Run the network with the inputs and outputs of an ONNX Runtime `IOBinding`."""
        with self._bounded() as options:
            self.session.run_with_iobinding(binding, options)

    def _bounded(self) -> AbstractContextManager[Any]:
        return nullcontext() if self.path is None else within_limits(self.path)


def open_session(card: ModelCard, *, device: str = "auto", threads: int = 1) -> OnnxSession:
    """Check the weights of a model and open them on a device.

    Args:
        card: The model card.
        device: `auto`, `cpu` or `cuda`; `auto` uses CUDA if it works.
        threads: Number of threads within an operator.

    Returns:
        The session.

    Raises:
        WeightsError: The file is missing, altered, refers to other files, or cannot be run.
        DeviceError: The device is unknown, or CUDA was requested and cannot be used.
    """
    if device not in DEVICES:
        raise DeviceError(
            "unknown device '{device}': choose one of {known}",
            device=device,
            known=", ".join(DEVICES),
        )
    return _open(verified_bytes(card), card.path, device, threads)


def open_content(content: bytes, path: Path) -> OnnxSession:
    """Open the bytes of an ONNX file on the CPU without comparing them with a model card.

    Args:
        content: The ONNX file.
        path: Its path, for messages and to tell whether it is a shipped model.

    Returns:
        The session.

    Raises:
        WeightsError: The file refers to other files or cannot be run.
    """
    return _open(content, path, "cpu", 1)


def open_file(path: Path, *, threads: int = 1) -> OnnxSession:
    """Open an ONNX file that has no model card on the CPU, for example after training.

    Args:
        path: The ONNX file.
        threads: Number of threads within an operator.

    Returns:
        The session.

    Raises:
        WeightsError: The file refers to other files or cannot be run.
    """
    return _open(path.read_bytes(), path, "cpu", threads)


def _open(content: bytes, path: Path, device: str, threads: int) -> OnnxSession:
    refuse_external_data(content, path)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    shipped = is_shipped(path)
    if not shipped:
        limit_memory(options)
    has_cuda = "CUDAExecutionProvider" in ort.get_available_providers()
    if device == "cuda" and not has_cuda:
        raise _cuda_error(UserText("this ONNX Runtime was built without CUDA"))
    providers = ["CPUExecutionProvider"]
    if device != "cpu" and has_cuda and (device == "cuda" or has_cuda_driver()):
        _preload()
        providers.insert(0, "CUDAExecutionProvider")
    try:
        session = ort.InferenceSession(content, options, providers=providers)
    except Exception as error:
        raise WeightsError(
            "{path} cannot be run: {reason}", path=path, reason=_first_line(error)
        ) from error
    used_device = "cuda" if "CUDAExecutionProvider" in session.get_providers() else "cpu"
    if used_device == "cpu":
        session._model_bytes = None  # only a change to other providers would read the file again
    if device == "cuda" and used_device != "cuda":
        raise _cuda_error(UserText("its driver or libraries cannot be loaded"))
    return OnnxSession(session, used_device, None if shipped else path)


def _cuda_error(why: UserText) -> DeviceError:
    return DeviceError(
        "CUDA was requested, but {why}: install NVIDIA's driver and 'pip "
        "install steadymark[cuda]', or use --device cpu",
        why=why,
    )


def has_cuda_driver() -> bool:
    """Return whether NVIDIA's driver is installed; without it, trying CUDA is slow and noisy."""
    import ctypes
    import sys

    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _preload() -> None:
    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


class LandmarkNetwork:
    """Run a landmark model of the zoo on single crops or batches.

    The graph has the input `crops`, (n, F, F, 3) or (n, 3, F, F) uint8 BGR, and the outputs
    `points`, `scores` and `face`. A recurrent graph also has the output `raw_points`, an output
    `next_state_X` for each input `state_X`, and the input `moved` (n, 2, 3), the motion of each
    face since the previous frame. Other outputs are not computed.
    """

    def __init__(
        self,
        card: ModelCard,
        *,
        device: str = "auto",
        threads: int = 1,
        content: bytes | None = None,
    ) -> None:
        """Open the model.

        Args:
            card: The model card.
            device: See `open_session`.
            threads: See `open_session`.
            content: An ONNX file to run on the CPU instead of the one that the card describes.

        Raises:
            WeightsError: The model cannot be opened, or it is not a landmark model.
            DeviceError: The device cannot be used.
        """
        self.card = card
        if content is None:
            self.runner = open_session(card, device=device, threads=threads)
        else:
            self.runner = open_content(content, card.path)
        session = self.runner.session
        self._inputs = {i.name: i for i in session.get_inputs()}
        outputs = {o.name for o in session.get_outputs()}
        self._states = [name for name in self._inputs if name.startswith("state_")]
        wanted = {"raw_points"} if self._states else set()
        if card.point_scores is not None:
            card.point_scores.check(card.path, {o.name: o.shape for o in session.get_outputs()})
            wanted |= {VISIBLE} if card.point_scores.visible_weight else set()
        self._results = (*_REQUIRED_OUTPUTS, *sorted(wanted & outputs))
        self._takes_motion = "moved" in self._inputs
        missing = set(_REQUIRED_OUTPUTS) - outputs
        if "crops" not in self._inputs or missing:
            raise WeightsError(
                "{path} is not a landmark model: it lacks {names}",
                path=card.path,
                names=", ".join(sorted(missing)) or "crops",
            )
        crops = self._inputs["crops"].shape
        if len(crops) != 4:
            raise WeightsError(
                "{path} is not a landmark model: its crops are {crops}", path=card.path, crops=crops
            )
        self._planar = crops[1] == CHANNELS
        for name in self._states:
            shape = self._inputs[name].shape[1:]
            is_fixed = all(isinstance(side, int) and side > 0 for side in shape)
            if not is_fixed or math.prod(shape) > _MAX_STATE_NUMBERS:
                raise WeightsError(
                    "{path} is not a landmark model: its {name} is {sides}",
                    path=card.path,
                    name=name,
                    sides=shape,
                )

    @property
    def device(self) -> str:
        """The device that runs the network, `cpu` or `cuda`."""
        return self.runner.device

    def start(self, faces: int = 1) -> State:
        """Return the recurrent state of new faces, which is zero."""
        return tuple(
            ort.OrtValue.ortvalue_from_numpy(
                np.zeros([faces, *self._inputs[n].shape[1:]], np.float32), self.device, 0
            )
            for n in self._states
        )

    def step(
        self, crops: Image, state: State | None = None, moved: Moves | None = None
    ) -> Prediction:
        """Predict the landmarks of n faces.

        Args:
            crops: (n, F, F, 3) uint8 BGR.
            state: The state of the same faces after their previous frame, or None for new faces.
            moved: (n, 2, 3) motion of the faces, from pixels of these crops to pixels of the
                previous crops, see `face_motion`; None if nothing moved.

        Returns:
            The landmarks, scores and new state.

        Raises:
            WeightsError: A model that is not shipped takes too much memory or time.
        """
        crops = brighten_crops(crops)
        if not self._states:
            points, scores, face, *more = self._run_stateless(crops)
            if self.card.face_score is not None:
                scores, face = compute_scores(
                    self.card.face_score,
                    crops,
                    points,
                    scores,
                    face,
                    lambda c: self._run_stateless(c)[0],
                )
            return self._prediction([points, scores, face, *more], ())
        if self._planar:
            crops = planar(crops)
        return self._run_recurrent(crops, self.start(len(crops)) if state is None else state, moved)

    def _run_stateless(self, crops: Image) -> list[NDArray[np.float32]]:
        """Return the outputs for crops (n, F, F, 3), computed in batches."""
        inputs = planar(crops) if self._planar else crops
        batches = crop_batches(inputs, self.card.batch, on_cpu=self.device == "cpu")
        parts = [[v[:n] for v in self.runner(self._results, crops=part)] for part, n in batches]
        return (
            parts[0] if len(parts) == 1 else [np.concatenate(p) for p in zip(*parts, strict=True)]
        )

    def _run_recurrent(self, crops: Image, state: State, moved: Moves | None) -> Prediction:
        binding = self.runner.session.io_binding()
        binding.bind_cpu_input("crops", np.ascontiguousarray(crops))
        if self._takes_motion:
            identity = np.eye(2, 3, dtype=np.float32)[None].repeat(len(crops), 0)
            motion = identity if moved is None else moved.astype(np.float32)
            binding.bind_cpu_input("moved", np.ascontiguousarray(motion))
        for name, value in zip(self._states, state, strict=True):
            binding.bind_ortvalue_input(name, value)
        for name in self._results:
            binding.bind_output(name, "cpu")
        for name in self._states:
            binding.bind_output(f"next_{name}", self.device)
        self.runner.run_bound(binding)
        outputs, count = binding.get_outputs(), len(self._results)
        results = [value.numpy() for value in outputs[:count]]
        return self._prediction(results, tuple(outputs[count:]))

    def _prediction(self, results: Sequence[NDArray[np.float32]], state: State) -> Prediction:
        """Return the prediction with its calibrated scores; results: of `self._results`."""
        points, scores, face, *_ = results
        by_name = dict(zip(self._results, results, strict=True))
        raw, visible = by_name.get("raw_points", points), by_name.get(VISIBLE)
        calibration = self.card.point_scores
        calibrated = None if calibration is None else calibration.of(scores, visible)
        return Prediction(points, raw, scores, face, state, calibrated, visible)
