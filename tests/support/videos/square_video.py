"""A small video of the bright square that `SquareDetector` finds, and the fake models."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

import av
import numpy as np

from steadymark.engine.tracking.settings import OpenModels, TrackSettings
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import SquareDetector, SquareNetwork, square_image

if TYPE_CHECKING:
    from pathlib import Path


def square_video(
    path: Path, frames: int = 40, *, lost: range | tuple[int, ...] = range(12, 16), width: int = 320
) -> Path:
    """25 frames a second, a keyframe every 10; the square moves, and is missing in `lost`."""
    path.write_bytes(_encoded_squares(frames, lost, width))
    return path


@cache
def _encoded_squares(frames: int, lost: range | tuple[int, ...], width: int) -> bytes:
    """Return an MP4 file; many tests use the same one."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, 240, "yuv420p"
        stream.codec_context.gop_size = 10
        for i in range(frames):
            image = square_image(None if i in lost else (square_x(i), 100, 60), width=width)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def square_x(index: int) -> int:
    """Return the x of the centre of the square, which moves to and fro by one pixel per frame."""
    return 100 + abs(index % 100 - 50)


def square_models(_: TrackSettings | None = None, *, schema: str = "ibug68") -> OpenModels:
    """The fake network and detector."""
    network = SquareNetwork(schema)
    return OpenModels(network, SquareDetector(), (network.card,))


def square_ground_truth(frames: int = 40) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(frames, 68, 2): the true landmarks of the fake face, with some noise."""
    rng = np.random.default_rng(5)
    centres = np.array([[square_x(i), 100] for i in range(frames)], float)
    shape = load_schema("ibug68").mean_shape * 60
    points = shape + centres[:, None] + rng.normal(0, 0.4, (frames, 68, 2))
    return np.asarray(points, np.float64)


def write_ground_truth(
    path: Path, points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> Path:
    """Write a table with the columns frame, x_0 …, y_0 …."""
    names = ["frame", *(f"{axis}_{k}" for axis in "xy" for k in range(points.shape[1]))]
    rows = [
        ",".join([str(i), *(f"{v:.3f}" for v in frame.T.ravel())]) for i, frame in enumerate(points)
    ]
    path.write_text("\n".join([",".join(names), *rows]) + "\n", encoding="utf-8")
    return path


def write_pts(folder: Path, points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Path:
    """Write files as in 300-VW: one per frame, frames and pixels counted from 1."""
    folder.mkdir()
    for i, frame in enumerate(points):
        lines = [f"{x + 1:.3f} {y + 1:.3f}" for x, y in frame]
        text = "\n".join(["version: 1", f"n_points: {len(frame)}", "{", *lines, "}"])
        (folder / f"{i + 1:06}.pts").write_text(text + "\n", encoding="utf-8")
    return folder
