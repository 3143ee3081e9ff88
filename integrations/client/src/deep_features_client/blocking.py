"""The clients for ordinary programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
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
C = TypeVar("C", bound="_Blocking")


class _Blocking:
    """A service; close it, or use it in a `with` statement. Threads may share it."""

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
        """Connect when something is asked for.

        url: of the gateway or the Triton, also as `make run` prints it, with its token; `http://`
        is added where there is no scheme. token: a function is called before each request.
        verify: an SSLContext, for certificates that the system does not know.
        """
        self._service = Service.of(url, token, timeout=timeout, retries=retries)
        self._http = httpx.Client(base_url=self._service.url, verify=verify)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def extract(
        self,
        study: StudyLike,
        model: str = DEFAULT_MODEL,
        *,
        options: Mapping[str, str] | None = None,
        progress: Tell | None = None,
    ) -> Answer:
        """Return the rows of one study: a zip as a path, bytes or a file object, or a folder.

        options: those of a request, such as `{"regions": "whole"}`; pictures come with
        `{"preview": "true"}`. progress: is told how far it is, from this thread.
        Raises DeepFeaturesError, and OSError if the study cannot be read.
        """
        effort = self._service.effort(progress)
        with opened(study) as content:
            return self._run(self._extraction(content, model, stated(options), effort), effort)

    def extract_many(
        self,
        studies: Iterable[StudyLike],
        model: str = DEFAULT_MODEL,
        *,
        options: Mapping[str, str] | None = None,
        at_once: int = 2,
    ) -> Iterator[tuple[StudyLike, Answer | DeepFeaturesError | OSError]]:
        """Yield each study with its answer, or with the error that `extract` raised over it.

        In the order in which they are answered; the next study is taken when there is room, so
        `studies` may be a generator. at_once: so many are on their way, each in a thread; who stops
        early waits for these.
        """
        todo = iter(studies)
        with ThreadPoolExecutor(at_once) as pool:
            on_their_way: dict[Future[Answer], StudyLike] = {}
            while True:
                for study in islice(todo, at_once - len(on_their_way)):
                    future = pool.submit(self.extract, study, model, options=options)
                    on_their_way[future] = study
                if not on_their_way:
                    return
                for future in wait(on_their_way, return_when=FIRST_COMPLETED).done:
                    yield on_their_way.pop(future), _outcome(future)

    def _run(self, steps: Steps[T], effort: Effort) -> T:
        """Do the steps of a procedure, and return what it returns."""
        try:
            step = next(steps)
            while True:
                try:
                    came = self._done(step, effort)
                except httpx.RequestError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(came)
        except StopIteration as end:
            result: T = end.value
            return result

    def _done(self, step: Call | Pause, effort: Effort) -> Reply | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        request = self._service.request(step, effort)
        if step.content is not None:
            request["content"] = effort.chunks(step.content)
        with self._http.stream(**request) as response:
            parts = []
            for part in response.iter_bytes():
                effort.check()
                parts.append(part)
        return Reply(response.status_code, response.headers, b"".join(parts))


class Client(_Blocking):
    """A gateway, for programs that wait for it; close it, or use it in a `with` statement.

    Threads may share it. AsyncClient is the same for asyncio.
    """

    _extraction = staticmethod(gateway.extraction)

    def extract_from_kheops(
        self,
        album: str,
        study_uid: str,
        *,
        model: str = DEFAULT_MODEL,
        options: Mapping[str, str] | None = None,
        kheops_token: str | None = None,
        progress: Tell | None = None,
    ) -> Answer:
        """Return the rows of a study that the gateway fetches from its Kheops itself.

        album: its id, or `inbox`. kheops_token: for a gateway in the mode `local`; any other takes
        the client's own token to Kheops. No pictures are made. The job that does it is deleted
        afterwards; if that fails, the gateway does so after some days.
        Raises DeepFeaturesError: the study's own, as `extract`; of Kheops, with its codes.
        """
        effort = self._service.effort(progress)
        wanted = gateway.Wanted(album, study_uid, model, dict(options or {}), kheops_token)
        job_id = self._run(gateway.begun(wanted, effort), effort)
        try:
            return self._run(gateway.followed(job_id, wanted, effort), effort)
        finally:
            with suppress(DeepFeaturesError):
                goodbye = self._service.goodbye()
                self._run(gateway.forgotten(job_id, goodbye), goodbye)

    def models(self) -> tuple[gateway.Model, ...]:
        """Return the models that give features. Raises DeepFeaturesError."""
        effort = self._service.effort()
        return self._run(gateway.models(effort), effort)


class TritonClient(_Blocking):
    """A Triton, or the part of a gateway that speaks its protocol, for programs that wait for it.

    Close it, or use it in a `with` statement.
    """

    _extraction = staticmethod(triton.extraction)


def _outcome(future: Future[Answer]) -> Answer | DeepFeaturesError | OSError:
    try:
        return future.result()
    except (DeepFeaturesError, OSError) as error:
        return error
