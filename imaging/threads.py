"""Work on the slices of a volume, spread over the cores."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from imaging.cores import usable_cores

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS = 8
"""Beyond it Python's own steps, which run one at a time, leave further cores nothing to do."""


def each(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return the function's results in the order of the items.

    The first item, in that order, that raises is the one whose exception is raised; what has not
    begun by then is left. The function must not call this one, and what takes it the time must
    leave Python to other threads meanwhile: inflating and large arrays do.
    """
    return list(_pool().map(function, items))


@cache
def _pool() -> ThreadPoolExecutor:
    """Return this process's threads: on a busy machine they are slow to start."""
    return ThreadPoolExecutor(min(usable_cores(), MOST_THREADS), "imaging")
