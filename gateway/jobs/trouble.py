"""What did not succeed: whether it is tried again, and when."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gateway.problems import ProblemError
from gateway.sources.source import SourceError

TEMPORARY = frozenset(
    {"busy", "retry", "no_room", "too_slow", "service_error", "queue_full", "too_many_of_yours"}
)
"""Codes of engines and of this gateway that another time may not have."""

MOST_IN_A_ROW: Mapping[str, int] = MappingProxyType({"service_error": 2, "truncated_zip": 5})
"""Failures that may be the study's own: after so many they are believed."""

PATIENCE_S = 3600.0

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


@dataclass(frozen=True)
class Trouble:
    """The failures of a study since it was well: the last code, how many, and since when.

    same_failures: with that code, at the end.
    """

    code: str
    failures: int
    same_failures: int
    since: float | None

    def and_then(self, code: str) -> "Trouble":
        """Return this trouble with one more failure."""
        same = self.same_failures + 1 if code == self.code else 1
        since = time.time() if self.since is None else self.since
        return Trouble(code, self.failures + 1, same, since)

    @property
    def is_too_much(self) -> bool:
        """Whether it is given up."""
        has_lasted = time.time() - (self.since or time.time()) > PATIENCE_S
        return has_lasted or self.same_failures >= MOST_IN_A_ROW.get(self.code, self.failures + 1)


def is_temporary(error: ProblemError | SourceError) -> bool:
    """Say whether to ask again may help."""
    return error.temporary if isinstance(error, SourceError) else error.code in TEMPORARY


def pause_s(failures: int, stated_s: float | None = None) -> float:
    """Return for how long to wait: twice as long each time, as long as was stated at least.

    By chance more or less, so that not all come at once.
    """
    longest = min(FIRST_PAUSE_S * 2 ** min(failures - 1, 10), LONGEST_PAUSE_S)
    pause = random.uniform(longest / 2, longest)  # noqa: S311  (nobody has to guess it)
    return max(pause, min(stated_s or 0.0, LONGEST_PAUSE_S))


def stated_pause_s(error: ProblemError | SourceError) -> float | None:
    """Return after how many seconds to ask again, if the error says so."""
    if isinstance(error, SourceError):
        return error.retry_after_s
    after = error.headers.get("Retry-After", "")
    return float(after) if after.isdigit() else None
