"""A study that a server does not give at once: asked for again, as long as none of it has come."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.sources.source import SourceError
from gateway.uploads.region import Region

PAUSES_SECONDS = (0.5, 2.0)
"""Before the second and the third try; whoever has more patience asks again."""

LONGEST_SECONDS = 3600.0
"""Of one study, at whatever speed."""

T = TypeVar("T")


async def tried(get: Callable[[], Awaitable[T]], region: Region) -> T:
    """Return what somebody gets for a region, after temporary errors in up to three tries.

    Raises SourceError.
    """
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await _tried(get, region)
    except TimeoutError:
        sentence = f"the study did not come within {LONGEST_SECONDS:.0f} s: try again"
        raise SourceError("source_unreachable", sentence, temporary=True) from None


async def _tried(get: Callable[[], Awaitable[T]], region: Region) -> T:
    for pause in PAUSES_SECONDS:
        try:
            return await get()
        except SourceError as error:
            helps = error.temporary and error.retry_after_s is None
            if not helps or region.size:
                raise
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (not a secret)
    return await get()
