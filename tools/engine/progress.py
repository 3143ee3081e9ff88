"""When a server last worked on something, by its processor time."""

import os
import time
from dataclasses import dataclass, field

IDLE_SHARE = 0.1
"""Of one core: a server that works on a study uses all of one, an idle one a hundredth."""

PERIOD_SECONDS = 3.0

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Progress:
    """The time of the last work, of time.monotonic, and how it is seen."""

    at: float = field(default_factory=time.monotonic)
    _seen_at: float = field(default_factory=time.monotonic)
    _ticks: int = 0

    def see(self, ticks: int, now: float) -> None:
        """Compare with the last time, PERIOD_SECONDS ago or more."""
        period = now - self._seen_at
        if period < PERIOD_SECONDS:
            return
        if (ticks - self._ticks) / TICKS_PER_SECOND > IDLE_SHARE * period:
            self.at = now
        self._seen_at, self._ticks = now, ticks
