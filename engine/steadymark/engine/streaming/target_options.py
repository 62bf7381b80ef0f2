"""Options of streaming targets, such as `vmc://127.0.0.1:39540?shapes=vrm`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from steadymark.models.user_text import UserText

_MARK, _BETWEEN = "?", "&"


@dataclass(frozen=True, slots=True)
class TargetOption:
    """A choice that a kind of target has besides the place.

    Attributes:
        name: Name in the text of a target.
        label: Name in the window.
        help: What it decides, in one sentence.
        choices: The values, with their names in the window; the first is the default.
    """

    name: str
    label: UserText
    help: UserText
    choices: Mapping[str, UserText]

    @property
    def default(self) -> str:
        """The value that is used if none is given."""
        return next(iter(self.choices))


def split_place(place: str, known: Iterable[TargetOption]) -> tuple[str, dict[str, str]]:
    """Split the text of a place into the place itself and the chosen options.

    Args:
        place: The place as the user wrote it; a kind of target without options keeps all of it.
        known: The options of the kind of target.

    Returns:
        The place, and a value for each option in the order of `known`.

    Raises:
        UsageError: An option or its value is unknown.
    """
    options = {option.name: option for option in known}
    chosen = {name: option.default for name, option in options.items()}
    if not options:
        return place, chosen
    place, mark, text = place.partition(_MARK)
    for part in text.split(_BETWEEN) if mark else ():
        name, _, value = part.partition("=")
        if name not in options or value not in options[name].choices:
            raise UsageError(
                "'{part}' is no option of this target: write one of {examples}",
                part=part,
                examples=", ".join(
                    f"{option.name}={choice}"
                    for option in options.values()
                    for choice in option.choices
                ),
            )
        chosen[name] = value
    return place, chosen


def joined_place(place: str, chosen: Mapping[str, str], known: Iterable[TargetOption]) -> str:
    """Return the text of a place with the options that are not the default; see `split_place`."""
    defaults = {option.name: option.default for option in known}
    changed = [f"{name}={value}" for name, value in chosen.items() if defaults[name] != value]
    return place + (_MARK + _BETWEEN.join(changed) if changed else "")
