"""A triangle mesh over a face photo, which expressions and head rotation deform."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from steadymark.models.synthesis.faces.face_fit import (
    MOVEMENTS,
    FittedFace,
    fit_face,
    interpolate_smoothly,
)
from steadymark.models.synthesis.faces.face_model import LANDMARKS

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_SPACING = 0.09  # spacing of the grid nodes, as a share of the landmarks' extent
_FADE = 0.5  # distance from the face at which its motion fades to 0, as a share of the extent
_FAR = (2.0, 6.0)  # radii of the fixed outer rings, in extents
_CLOSED = 0.05  # share of an eye's opening that remains in a blink
_APART = 0.005  # least distance of lips and of lids, as a share of the extent
_PAIRS = ((61, 67), (62, 66), (63, 65), (37, 41), (38, 40), (43, 47), (44, 46))
_RAISED = 0.12  # share of the opening by which a blink raises the lower lid

# Contours with extra mesh nodes between their landmarks; _PIECE is the number of segments per pair.
_UPPER_LIDS = ((36, 37, 38, 39), (42, 43, 44, 45))
_LOWER_LIDS = ((36, 41, 40, 39), (42, 47, 46, 45))
_LIPS = (
    (48, 49, 50, 51, 52, 53, 54),
    (54, 55, 56, 57, 58, 59, 48),
    (60, 61, 62, 63, 64),
    (64, 65, 66, 67, 60),
)
_LID_PIECE, _LIP_PIECE = 3, 2
# Width of the strip above the upper lid that a blink does not stretch, as a share of the extent.
_LASH = 0.022


@dataclass(frozen=True, slots=True, eq=False)
class FaceMesh:
    """A triangle mesh of N nodes over a face photo.

    Attributes:
        rest: (N, 3) nodes in pixels of the photo, z away from the camera; the first 68 are the
            landmarks.
        moves: (J, N, 3) displacements at full strength of each of `MOVEMENTS`.
        fade: (N,) how much of the face's motion a node follows, 0 to 1.
        pivot: (3,) centre of head rotation.
        triangles: (M, 3) node indices. The `inside` triangles of the eyes come first, then those
            between the lips, then the skin from far to near.
        inside: Number of triangles inside the eyes.
        lids: (J, N, 2) displacements by the closing of the lids alone.
    """

    rest: Floats
    moves: Floats
    fade: Floats
    pivot: Floats
    triangles: Indices
    inside: int
    lids: Floats

    def places(self, strengths: Floats, yaw_deg: float = 0.0, pitch_deg: float = 0.0) -> Floats:
        """Return the node positions (N, 2) in pixels of the photo.

        Args:
            strengths: (J,) strengths of `MOVEMENTS`.
            yaw_deg: Yaw in degrees, positive to the right of the image.
            pitch_deg: Pitch in degrees, positive downwards.
        """
        return self.turned_nodes(strengths, yaw_deg, pitch_deg)[:, :2]

    def turned_nodes(self, strengths: Floats, yaw_deg: float, pitch_deg: float) -> Floats:
        """Return the node positions (N, 3) as `places` does, with depth away from the camera."""
        turned = self.turned(self.rest + np.tensordot(strengths, self.moves, 1), yaw_deg, pitch_deg)
        faded: Floats = self.rest + self.fade[:, None] * (turned - self.rest)
        return faded

    def turned(self, xyz: Floats, yaw_deg: float, pitch_deg: float) -> Floats:
        """Return points (n, 3) that turn with the head, see `places`."""
        yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
        yaw_matrix = np.array(
            [[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]]
        )
        pitch_matrix = np.array(
            [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        )
        rotated: Floats = (xyz - self.pivot) @ (pitch_matrix @ yaw_matrix).T + self.pivot
        return rotated

    def eye_sources(self, strengths: Floats) -> Floats:
        """Return the photo positions (N, 2) that the nodes show for triangles inside an eye.

        The eyeball stays in place while the lids move over it.
        """
        sources: Floats = self.rest[:, :2] + np.tensordot(strengths, self.lids, 1)
        return sources

    def reversed_area(self, places: Floats) -> float:
        """Return the area, in px², of triangles that the warp reverses; a one-to-one warp has 0.

        Overlapping lips count. Lids do not count, because they slide over the eye.
        """
        return float(-np.minimum(_areas(places, self.triangles[self.inside :]), 0).sum())

    def hidden_landmarks(self, places: Floats) -> NDArray[np.bool_]:
        """Return which of the landmarks (68,) the face itself hides.

        A landmark is hidden if more of the skin around it is reversed than not.
        """
        triangles = self.triangles[self.inside :]
        areas = _areas(places, triangles)
        sums = np.zeros(len(places))
        for corner in range(3):
            sums += np.bincount(triangles[:, corner], areas, len(places))
        return sums[:LANDMARKS] < 0


def face_mesh(points: NDArray[np.floating]) -> FaceMesh:
    """Build the mesh of a photo with landmarks (68, 2).

    Labels of closed lips and lids may cross each other; they are first moved apart.
    """
    extent = float(np.ptp(points, axis=0).max())
    separated = _uncrossed(points.astype(np.float64), _APART * extent)
    face = fit_face(separated)
    rest, moves, lids = _moving_nodes(face, extent)
    surrounding, fade = _surrounding_nodes(rest[:, :2], extent)
    count = len(rest)
    columns = np.concatenate((rest[:, 2:], moves.transpose(1, 0, 2).reshape(count, -1)), 1)
    interpolated = interpolate_smoothly(rest[:, :2], columns, surrounding)
    interpolated[fade == 0] = 0
    rest = np.concatenate((rest, np.concatenate((surrounding, interpolated[:, :1]), 1)))
    surrounding_moves = interpolated[:, 1:].reshape(len(surrounding), -1, 3).transpose(1, 0, 2)
    moves = np.concatenate((moves, surrounding_moves), 1)
    lids = np.concatenate((lids, np.zeros((len(lids), len(surrounding), 2))), 1)
    triangles = _delaunay(rest[:, :2])
    eyes = _is_in_rings(rest[:, :2], triangles, [_ring(*pair) for pair in _EYE_LINES])
    mouth = _is_in_rings(rest[:, :2], triangles, [_ring(*_INNER_LINES)])
    skin = triangles[~eyes & ~mouth]
    skin = skin[np.argsort(-rest[skin, 2].mean(1), kind="stable")]
    triangles = np.concatenate((triangles[eyes], triangles[mouth], skin))
    fades = np.concatenate((np.ones(count), fade))
    return FaceMesh(rest, moves, fades, face.pivot, triangles, int(eyes.sum()), lids)


def _uncrossed(points: Floats, least: float) -> Floats:
    """Move crossing lip and lid landmarks apart, symmetrically, to a distance of `least` pixels."""
    down = points[8] - points[27]
    down = down / np.linalg.norm(down)
    separated = points.copy()
    for upper, lower in _PAIRS:
        missing = max(0.0, least - float((points[lower] - points[upper]) @ down))
        separated[upper] -= missing / 2 * down
        separated[lower] += missing / 2 * down
    return separated


def _curve(line: tuple[int, ...], steps: int, xy: Floats) -> Floats:
    """Return the weights ((len(line) - 1) × (steps - 1), 68) of landmarks for points on a curve.

    The curve is a Catmull-Rom spline through the landmarks of the line. Only points between the
    landmarks are returned.
    """
    rows = []
    for i in range(len(line) - 1):
        before, first = line[max(0, i - 1)], line[i]
        second, after = line[i + 1], line[min(len(line) - 1, i + 2)]
        for step in range(1, steps):
            t = step / steps
            row = np.zeros(len(xy))
            row[before] += 0.5 * (-t + 2 * t**2 - t**3)
            row[first] += 0.5 * (2 - 5 * t**2 + 3 * t**3)
            row[second] += 0.5 * (t + 4 * t**2 - 3 * t**3)
            row[after] += 0.5 * (-(t**2) + t**3)
            rows.append(row)
    return np.array(rows)


def _nodes_of_lines(lines: tuple[tuple[int, ...], ...], start: int, steps: int) -> list[list[int]]:
    """Return the mesh nodes of each line: its landmarks and intermediate nodes in order."""
    lines_of_nodes = []
    for line in lines:
        nodes = [line[0]]
        for end in line[1:]:
            nodes += [*range(start, start + steps - 1), end]
            start += steps - 1
        lines_of_nodes.append(nodes)
    return lines_of_nodes


_LID_LINES = _nodes_of_lines((*_UPPER_LIDS, *_LOWER_LIDS), LANDMARKS, _LID_PIECE)
_LIP_LINES = _nodes_of_lines(_LIPS, LANDMARKS + 12 * (_LID_PIECE - 1), _LIP_PIECE)
_EYE_LINES = ((_LID_LINES[0], _LID_LINES[2]), (_LID_LINES[1], _LID_LINES[3]))
_INNER_LINES = (_LIP_LINES[2], _LIP_LINES[3][::-1])
_LASHES = _LID_LINES[0][1:-1] + _LID_LINES[1][1:-1]  # inner nodes of the upper lids
INNER_LIPS = _INNER_LINES  # upper and lower nodes of the mouth opening


def _ring(upper: list[int], lower: list[int]) -> list[int]:
    """Join two lines with common ends into one closed line."""
    return upper + lower[-2:0:-1]


def _moving_nodes(face: FittedFace, extent: float) -> tuple[Floats, Floats, Floats]:
    """Return rest (n, 3), moves (J, n, 3) and lids (J, n, 2) of the nodes that the face moves.

    These are the landmarks, the contour nodes and the model's other visible points.
    """
    landmarks = face.rest[:LANDMARKS]
    lines: list[tuple[tuple[int, ...], int]]
    lines = [(line, _LID_PIECE) for line in (*_UPPER_LIDS, *_LOWER_LIDS)]
    lines += [(line, _LIP_PIECE) for line in _LIPS]
    weights = np.concatenate([_curve(line, steps, landmarks) for line, steps in lines])
    rest = np.concatenate((landmarks, weights @ landmarks))
    moves = np.concatenate((face.moves[:, :LANDMARKS], weights @ face.moves[:, :LANDMARKS]), 1)
    others = np.flatnonzero(face.seen)[LANDMARKS:]
    lashes = _lashes(rest, extent)
    is_free = _is_far_from(
        np.concatenate((rest, lashes))[:, :2], face.rest[others, :2], 0.4 * _SPACING * extent
    )
    others = others[is_free]
    rest = np.concatenate((rest, face.rest[others]))
    moves = np.concatenate((moves, face.moves[:, others]), 1)
    lids = np.zeros((len(moves), len(rest), 2))
    for name, (upper, lower) in zip(("lid_R", "lid_L"), _EYE_LINES, strict=True):
        movement = list(MOVEMENTS).index(name)
        above, below = rest[upper], rest[lower]
        gap = below - above
        moves[movement, lower] = -_RAISED * gap
        moves[movement, upper] = (1 - _RAISED - _CLOSED) * gap
        lids[movement, upper + lower] = moves[movement, upper + lower, :2]
    rest = np.concatenate((rest, lashes))
    moves = np.concatenate((moves, moves[:, _LASHES]), 1)
    lids = np.concatenate((lids, np.zeros((len(lids), len(lashes), 2))), 1)
    return rest, moves, lids


def _lashes(rest: Floats, extent: float) -> Floats:
    """Return nodes (n, 3) just above the upper lids that move with them.

    The skin is then stretched further up, and the lashes keep their shape.
    """
    up = rest[27] - rest[8]
    above: Floats = rest[_LASHES] + _LASH * extent * up / np.linalg.norm(up[:2])
    above[:, 2] = rest[_LASHES, 2]
    return above


def _surrounding_nodes(controls: Floats, extent: float) -> tuple[Floats, Floats]:
    """Return grid nodes (n, 2) around the face, away from other nodes, and their fade (n,)."""
    step = _SPACING * extent
    low, high = controls.min(0) - (_FADE + 0.15) * extent, controls.max(0) + (_FADE + 0.15) * extent
    x, y = np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))
    x[1::2] += step / 2
    grid = np.stack((x, y), -1).reshape(-1, 2)
    grid = grid[_is_far_from(controls, grid, 0.6 * step)]
    hull = cv2.convexHull(controls.astype(np.float32))
    distances = np.array([-cv2.pointPolygonTest(hull, (float(x), float(y)), True) for x, y in grid])
    for ring in (*(_ring(*pair) for pair in _EYE_LINES), _ring(*_INNER_LINES)):
        keep = ~_is_inside(controls[ring], grid)
        grid, distances = grid[keep], distances[keep]
    nearness = 1 - (distances / (_FADE * extent)).clip(0, 1)
    angles = np.arange(12) * np.pi / 6
    circle = np.stack((np.cos(angles), np.sin(angles)), -1)
    outer_rings = np.concatenate([controls.mean(0) + ring * extent * circle for ring in _FAR])
    fade = np.concatenate((nearness * nearness * (3 - 2 * nearness), np.zeros(len(outer_rings))))
    return np.concatenate((grid, outer_rings)), fade


def _is_far_from(nodes: Floats, candidates: Floats, distance: float) -> NDArray[np.bool_]:
    is_far: NDArray[np.bool_] = (
        np.linalg.norm(candidates[:, None] - nodes, axis=-1).min(1) > distance
    )
    return is_far


def _is_inside(polygon: Floats, xy: Floats) -> NDArray[np.bool_]:
    ring = polygon.astype(np.float32)
    return np.array([cv2.pointPolygonTest(ring, (float(x), float(y)), False) > 0 for x, y in xy])


def _is_in_rings(xy: Floats, triangles: Indices, rings: list[list[int]]) -> NDArray[np.bool_]:
    """Return which triangles (M,) have all nodes in one of the rings and their centre inside it."""
    centres = xy[triangles].mean(1)
    is_in_ring = np.zeros(len(triangles), bool)
    for ring in rings:
        of_ring = np.isin(triangles, ring).all(1)
        is_in_ring |= of_ring & _is_inside(xy[ring], centres)
    return is_in_ring


def _areas(xy: Floats, triangles: Indices) -> Floats:
    a, b, c = (xy[triangles[:, i]] for i in range(3))
    first_edge, second_edge = b - a, c - a
    areas: Floats = (
        first_edge[:, 0] * second_edge[:, 1] - first_edge[:, 1] * second_edge[:, 0]
    ) / 2
    return areas


def _delaunay(xy: Floats) -> Indices:
    """Return the Delaunay triangles (M, 3) of all nodes, with the same orientation."""
    low, high = xy.min(0) - 10, xy.max(0) + 10
    points = xy.astype(np.float32)
    box = (int(low[0]), int(low[1]), int(high[0] - low[0]) + 2, int(high[1] - low[1]) + 2)
    subdivision = cv2.Subdiv2D(box)
    number: dict[bytes, int] = {}
    for index, point in enumerate(points):
        subdivision.insert((float(point[0]), float(point[1])))
        number.setdefault(point.tobytes(), index)
    corners = np.asarray(subdivision.getTriangleList(), np.float32).reshape(-1, 3, 2)
    indices = [[number.get(corner.tobytes(), -1) for corner in triangle] for triangle in corners]
    triangles = np.array(indices)
    triangles = triangles[(triangles >= 0).all(1)]
    areas = _areas(xy, triangles)
    triangles[areas < 0] = triangles[areas < 0][:, ::-1]
    return triangles[np.abs(areas) > 1e-6]
