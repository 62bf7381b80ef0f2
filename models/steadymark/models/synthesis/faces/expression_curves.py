"""Random curves of facial expressions, blinks and head rotation over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadymark.models.synthesis.faces.face_fit import MOVEMENTS

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]
STEP_S = 1 / 240  # time between two samples of the curves
_NAMES = list(MOVEMENTS)
LIDS = (_NAMES.index("lid_L"), _NAMES.index("lid_R"))

_PAUSE_S, _PHRASE_S = (0.15, 0.6), (0.6, 2.5)  # durations of pauses and phrases in talk
_SYLLABLES_HZ = (3.0, 7.0)
_JAW, _LIPS = (0.06, 0.42), (0.0, 0.5)  # strengths of the jaw and of the lips in a syllable
_BLINKS_HZ = 0.5  # mean number of blinks per second
# A blink lasts 0.14 to 0.3 s.
_CLOSING_S, _SHUT_S, _OPENING_S = (0.05, 0.09), (0.01, 0.05), (0.08, 0.16)
_ONSET_S, _HOLD_S = (0.3, 1.0), (0.2, 1.5)  # onset and hold of smiles and brow movements
_TURN_S, _REST_S = (0.3, 1.0), (0.1, 0.8)  # durations of head turns and rests between them
# Shares of scenes that have each movement.
_TALK_SHARE, _SMILE_SHARE, _BROW_SHARE, _CHIN_SHARE, _TURN_SHARE = 0.6, 0.45, 0.45, 0.3, 0.75
_PITCH = 0.65  # largest pitch, as a share of the largest yaw


class FaceState(NamedTuple):
    """Expression and rotation of a face at one moment.

    Attributes:
        strengths: (J,) strengths of `MOVEMENTS`.
        yaw_deg: Yaw in degrees, positive to the right of the image.
        pitch_deg: Pitch in degrees, positive downwards.
    """

    strengths: Floats
    yaw_deg: float
    pitch_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionCurves:
    """Expression and rotation of a face over time.

    Attributes:
        strengths: (N, J) strengths of `MOVEMENTS`, one row every STEP_S seconds.
        turns_deg: (N, 2) yaw and pitch in degrees.
    """

    strengths: Floats
    turns_deg: Floats

    def at(self, t_s: float) -> FaceState:
        """Interpolate the curves at `t_s` seconds; they are constant beyond their ends."""
        position = min(max(t_s / STEP_S, 0.0), len(self.strengths) - 1.0)
        first = min(int(position), len(self.strengths) - 2)
        fraction = position - first
        strengths = (1 - fraction) * self.strengths[first] + fraction * self.strengths[first + 1]
        yaw, pitch = (1 - fraction) * self.turns_deg[first] + fraction * self.turns_deg[first + 1]
        return FaceState(strengths, float(yaw), float(pitch))

    def scaled(self, expressions: float, turns: float) -> ExpressionCurves:
        """Scale the expressions and turns by these factors; blinks still close the eyes fully."""
        factors = np.full(len(_NAMES), expressions)
        factors[list(LIDS)] = 1
        return ExpressionCurves(factors * self.strengths, turns * self.turns_deg)


def expression_curves(
    length_s: float, rng: np.random.Generator, *, strength: float, turns_deg: float
) -> ExpressionCurves:
    """Return random curves of at least `length_s` seconds.

    Args:
        length_s: Duration in seconds.
        rng: Makes all random choices.
        strength: Factor of the expressions. Blinks keep their strength, but 0 disables them too.
        turns_deg: Largest yaw in degrees.
    """
    t = np.arange(0, length_s + 2 * STEP_S, STEP_S)
    strengths = np.zeros((len(t), len(_NAMES)))
    if rng.random() < _TALK_SHARE:
        _talk(t, strengths, rng)
    if rng.random() < _SMILE_SHARE:
        smile = _held_movement(t, rng, rng.uniform(0.3, 0.9))
        for name in ("smile_L", "smile_R"):  # a smile is never fully symmetric
            strengths[:, _NAMES.index(name)] += smile * rng.uniform(0.8, 1.0)
    if rng.random() < _BROW_SHARE:
        name = "brows_up" if rng.random() < 0.65 else "brows_down"
        strengths[:, _NAMES.index(name)] += _held_movement(t, rng, rng.uniform(0.3, 1.0))
    if rng.random() < _CHIN_SHARE:
        name = "chin" if rng.random() < 0.5 else "jaw_side"
        signed = rng.uniform(0.3, 0.8) * (1 if name == "chin" else rng.choice((-1, 1)))
        strengths[:, _NAMES.index(name)] += _held_movement(t, rng, signed)
    eye_closing = _blinks(t, rng)
    strengths[:, LIDS] = eye_closing[:, None]
    turns = np.zeros((len(t), 2))
    if rng.random() < _TURN_SHARE:
        turns = _head_turns(t, rng) * turns_deg
    curves = ExpressionCurves(strengths if strength else 0 * strengths, turns)
    return curves.scaled(strength, 1.0)


def _smooth_step(t: Floats, begin: float, duration: float) -> Floats:
    """Return a smooth step: 0 before `begin`, and 1 from `begin + lasts` on."""
    progress = ((t - begin) / duration).clip(0, 1)
    eased: Floats = progress**3 * (10 - 15 * progress + 6 * progress**2)
    return eased


def _talk(t: Floats, strengths: Floats, rng: np.random.Generator) -> None:
    """Add phrases of syllables with pauses between them, in place."""
    start_s = -rng.uniform(0, 1)
    shapes: Sequence[str] = ("funnel", "pucker", "teeth")
    while start_s < t[-1]:
        end_s = start_s + rng.uniform(*_PHRASE_S)
        rate = rng.uniform(*_SYLLABLES_HZ)
        while start_s < end_s:
            duration = rng.uniform(0.8, 1.25) / rate
            wave = np.sin(np.pi * ((t - start_s) / (1.3 * duration)).clip(0, 1)) ** 2
            strengths[:, _NAMES.index("jaw")] += rng.uniform(*_JAW) * wave
            shape = shapes[int(rng.integers(len(shapes)))]
            strengths[:, _NAMES.index(shape)] += rng.uniform(*_LIPS) * wave
            start_s += duration
        start_s += rng.uniform(*_PAUSE_S)


def _held_movement(t: Floats, rng: np.random.Generator, strength: float) -> Floats:
    """Return a curve that rises, stays at `strength`, and may fall again."""
    begin = rng.uniform(-0.5, 0.7 * t[-1])
    rise_s, fall_s = rng.uniform(*_ONSET_S, 2)
    end = begin + rise_s + rng.uniform(*_HOLD_S)
    return strength * (_smooth_step(t, begin, rise_s) - _smooth_step(t, end, fall_s))


def _blinks(t: Floats, rng: np.random.Generator) -> Floats:
    """Return how far the eyes are shut (N,), 0 to 1; they close fast and open more slowly."""
    closing_curve = np.zeros(len(t))
    start_s = rng.exponential(1 / _BLINKS_HZ)
    while start_s < t[-1]:
        closing, shut_s, opening = (rng.uniform(*s) for s in (_CLOSING_S, _SHUT_S, _OPENING_S))
        end = start_s + closing + shut_s
        depth = 1.0 if rng.random() < 0.8 else rng.uniform(0.4, 0.9)
        blink = depth * (_smooth_step(t, start_s, closing) - _smooth_step(t, end, opening))
        closing_curve = np.maximum(closing_curve, blink)
        start_s = end + opening + 0.1 + rng.exponential(1 / _BLINKS_HZ)
    return closing_curve


def _head_turns(t: Floats, rng: np.random.Generator) -> Floats:
    """Return yaw within ±1 and pitch within ±_PITCH (N, 2), with rests between the movements."""
    reach = np.array((1.0, _PITCH))
    start = rng.uniform(-0.6, 0.6, 2) * reach
    angles = np.tile(start, (len(t), 1))
    start_s = rng.uniform(-0.3, 0.4)
    while start_s < t[-1]:
        target = rng.uniform(-1, 1, 2) * reach
        duration = rng.uniform(*_TURN_S) * (0.4 + np.abs(target - start).max())
        angles += _smooth_step(t, start_s, duration)[:, None] * (target - start)
        start, start_s = target, start_s + duration + rng.uniform(*_REST_S)
    return angles
