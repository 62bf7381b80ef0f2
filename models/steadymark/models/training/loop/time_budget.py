"""Minutes → steps: measured at the start of a run, and corrected as it goes on."""

from __future__ import annotations

import logging

_log = logging.getLogger(__name__)
_FIRST, _FEWEST, _MOST = 3, 10, 60  # steps: of the start, which is slow, and of the measurement
_SHARE = 0.1  # of the minutes, for measuring and for validations each
_MILESTONES = (0.5, 0.75, 0.9)  # of the run, where its end is reckoned anew
_HARDLY = 50  # steps from which a network hardly learns


class TimeBudget:
    """How many steps a run takes to keep to its minutes, and when it is validated.

    All times are seconds of the run's clock. check_s: between validations, at most; short runs
    are validated more often, as far as it costs at most a tenth of the time. fixed: the number of
    steps is given, and minutes do not count. alone: no other process trains along; several must
    reckon at the same steps, whatever their clocks say.
    """

    def __init__(self, minutes: float, check_s: float, *, fixed: bool, alone: bool = True) -> None:
        self.end_s, self.check_s, self.fixed, self.alone = minutes * 60, check_s, fixed, alone
        self._done = 0  # steps since this process began
        self._from: tuple[int, float] | None = None  # step and time since which steps are timed
        self._checks_s = 0.0  # of that time, what validations took
        self._cost_s, self._checked_s = 0.0, 0.0
        self._timed_checks = 0
        self._milestones: list[int] | None = None  # steps, unknown at first

    def is_due(self, step: int, total: int, now_s: float) -> bool:
        """Whether the number of steps is to be reckoned; to be asked after each step."""
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
        """Whether a validation is to be timed before the first reckoning."""
        return not total and not self._timed_checks

    def checked(self, began_s: float, now_s: float) -> None:
        """Tell of a validation."""
        took_s = now_s - began_s
        if took_s:
            self._cost_s, self._timed_checks = took_s, self._timed_checks + 1
            self._checks_s += took_s
        self._checked_s = now_s

    def check_is_due(self, total: int, now_s: float) -> bool:
        """Whether it is time for a validation; never before the number of steps is known."""
        return bool(total) and now_s > self._checked_s + self._interval_s()

    def total(self, step: int, now_s: float, *, keep: int = 0) -> int:
        """The step at which the run is to end. keep: a number that must not change, or 0."""
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
