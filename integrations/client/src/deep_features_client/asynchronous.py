"""The clients for programs that use asyncio: the same as blocking.py, with await."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from itertools import islice
from types import TracebackType
from typing import TypeVar

import httpx

from deep_features_client import gateway, triton
from deep_features_client.answers import Answer
from deep_features_client.calls import Call, Effort, Pause, Steps
from deep_features_client.errors import DeepFeaturesError
from deep_features_client.limits import Retries, Timeouts
from deep_features_client.progress import Tell
from deep_features_client.replies import Reply
from deep_features_client.service import DEFAULT_MODEL, Service, Token, Verify, stated
from deep_features_client.studies import Content, StudyLike, opened

T = TypeVar("T")
C = TypeVar("C", bound="_Asynchronous")


class _Asynchronous:
    """A service; close it, or use it in an `async with` statement. Files are read in threads."""

    _extraction: Callable[[Content, str, Mapping[str, str], Effort], Steps[Answer]]

    def __init__(
        self,
        url: str,
        token: Token | None = None,
        *,
        timeout: Timeouts | None = None,
        retries: Retries | None = None,
        verify: Verify = True,
    ) -> None:
        """Connect when something is asked for; arguments are those of the blocking clients."""
        self._service = Service.of(url, token, timeout=timeout, retries=retries)
        self._http = httpx.AsyncClient(base_url=self._service.url, verify=verify)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def __aenter__(self: C) -> C:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def extract(
        self,
        study: StudyLike,
        model: str = DEFAULT_MODEL,
        *,
        options: Mapping[str, str] | None = None,
        progress: Tell | None = None,
    ) -> Answer:
        """Return the rows of one study; `Client.extract` says of what and raises what."""
        effort = self._service.effort(progress)
        with ExitStack() as stack:
            content = await asyncio.to_thread(stack.enter_context, opened(study))
            steps = self._extraction(content, model, stated(options), effort)
            return await self._run(steps, effort)

    async def extract_many(
        self,
        studies: Iterable[StudyLike],
        model: str = DEFAULT_MODEL,
        *,
        options: Mapping[str, str] | None = None,
        at_once: int = 2,
    ) -> AsyncIterator[tuple[StudyLike, Answer | DeepFeaturesError | OSError]]:
        """Yield each study with its answer or error, as `Client.extract_many`.

        What is on its way is cancelled when the generator is closed.
        """
        if at_once < 1:
            raise ValueError("at_once is 1 or more")
        todo = iter(studies)
        on_their_way: dict[asyncio.Task[Answer], StudyLike] = {}
        try:
            while True:
                for study in islice(todo, at_once - len(on_their_way)):
                    task = asyncio.create_task(self.extract(study, model, options=options))
                    on_their_way[task] = study
                if not on_their_way:
                    return
                done, _ = await asyncio.wait(on_their_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield on_their_way.pop(task), _outcome(task)
        finally:
            for task in on_their_way:
                task.cancel()
            await asyncio.gather(*on_their_way, return_exceptions=True)

    async def _run(self, steps: Steps[T], effort: Effort) -> T:
        """Do the steps of a procedure, and return what it returns."""
        try:
            step = next(steps)
            while True:
                try:
                    came = await self._done(step, effort)
                except httpx.RequestError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(came)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _done(self, step: Call | Pause, effort: Effort) -> Reply | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        request = self._service.request(step, effort)
        if step.content is not None:
            request["content"] = _in_threads(effort.chunks(step.content))
        async with self._http.stream(**request) as response:
            parts = []
            async for part in response.aiter_bytes():
                effort.check()
                parts.append(part)
        return Reply(response.status_code, response.headers, b"".join(parts))


class AsyncClient(_Asynchronous):
    """A gateway, for asyncio; close it by `aclose`, or use it in an `async with` statement."""

    _extraction = staticmethod(gateway.extraction)

    async def extract_from_kheops(
        self,
        album: str,
        study_uid: str,
        *,
        model: str = DEFAULT_MODEL,
        options: Mapping[str, str] | None = None,
        kheops_token: str | None = None,
        progress: Tell | None = None,
    ) -> Answer:
        """Return the rows of a study of Kheops, as `Client.extract_from_kheops`.

        Its job is deleted also when the task is cancelled.
        """
        effort = self._service.effort(progress)
        wanted = gateway.Wanted(album, study_uid, model, dict(options or {}), kheops_token)
        job_id = await self._run(gateway.begun(wanted, effort), effort)
        try:
            return await self._run(gateway.followed(job_id, wanted, effort), effort)
        finally:
            with suppress(DeepFeaturesError):
                goodbye = self._service.goodbye()
                await self._run(gateway.forgotten(job_id, goodbye), goodbye)

    async def models(self) -> tuple[gateway.Model, ...]:
        """Return the models that give features. Raises DeepFeaturesError."""
        effort = self._service.effort()
        return await self._run(gateway.models(effort), effort)


class AsyncTritonClient(_Asynchronous):
    """A Triton, or the part of a gateway that speaks its protocol, for asyncio."""

    _extraction = staticmethod(triton.extraction)


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what a generator yields, each part read in a thread: a disk may be slow."""
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk


def _outcome(task: asyncio.Task[Answer]) -> Answer | DeepFeaturesError | OSError:
    try:
        return task.result()
    except (DeepFeaturesError, OSError) as error:
        return error
