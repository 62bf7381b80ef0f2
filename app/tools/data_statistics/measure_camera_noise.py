"""Measure the noise of real cameras in still regions, for the constants of models.synthesis.

    python -m tools.data_statistics.measure_camera_noise CLIP…

The command prints the values of each clip and the medians over all clips.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

from steadymark.engine.core.errors import UsageError
from steadymark.models.errors import SteadymarkError

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]
_FRAMES, _BLOCK = 60, 16
_MAX_CHANGE = 0.7  # maximum change of a still block's mean, in grey levels
_MAX_DEVIATION = 8.0  # standard deviation of differences above which a block is assumed to move
_BINS = 8
_MIN_BLOCKS = 50  # minimum number of blocks, in all and in a bin of brightness


@dataclass(frozen=True, slots=True)
class CameraNoise:
    """Properties of a camera's noise.

    Attributes:
        deviation: Standard deviation in grey levels of the noise that changes between frames.
        neighbours: (4,) correlation at distances of 1 to 4 pixels, mean of both axes and all
            channels.
        colours: Correlation between channels.
        lasts: Correlation between consecutive frames.
        by_brightness: (8,) standard deviation at brightness 16, 48 … 240, relative to the clip's
            mean; NaN where the clip has too few blocks.
    """

    deviation: float
    neighbours: tuple[float, ...]
    colours: float
    lasts: float
    by_brightness: tuple[float, ...]


def measure_noise(frames: NDArray[np.uint8]) -> CameraNoise:
    """Measure the noise in those blocks of a video (T, H, W, 3) that do not move.

    The difference of two frames of a still block contains only noise. If consecutive noise values
    have
    the correlation r, then consecutive differences have the correlation −(1 − r)/2.

    Raises:
        UsageError: There are too few still blocks.
    """
    grey_levels = frames.astype(np.float32)
    blocks = _blocks((grey_levels[1:] - grey_levels[:-1]) / np.float32(np.sqrt(2)))
    brightness = _blocks(grey_levels[:-1]).mean((3, 4, 5))
    deviation = blocks.std((3, 4))
    is_still = (np.abs(blocks.mean((3, 4))).max(-1) < _MAX_CHANGE) & (
        deviation.max(-1) < _MAX_DEVIATION
    )
    is_still &= deviation.min(-1) > 0  # A repeated frame has no noise of its own.
    if is_still.sum() < _MIN_BLOCKS:
        raise UsageError("hardly anything stands still: take a clip from a camera on a stand")
    grain = blocks[is_still]
    grain = grain - grain.mean((1, 2), keepdims=True)
    power = (grain**2).mean()
    pairs = is_still[1:] & is_still[:-1]
    frame_correlation = (blocks[1:] * blocks[:-1])[pairs].mean() / (blocks[1:] ** 2)[pairs].mean()
    return CameraNoise(
        deviation=float(np.sqrt(power)),
        neighbours=tuple(
            _correlation_at(grain, distance) / float(power) for distance in (1, 2, 3, 4)
        ),
        colours=float(np.corrcoef(grain.reshape(-1, 3).T)[[0, 0, 1], [1, 2, 2]].mean()),
        lasts=float(np.clip(1 + 2 * frame_correlation, 0, 1)),
        by_brightness=_by_brightness(grain, brightness[is_still]),
    )


def read_frames(clip: str) -> NDArray[np.uint8]:
    """Read the first frames of a clip.

    Raises:
        UsageError: The clip cannot be read.
    """
    frames = []
    try:
        with av.open(clip) as video:
            for frame in video.decode(video=0):
                frames.append(frame.to_ndarray(format="bgr24"))
                if len(frames) == _FRAMES:
                    break
    except (OSError, av.FFmpegError, IndexError) as error:
        raise UsageError(f"cannot read {clip}: {error}") from error
    if len(frames) < 2:
        raise UsageError(f"{clip} has fewer than two frames")
    return np.stack(frames).astype(np.uint8)


def _blocks(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Split (T, H, W, 3) into blocks (T, rows, columns, block, block, 3)."""
    frames, height, width, _ = light.shape
    rows, columns = height // _BLOCK, width // _BLOCK
    cut = light[:, : rows * _BLOCK, : columns * _BLOCK]
    split = cut.reshape(frames, rows, _BLOCK, columns, _BLOCK, 3)
    return np.ascontiguousarray(split.transpose(0, 1, 3, 2, 4, 5))


def _correlation_at(grain: NDArray[np.float32], distance: int) -> float:
    across = (grain[:, :, distance:] * grain[:, :, :-distance]).mean()
    down = (grain[:, distance:] * grain[:, :-distance]).mean()
    return float(across + down) / 2


def _by_brightness(
    grain: NDArray[np.float32], brightness: NDArray[np.float32]
) -> tuple[float, ...]:
    power = (grain**2).mean((1, 2, 3))
    number = (brightness / (256 / _BINS)).astype(int)
    bins = [power[number == i] for i in range(_BINS)]
    levels = [float(np.sqrt(b.mean())) if len(b) >= _MIN_BLOCKS else float("nan") for b in bins]
    return tuple(np.array(levels) / np.nanmean(levels))


def _describe(name: str, noise: CameraNoise) -> str:
    def row(values: Sequence[float]) -> str:
        return " ".join(f"{value:.2f}" for value in values)

    return (
        f"{name}: deviation {noise.deviation:.2f}, neighbours {row(noise.neighbours)}, colours "
        f"{noise.colours:.2f}, lasts {noise.lasts:.2f}, by brightness {row(noise.by_brightness)}\n"
    )


def main(clips: Sequence[str]) -> int:
    """Print the measured noise; return 2 if a clip cannot be measured."""
    measured = []
    try:
        for clip in clips:
            measured.append(measure_noise(read_frames(clip)))
            sys.stdout.write(_describe(clip, measured[-1]))
    except SteadymarkError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if measured:
        sys.stdout.write(_describe("median", _median(measured)))
    return 0


def _median(measured: Sequence[CameraNoise]) -> CameraNoise:
    def middle(values: Sequence[Sequence[float]]) -> tuple[float, ...]:
        return tuple(float(np.nanmedian(column)) for column in np.array(values).T)

    deviation, colours, lasts = middle([(n.deviation, n.colours, n.lasts) for n in measured])
    return CameraNoise(
        deviation,
        middle([n.neighbours for n in measured]),
        colours,
        lasts,
        middle([n.by_brightness for n in measured]),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
