"""How long to wait, and how often to try: what callers may set, and what is left of it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

LEAST_S = 0.001
"""Of a limit that has passed: 0 would mean something else to sockets."""

LEAST_PAUSE_S = 0.1
"""Before a try, also where the service says that no pause is needed."""


@dataclass(frozen=True)
class Timeouts:
    """Limits in seconds; beyond one of them TimedOut is raised.

    connect_s: for a connection. write_s: for each part of a study to be taken. read_s: from the
        last byte that was sent to the answer, and between its parts; the gateway itself gives up
        after 300 s. whole_s: for all of it, with retries and pauses.
    """

    connect_s: float = 10.0
    write_s: float = 60.0
    read_s: float = 330.0
    whole_s: float = 1800.0


@dataclass(frozen=True)
class Retries:
    """For how long, after a first refusal or lost connection, it is tried again.

    seconds: from the first one to the beginning of the last try; 0: never. first_pause_s: doubled
        each time up to longest_pause_s, where the service does not say by Retry-After when to come.
    """

    seconds: float = 120.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 30.0

    def pauses_s(self) -> Iterator[float]:
        """Yield pauses that grow, each by chance up to a half shorter: callers come back apart."""
        pause = self.first_pause_s
        while True:
            yield pause * random.uniform(0.5, 1)  # noqa: S311  (no secret)
            pause = min(pause * 2, self.longest_pause_s)


class TimeLeft(Mapping[str, float]):
    """The limits as httpx takes them, each one at most what is left of the whole when it is asked.

    httpcore asks for each when a connection, a write or a read begins.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._end = time.monotonic() + timeouts.whole_s

    def left_s(self) -> float:
        """Return what is left of the whole; negative if it has passed."""
        return self._end - time.monotonic()

    def __getitem__(self, name: str) -> float:
        limits = {
            "connect": self._timeouts.connect_s,
            "pool": self._timeouts.connect_s,
            "read": self._timeouts.read_s,
            "write": self._timeouts.write_s,
        }
        return max(min(limits[name], self.left_s()), LEAST_S)

    def __iter__(self) -> Iterator[str]:
        return iter(("connect", "pool", "read", "write"))

    def __len__(self) -> int:
        return 4


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the pause that Retry-After asks for, None without one: RFC 9110 section 10.2.3.

    A date is held against that of the answer, since clocks differ.
    """
    stated = headers.get("retry-after", "").strip()
    if stated.isascii() and stated.isdigit():
        return float(stated)
    moment = _moment(stated)
    if moment is None:
        return None
    now = _moment(headers.get("date", "")) or datetime.now(moment.tzinfo)
    return max((moment - now).total_seconds(), 0.0)


def _moment(text: str) -> datetime | None:
    """Return an HTTP-date, None if it is none: RFC 9110 section 5.6.7, which is in GMT."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
