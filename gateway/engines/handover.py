"""A study to whichever Triton is free, and again to another one if that was interrupted.

On the same machine and account a Triton gets the name of the region, else the bytes. An inference
changes nothing, so a study can be asked again.
"""

import asyncio
import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx

from gateway.engines.answer import refusal
from gateway.engines.engine import Engine
from gateway.engines.pool import Engines
from gateway.engines.question import Question
from gateway.problems import ProblemError
from gateway.uploads.region import Region, RegionGoneError

log = logging.getLogger(__name__)

PAUSES_SECONDS = (0.0, 0.2, 0.5, 1.0)
LONGEST_PAUSE_SECONDS = 2.0

MOST_CRASHES = 3
"""So often a model may die, or a Triton, over one study: it may be the study."""


@dataclass(eq=False)
class Reply:
    """What a Triton answered; its body may still be on the way.

    interruptions: how often an engine had gone away over the study before.
    """

    engine: Engine
    response: httpx.Response
    interruptions: int = 0

    async def close(self) -> None:
        """Let go of the connection."""
        await self.response.aclose()


class _InterruptedError(Exception):
    """An engine gave no answer; at_work: it may have died over the study."""

    def __init__(self, *, at_work: bool) -> None:
        super().__init__()
        self.at_work = at_work


async def hand_over(
    engines: Engines, question: Question, region: Region, *, deadline: float, whole: bool
) -> Reply:
    """Return a Triton's answer, whatever it says, but for interruptions.

    deadline: of the loop's clock. whole: whether the answer is read; else it comes as a stream.
    Raises ProblemError `retry` at the deadline or if engines die of it, RegionGoneError.
    """
    crashes, last = 0, None
    for interruptions, pause in enumerate(_pauses()):
        engine = await engines.choose(question.model, but=last, deadline=deadline)
        try:
            reply = await _asked(engine, question, region, whole=whole)
            return replace(reply, interruptions=interruptions)
        except _InterruptedError as error:
            crashes, last = crashes + error.at_work, engine
        if crashes >= MOST_CRASHES:
            log.error("a study was given up after %d engines or models died over it", crashes)
            raise interrupted()
        await asyncio.sleep(pause)
    raise interrupted()


def interrupted() -> ProblemError:
    """Return the refusal of a study that no engine could answer."""
    sentence = "the service was interrupted and comes back by itself: send the study again"
    return ProblemError(503, "retry", sentence, headers={"Retry-After": "5"})


def _pauses() -> Iterator[float]:
    return itertools.chain(PAUSES_SECONDS, itertools.repeat(LONGEST_PAUSE_SECONDS))


async def _asked(engine: Engine, question: Question, region: Region, *, whole: bool) -> Reply:
    engine.pending += 1
    try:
        response = await _answer(engine, question, region)
        if whole:
            await response.aread()
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        engine.take_out("nothing answers there")
        raise _InterruptedError(at_work=False) from error
    except httpx.TransportError as error:
        engine.take_out("it went away over a study")
        raise _InterruptedError(at_work=True) from error
    finally:
        engine.pending -= 1
    engine.has_answered()
    return Reply(engine, response)


async def _answer(engine: Engine, question: Question, region: Region) -> httpx.Response:
    """Return the answer to a region, or to its bytes where the engine does not see it."""
    if engine.is_local:
        with region.handed_over() as name:
            response = await _sent(engine, question.by_name(engine.http, name))
        if _refusal_code(response) != "no_region":
            return response
    if region.is_gone:
        raise RegionGoneError
    return await _sent(engine, question.by_http(engine.http, region))


async def _sent(engine: Engine, request: httpx.Request) -> httpx.Response:
    """Return the answer, with its text if it is an error; raises what Triton says of interruptions.

    An engine whose model is loaded again goes on with its other studies.
    """
    response = await engine.http.send(request, stream=True)
    if response.status_code == httpx.codes.OK:
        return response
    await response.aread()
    if _refusal_code(response) == "retry":
        raise _InterruptedError(at_work="Stub process" in response.text)
    return response


def _refusal_code(response: httpx.Response) -> str:
    return "" if response.status_code == httpx.codes.OK else refusal(response).code
