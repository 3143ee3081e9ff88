"""Regions with studies that a program registered and left behind: the service lets go of them.

A program that is killed cannot unregister its region, and one that gave up waiting is refused while
the inference goes on. Triton would keep the memory as long as it runs.
"""

import time
from contextlib import suppress
from dataclasses import dataclass, field

from tools.client import REQUEST_SECONDS
from tools.engine import regions
from tools.engine.control import Control, ControlError

EVERY_SECONDS = 2.0

LONGEST_SECONDS = 2.0 * REQUEST_SECONDS
"""After so long no client of ours waits for an answer, even if its process lives."""


@dataclass
class StudyRegions:
    """The regions that are registered with one running server; times are of time.monotonic."""

    control: Control
    _looked_at: float = 0.0
    _since: dict[str, float] = field(default_factory=dict)

    def let_go(self, now: float) -> None:
        """Unregister and remove what nobody waits for any more, at most every EVERY_SECONDS.

        Triton refuses while an inference reads a region: the next time will do. A server that does
        not answer is watched elsewhere.
        """
        if now - self._looked_at < EVERY_SECONDS:
            return
        self._looked_at = now
        regions.remove_left_studies(time.time())
        try:
            registered = self.control.registered_regions()
        except ControlError:
            return
        self._since = {n: self._since.get(n, now) for n in registered if regions.is_ours(n)}
        for name, since in self._since.items():
            if now - since > LONGEST_SECONDS or not regions.has_owner(name):
                with suppress(ControlError):
                    self.control.unregister(name)
