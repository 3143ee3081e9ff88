"""Processes of models that are replaced while nothing is lost: which, and how the old ones end.

What passes between Triton and a model's process goes through a region that grows and never shrinks,
so that a process keeps the size of its largest study until another one takes its place.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tools.engine import processes, regions
from tools.engine.processes import Stub

KEPT_BYTES = 256 << 20
"""Beyond this, of shared memory or of its own, a process is replaced."""

CALM_SECONDS = 5.0
"""A process that did nothing for so long is idle: the next large study does not come at once."""

LATEST_SECONDS = 60.0
"""One that is never idle is replaced all the same."""

PUT_OFF_SECONDS = 300.0
"""Before another attempt, where a model could not be loaded anew."""

LOADING_SECONDS = 20.0
"""After it was first seen: a model that a running server loads is still being imported then."""

STUCK_SECONDS = 10.0
"""A replaced process that does nothing for so long does not end by itself any more."""


@dataclass
class Activity:
    """When a process last used processor time, as far as it was looked at."""

    ticks: int
    busy_at: float

    def see(self, stub: Stub, now: float) -> None:
        """Look at the process."""
        ticks = processes.cpu_ticks([stub.pid])
        if ticks > self.ticks:
            self.ticks, self.busy_at = ticks, now


@dataclass
class Kept:
    """What a process had of its own when it was loaded, and since when it has too much."""

    activity: Activity
    own_bytes: int
    loading_until: float
    too_much_since: float | None = None
    not_before: float = 0.0

    def is_due(self, now: float) -> bool:
        """Say whether the process is to be replaced now."""
        if self.too_much_since is None or now < self.not_before:
            return False
        calm = now - self.activity.busy_at > CALM_SECONDS
        return calm or now - self.too_much_since > LATEST_SECONDS


class Recycling:
    """Says which processes kept too much, and ends replaced ones; times are of time.monotonic."""

    def __init__(self) -> None:
        self._kept: dict[Stub, Kept] = {}
        self._replaced: dict[Stub, Activity] = {}

    def is_replaced(self, stub: Stub) -> bool:
        """Say whether another process has taken the place of this one, which ends in its time."""
        return stub in self._replaced

    def due(self, stubs: Iterable[Stub], now: float) -> Stub | None:
        """Return a process to be replaced now, None if there is none."""
        self._kept = {stub: self._seen(stub, now) for stub in stubs}
        return next((stub for stub, kept in self._kept.items() if kept.is_due(now)), None)

    def put_off(self, stub: Stub, now: float) -> None:
        """Leave a process alone for some minutes: its model could not be loaded anew."""
        self._kept[stub].not_before = now + PUT_OFF_SECONDS

    def replaced(self, stubs: Iterable[Stub], now: float) -> None:
        """Take note of processes that others have taken the place of."""
        self._replaced |= {stub: Activity(0, now) for stub in stubs}

    def end_stuck(self, now: float) -> None:
        """End replaced processes that are still there without working.

        One that died keeps the whole model, and the processes beside it, from being unloaded.
        """
        for stub, activity in self._replaced.items():
            activity.see(stub, now)
            if now - activity.busy_at > STUCK_SECONDS and processes.is_stub(stub):
                processes.kill_stub(stub)
                regions.remove(stub.region)

    def _seen(self, stub: Stub, now: float) -> Kept:
        own_bytes = processes.own_bytes(stub.pid)
        kept = self._kept.get(stub) or Kept(Activity(0, now), own_bytes, now + LOADING_SECONDS)
        kept.activity.see(stub, now)
        if now < kept.loading_until:
            kept.own_bytes = max(kept.own_bytes, own_bytes)
        too_much = max(regions.size_bytes(stub.region), own_bytes - kept.own_bytes) > KEPT_BYTES
        if not too_much:
            kept.too_much_since = None
        elif kept.too_much_since is None:
            kept.too_much_since = now
        return kept
