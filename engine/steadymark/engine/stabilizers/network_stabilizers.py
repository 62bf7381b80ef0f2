"""The stabilizers that are networks; they run with the landmark network, not after it."""

from __future__ import annotations

from steadymark.engine.stabilizers.stabilizer_registry import AUTO, StabilizerEntry, add_stabilizer
from steadymark.models.runtime.zoo import FLOW
from steadymark.models.user_text import UserText

add_stabilizer(
    StabilizerEntry(
        AUTO,
        label=UserText("automatic"),
        help=UserText("The model's own stabilizer if it has one, otherwise flow."),
    )
)
add_stabilizer(
    StabilizerEntry(
        FLOW,
        label=UserText("flow"),
        help=UserText(
            "Optical flow moves the known landmarks of any model, and a small recurrent network "
            "weighs them against those that the model finds."
        ),
        cell=True,
    )
)
add_stabilizer(
    StabilizerEntry(
        "refine",
        label=UserText("temporal refinement"),
        caption=UserText("refinement"),
        help=UserText("A published recurrent cell over the heatmaps of heatmap1d-lite."),
        cell=True,
    )
)
add_stabilizer(
    StabilizerEntry(
        "convlstm",
        label=UserText("ConvLSTM"),
        help=UserText("A published ConvLSTM over the heatmaps of heatmap1d-lite."),
        cell=True,
    )
)
