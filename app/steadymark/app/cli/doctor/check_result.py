"""What a check of this computer has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """How much a finding matters.

    Attributes:
        OK: It is as it should be.
        NOTE: It is not there, but only some users need it.
        FAULT: The program cannot do what everyone needs.
    """

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check.

    Attributes:
        group: What the check belongs to, such as `Qt` or `codecs`.
        name: What was checked, in a few words.
        state: How much it matters.
        text: What was found.
        advice: What the user can do; empty if nothing has to be done.
    """

    group: str
    name: str
    state: CheckState
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the fields for a JSON file."""
        return {
            "group": self.group,
            "name": self.name,
            "state": str(self.state),
            "text": self.text,
            "advice": self.advice,
        }
