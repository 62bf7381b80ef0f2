"""A plain verdict on the landmarks of one face: good, doubtful or lost, with its reason."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from steadymark.models.user_text import UserText, join_texts

if TYPE_CHECKING:
    from steadymark.app.session.analysis.tracking_figures import TrackingFigures

# Below these values, the face counts as lost.
LOST_SHARE = 0.5  # share of the processed frames with a face
LOST_SCORE = 0.3  # median score of the landmarks: the limit of the lowest band of scores
# Below or above these values, the landmarks are doubtful.
DOUBTFUL_SHARE = 0.9
DOUBTFUL_SCORE = 0.6  # the limit of the second band of scores
DOUBTFUL_MOTION = 1.0  # fast motion of the stabilized landmarks, % of the eye distance
DOUBTFUL_DISTANCE = 4.0  # mean distance from raw to stabilized landmarks, % of the eye distance


class Quality(StrEnum):
    """How far the landmarks can be trusted."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The quality of the landmarks and the reason for it, a sentence."""

    quality: Quality
    reason: UserText


def judge(figures: TrackingFigures) -> Verdict:
    """Return the verdict on the landmarks of a face.

    The face is lost if it is missing in more than half of the frames, or if the median score of
    its landmarks is below 0.3. The landmarks are doubtful if the face is missing in more than a
    tenth of the frames, if the median score is below 0.6, if the stabilized landmarks move by more
    than 1 % of the eye distance faster than 5 Hz, or if raw and stabilized landmarks lie more
    than 4 % apart. Otherwise they are good. Values that are not known are not judged.

    Args:
        figures: The figures to judge.

    Returns:
        The verdict; the reason names everything that is doubtful.
    """
    if figures.face_share < LOST_SHARE or figures.score < LOST_SCORE:
        return Verdict(Quality.LOST, join_texts(_gone(figures)))
    doubts = _doubts(figures)
    if not figures.face_frames.processed:
        return Verdict(Quality.DOUBTFUL, UserText("no frame has been processed yet"))
    if doubts:
        return Verdict(Quality.DOUBTFUL, join_texts(doubts))
    if not math.isfinite(figures.fast_stabilized):
        return Verdict(
            Quality.GOOD,
            UserText("the face is found and its landmarks are certain; jitter is not known"),
        )
    return Verdict(
        Quality.GOOD, UserText("the face is found, and its landmarks are certain and steady")
    )


def _gone(figures: TrackingFigures) -> list[UserText]:
    found = []
    if figures.face_share < LOST_SHARE:
        found.append(_missing(figures))
    if figures.score < LOST_SCORE:
        found.append(
            UserText("most landmarks are guesses (median score {score:.2f})", score=figures.score)
        )
    return found


def _doubts(figures: TrackingFigures) -> list[UserText]:
    found = []
    if figures.face_share < DOUBTFUL_SHARE:
        found.append(_missing(figures))
    if figures.score < DOUBTFUL_SCORE:
        found.append(
            UserText("the landmarks are uncertain (median score {score:.2f})", score=figures.score)
        )
    if figures.fast_stabilized > DOUBTFUL_MOTION:
        found.append(
            UserText(
                "the stabilized landmarks tremble or the face moves very fast ({percent:.1f} % of "
                "the eye distance, faster than 5 Hz)",
                percent=figures.fast_stabilized,
            )
        )
    if figures.apart > DOUBTFUL_DISTANCE:
        found.append(
            UserText(
                "raw and stabilized landmarks lie {percent:.1f} % of the eye distance apart",
                percent=figures.apart,
            )
        )
    return found


def _missing(figures: TrackingFigures) -> UserText:
    return UserText(
        "{percent:.0f} % of the frames lack the face", percent=100 * (1 - figures.face_share)
    )
