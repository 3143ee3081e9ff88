"""The state of the engine: what readiness of the service rests on."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from imaging.rows import SOFTWARE

EVENTS_KEPT = 50


@dataclass
class EngineState:
    """What the supervisor knows; written by it alone, read by the pages.

    status: starting, ready, recovering (a model), restarting (Triton), stopping.
    access_file: where the key is, for programs of this account; see access.py.
    canaries: seconds that the last canary of each public model took. canary_at: of time.monotonic,
    when all were answered last, 0 before. canary_failures: rounds in a row that were not.
    """

    status: str = "starting"
    triton_pid: int = 0
    access_file: str = ""
    reloads: int = 0
    restarts: int = 0
    recycled: int = 0
    canaries: dict[str, float] = field(default_factory=dict)
    canary_at: float = 0.0
    canary_failures: int = 0
    events: deque[str] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))

    def as_json(self) -> dict[str, Any]:
        """Return the state as the page shows it."""
        return {
            "software": SOFTWARE,
            "status": self.status,
            "triton_pid": self.triton_pid,
            "access_file": self.access_file,
            "reloads": self.reloads,
            "restarts": self.restarts,
            "recycled": self.recycled,
            "canary_seconds": dict(self.canaries),
            "canary_age_seconds": round(time.monotonic() - self.canary_at, 1),
            "events": list(self.events),
        }
