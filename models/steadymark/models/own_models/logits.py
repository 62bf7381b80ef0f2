"""Detection of heatmaps that are logits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steadymark.models.own_models.output_kind import OutputTrial
    from steadymark.models.own_models.wrapper_config import CoordinateUnit, WrapperConfig


def find_softmax(
    wrapping: WrapperConfig, trial: OutputTrial, _: CoordinateUnit | None
) -> WrapperConfig:
    """Add a softmax if heatmaps have clearly negative values.

    Args:
        wrapping: The settings so far.
        trial: Gives the values of the heatmaps.

    Returns:
        The completed settings.
    """
    values = trial.values(wrapping)
    softmax = any(float(each.min()) < -0.25 * abs(float(each.max())) for each in values)
    return replace(wrapping, softmax=softmax)
