"""The body of a request into a region: a zip as it is, or a form with one."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request

from gateway.problems import ProblemError
from gateway.uploads.multipart import MEDIA_TYPE, Form
from gateway.uploads.region import Region

ZIP_TYPES = ("application/zip", "application/octet-stream", "application/x-zip-compressed")

PATIENCE_SECONDS = 30.0
LEAST_BYTES = 1 << 18
"""In each PATIENCE_SECONDS, or a sender is too slow: a place is not kept for a trickle."""

LONGEST_SECONDS = 3600.0
"""Of one upload, at whatever speed."""


def refuse_encoding(request: Request) -> None:
    """Refuse what would have to be inflated: a small body could become any size."""
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise ProblemError(415, "content_encoding", "send the body as it is, not encoded")


def media_type(request: Request) -> str:
    """Return the type that the body is said to have, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def announced_bytes(request: Request) -> int:
    """Return how long the body is said to be, 0 if that is not said."""
    stated = request.headers.get("content-length", "0")
    return int(stated) if stated.isascii() and stated.isdigit() else 0


def refuse_type(request: Request) -> None:
    """Refuse a body that is neither a zip nor a form, before it is taken."""
    refuse_encoding(request)
    if media_type(request) not in (*ZIP_TYPES, MEDIA_TYPE):
        sentence = f"send a zip as {ZIP_TYPES[0]}, or a form as {MEDIA_TYPE}"
        raise ProblemError(415, "unsupported_media_type", sentence)


async def receive(request: Request, region: Region) -> list[tuple[str, str]]:
    """Write the study of a request into a region; return the text fields that came with it.

    Raises ProblemError, and ClientDisconnect if the sender goes away.
    """
    if media_type(request) == MEDIA_TYPE:
        form = Form(request.headers["content-type"], region.write)
        await take_body(request, form.write)
        form.close()
        fields = form.fields
    else:
        await take_body(request, region.write)
        fields = []
    if not region.size:
        raise ProblemError(422, "not_a_zip", "the 0 bytes that came are not a zip file")
    return fields


async def take_body(request: Request, take: Callable[[bytes], None]) -> None:
    """Give the body to somebody in chunks; raises ProblemError `upload_too_slow`."""
    loop = asyncio.get_running_loop()
    taken, counted, end = 0, 0, loop.time() + LONGEST_SECONDS
    try:
        async with asyncio.timeout(PATIENCE_SECONDS) as limit:
            async for chunk in request.stream():
                take(chunk)
                taken += len(chunk)
                if taken - counted >= LEAST_BYTES:
                    counted = taken
                    limit.reschedule(min(loop.time() + PATIENCE_SECONDS, end))
    except TimeoutError:
        sentence = (
            f"fewer than {LEAST_BYTES >> 10} KiB came in {PATIENCE_SECONDS:.0f} s, "
            f"or not all in {LONGEST_SECONDS:.0f} s"
        )
        raise ProblemError(408, "upload_too_slow", sentence) from None
