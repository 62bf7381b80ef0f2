"""The figures of a model card by which a user chooses between models."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from steadymark.models.runtime.zoo import ModelCard


class CardFigures(NamedTuple):
    """What `python -m tools.update_scores` has measured.

    Attributes:
        crop_ms: CPU time of one face on one thread of the computer that measured it, milliseconds.
        error_percent: NRMSE on 300W common from true boxes, in %.
    """

    crop_ms: float
    error_percent: float


def card_figures(card: ModelCard) -> CardFigures | None:
    """Return the figures of a model card, or None if they were not measured.

    Args:
        card: The model card.
    """
    crop_ms = card.scores.get("crop_cpu_ms")
    error_percent = card.scores.get("300w_common_true_boxes_nrmse_percent")
    if crop_ms is None or error_percent is None:
        return None
    return CardFigures(crop_ms, error_percent)
