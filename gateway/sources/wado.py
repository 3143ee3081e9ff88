"""Instances as they come by WADO-RS, into a zip that is written as they come (PS3.18 section 10.4).

The zip is stored, not deflated: a fraction of a second for the engine, and none of a disk.
"""

import io
import zipfile
from collections.abc import Callable
from typing import IO, Self

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from gateway.sources.asking import Asked, Server
from gateway.sources.failures import CUT_OFF, UNREADABLE

MEDIA_TYPE = "multipart/related"

ACCEPT = f'{MEDIA_TYPE}; type="application/dicom"'

OK = 200

MOST_HEADERS, LONGEST_HEADER_BYTES = 16, 8192


class ZipInFlight:
    """A zip that is written entry by entry, and never read; its list follows at the block's end.

    write: takes its bytes, or raises. count: entries so far. Their names are numbers.
    """

    def __init__(self, write: Callable[[memoryview], None]) -> None:
        self.count = 0
        self._stream = _Stream(write)
        self._zip = zipfile.ZipFile(self._stream, "w", zipfile.ZIP_STORED)
        self._entry: IO[bytes] | None = None

    def begin(self) -> None:
        """Begin with an entry."""
        self.count += 1
        self._entry = self._zip.open(zipfile.ZipInfo(f"{self.count:06}.dcm"), "w", force_zip64=True)

    def data(self, data: bytes, start: int, end: int) -> None:
        """Add to the entry."""
        assert self._entry is not None  # noqa: S101  (the parser begins before it goes on)
        self._entry.write(memoryview(data)[start:end])

    def end(self) -> None:
        """End the entry."""
        assert self._entry is not None  # noqa: S101
        self._entry.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:  # zipfile would end an unfinished zip as if it were whole
            self._stream.is_over = True
            if self._entry is not None:
                self._entry.close()
        self._zip.close()


class _Stream(io.RawIOBase):
    """A file that is only written, in order."""

    def __init__(self, write: Callable[[memoryview], None]) -> None:
        super().__init__()
        self._write = write
        self.is_over = False

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        if not self.is_over:
            self._write(view)
        return view.nbytes


async def add_instances(server: Server, asked: Asked, *, to: ZipInFlight) -> int:
    """Add all instances of an answer to a zip; return its status, whatever it is.

    Nothing is added unless it is 200. Raises SourceError, and what the zip raises.
    """
    async with server.streamed(asked) as response:
        if response.status_code != OK:
            return response.status_code
        parts = _Parts(server, response.headers.get("content-type", ""), to)
        async for chunk in server.chunks(response):
            parts.write(chunk)
        parts.close()
    return OK


class _Parts:
    """A body of several parts, each an instance."""

    def __init__(self, server: Server, content_type: str, to: ZipInFlight) -> None:
        self._server = server
        self._is_complete = False
        media_type, stated = parse_options_header(content_type)
        if media_type.decode("latin-1").lower() != MEDIA_TYPE:
            raise server.failures.of(UNREADABLE)
        try:
            self._parser = MultipartParser(
                stated.get(b"boundary", b""),
                {
                    "on_part_begin": to.begin,
                    "on_part_data": to.data,
                    "on_part_end": to.end,
                    "on_end": self._complete,
                },
                max_header_count=MOST_HEADERS,
                max_header_size=LONGEST_HEADER_BYTES,
            )
        except FormParserError:
            raise server.failures.of(UNREADABLE) from None

    def write(self, chunk: bytes) -> None:
        """Take a chunk of the body."""
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise self._server.failures.of(UNREADABLE) from None

    def close(self) -> None:
        """Check that the last boundary has come."""
        if not self._is_complete:
            raise self._server.failures.of(CUT_OFF)

    def _complete(self) -> None:
        self._is_complete = True
