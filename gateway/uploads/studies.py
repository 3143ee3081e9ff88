"""Studies on their way through the gateway: from a place in the queue to a Triton's answer.

Triton does not cancel its work when a client goes away. The turn of such a study is therefore kept
until Triton answers, or a Triton would get more than it is meant to; its region goes at once.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from gateway.engines.handover import Reply, hand_over
from gateway.engines.pool import Engines
from gateway.engines.question import Question
from gateway.problems import ProblemError
from gateway.settings import Bounds, Settings
from gateway.telemetry.metrics import ENGINE, RECEIVE, WAIT, Metrics
from gateway.uploads.admission import Admission, Place
from gateway.uploads.region import Region, Regions
from tools.engine.regions import LEFT_SECONDS, remove_left_studies

ENGINES_SHARE = 0.95
"""Of the time that a study may take: so long an engine is waited for, then its sender hears why."""

T = TypeVar("T")


class Studies:
    """All studies of one gateway; `close` lets go of them.

    admission: who may send, and whose turn it is. regions: the studies that are held.
    metrics: are told what stages take.
    """

    def __init__(self, bounds: Bounds, engines: Engines, metrics: Metrics) -> None:
        self._bounds = bounds
        self._engines = engines
        self.admission = Admission(bounds)
        self.regions = Regions(bounds)
        self.metrics = metrics
        self._left: set[asyncio.Task[None]] = set()

    async def answer(
        self,
        request: Request | None,
        place: Place,
        *,
        question: Question,
        region: Region,
        whole: bool,
    ) -> Reply:
        """Return a Triton's answer to a study; its turn is over then, but not its place.

        request: of its sender; None for a study that nobody waits for. Raises ProblemError
        `too_slow` or `retry`, and ClientDisconnect if the sender goes away.
        """
        self.metrics.stage(RECEIVE, time.monotonic() - region.begun_at)
        work = asyncio.create_task(self._work(place, question, region, whole=whole))
        try:
            return await attended(request, work, self._bounds.seconds)
        finally:
            if not work.done():
                self._see_out(work, place)

    async def close(self) -> None:
        """Let go of every study, and of the work that nobody waits for."""
        self.regions.close()
        for task in self._left:
            task.cancel()
        if self._left:
            await asyncio.wait(self._left)

    async def _work(
        self, place: Place, question: Question, region: Region, *, whole: bool
    ) -> Reply:
        deadline = asyncio.get_running_loop().time() + ENGINES_SHARE * self._bounds.seconds
        came_at = time.monotonic()
        await place.turn()
        turn_at = time.monotonic()
        self.metrics.stage(WAIT, turn_at - came_at)
        answered = False
        try:
            # Twice as long as anybody waits: a Triton that never answers gives its turn back.
            async with asyncio.timeout(2 * self._bounds.seconds):
                reply = await hand_over(
                    self._engines, question, region, deadline=deadline, whole=whole
                )
            answered = True
            self.metrics.stage(ENGINE, time.monotonic() - turn_at)
            return reply
        finally:
            place.end_turn(answered=answered)

    def _see_out(self, work: "asyncio.Task[Reply]", place: Place) -> None:
        """Leave a study alone whose sender is gone; if its turn has not come, it is over."""
        if not place.is_at_work:
            work.cancel()
        task = asyncio.create_task(_last_of(work))
        self._left.add(task)
        task.add_done_callback(self._left.discard)


@asynccontextmanager
async def studies_of(
    settings: Settings, engines: Engines, metrics: Metrics
) -> AsyncIterator[Studies]:
    """Give the studies of a gateway; nothing of them is left after the block.

    What a killed gateway has left behind is removed: at the start, and when it is old enough.
    """
    studies = Studies(settings.bounds, engines, metrics)
    sweeping = asyncio.create_task(_sweep())
    try:
        yield studies
    finally:
        sweeping.cancel()
        await studies.close()


async def _sweep() -> None:
    while True:
        await asyncio.to_thread(remove_left_studies, time.time())
        await asyncio.sleep(LEFT_SECONDS)


async def attended(request: Request | None, work: "asyncio.Task[T]", seconds: float) -> T:
    """Return what some work gives, if its sender is there and it is in time.

    Raises ClientDisconnect, or ProblemError `too_slow`; the work goes on then.
    """
    gone = asyncio.create_task(_gone(request) if request else asyncio.Event().wait())
    try:
        await asyncio.wait({work, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        if gone.done():
            raise ClientDisconnect
        sentence = f"there was no answer within {seconds:.0f} s: send less, or again later"
        raise ProblemError(504, "too_slow", sentence)
    finally:
        gone.cancel()


async def _gone(request: Request) -> bool:
    """Return when the sender of a request, which has been read, is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return True


async def _last_of(work: "asyncio.Task[Reply]") -> None:
    """Wait for the end of some work, and clear up behind it."""
    try:
        await asyncio.wait({work})
        if not work.cancelled() and not work.exception():
            await work.result().close()
    finally:
        work.cancel()
