"""Which persons may be the same one, such as a face that has left and come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from steadymark.engine.core.types import FaceState
from steadymark.engine.review.people.assignment import persons_of
from steadymark.engine.review.people.person_summary import frontal_quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from steadymark.engine.output.csv.landmark_table import LandmarkTable
    from steadymark.engine.review.project import Reassignment
    from steadymark.models.face.crop import Image, Points

    Look = NDArray[np.float32]

ALIKE = 0.82  # correlation from which on two persons are suggested (docs/decisions/people.md)
_FRAMES = 3  # of each person
_LEAST_FRAMES = 5  # persons with fewer frames are compared with nobody
_SIDE, _LOOK = 96, 24  # pixels of the aligned picture, and of what is compared
_FACE = 0.75  # share of the picture that the landmarks of a mean face fill
_MIDDLE = np.array([0.5, 0.54])  # where the centre of the landmarks lies in the picture


@dataclass(frozen=True, slots=True)
class PersonFrames:
    """The frames of one person that matter for the comparison with others.

    Attributes:
        number: Number of the person.
        frames: All frames with the person, ascending.
        places: Faces and frames, (face, frame), in which the person is seen from the front.
    """

    number: int
    frames: NDArray[np.int64]
    places: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SamePerson:
    """Two persons that may be the same one.

    Attributes:
        one, other: Their numbers; `one` is seen first.
        likeness: The correlation of their pictures, at most 1.
    """

    one: int
    other: int
    likeness: float


def frames_to_compare(
    table: LandmarkTable, reassignments: Iterable[Reassignment]
) -> list[PersonFrames]:
    """Return the persons that can be compared with another one, with the frames to look at.

    A person is left out if it has few frames, or if it shares a frame with each other person.

    Args:
        table: The landmark table.
        reassignments: What was merged, split and swapped, in this order.
    """
    there = np.flatnonzero((table.face_id >= 0) & (table.state != FaceState.LOST))
    there = there[np.argsort(table.frame[there], kind="stable")]
    frame, face = table.frame[there], table.face_id[there]
    persons, quality = persons_of(face, frame, reassignments), frontal_quality(table)[there]
    found = []
    for person in np.unique(persons).tolist():
        mine = np.flatnonzero(persons == person)
        if len(mine) < _LEAST_FRAMES:
            continue
        best = [part[np.argmax(quality[part])] for part in np.array_split(mine, _FRAMES)]
        places = tuple((int(face[i]), int(frame[i])) for i in best)
        found.append(PersonFrames(person, np.unique(frame[mine]), places))
    return [one for one in found if any(_apart(one, other) for other in found)]


def face_look(image: Image, xy_px: Points, mean_shape: Points) -> Look:
    """Return what a face looks like, without its size, position, roll and brightness.

    Args:
        image: The frame, (H, W, 3).
        xy_px: (K, 2) landmarks of the face in frame pixels.
        mean_shape: (K, 2) landmarks of the mean face, see `LandmarkSchema`.

    Returns:
        (24 * 24 * 3,) vector of length 1; the scalar product of two is their correlation.
    """
    target = mean_shape - mean_shape.mean(0)
    target = target * (_FACE * _SIDE / np.ptp(target, axis=0).max()) + _MIDDLE * _SIDE
    aligned = cv2.warpAffine(image, _similarity(xy_px, target), (_SIDE, _SIDE))
    small = cv2.resize(aligned, (_LOOK, _LOOK), interpolation=cv2.INTER_AREA)
    look = small.astype(np.float32).ravel()
    look -= look.mean()
    return look / max(float(np.linalg.norm(look)), 1e-6)


def suggest_same(
    people: Sequence[PersonFrames], looks: Mapping[tuple[int, int], Look]
) -> list[SamePerson]:
    """Return pairs of persons that may be the same one, the most alike first.

    They are never in the same frame, and look alike in one of their frames. Nobody is in two pairs.

    Args:
        people: The persons, see `frames_to_compare`.
        looks: What faces look like, by face and frame; places that are missing are ignored.
    """
    order = sorted(people, key=lambda one: one.frames[0])
    found = []
    for place, one in enumerate(order):
        for other in order[place + 1 :]:
            likeness = _likeness(one, other, looks)
            if likeness >= ALIKE and _apart(one, other):
                found.append(SamePerson(one.number, other.number, likeness))
    kept: list[SamePerson] = []
    for pair in sorted(found, key=lambda pair: -pair.likeness):
        if not any({pair.one, pair.other} & {k.one, k.other} for k in kept):
            kept.append(pair)
    return kept


def _likeness(
    one: PersonFrames, other: PersonFrames, looks: Mapping[tuple[int, int], Look]
) -> float:
    """Return the largest correlation of a frame of one person and a frame of another."""
    mine = [looks[place] for place in one.places if place in looks]
    others = [looks[place] for place in other.places if place in looks]
    if not mine or not others:
        return 0.0
    return float((np.stack(mine) @ np.stack(others).T).max())


def _apart(one: PersonFrames, other: PersonFrames) -> bool:
    """Return whether two persons are different and never in the same frame."""
    return one is not other and not len(np.intersect1d(one.frames, other.frames))


def _similarity(source: Points, target: Points) -> NDArray[np.float64]:
    """Return the (2, 3) matrix of the similarity that moves points closest to others."""
    z, w = (points.astype(np.float64) @ np.array([1, 1j]) for points in (source, target))
    z_mean, w_mean = z.mean(), w.mean()
    z, w = z - z_mean, w - w_mean
    turn = np.vdot(z, w) / np.vdot(z, z).real
    shift = w_mean - turn * z_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
