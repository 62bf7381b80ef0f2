"""Converts minutes to training steps: it measures the speed at the start and corrects it later."""

from __future__ import annotations

import logging

_log = logging.getLogger(__name__)
# Steps: slow ones at the start, then least and most steps of the speed measurement.
_FIRST, _FEWEST, _MOST = 3, 10, 60
_SHARE = 0.1  # largest share of the time for the measurement, and for validations
_MILESTONES = (0.5, 0.75, 0.9)  # shares of the run at which its end is estimated again
_HARDLY = 50  # a network hardly learns in fewer steps


class TimeBudget:
    """Plans the number of steps and the validations of a run with a time limit.

    All times are in seconds of the run's clock.

    Args:
        minutes: Time limit of the run.
        check_s: Longest time between validations. Short runs validate more often, as long as
            validations take at most a tenth of the time.
        fixed: The number of steps is given, and the time limit is ignored.
        alone: No other process trains together with this one. Several processes must estimate the
            end at the same steps, although their clocks differ.
    """

    def __init__(self, minutes: float, check_s: float, *, fixed: bool, alone: bool = True) -> None:
        self.end_s, self.check_s, self.fixed, self.alone = minutes * 60, check_s, fixed, alone
        self._done = 0  # steps of this process
        self._from: tuple[int, float] | None = None  # step and time at which the timing began
        self._checks_s = 0.0  # seconds of validations since then
        self._cost_s, self._checked_s = 0.0, 0.0
        self._timed_checks = 0
        # Steps at which the end is estimated again; unknown at first.
        self._milestones: list[int] | None = None

    def is_due(self, step: int, total: int, now_s: float) -> bool:
        """Return whether the number of steps must be estimated now; call it after every step."""
        if self.fixed:
            return False
        self._done += 1
        if self._from is None:
            if self._done == _FIRST:
                self._from, self._checks_s = (step, now_s), 0.0
            return False
        if total:
            if self._milestones is None:  # resumed
                self._milestones = _milestones(step, total)
            return bool(self._milestones) and self._milestones[0] <= step < total
        slow = self.alone and now_s - self._from[1] > _SHARE * self.end_s
        return self._done >= _MOST or (self._done >= _FEWEST and slow)

    def needs_a_check(self, total: int) -> bool:
        """Return whether a validation must be timed before the first estimate."""
        return not total and not self._timed_checks

    def checked(self, began_s: float, now_s: float) -> None:
        """Record the duration of a validation."""
        took_s = now_s - began_s
        if took_s:
            self._cost_s, self._timed_checks = took_s, self._timed_checks + 1
            self._checks_s += took_s
        self._checked_s = now_s

    def check_is_due(self, total: int, now_s: float) -> bool:
        """Return whether to validate now; never before the number of steps is known."""
        return bool(total) and now_s > self._checked_s + self._interval_s()

    def total(self, step: int, now_s: float, *, keep: int = 0) -> int:
        """Estimate the step at which the run should end.

        Args:
            step: Current step.
            now_s: Current time.
            keep: A number of steps that must not change, or 0.
        """
        assert self._from is not None
        steps = max(1, step - self._from[0])
        each_s = max(1e-6, (now_s - self._from[1] - self._checks_s) / steps)
        left_s = self.end_s - now_s - self._cost_s
        interval_s = self._interval_s()
        if left_s > interval_s:
            left_s *= interval_s / (interval_s + self._cost_s)
        total = keep or step + max(1, int(left_s / each_s))
        self._from, self._checks_s = (step, now_s), 0.0
        if self._milestones is None:
            self._milestones = _milestones(step, total)
            if total < _HARDLY:
                _log.warning(
                    "only %d steps fit into %.3g minutes, which hardly teaches the network "
                    "anything: give more with --minutes",
                    total,
                    self.end_s / 60,
                )
        self._milestones = [milestone for milestone in self._milestones if milestone > step]
        return total

    def _interval_s(self) -> float:
        if self.fixed:
            return self.check_s
        return min(self.check_s, max(self._cost_s / _SHARE, _SHARE * self.end_s))


def _milestones(step: int, total: int) -> list[int]:
    return [step + int(share * (total - step)) for share in _MILESTONES]
