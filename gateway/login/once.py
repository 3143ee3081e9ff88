"""Calls that many ask for and one makes."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

from gateway.login.asking import ProviderError, UnreachableError

T = TypeVar("T")

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 2.0
"""While nothing is known yet, nobody gets in: so asked again soon."""

PATIENCE_S = 2.0
"""For a provider that hangs, while something that it said before is known."""


class SingleFlight(Generic[T]):
    """One call at a time: who asks while it runs waits for that one.

    Whoever goes away while waiting does not cancel it: the others wait for it, and a provider
    may have changed a token that only its answer tells.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    async def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what the call that runs returns, or start this one."""
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(_awaited(call))
            self._task.add_done_callback(_noted)
        return await asyncio.shield(self._task)


async def _awaited(call: Callable[[], Awaitable[T]]) -> T:
    return await call()


def _noted(task: "asyncio.Task[T]") -> None:
    """Take the error of a call that nobody waits for any more: asyncio would print it."""
    if not task.cancelled():
        task.exception()


class Remembered(Generic[T]):
    """What the provider has told, kept while it is fresh, and longer while it cannot be asked.

    fresh_s: seconds after which it is asked again.
    pause_s: seconds between two askings at least, whether they succeed or not.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[T]], *, fresh_s: float, pause_s: float
    ) -> None:
        self._fetch, self._fresh_s, self._pause_s = fetch, fresh_s, pause_s
        self._flight: SingleFlight[None] = SingleFlight()
        self._value: T | None = None
        self._fetched_at = self._tried_at = float("-inf")

    async def value(self) -> T:
        """Return what is remembered; raises UnreachableError if that is nothing."""
        if monotonic() - self._fetched_at >= self._fresh_s:
            await self._ask_for_value()
        return self._known()

    async def renewed(self, pause_s: float | None = None) -> T:
        """Return what is remembered, asked for anew unless that was less than a pause ago."""
        await self._ask(self._pause_s if pause_s is None else pause_s)
        return self._known()

    async def _ask_for_value(self) -> None:
        if self._value is None:
            await self._ask(FIRST_PAUSE_S)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ask(self._pause_s), PATIENCE_S)

    def _known(self) -> T:
        if self._value is None:
            raise UnreachableError
        return self._value

    async def _ask(self, pause_s: float) -> None:
        try:
            await self._flight.run(lambda: self._asked(pause_s))
        except UnreachableError:
            return
        except ProviderError as error:
            if self._value is None:
                raise
            log.warning("what the provider said before holds: %s", error)

    async def _asked(self, pause_s: float) -> None:
        if monotonic() - self._tried_at < pause_s:
            return
        self._tried_at = monotonic()
        self._value = await self._fetch()
        self._fetched_at = monotonic()
