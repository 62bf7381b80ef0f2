"""How a picture lies in a view: the one mapping between frame pixels and view points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST, MOST = 0.02, 64.0


@dataclass(frozen=True, slots=True)
class Viewport:
    """view = (frame + 0.5) · scale + (x, y): the picture's top left corner lies at (x, y).

    flip: the picture's width where left and right are swapped for the eye, else 0.
    Frame pixels have their centres at whole numbers; view points are Qt's logical pixels.
    """

    scale: float
    x: float
    y: float
    flip: int = 0

    def to_view(self, xy_px: NDArray[np.floating]) -> NDArray[np.float64]:
        """(..., 2) frame pixels → view points."""
        xy = xy_px.astype(float)
        if self.flip:
            xy[..., 0] = self.flip - 1 - xy[..., 0]
        moved: NDArray[np.float64] = (xy + 0.5) * self.scale + (self.x, self.y)
        return moved

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        """A view point → frame pixels."""
        across = (x - self.x) / self.scale - 0.5
        return self.flip - 1 - across if self.flip else across, (y - self.y) / self.scale - 0.5

    def moved(self, dx: float, dy: float) -> Viewport:
        """By view points."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def zoomed(self, factor: float, at_x: float, at_y: float) -> Viewport:
        """What lies at this view point stays there."""
        scale = min(max(self.scale * factor, LEAST), MOST)
        ratio = scale / self.scale
        x, y = at_x - (at_x - self.x) * ratio, at_y - (at_y - self.y) * ratio
        return replace(self, scale=scale, x=x, y=y)


def fitted(picture: tuple[int, int], view: tuple[float, float]) -> Viewport:
    """The whole picture, as large as it can be, in the middle; both (width, height)."""
    scale = min(view[0] / max(1, picture[0]), view[1] / max(1, picture[1]))
    return centred(picture, view, min(max(scale, LEAST), MOST))


def centred(picture: tuple[int, int], view: tuple[float, float], scale: float) -> Viewport:
    """At this scale, in the middle."""
    return Viewport(scale, (view[0] - picture[0] * scale) / 2, (view[1] - picture[1] * scale) / 2)
