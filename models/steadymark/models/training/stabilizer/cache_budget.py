"""Time budget for preparing the sequences that a stabilizer learns from."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CACHE_SHARE = 0.4  # of the minutes of a run


@dataclass(frozen=True)
class CacheBudget:
    """Time budget for preparing the cached sequences of a run, and the reporters of its progress.

    Attributes:
        minutes: Time of the whole run in minutes; 0 for no limit.
        began_s: Time at which the run began, in seconds of `clock`.
        clock: Returns the current time in seconds.
        tell: Called with each sentence for the user.
        report: Called with the name of the cache, the number of its finished sequences, and the
            number of all its sequences.
    """

    minutes: float = 0.0
    began_s: float = field(default_factory=time.monotonic)
    clock: Callable[[], float] = time.monotonic
    tell: Callable[[str], None] = lambda _: None
    report: Callable[[str, int, int], None] = lambda *_: None

    @property
    def left_s(self) -> float:
        """Seconds that remain for preparing sequences."""
        if not self.minutes:
            return math.inf
        return self.began_s + CACHE_SHARE * self.minutes * 60 - self.clock()
