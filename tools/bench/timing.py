"""Times of contenders that take turns, so that what disturbs the machine disturbs all of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SETTLE_SECONDS = 0.1
"""Between two turns: threads of the one before that wait for work, spinning, go to sleep."""

Turn = Callable[[], float]
"""One measurement; returns seconds."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one contender, in the order of its rounds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def as_json(self) -> dict[str, Any]:
        return {
            "median_s": round(self.median, 5),
            "min_s": round(min(self.seconds), 5),
            "max_s": round(max(self.seconds), 5),
            "rounds": len(self.seconds),
            "seconds": [round(each, 5) for each in self.seconds],
        }


def as_json(timings: Mapping[str, Timing]) -> dict[str, Any]:
    """Return times by contender as they are written."""
    return {name: timing.as_json() for name, timing in timings.items()}


def interleaved(
    turns: Mapping[str, Turn],
    rounds: int,
    *,
    fewer: Mapping[str, int] | None = None,
    after_round: Callable[[], object] = lambda: None,
) -> dict[str, Timing]:
    """Return the times of all contenders, each in turn, every second round in reverse.

    fewer: rounds of contenders that take long.
    One turn each before the first round is not counted: files get into memory, threads start.
    """
    limits = {name: min(rounds, (fewer or {}).get(name, rounds)) for name in turns}
    seconds: dict[str, list[float]] = {name: [] for name in turns}
    for name, turn in turns.items():
        if limits[name] == rounds:  # who has fewer rounds takes too long for one in vain
            turn()
    for number in range(rounds):
        for name in list(turns) if number % 2 == 0 else reversed(list(turns)):
            if number < limits[name]:
                time.sleep(SETTLE_SECONDS)
                seconds[name].append(turns[name]())
        after_round()
    return {name: Timing(tuple(each)) for name, each in seconds.items()}


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio_of_pairs(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios round by round, over the rounds that both have."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=False))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of the values do not exceed."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # rounded up: the nearest-rank method
    return ordered[max(1, int(rank)) - 1]
