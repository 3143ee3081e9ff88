"""`/v2/*`: inferences and metadata by Triton's protocol, for tritonclient and the like.

A study goes the way of uploads: a place, a region, a Triton that is free. The answer is Triton's.
"""

import asyncio
from collections.abc import Mapping

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.engines.catalogue import QUESTION_SECONDS
from gateway.engines.handover import Reply
from gateway.engines.pool import Engines, no_engine
from gateway.engines.question import HEADER_LENGTH
from gateway.login.principal import principal_of
from gateway.passthrough.allow import METHODS, Target, target_of
from gateway.passthrough.check import (
    Head,
    head_bytes,
    json_head,
    option_headers,
    raw_head,
    refused,
)
from gateway.uploads.admission import Place
from gateway.uploads.body import announced_bytes, refuse_encoding, take_body
from gateway.uploads.region import Region
from gateway.uploads.studies import Studies

RELAYED_HEADERS = ("content-type", "content-length", HEADER_LENGTH.lower())

SLOW_READER_SECONDS = 60.0
"""So long one chunk of an answer may take to be taken: it lies in Triton's memory until then."""


async def passthrough(request: Request) -> Response:
    """Answer a request of Triton's protocol.

    The scope gets its `model`, for what watches over requests.
    """
    raw_path = request.scope.get("raw_path", b"").decode("latin-1")
    target = target_of(request.method, raw_path)
    if request.url.query:
        raise refused("a request of this protocol has no query: options are x-df-… headers")
    if target.kind != "infer":
        return await _metadata(request, target)
    return await _inference(request, target)


async def _metadata(request: Request, target: Target) -> Response:
    """Return what an engine says of itself or of a model; whether all is ready, canaries know."""
    engines: Engines = request.app.state.engines
    if target.kind == "live":
        return Response()
    if target.kind == "ready":
        return Response(status_code=200 if engines.is_ready else 400)
    if target.model:
        engines.model(target.model)
    engine = engines.any_serving(target.model)
    try:
        found = await engine.http.get(target.path, timeout=QUESTION_SECONDS)
    except httpx.HTTPError:
        raise no_engine() from None
    return Response(found.content, found.status_code, _relayed(found))


async def _inference(request: Request, target: Target) -> Response:
    """Return Triton's answer to a study; all that can be refused before it is sent, is."""
    engines: Engines = request.app.state.engines
    studies: Studies = request.app.state.studies
    request.scope["model"] = engines.model(target.model).name
    refuse_encoding(request)
    stated = head_bytes(_single(request, HEADER_LENGTH))
    headers = option_headers(request.headers.items())
    place = studies.admission.place(principal_of(request).subject)
    try:
        with studies.regions.new(announced_bytes(request)) as region:
            head = await _receive(request, region, _Heading(target, headers, stated))
            _check_size(head, region)
            reply = await studies.answer(
                request, place, question=head.question, region=region, whole=False
            )
    except BaseException:
        place.leave()
        raise
    return Relay(reply, place)


class _Heading:
    """What comes before the zip: nothing, or JSON, which is read as soon as it is there.

    size_bytes: of the JSON.
    """

    def __init__(self, target: Target, headers: Mapping[str, str], size_bytes: int) -> None:
        self._target, self._headers = target, headers
        self._missing = size_bytes
        self._text = b""
        self.head = None if size_bytes else raw_head(target, headers)

    def rest_of(self, chunk: bytes) -> memoryview:
        """Take what is ours of a chunk of the body; return what is of the zip."""
        ours, rest = chunk[: self._missing], memoryview(chunk)[self._missing :]
        self._text += ours
        self._missing -= len(ours)
        if not self._missing and self.head is None:
            self.head = json_head(self._target, self._headers, self._text)
        return rest


async def _receive(request: Request, region: Region, heading: _Heading) -> Head:
    """Write the zip of a body into a region; return what was stated before it."""
    await take_body(request, lambda chunk: region.write(heading.rest_of(chunk)))
    if heading.head is None:
        raise refused("the body ends before its JSON does")
    return heading.head


def _check_size(head: Head, region: Region) -> None:
    """Refuse an empty tensor, of which Triton 2.51 may die, and one of another size than stated."""
    if not region.size:
        raise refused("the input is empty: send the bytes of the zip")
    if head.size_bytes not in (None, region.size):
        raise refused(f"{head.size_bytes} bytes of the zip were announced, {region.size} came")


def _single(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise refused(f"the header {name} is there twice")
    return values[0] if values else None


def _relayed(response: httpx.Response) -> dict[str, str]:
    """Return the headers of Triton's answer that the client gets."""
    return {name: response.headers[name] for name in RELAYED_HEADERS if name in response.headers}


class Relay(Response):
    """Sends Triton's answer on as it comes; the place of the study is left at its end."""

    def __init__(self, reply: Reply, place: Place) -> None:
        self._reply, self._place = reply, place
        super().__init__(None, reply.response.status_code)
        self.init_headers(_relayed(reply.response))

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        """Send the answer; raises if Triton or the client do not go on, which ends both."""
        response = self._reply.response
        start = {"status": self.status_code, "headers": self.raw_headers}
        try:
            await send({"type": "http.response.start", **start})
            if response.is_stream_consumed:
                await send({"type": "http.response.body", "body": response.content})
                return
            async for chunk in response.aiter_raw():
                async with asyncio.timeout(SLOW_READER_SECONDS):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._place.leave()
            await self._reply.close()


ROUTES = [Route("/v2{rest:path}", passthrough, methods=METHODS)]
