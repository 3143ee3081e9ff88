"""Versions that are served no more: unloaded when they have nothing left to do.

A request that an ensemble took before it was changed still needs the parts that it began with.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tools.engine import processes
from tools.engine.control import Control, ControlError
from tools.engine.processes import Stub
from tools.engine.sources import CONFIG, steps_of

EVERY_SECONDS = 5.0

IDLE_TICKS = 5
"""Hundredths of a second of processor time between two looks: what waits uses about none."""

CALM_SECONDS = 30.0
"""A request between two parts of its ensemble waits less."""


@dataclass
class Unused:
    """Unloads parts that no ensemble in the folder that Triton reads is made of.

    Times are of time.monotonic.
    """

    models: Path
    control: Control
    _looked_at: float = 0.0
    _ticks: dict[str, int] = field(default_factory=dict)
    _calm_since: dict[str, float] = field(default_factory=dict)

    def let_go(self, stubs: Iterable[Stub], now: float) -> set[str]:
        """Unload what is due; return the names of what was unloaded."""
        if now - self._looked_at < EVERY_SECONDS:
            return set()
        self._looked_at = now
        pids: dict[str, list[int]] = {}
        for stub in stubs:
            pids.setdefault(stub.model, []).append(stub.pid)
        unused = set(pids) - self._used()
        calm_since = {model: self._seen(model, pids[model], now) for model in unused}
        self._calm_since = calm_since
        due = {model for model, since in calm_since.items() if now - since > CALM_SECONDS}
        return set(filter(self._unload, due))

    def _used(self) -> set[str]:
        """Return what is public, and what ensembles are made of."""
        found = [config.parent for config in self.models.glob(f"*/{CONFIG}")]
        steps = {step for model in found for step in steps_of(model)}
        return steps | {model.name for model in found if "__" not in model.name}

    def _seen(self, model: str, pids: Iterable[int], now: float) -> float:
        """Return since when a model has been idle."""
        ticks = processes.cpu_ticks(pids)
        was_idle = ticks - self._ticks.get(model, 0) <= IDLE_TICKS
        self._ticks[model] = ticks
        return self._calm_since.get(model, now) if was_idle else now

    def _unload(self, model: str) -> bool:
        try:
            self.control.unload(model)
        except ControlError:  # Triton ends just now, or works on it: the next look is soon
            return False
        return True
