"""Undo and redo: the states of a value, each with the action that led to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from steadymark.models.user_text import UserText

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Step(Generic[State]):
    """A state and the action that led to it; the first step has no action.

    Attributes:
        action: What the user did, for menus.
        state: The state after it.
        group: Actions in a row with the same group, which is not empty, are one step.
    """

    action: UserText | None
    state: State
    group: str = ""


class History(Generic[State]):
    """The states of a frozen value, oldest first, and which of them is the present one."""

    def __init__(self, first: State, most: int = 1000) -> None:
        """Start with one state.

        Args:
            first: The state that undoing everything returns to.
            most: How many steps are kept; the oldest ones are dropped.
        """
        self._steps: list[Step[State]] = [Step(None, first)]
        self._at = 0
        self._most = most

    @property
    def state(self) -> State:
        """The present state."""
        return self._steps[self._at].state

    @property
    def undone_next(self) -> UserText | None:
        """The action that `undo` would undo; None if there is none."""
        return self._steps[self._at].action if self._at else None

    @property
    def redone_next(self) -> UserText | None:
        """The action that `redo` would do again; None if there is none."""
        return self._steps[self._at + 1].action if self._at + 1 < len(self._steps) else None

    @property
    def actions(self) -> list[tuple[UserText | None, bool]]:
        """All actions, oldest first, and whether each is done rather than undone."""
        return [(step.action, i <= self._at) for i, step in enumerate(self._steps)]

    def do(self, action: UserText, state: State, group: str = "") -> State:
        """Make a state the present one; actions that were undone are forgotten.

        Args:
            action: What the user did.
            state: The state after it.
            group: See `Step`; used while something is dragged.

        Returns:
            The present state.
        """
        present = self._steps[self._at]
        if state == present.state:
            return present.state
        del self._steps[self._at + 1 :]
        step = Step(action, state, group)
        if group and present.group == group:
            self._steps[self._at] = step
        else:
            self._steps.append(step)
        del self._steps[: max(0, len(self._steps) - self._most)]
        self._at = len(self._steps) - 1
        return state

    def change_all(self, change: Callable[[State], State]) -> State:
        """Change all states, so that undo and redo keep the change; return the present state."""
        self._steps = [replace(step, state=change(step.state)) for step in self._steps]
        return self.state

    def undo(self) -> State:
        """Go back one step, if there is one, and return the state."""
        return self.go_to(self._at - 1)

    def redo(self) -> State:
        """Go forward one step, if there is one, and return the state."""
        return self.go_to(self._at + 1)

    def go_to(self, index: int) -> State:
        """Go to a step of `actions`, or to the nearest one that exists; return its state."""
        self._at = min(max(index, 0), len(self._steps) - 1)
        return self.state
