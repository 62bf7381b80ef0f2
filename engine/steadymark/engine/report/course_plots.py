"""Courses over time as SVG, which browsers and Qt show."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.metrics.rest_detection import true_runs
from steadymark.engine.output.video.draw_style import GREEN, ORANGE, SKY_BLUE, VERMILLION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Values = NDArray[np.float64]

WIDTH, HEIGHT = 720, 110
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 10, 8, 20
_MOST_POINTS = 700  # more are joined, so that each keeps its extremes
COLOURS = (SKY_BLUE, ORANGE, GREEN, VERMILLION)


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A curve: its name and its values in each frame, (T,); NaN leaves a gap."""

    name: str
    values: Values


@dataclass(frozen=True, slots=True)
class Band:
    """A shaded stretch of time."""

    start_s: float
    end_s: float
    colour: str


def course_plot(
    title: str, time_s: Values, courses: Sequence[Course], bands: Sequence[Band] = ()
) -> str:
    """Return a plot of curves over time as SVG.

    Args:
        title: What is shown, with its unit.
        time_s: (T,) times of the frames.
        courses: The curves.
        bands: Stretches that are shaded behind the curves.

    Returns:
        The SVG element; a short text if there is nothing to show.
    """
    known = [c.values[np.isfinite(c.values)] for c in courses]
    if len(time_s) < 2 or not any(len(values) for values in known):
        return f"<p>{escape(title)}: not known</p>"
    low = min(float(values.min()) for values in known if len(values))
    high = max(float(values.max()) for values in known if len(values))
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    scale = _Scale(float(time_s[0]), float(time_s[-1]), low, high)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11" role="img">',
        f"<title>{escape(title)}</title>",
        *_bands(bands, scale),
        *_axes(scale),
    ]
    for course, colour in zip(courses, COLOURS, strict=False):
        parts += [
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.2" points="{points}"/>'
            for points in _lines(time_s, course.values, scale)
        ]
    parts += _legend(title, courses)
    return "".join((*parts, "</svg>"))


@dataclass(frozen=True, slots=True)
class _Scale:
    first_s: float
    last_s: float
    low: float
    high: float

    def x(self, time_s: Values | float) -> Values:
        share = (np.asarray(time_s) - self.first_s) / max(self.last_s - self.first_s, 1e-9)
        return np.asarray(_LEFT + np.clip(share, 0, 1) * (WIDTH - _LEFT - _RIGHT))

    def y(self, value: Values | float) -> Values:
        share = (np.asarray(value) - self.low) / (self.high - self.low)
        return np.asarray(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM))


def _bands(bands: Sequence[Band], scale: _Scale) -> Iterator[str]:
    for band in bands:
        left, right = float(scale.x(band.start_s)), float(scale.x(band.end_s))
        yield (
            f'<rect x="{left:.1f}" y="{_TOP}" width="{max(1.0, right - left):.1f}" '
            f'height="{HEIGHT - _TOP - _BOTTOM}" fill="{band.colour}" fill-opacity="0.25"/>'
        )


def _axes(scale: _Scale) -> Iterator[str]:
    bottom = HEIGHT - _BOTTOM
    yield (f'<path d="M{_LEFT} {_TOP}V{bottom}H{WIDTH - _RIGHT}" fill="none" stroke="#888888"/>')
    for value, y in ((scale.high, _TOP + 9), (scale.low, bottom)):
        yield f'<text x="{_LEFT - 4}" y="{y}" text-anchor="end" fill="#555555">{value:.3g}</text>'
    for time_s, x, anchor in (
        (scale.first_s, _LEFT, "start"),
        (scale.last_s, WIDTH - _RIGHT, "end"),
    ):
        yield (
            f'<text x="{x}" y="{HEIGHT - 6}" text-anchor="{anchor}" fill="#555555">'
            f"{time_s:.1f} s</text>"
        )


def _legend(title: str, courses: Sequence[Course]) -> Iterator[str]:
    x = _LEFT + 60.0
    yield f'<text x="{x}" y="{HEIGHT - 6}" fill="#222222">{escape(title)}</text>'
    x += 6.5 * len(title) + 16
    if len(courses) < 2:
        return
    for course, colour in zip(courses, COLOURS, strict=False):
        yield f'<text x="{x:.0f}" y="{HEIGHT - 6}" fill="{colour}">{escape(course.name)}</text>'
        x += 6.5 * len(course.name) + 16


def _lines(time_s: Values, values: Values, scale: _Scale) -> Iterator[str]:
    """Yield the points of each run of known values; long runs keep their extremes."""
    step = max(1, len(values) * 2 // _MOST_POINTS)
    for run in true_runs(np.asarray(np.isfinite(values))):
        xs, ys = scale.x(time_s[run]), scale.y(values[run])
        points: list[str] = []
        for i in range(0, len(xs), step):
            part = ys[i : i + step]
            chosen = sorted({int(np.argmin(part)), int(np.argmax(part))})
            points += [f"{xs[i + j]:.1f},{part[j]:.1f}" for j in chosen]
        yield " ".join(points)
