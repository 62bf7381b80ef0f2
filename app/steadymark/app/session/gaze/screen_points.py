"""Where the points of a screen are, as the camera above it sees them. This module needs no Qt."""

from __future__ import annotations

from dataclasses import dataclass

_EDGE = 0.06  # of the screen, between its border and the outer points
COUNTS = (5, 9)
SMALLEST_MM, LARGEST_MM = 50.0, 3000.0  # width or height of a screen


@dataclass(frozen=True, slots=True)
class ScreenSetup:
    """A screen, the camera above it, and how many points of it are looked at.

    The picture of the camera is taken to be parallel to the screen. The offsets of a calibration
    contain most of the angle between them.

    Attributes:
        width_mm, height_mm: Size of the screen; 0 if it is unknown.
        camera_up_mm: Distance of the camera above the upper edge of the screen.
        camera_right_mm: Distance of the camera to the right of the middle of the screen, as the
            person sees it.
        count: One of `COUNTS`.
    """

    width_mm: float = 0.0
    height_mm: float = 0.0
    camera_up_mm: float = 8.0
    camera_right_mm: float = 0.0
    count: int = 9

    @property
    def has_size(self) -> bool:
        """Whether the size of the screen is known and possible."""
        return all(SMALLEST_MM <= one <= LARGEST_MM for one in (self.width_mm, self.height_mm))

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The points, as shares of the screen's width and height; the first is its middle."""
        near, far = _EDGE, 1 - _EDGE
        corners = ((near, near), (far, near), (far, far), (near, far))
        if self.count == COUNTS[0]:
            return ((0.5, 0.5), *corners)
        edges = ((0.5, near), (far, 0.5), (0.5, far), (near, 0.5))
        around = (point for pair in zip(corners, edges, strict=True) for point in pair)
        return ((0.5, 0.5), *around)

    def place_mm(self, point: tuple[float, float]) -> tuple[float, float, float]:
        """Return the place of a point in the camera's axes, see `HeadPose`.

        The camera looks at the person, so that the right of the screen is on the left of its
        picture.

        Args:
            point: Shares of the screen's width and height.
        """
        across, down = point
        x = self.camera_right_mm - (across - 0.5) * self.width_mm
        return x, self.camera_up_mm + down * self.height_mm, 0.0
