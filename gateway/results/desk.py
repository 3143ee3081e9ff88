"""Documents that are sent in for work with numbers: taken one by one, worked on in threads."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from starlette.requests import Request

from gateway.problems import ProblemError
from gateway.results.document import DocumentError, TooManyValuesError
from gateway.results.table import MixedVersionsError
from gateway.results.workbook import TooLargeError
from gateway.uploads.body import announced_bytes, media_type, refuse_encoding, take_body

MIB = 1 << 20
DOCUMENT_BYTES = 512 * MIB
HELD_BYTES = 1024 * MIB
"""Of all documents that are held at once."""

AT_ONCE = 2
"""Documents that are worked on: reading one takes several times its size."""

JSON_TYPE = "application/json"
RETRY = {"Retry-After": "5"}

T = TypeVar("T")


class Desk:
    """All documents of one gateway. Nothing of them is kept."""

    def __init__(self) -> None:
        self._held_bytes = 0
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def answer(self, request: Request, work: Callable[[bytearray], T]) -> T:
        """Return what some work makes of the document in a request's body.

        Raises ProblemError, and ClientDisconnect if the sender goes away before it is read.
        """
        refuse_encoding(request)
        if media_type(request) != JSON_TYPE:
            raise ProblemError(415, "unsupported_media_type", f"send a document as {JSON_TYPE}")
        announced = announced_bytes(request)
        self._refuse(size=announced, more=announced)
        document = bytearray()

        def take(chunk: bytes) -> None:
            self._refuse(size=len(document) + len(chunk), more=len(chunk))
            document.extend(chunk)
            self._held_bytes += len(chunk)

        try:
            await take_body(request, take)
            return await self.done(partial(work, document))
        finally:
            self._held_bytes -= len(document)

    async def done(self, work: Callable[[], T]) -> T:
        """Return what some work gives, in its turn and in a thread; raises ProblemError."""
        async with self._turns:
            return await asyncio.to_thread(_done, work)

    def _refuse(self, *, size: int, more: int) -> None:
        """Refuse a document of so many bytes, or to hold so many bytes more."""
        if size > DOCUMENT_BYTES:
            sentence = f"a document may have {DOCUMENT_BYTES // MIB} MiB: send fewer rows"
            raise ProblemError(413, "too_large", sentence)
        if self._held_bytes + more > HELD_BYTES:
            raise ProblemError(503, "no_room", "too much is sent in at once", headers=RETRY)


def _done(work: Callable[[], T]) -> T:
    try:
        return work()
    except MixedVersionsError as error:
        raise ProblemError(409, "mixed_versions", str(error)) from None
    except DocumentError as error:
        raise ProblemError(400, "bad_request", str(error)) from None
    except (TooLargeError, TooManyValuesError) as error:
        raise ProblemError(413, "too_large", str(error)) from None
