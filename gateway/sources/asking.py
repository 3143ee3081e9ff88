"""Questions to a source over HTTP: in time, bounded, never led elsewhere, told of in our words."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from gateway.sources.failures import AWAY, CUT_OFF, UNREADABLE, Failures, Meaning
from gateway.sources.source import SourceError

ANSWER_SECONDS, STUDY_SECONDS = 30.0, 120.0
"""At most, before an answer begins and between two pieces of it; proxies give up after 120."""

CONNECT_SECONDS = 5.0

ANSWER_BYTES = 32 << 20
"""Of all but studies: 20 000 series in DICOM JSON."""

CONNECTIONS = httpx.Limits(max_connections=64, max_keepalive_connections=16)


@dataclass(frozen=True)
class Asked:
    """What a server is asked: a path below its URL, and what goes with it; seconds of patience."""

    method: str
    path: str
    params: Mapping[str, str] | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    seconds: float = ANSWER_SECONDS


@dataclass(frozen=True)
class Answer:
    """A server's answer, whatever its status."""

    status: int
    headers: httpx.Headers
    content: bytes


def source_http() -> httpx.AsyncClient:
    """Return a client that keeps no cookie: it asks for many users."""
    nobodys = CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
    return httpx.AsyncClient(limits=CONNECTIONS, follow_redirects=False, cookies=nobodys)


class Server:
    """One server at a URL; failures: what its refusals mean."""

    def __init__(self, url: str, http: httpx.AsyncClient, failures: Failures) -> None:
        self._url, self._http, self.failures = url, http, failures

    async def answer(self, asked: Asked) -> Answer:
        """Return the answer to a question, whatever its status; raises SourceError if none came."""
        async with self.streamed(asked) as response:
            content = bytearray()
            async for chunk in self.chunks(response, cut_off=AWAY):
                content += chunk
                if len(content) > ANSWER_BYTES:
                    raise self.failures.of(UNREADABLE)
        return Answer(response.status_code, response.headers, bytes(content))

    @asynccontextmanager
    async def streamed(self, asked: Asked) -> AsyncIterator[httpx.Response]:
        """Give an answer whose body is still on the way; raises SourceError."""
        try:
            request = self._http.build_request(
                asked.method,
                f"{self._url}{asked.path}",
                params=asked.params,
                data=asked.form,
                headers=asked.headers,
                timeout=httpx.Timeout(asked.seconds, connect=CONNECT_SECONDS),
            )
            response = await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise self.failures.of(AWAY) from error
        try:
            yield response
        finally:
            await response.aclose()

    async def chunks(
        self, response: httpx.Response, *, cut_off: Meaning = CUT_OFF
    ) -> AsyncIterator[bytes]:
        """Give the body of an answer; raises SourceError if it stops before its end."""
        try:
            async for chunk in response.aiter_bytes():
                yield chunk
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise self.failures.of(cut_off) from error

    def refusal(self, answer: Answer | httpx.Response) -> SourceError:
        """Return the error that an answer with a status other than expected is."""
        status = answer.status if isinstance(answer, Answer) else answer.status_code
        return self.failures.of_status(status, answer.headers.get("retry-after", ""))

    def document(self, answer: Answer) -> Any:
        """Return the JSON of an answer; raises SourceError."""
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise self.failures.of(UNREADABLE) from error
