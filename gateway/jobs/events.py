"""Events of a job as they come: Server-Sent Events, which a browser goes on with where it was."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.requests import Request
from starlette.responses import Response

from gateway.jobs.changes import Event
from gateway.jobs.records import Records
from gateway.jobs.setup import jobs_of
from gateway.jobs.states import RUNNING
from gateway.jobs.view import event_json, job_json, whole_json
from gateway.login.principal import principal_of
from gateway.problems import ProblemError

LOOK_S = 0.5
"""Between two looks into the database, where any gateway may have written."""

KEEP_ALIVE_S = 15

STREAM_S = 600.0
"""Then a browser asks again, and is asked who it is."""


@dataclass(frozen=True)
class Watched:
    """A job of somebody who listens."""

    records: Records
    owner: str
    job_id: str

    async def job(self) -> dict[str, Any]:
        """Return the job without its studies."""
        return job_json(await asyncio.to_thread(self.records.one, self.owner, self.job_id))

    async def whole(self) -> dict[str, Any]:
        """Return the job with its studies."""
        job = await asyncio.to_thread(self.records.one, self.owner, self.job_id)
        return whole_json(
            job, await asyncio.to_thread(self.records.entries, self.owner, self.job_id)
        )

    async def after(self, number: int) -> tuple[str, list[Event], int]:
        """Return the job's state, what came after an event, and the number of the last one."""
        return await asyncio.to_thread(self.records.events, self.owner, self.job_id, after=number)


async def job_events(request: Request) -> Response:
    """Answer with what happens to a job, from Last-Event-ID on, until it is over."""
    owner = principal_of(request).subject
    watched = Watched(jobs_of(request).records, owner, request.path_params["id"])
    seen = _last_seen(request)
    state, _, last = await watched.after(1 << 31)
    if seen is not None and seen >= last and state != RUNNING:
        return Response(status_code=204)  # by which a browser knows not to ask again
    stream = _stream(watched, seen)
    return EventSourceResponse(stream, ping=KEEP_ALIVE_S)


def _last_seen(request: Request) -> int | None:
    stated = request.headers.get("last-event-id", "")
    return int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 10 else None


async def _stream(watched: Watched, seen: int | None) -> AsyncIterator[ServerSentEvent]:
    until = time.monotonic() + STREAM_S
    try:
        if seen is None:
            _, _, seen = await watched.after(1 << 31)
            # Read after its number was: what came between is told twice, and never left out.
            yield _sent("snapshot", await watched.whole(), number=seen)
        while True:
            state, told, last = await watched.after(seen)
            for number, event in enumerate(told, last - len(told) + 1):
                if event.position is not None:
                    yield _sent("study", event_json(event), number=number)
            if told:
                yield _sent("job", await watched.job(), number=last)
            seen = max(seen, last)
            if state != RUNNING or time.monotonic() > until:
                return
            await asyncio.sleep(LOOK_S)
    except ProblemError:
        return  # it was deleted


def _sent(name: str, content: Any, *, number: int) -> ServerSentEvent:
    data = json.dumps(content, ensure_ascii=False)
    return ServerSentEvent(data=data, event=name, id=str(number))
