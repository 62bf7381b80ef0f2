"""Converts minutes to training steps: it measures the speed at the start and corrects it later."""

from __future__ import annotations

import logging

_log = logging.getLogger(__name__)
# Steps: slow ones at the start, then least and most steps of the speed measurement.
_SLOW_STEPS, _MIN_TIMED_STEPS, _MAX_TIMED_STEPS = 3, 10, 60
_MAX_SHARE = 0.1  # largest share of the time for the measurement, and for validations
_MILESTONES = (0.5, 0.75, 0.9)  # shares of the run at which its end is estimated again
_FEW_STEPS = 50  # a network hardly learns in fewer steps


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
        self._own_steps = 0  # steps of this process
        self._timing_start: tuple[int, float] | None = (
            None  # step and time at which the timing began
        )
        self._checks_s = 0.0  # seconds of validations since then
        self._check_duration_s, self._last_check_s = 0.0, 0.0
        self._timed_checks = 0
        # Steps at which the end is estimated again; unknown at first.
        self._milestones: list[int] | None = None

    def is_due(self, step: int, total: int, now_s: float) -> bool:
        """Return whether the number of steps must be estimated now; call it after every step."""
        if self.fixed:
            return False
        self._own_steps += 1
        if self._timing_start is None:
            if self._own_steps == _SLOW_STEPS:
                self._timing_start, self._checks_s = (step, now_s), 0.0
            return False
        if total:
            if self._milestones is None:  # resumed
                self._milestones = _milestones(step, total)
            return bool(self._milestones) and self._milestones[0] <= step < total
        is_slow = self.alone and now_s - self._timing_start[1] > _MAX_SHARE * self.end_s
        return self._own_steps >= _MAX_TIMED_STEPS or (
            self._own_steps >= _MIN_TIMED_STEPS and is_slow
        )

    def needs_a_check(self, total: int) -> bool:
        """Return whether a validation must be timed before the first estimate."""
        return not total and not self._timed_checks

    def checked(self, began_s: float, now_s: float) -> None:
        """Record the duration of a validation."""
        duration_s = now_s - began_s
        if duration_s:
            self._check_duration_s, self._timed_checks = duration_s, self._timed_checks + 1
            self._checks_s += duration_s
        self._last_check_s = now_s

    def check_is_due(self, total: int, now_s: float) -> bool:
        """Return whether to validate now; never before the number of steps is known."""
        return bool(total) and now_s > self._last_check_s + self._interval_s()

    def total(self, step: int, now_s: float, *, keep: int = 0) -> int:
        """Estimate the step at which the run should end.

        Args:
            step: Current step.
            now_s: Current time.
            keep: A number of steps that must not change, or 0.
        """
        assert self._timing_start is not None
        steps = max(1, step - self._timing_start[0])
        step_s = max(1e-6, (now_s - self._timing_start[1] - self._checks_s) / steps)
        remaining_s = self.end_s - now_s - self._check_duration_s
        interval_s = self._interval_s()
        if remaining_s > interval_s:
            remaining_s *= interval_s / (interval_s + self._check_duration_s)
        total = keep or step + max(1, int(remaining_s / step_s))
        self._timing_start, self._checks_s = (step, now_s), 0.0
        if self._milestones is None:
            self._milestones = _milestones(step, total)
            if total < _FEW_STEPS:
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
        return min(self.check_s, max(self._check_duration_s / _MAX_SHARE, _MAX_SHARE * self.end_s))


def _milestones(step: int, total: int) -> list[int]:
    return [step + int(share * (total - step)) for share in _MILESTONES]
