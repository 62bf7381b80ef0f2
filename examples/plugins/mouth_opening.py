"""A plug-in with a face attribute: how far the mouth is open.

Name this file in the environment variable `STEADYMARK_PLUGINS`:

    STEADYMARK_PLUGINS=examples/plugins/mouth_opening.py steadymark track talk.mp4 --out results

Tables then have the columns `mouth_open` and `mouth_width`, the window plots and shows them, and
`--draw mouth` draws them into videos.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.attributes.attribute_registry import ATTRIBUTES
from steadymark.engine.attributes.face_attribute import (
    AttributeColumn,
    AttributeCurve,
    AttributeDrawing,
    AttributePlot,
    DrawnLine,
    DrawnText,
    FaceAttribute,
)
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from steadymark.engine.attributes.face_attribute import Shapes
    from steadymark.engine.core.types import AttributeValues, FaceContext, Landmarks

PURPLE, GREEN = "#cc79a7", "#009e73"
EYES, CORNERS, LIPS = (36, 45), (48, 54), (62, 66)  # landmarks of ibug68
OPEN, WIDTH = UserText("opening"), UserText("width")


def compute(landmarks: Landmarks, context: FaceContext) -> AttributeValues | None:
    """Return opening and width of the mouth, divided by the distance of the outer eye corners."""
    eyes, lips, corners = (
        math.dist(*landmarks.xy_px[list(pair)].tolist()) for pair in (EYES, LIPS, CORNERS)
    )
    return (lips / eyes, corners / eyes) if eyes > 0 else None


def shapes(values: AttributeValues, landmarks: Landmarks, context: FaceContext) -> Shapes:
    """Return a line from lip to lip, and the opening in percent beside it."""
    line = landmarks.xy_px[list(LIPS)]
    x, y = np.mean(line, axis=0).tolist()
    return DrawnLine(line, PURPLE), DrawnText((x + 5, y), f"{100 * values[0]:.0f} %", PURPLE)


ATTRIBUTES.add(
    FaceAttribute(
        name="mouth_opening",
        label=UserText("Mouth"),
        columns=(
            AttributeColumn("mouth_open", OPEN, decimals=4),
            AttributeColumn("mouth_width", WIDTH, decimals=4),
        ),
        compute=compute,
        schemas=("ibug68",),
        drawing=AttributeDrawing("mouth", UserText("Opening of the mouth"), shapes),
        plot=AttributePlot(
            UserText("mouth, %"),
            (
                AttributeCurve("mouth_open", OPEN, PURPLE, scale=100),
                AttributeCurve("mouth_width", WIDTH, GREEN, scale=100),
            ),
        ),
    )
)
