"""Networks that track: the same results on a device as on the CPU, and the time of a frame."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from steadymark.models.networks.pdc import pdc_1d, pdc_2d
from steadymark.models.networks.stabilizer.heatmap_stabilizer import flat
from steadymark.models.runtime.detector_input import fit_frame
from steadymark.models.runtime.onnx_session import LandmarkNetwork, open_session
from steadymark.models.runtime.zoo import DEFAULT_DETECTOR, find_model
from steadymark.models.training.gpu_checks.check_result import CheckResult
from steadymark.models.training.gpu_checks.demo_sequence import demo_sequence, first_demo_face
from steadymark.models.training.gpu_checks.step_cases import step_task
from steadymark.models.training.gpu_checks.step_checks import SEED

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from steadymark.models.runtime.zoo import ModelCard
    from steadymark.models.training.stabilizer.heatmap_cell_systems import RecurrentSystem

PDC_TOLERANCE = 1e-3  # bins
STATE_TOLERANCE = 0.01  # Of a recurrent state, relative to its largest value.
POINTS_TOLERANCE_PX = 0.1  # Of landmarks, crop pixels.
BOX_TOLERANCE_PX = 1.0  # Of a detector's boxes, input pixels.
_WARM_UP = 5
_LEAST_BOX_SCORE = 0.5
_SPEED_TIMEOUT_S = 180


def compare_pdc(device: torch.device) -> CheckResult:
    """Compare PDC of random 1D and 2D heatmaps, sharp and flat ones, with the CPU's."""
    rng = torch.Generator().manual_seed(SEED)
    lines, maps = torch.rand(8, 68, 256, generator=rng), torch.rand(8, 68, 64, 64, generator=rng)
    lines[:4], maps[:4] = lines[:4] ** 20, maps[:4] ** 20
    difference, device_ms = 0.0, 0.0
    for read, heatmaps in ((pdc_1d, lines), (pdc_2d, maps)):
        there = heatmaps.to(device)
        for soft in (False, True):
            expected, found = read(heatmaps, soft=soft), read(there, soft=soft)
            pairs = zip(expected, found, strict=True)
            difference = max(difference, *(float((a - b.cpu()).abs().max()) for a, b in pairs))
        device_ms += _median_ms(lambda r=read, t=there: r(t)[0].cpu(), 10)  # type: ignore[misc]
    return CheckResult("pdc", difference, PDC_TOLERANCE, "bins", {"device_ms": device_ms})


def compare_state(system: RecurrentSystem, device: torch.device) -> CheckResult:
    """Compare the recurrent state of a stabilizer after a sequence with the CPU's.

    Args:
        system: The stabilizer's system, whose network has random weights.
        device: The device.
    """
    *heats, moved, _ = step_task(system, 2).batch(0, 2)
    torch.manual_seed(SEED)
    network = system.build().eval()
    states = []
    for where in (torch.device("cpu"), device):
        network.to(where)
        state = network.start(2)
        with torch.no_grad(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            for t in range(moved.shape[1]):
                frame = tuple(heat[:, t].to(where) for heat in heats)
                _, state = network.step(frame, state, moved[:, t].to(where))
        states.append([part.cpu() for part in flat(state)])
    difference = max(_relative(a, b) for a, b in zip(*states, strict=True))
    name = f"recurrent state: {system.name} {system.preset}"
    return CheckResult(name, difference, STATE_TOLERANCE, "of the largest value")


def _relative(expected: Tensor, found: Tensor) -> float:
    scale = max(float(expected.abs().max()), 1e-6)
    return float((expected - found).abs().max()) / scale


def compare_landmarks(card: ModelCard, device: str, *, frames: int) -> CheckResult:
    """Compare a shipped landmark model on consecutive frames with the CPU's, state included.

    Args:
        card: The model.
        device: `cpu` or `cuda`, for ONNX Runtime.
        frames: Number of frames.

    Raises:
        DeviceError: ONNX Runtime cannot use the device.
    """
    faces = demo_sequence(card.crop, card.margin, frames)
    points, times = [], []
    for where in ("cpu", device):
        network = LandmarkNetwork(card, device=where)
        for _ in range(_WARM_UP):
            network.step(faces.crops[:1])
        state, found, took_ms = None, [], []
        for i in range(frames):
            began_s = time.perf_counter()
            prediction = network.step(faces.crops[i : i + 1], state, faces.moved[i : i + 1])
            took_ms.append(1e3 * (time.perf_counter() - began_s))
            state = prediction.state or None
            found.append(prediction.points[0])
        points.append(np.stack(found))
        times.append(statistics.median(took_ms))
    difference = float(np.abs(points[1] - points[0]).max())
    figures = {"cpu_ms": times[0], "device_ms": times[1]}
    return CheckResult(f"onnx: {card.name}", difference, POINTS_TOLERANCE_PX, "px", figures)


def compare_detector(device: str, *, frames: int) -> CheckResult:
    """Compare the shipped face detector on a 640x480 frame with the CPU's.

    Args:
        device: `cpu` or `cuda`, for ONNX Runtime.
        frames: Number of measurements of the time.

    Raises:
        DeviceError: ONNX Runtime cannot use the device.
    """
    card = find_model(DEFAULT_DETECTOR, "face_detector")
    planes = fit_frame(first_demo_face().image).planes
    boxes, times = [], []
    for where in ("cpu", device):
        session = open_session(card, device=where)
        (rows,) = session(("boxes",), image=planes)
        boxes.append(rows[rows[:, 4] >= _LEAST_BOX_SCORE][:, :4])
        times.append(_median_ms(lambda s=session: s(("boxes",), image=planes), frames))  # type: ignore[misc]
    alike = boxes[0].shape == boxes[1].shape
    difference = float(np.abs(boxes[1] - boxes[0]).max(initial=0)) if alike else float("inf")
    figures = {"cpu_ms": times[0], "device_ms": times[1]}
    return CheckResult(f"onnx: {card.name}", difference, BOX_TOLERANCE_PX, "px", figures)


def bench_speed(device: str, *, rounds: int) -> CheckResult:
    """Run `steadymark bench speed` on a device in another process, and keep what it prints.

    Args:
        device: `cpu` or `cuda`.
        rounds: Number of runs of each stage.

    Raises:
        ValueError: The program failed or printed nothing.
    """
    program = [sys.executable, "-m", "steadymark.app", "bench", "speed"]
    command = [*program, "--device", device, "--rounds", str(max(10, rounds))]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=_SPEED_TIMEOUT_S
    )
    if done.returncode or not done.stdout.strip():
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ValueError(f"'steadymark bench speed --device {device}' failed: {last}")
    return CheckResult(f"bench speed on {device}", lines=tuple(done.stdout.splitlines()))


def _median_ms(run: Callable[[], Any], times: int) -> float:
    took_ms = []
    for _ in range(_WARM_UP + times):
        began_s = time.perf_counter()
        run()
        took_ms.append(1e3 * (time.perf_counter() - began_s))
    return statistics.median(took_ms[_WARM_UP:])
