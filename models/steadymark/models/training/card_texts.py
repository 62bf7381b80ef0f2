"""What a model card says of the intended use and the limits of a kind of model."""

from __future__ import annotations

from typing import Any

_USE = (
    "For research and measurement on pictures and videos of faces. Not for identifying people, and "
    "not for decisions about a person."
)
INTENDED_USE = {
    "landmarks": f"Landmarks of faces that a face detector has found. {_USE}",
    "face_detector": f"Boxes of faces in pictures, from which the tracker starts. {_USE}",
    "stabilizer": f"Stable landmarks in videos, from those of any landmark model. {_USE}",
    "pupils": f"Centres of the pupils, in crops of eyes whose landmarks are known. {_USE}",
}
_PEOPLE = (
    "The photos of the training come from the internet and do not show all ages, skin colours and "
    "cultures equally often. How the errors differ between groups of people is not known."
)
LIMITS = {
    "landmarks": (
        "The errors grow with the angle by which a head is turned. From about 30 degrees on, the "
        "hidden half of the jaw is a guess; the rows of 'accuracy' tell the errors by yaw.",
        "Landmarks that a hand, hair or the head itself hides are guessed; their scores are low.",
        "Eyes that close are shown with a smaller motion than they make (docs/benchmarks.md).",
        _PEOPLE,
    ),
    "face_detector": (
        "Faces under about 20 pixels, very dark faces and profiles are missed more often than "
        "others; 'scores' tells how often.",
        "The score of a box is no probability. The threshold allows about one false box in 100 "
        "photos without faces.",
        _PEOPLE,
    ),
    "stabilizer": (
        "It learned from synthetic scenes of real photos, not from real videos.",
        "It relies on optical flow: after blurred, dark or missing frames it begins anew.",
        "It corrects jitter, not a landmark that is wrong in all frames.",
        _PEOPLE,
    ),
    "pupils": (
        "The pupils that people labelled are those of frontal faces in even light, about 23 pixels "
        "an eye. Other lights, gazes and turned heads were learned from drawn and changed eyes and "
        "from the network's own labels, so that errors there are less well known.",
        "It does not see colours: dark irises in dim light have no visible pupil, and the centre "
        "of the iris is found instead.",
        "A strong reflection on glasses over the pupil moves the centre or hides it.",
        _PEOPLE,
    ),
}


def described(card: dict[str, Any]) -> dict[str, Any]:
    """Return a model card that tells intended use and limits.

    Args:
        card: The content of the card. What it says already is kept.

    Returns:
        The card, with the texts of its kind after its licence and data.
    """
    kind = card["kind"]
    added: dict[str, Any] = {"intended_use": INTENDED_USE[kind], "limits": list(LIMITS[kind])}
    added |= {name: card[name] for name in added if name in card}
    rest = {name: value for name, value in card.items() if name not in added}
    entries: dict[str, Any] = {}
    for name, value in rest.items():
        entries[name] = value
        if name == "data":
            entries |= added
    return {**entries, **added}
