"""The mapping between frame pixels and view points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_SCALE, MAX_SCALE = 0.02, 64.0


@dataclass(frozen=True, slots=True)
class Viewport:
    """Mapping between frame pixels and view points: view = (frame + 0.5) · scale + (x, y).

    The centres of frame pixels have integer coordinates. View points are Qt's logical pixels.

    Attributes:
        scale: View points per frame pixel.
        x: Horizontal position of the picture's top left corner in the view.
        y: Vertical position of the picture's top left corner in the view.
        flip: The picture's width if the view is mirrored, otherwise 0.
    """

    scale: float
    x: float
    y: float
    flip: int = 0

    def to_view(self, xy_px: NDArray[np.floating]) -> NDArray[np.float64]:
        """Convert frame pixels (..., 2) to view points."""
        xy = xy_px.astype(float)
        if self.flip:
            xy[..., 0] = self.flip - 1 - xy[..., 0]
        moved: NDArray[np.float64] = (xy + 0.5) * self.scale + (self.x, self.y)
        return moved

    def to_frame(self, x: float, y: float) -> tuple[float, float]:
        """Convert a view point to frame pixels."""
        across = (x - self.x) / self.scale - 0.5
        return self.flip - 1 - across if self.flip else across, (y - self.y) / self.scale - 0.5

    def moved(self, dx: float, dy: float) -> Viewport:
        """Return the viewport moved by this many view points."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def zoomed(self, factor: float, at_x: float, at_y: float) -> Viewport:
        """Return the viewport zoomed around this view point, which stays in place."""
        scale = min(max(self.scale * factor, MIN_SCALE), MAX_SCALE)
        ratio = scale / self.scale
        x, y = at_x - (at_x - self.x) * ratio, at_y - (at_y - self.y) * ratio
        return replace(self, scale=scale, x=x, y=y)


def fitted_viewport(picture: tuple[int, int], view: tuple[float, float]) -> Viewport:
    """Fit the whole picture into the view and centre it; both sizes are (width, height)."""
    scale = min(view[0] / max(1, picture[0]), view[1] / max(1, picture[1]))
    return centred_viewport(picture, view, min(max(scale, MIN_SCALE), MAX_SCALE))


def centred_viewport(picture: tuple[int, int], view: tuple[float, float], scale: float) -> Viewport:
    """Centre the picture in the view at this scale."""
    return Viewport(scale, (view[0] - picture[0] * scale) / 2, (view[1] - picture[1] * scale) / 2)
