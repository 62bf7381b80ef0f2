"""A plug-in with a stabilizer: the running median over the last frames.

STEADYMARK_PLUGINS=examples/plugins/median_filter.py \
    steadymark track talk.mp4 --out results --stabilizer median --window 7
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import steadymark as sm


@dataclass(frozen=True)
class MedianFilter:
    """The median of each coordinate over the last `window_frames` frames, without the future."""

    window_frames: int

    def start(self) -> tuple[np.ndarray, ...]:
        """Return the state before the first frame: the raw landmarks of the last frames."""
        return ()

    def step(
        self, points: sm.Landmarks, t_s: float, state: tuple[np.ndarray, ...]
    ) -> tuple[sm.Landmarks, tuple[np.ndarray, ...]]:
        """Filter one frame, and return the landmarks and the new state."""
        state = (*state, points.xy_px)[-self.window_frames :]
        xy = np.median(state, axis=0).astype(np.float32)
        return sm.Landmarks(xy, points.score), state


sm.add_stabilizer(
    sm.StabilizerEntry(
        "median",
        label=sm.UserText("Running median"),
        help=sm.UserText("The median over the last frames, which removes single outliers."),
        parameters=(
            sm.Parameter(
                "window_frames",
                sm.UserText("Window"),
                default=5,
                least=1,
                most=99,
                step=2,
                unit="frames",
                whole=True,
                help=sm.UserText("Number of frames: more is stiller, and later."),
            ),
        ),
        make=MedianFilter,
    )
)
