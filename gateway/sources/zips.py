"""Whether a zip has come to its end: by its list of entries, without reading all of it.

A server that fails in the middle of a study has sent its 200 long before, and the entries that came
are right: only the list at the end (APPNOTE.TXT 4.3.12, of zip64 4.3.14) tells that it is all.
"""

import asyncio
import struct
import zipfile

from gateway.uploads.region import Region
from imaging.seekable import SeekableBytes

START = b"PK\x03\x04"

REACH_BYTES = 12 << 20
"""Before the end, where the list is: 20 000 entries of 512 bytes, and the longest comment."""


class _OutOfReachError(Exception):
    """The list is longer than is looked at: a zip that the engine refuses, but a whole one."""


class _End(SeekableBytes):
    """The end of a zip as a file over all of it."""

    def __init__(self, size_bytes: int, end: bytes) -> None:
        super().__init__(size_bytes)
        self._end = end

    def _between(self, start: int, end: int) -> bytes:
        before = self._size - len(self._end)
        if start < before:
            raise _OutOfReachError
        return self._end[start - before : max(start, end) - before]


async def is_whole(region: Region) -> bool:
    """Return whether the zip in a region has all of its list of entries."""
    start = max(0, region.size - REACH_BYTES)
    end = _End(region.size, region.read(start, region.size - start))
    # In a thread: a list of 20 000 entries takes a tenth of a second.
    return await asyncio.to_thread(_has_list, end)


def is_zip(region: Region) -> bool:
    """Return whether what has come begins as a zip does, and not as a page of a proxy."""
    return region.read(0, len(START)) == START


def _has_list(end: _End) -> bool:
    try:
        with zipfile.ZipFile(end) as listing:
            return bool(listing.filelist)
    except _OutOfReachError:
        return True
    except (zipfile.BadZipFile, NotImplementedError, OSError, struct.error, ValueError):
        return False
