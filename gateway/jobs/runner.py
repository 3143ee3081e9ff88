"""Works on what waits, as long as the gateway runs: some studies at once, each to its end."""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from gateway.jobs.claim import Claim
from gateway.jobs.leases import RENEW_S, Leases
from gateway.jobs.queue import Queue
from gateway.jobs.retrieval import Retrieval
from gateway.jobs.sealing import UnsealableError
from gateway.jobs.upkeep import Upkeep

LOOK_S = 0.5
"""Between two looks for studies of other gateways' jobs; one's own are told of."""

AWAY_S = 2.0
"""Between two tries of a database that is away."""

log = logging.getLogger(__name__)

Study = tuple[str, int]
"""A job and a position."""


class Runner:
    """What one gateway works on.

    at_once: studies of jobs from sources; uploads come beside them.
    """

    def __init__(
        self, queue: Queue, leases: Leases, retrieval: Retrieval, *, upkeep: Upkeep, at_once: int
    ) -> None:
        self._queue, self._leases, self._retrieval = queue, leases, retrieval
        self._upkeep, self._at_once = upkeep, at_once
        self._tasks: dict[Study, asyncio.Task[None]] = {}
        self._uploads: dict[Study, int] = {}
        self._wake = asyncio.Event()

    @property
    def at_work(self) -> int:
        """How many studies of jobs are worked on."""
        return len(self._tasks) + len(self._uploads)

    def wake(self) -> None:
        """Look for studies now."""
        self._wake.set()

    def drop(self, job_id: str) -> None:
        """Work no longer on what is a job's: it was cancelled or deleted."""
        for (its_job, _), task in self._tasks.items():
            if its_job == job_id:
                task.cancel()

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        renew_at = loop.time() + RENEW_S
        try:
            while True:
                try:
                    await self._take()
                    if loop.time() >= renew_at:
                        renew_at = loop.time() + RENEW_S
                        await self._renew()
                except SQLAlchemyError as error:
                    log.error("jobs wait for their database (%s)", type(error).__name__)
                    await asyncio.sleep(AWAY_S)
                await self._rest()
        finally:
            await self._stop()

    def begin_upload(self, study: Study) -> None:
        """Note that an upload is worked on, before it is claimed."""
        self._uploads[study] = self._uploads.get(study, 0) + 1

    def end_upload(self, study: Study) -> None:
        """Note that an upload is worked on no longer."""
        self._uploads[study] -= 1
        if not self._uploads[study]:
            del self._uploads[study]

    async def _take(self) -> None:
        while len(self._tasks) < self._at_once:
            claim = await asyncio.to_thread(self._queue.claim, self._resting())
            if claim is None:
                return
            study = (claim.job_id, claim.position)
            task = asyncio.create_task(self._work(claim))
            self._tasks[study] = task
            task.add_done_callback(partial(self._ended, study))

    def _resting(self) -> set[str]:
        """Return who had no place just now: their studies would all be put back, one by one."""
        now, resting = asyncio.get_running_loop().time(), self._retrieval.resting
        for owner in [owner for owner, until in resting.items() if until <= now]:
            del resting[owner]
        return set(resting)

    def _ended(self, study: Study, _: asyncio.Task[None]) -> None:
        del self._tasks[study]
        self._wake.set()

    async def _work(self, claim: Claim) -> None:
        """Work on a study; one that cannot be written down is freed at the next renewal."""
        try:
            await self._retrieval.work(claim)
        except (SQLAlchemyError, UnsealableError) as error:
            log.error("a study's state could not be kept (%s)", type(error).__name__)

    async def _renew(self) -> None:
        await asyncio.to_thread(self._leases.renew)
        await asyncio.to_thread(self._leases.keep_only, {*self._tasks, *self._uploads})
        await self._upkeep.look()

    async def _rest(self) -> None:
        await _within(LOOK_S, self._wake.wait())
        self._wake.clear()

    async def _stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())


async def _within(seconds: float, waited: Coroutine[Any, Any, Any]) -> None:
    try:
        await asyncio.wait_for(waited, seconds)
    except TimeoutError:
        return
