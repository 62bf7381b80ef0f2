"""Make the demo clip and its exact ground truth from one photograph.

    python -m tools.demo_clip.make_demo_clip --out assets/clips

The landmarks, which were annotated by hand on the photograph (demo_portrait.json), and the
photograph's pixels go through the same transforms: first the expression (demo_expressions), then
the pose (demo_motion). The tool needs scikit-image, which contains the photograph.
"""

from __future__ import annotations

import argparse
import csv
import json
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from steadymark.engine.core.errors import SourceError
from steadymark.models.face.crop import Image, inverse
from steadymark.models.face.schema import assets_root
from tools.demo_clip import demo_motion as path
from tools.demo_clip.demo_expressions import STEP_PX, Array, ExpressionWarp

if TYPE_CHECKING:
    from collections.abc import Iterator

PAD_PX = 480  # width of the backdrop on each side of the photograph
NOISE = 2.5  # standard deviation in grey levels
CRF = "20"


def portrait_landmarks() -> Array:
    """Return the (68, 2) landmarks of the photograph in its pixels."""
    file = assets_root() / "clips" / "demo_portrait.json"
    return np.array(json.loads(file.read_text(encoding="utf-8"))["points"], np.float64)


def photograph() -> Image:
    """Return the photograph of Eileen Collins by NASA, (512, 512, 3) BGR.

    Raises:
        SourceError: scikit-image, which contains the photograph, is not installed.
    """
    try:
        from skimage import data
    except ImportError as error:
        raise SourceError(
            "the demo clip is made from a photograph in scikit-image: pip install scikit-image"
        ) from error
    image: Image = data.astronaut()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(image[..., ::-1])


def backdrop(image: Image) -> Image:
    """Extend the photograph by PAD_PX of its own blurred edge on each side."""
    pad = PAD_PX
    extended = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(extended, (0, 0), 40).astype(np.float32)
    inside = np.zeros(extended.shape[:2], np.float32)
    inside[pad + 14 : -pad - 14, pad + 14 : -pad - 14] = 1
    share = cv2.GaussianBlur(inside, (0, 0), 6)[..., None]
    mixed: Image = np.rint(extended * share + blurred * (1 - share)).astype(np.uint8)
    return mixed


def truth(warp: ExpressionWarp, landmarks: Array) -> Array:
    """Return all landmarks in frame pixels, (FRAMES, 68, 2), also those outside the image."""
    frames = []
    for n in range(path.FRAMES):
        matrix = path.pose_at(n).matrix()
        moved = warp.forward(path.weights_at(n), landmarks)
        frames.append(moved @ matrix[:, :2].T + matrix[:, 2])
    return np.stack(frames)


class Renderer:
    """Renders images of the moving face; the expression is constant during an exposure."""

    def __init__(self, canvas: Image, warp: ExpressionWarp) -> None:
        self._canvas = canvas
        self._warp = warp
        self._inverse = lru_cache(maxsize=4)(self._invert)
        x, y = np.meshgrid(np.arange(path.WIDTH), np.arange(path.HEIGHT))
        self._pixels = np.stack((x, y), -1).astype(np.float64)

    def render_frame(self, frame: int, *, seed: int) -> Image:
        """Return an image with motion blur and sensor noise, (HEIGHT, WIDTH, 3) uint8 BGR."""
        inverse_field = self._inverse(path.weights_at(frame))
        times = path.exposure_times(frame)
        light = np.zeros((path.HEIGHT, path.WIDTH, 3), np.float32)
        for t in times:
            light += self._instant(inverse_field, t)
        noise = np.random.default_rng([seed, frame]).standard_normal(light.shape, np.float32)
        return np.rint(light / len(times) + NOISE * noise).clip(0, 255).astype(np.uint8)

    def _invert(self, weights: tuple[float, ...]) -> Array:
        return self._warp.inverse(weights).astype(np.float32)

    def _instant(self, inverse_field: Array, t: float) -> Image:
        matrix = inverse(path.pose_at(t).matrix())
        xy = self._pixels @ matrix[:, :2].T + matrix[:, 2]  # portrait pixels after the expression
        grid_xy = ((xy - self._warp.origin) / STEP_PX).astype(np.float32)
        displacement = cv2.remap(
            inverse_field,
            grid_xy[..., 0],
            grid_xy[..., 1],
            cv2.INTER_LINEAR,
            borderValue=(0.0, 0.0),
        )
        source = (xy + displacement + PAD_PX).astype(np.float32)
        rendering = cv2.remap(
            self._canvas,
            source[..., 0],
            source[..., 1],
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return rendering.astype(np.uint8, copy=False)


def write_truth(file: Path, points: Array) -> None:
    """Write the ground truth as CSV: frame, timestamp_s, visible, x_0 … x_67, y_0 … y_67.

    The coordinates are nan in frames in which no landmark is visible.
    """
    count = points.shape[1]
    header = ["frame", "timestamp_s", "visible"]
    header += [f"{axis}_{k}" for axis in "xy" for k in range(count)]
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        for n, xy in enumerate(points):
            visible = bool(path.within(xy).any())
            values = [f"{v:.3f}" if visible else "nan" for v in xy.T.ravel()]
            writer.writerow([n, f"{n / path.FPS:.6f}", int(visible), *values])


def write_video(file: Path, images: Iterator[Image]) -> None:
    """Write an H.264 video in yuv420p; frame n is shown at exactly n / FPS seconds."""
    with av.open(str(file), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=path.FPS)
        stream.width, stream.height, stream.pix_fmt = path.WIDTH, path.HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, path.FPS)
        stream.options = {"crf": CRF, "preset": "slow", "tune": "grain", "bf": "0", "threads": "1"}
        for n, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = n, Fraction(1, path.FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def make(out: Path, *, seed: int) -> None:
    """Write demo_truth.csv and demo.mp4 into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    landmarks = portrait_landmarks()
    warp = ExpressionWarp(landmarks)
    write_truth(out / "demo_truth.csv", truth(warp, landmarks))
    renderer = Renderer(backdrop(photograph()), warp)
    write_video(out / "demo.mp4", (renderer.render_frame(n, seed=seed) for n in range(path.FRAMES)))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="make the demo clip and its truth")
    parser.add_argument("--out", type=Path, default=assets_root() / "clips")
    parser.add_argument("--seed", type=int, default=68)
    arguments = parser.parse_args()
    make(arguments.out, seed=arguments.seed)


if __name__ == "__main__":
    main()
