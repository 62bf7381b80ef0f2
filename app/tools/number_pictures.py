"""`python -m tools.number_pictures docs/pictures` draws the pictures of docs/numbers.md."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it when it runs
from typing import TYPE_CHECKING, Annotated, Any

import cv2
import matplotlib.pyplot as plt
import numpy as np
import typer
from PySide6.QtGui import QImage

import steadymark as sm
from steadymark.models.face.schema import assets_root
from tools.png_palette import reduce_to_palette

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_EYES, _NOSE_TIP, _TALKING = (36, 45), 30, 116
_REST, _MOVING = slice(55, 85), slice(105, 140)
_RAW, _STABLE, _TRUE, _LATE = "#e69f00", "#3d9bd9", "#808080", "#d55e00"
_ENLARGED = 3
_STYLE: Any = {
    "axes.edgecolor": _TRUE,
    "axes.labelcolor": _TRUE,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 11,
    "legend.labelcolor": _TRUE,
    "svg.fonttype": "none",
    "svg.hashsalt": "steadymark",
    "text.color": _TRUE,
    "xtick.color": _TRUE,
    "ytick.color": _TRUE,
}


def draw_error(path: Path, clip: Path, found: Array, truth: Array) -> None:
    """Draw true and found landmarks, and the distance of the eyes, in one frame of the clip."""
    frame = next(f for f in sm.read_frames(clip) if f.index == _TALKING)
    low = np.floor(truth[_TALKING].min(0) - 12).astype(int)
    high = np.ceil(truth[_TALKING].max(0) + 12).astype(int)
    part = frame.image[low[1] : high[1], low[0] : high[0]]
    image = cv2.resize(part, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC)

    def place(point: Array) -> tuple[int, int]:
        x, y = np.round((point - low + 0.5) * _ENLARGED).astype(int)
        return int(x), int(y)

    left, right = (place(truth[_TALKING][eye]) for eye in _EYES)
    cv2.line(image, left, right, (80, 220, 80), 2, cv2.LINE_AA)
    for true, stable in zip(truth[_TALKING], found[_TALKING], strict=True):
        cv2.line(image, place(true), place(stable), (0, 94, 213), 2, cv2.LINE_AA)
        cv2.drawMarker(image, place(true), (255, 255, 255), cv2.MARKER_CROSS, 11, 2, cv2.LINE_AA)
        cv2.circle(image, place(stable), 4, (217, 155, 61), -1, cv2.LINE_AA)
    height, width = image.shape[:2]
    shown = QImage(image.data, width, height, image.strides[0], QImage.Format.Format_BGR888)
    reduce_to_palette(shown).save(str(path), quality=0)


def draw_jitter(path: Path, result: sm.VideoLandmarks, truth: Array) -> None:
    """Draw the course of the tip of the nose while the face is at rest."""
    eyes_px = _eye_distance(truth)
    curves = (("raw", result.raw_landmarks, _RAW), ("stabilized", result.landmarks, _STABLE))
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(figsize=(8, 2.8))
        for name, points, colour in curves:
            x = points[_REST, 0, _NOSE_TIP, 0]
            mav = sm.metrics.mav(points[_REST, 0])
            label = f"{name}, MAV {mav:.5f}"
            axes.plot(
                result.timestamp_s[_REST], 100 * (x - x.mean()) / eyes_px, color=colour, label=label
            )
        axes.set(xlabel="seconds", ylabel="% of the eye distance")
        _save(figure, path)


def draw_lag(path: Path, result: sm.VideoLandmarks, truth: Array) -> None:
    """Draw the course of the tip of the nose while the head moves: true, and by two stabilizers."""
    late = sm.smooth(result.raw_landmarks[:, 0], result.timestamp_s, "one-euro", min_cutoff_hz=0.5)
    eyes_px = _eye_distance(truth)
    first = truth[_MOVING, _NOSE_TIP, 0][0]
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(figsize=(8, 2.8))
        for name, points, colour, line in (
            ("flow", result.landmarks[:, 0], _STABLE, "-"),
            ("one-euro, 0.5 Hz", late, _LATE, "-"),
            ("true", truth, _TRUE, ":"),
        ):
            lag = abs(sm.metrics.lag(points[_MOVING], truth[_MOVING]))
            label = name if points is truth else f"{name}: {lag:.1f} frames late"
            x = 100 * (points[_MOVING, _NOSE_TIP, 0] - first) / eyes_px
            axes.plot(result.timestamp_s[_MOVING], x, line, color=colour, label=label)
        axes.set(xlabel="seconds", ylabel="% of the eye distance")
        _save(figure, path)


def _eye_distance(truth: Array) -> float:
    first, second = _EYES
    return float(np.nanmean(np.hypot(*(truth[:, first] - truth[:, second]).T)))


def _save(figure: Any, path: Path) -> None:
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(path, transparent=True, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def main(folder: Annotated[Path, typer.Argument(help="Where the pictures go.")]) -> None:
    """Draw the pictures that explain error, jitter and lag, from the demo clip."""
    folder.mkdir(parents=True, exist_ok=True)
    clip = assets_root() / "clips" / "demo.mp4"
    truth = sm.read_truth(clip.with_name("demo_truth.csv"))
    result = sm.track_video(clip)
    draw_error(folder / "error.png", clip, result.landmarks[:, 0], truth)
    draw_jitter(folder / "jitter.svg", result, truth)
    draw_lag(folder / "lag.svg", result, truth)
    typer.echo(f"3 pictures in {folder}")


if __name__ == "__main__":
    typer.run(main)
