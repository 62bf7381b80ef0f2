"""The time that making sequences may take out of a training run."""

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
    """How long making sequences may take, and who is told of it.

    minutes: of the whole run, 0 without a limit. clock: tells seconds; began_s: since when they
    count. tell: gets sentences; report: gets which bank is being filled, how many sequences it has
    and how many it will have.
    """

    minutes: float = 0.0
    began_s: float = field(default_factory=time.monotonic)
    clock: Callable[[], float] = time.monotonic
    tell: Callable[[str], None] = lambda _: None
    report: Callable[[str, int, int], None] = lambda *_: None

    @property
    def left_s(self) -> float:
        """Seconds that are left for sequences."""
        if not self.minutes:
            return math.inf
        return self.began_s + CACHE_SHARE * self.minutes * 60 - self.clock()
