"""The estimate of the time that tracking or an export still takes."""

from __future__ import annotations

from collections import deque

_OVER_S = 20.0  # the speed of the last seconds counts, since it changes with what is in the frames
_LEAST_S = 2.0


class RemainingTime:
    """Estimates the remaining time from the speed of the last seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()

    def update(self, share: float, now_s: float) -> float | None:
        """Take note of the progress.

        Args:
            share: The share that is done, in [0, 1]. A smaller share than before starts anew.
            now_s: The time, in seconds from any beginning.

        Returns:
            The remaining time in seconds, or None if it is not known yet.
        """
        if self._seen and share < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now_s, share))
        while len(self._seen) > 2 and self._seen[1][0] < now_s - _OVER_S:
            self._seen.popleft()
        since_s, before = self._seen[0]
        if now_s - since_s < _LEAST_S or share <= before:
            return None
        return (1.0 - share) * (now_s - since_s) / (share - before)

    def reset(self) -> None:
        """Forget the progress, because the work is paused."""
        self._seen.clear()
