"""A zip in memory, read under limits: entries by number, inflated only as far as they are read.

Python's zipfile reads the list of entries; the entries are inflated here, because zipfile accepts
overlapping entries (a few hundred kilobytes that declare terabytes) and trusts declared sizes.
"""

import itertools
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from imagecodecs import DeflateError, deflate_decode
from isal import isal_zlib
from isal.igzip_lib import IsalError

from imaging.errors import InputError
from imaging.seekable import SeekableBytes

STEP_BYTES = 16 << 10
"""The least that is inflated at a time: headers of classic images are 2 to 16 KiB."""

LISTING_BYTES_PER_ENTRY = 512
"""Room in the central directory: 46 bytes, a name and extra fields (APPNOTE.TXT 4.3.12)."""

LOCAL_HEADER = struct.Struct("<4s22xHH")
"""Signature, length of name, length of extra field (APPNOTE.TXT 4.3.7)."""

END_OF_LISTING = b"PK\x05\x06"
END_OF_LISTING_REACH = 22 + 0xFFFF
"""The end record and the longest comment behind it (APPNOTE.TXT 4.3.16)."""


@dataclass(frozen=True)
class Limits:
    """What one request may cost: the first four bound the input, the last the output."""

    zip_bytes: int = 2 << 30
    entries: int = 20_000
    inflated_bytes: int = 8 << 30
    header_bytes: int = 64 << 20
    output_bytes: int = 1 << 30


@dataclass(frozen=True)
class Entry:
    """One file of the zip. Its name is left out on purpose: names often hold patients' names.

    number: counted from 1 in the order of the zip's list, folders included.
    """

    number: int
    start: int
    packed: memoryview
    deflated: bool
    size_bytes: int
    crc: int

    def open(self, limit_bytes: int) -> "EntryReader":
        """Return a file that inflates as it is read, and ends after `limit_bytes`."""
        return EntryReader(self, min(limit_bytes, self.size_bytes))

    def read(self) -> memoryview:
        """Return the whole content; refuse what has another length or checksum than declared."""
        data = self._inflated() if self.deflated else self.packed
        if len(data) != self.size_bytes or isal_zlib.crc32(data) != self.crc:
            raise InputError("zip_corrupt", f"entry {self.number} does not fit its checksum")
        return memoryview(data)

    def _inflated(self) -> bytes | bytearray:
        """Return the content, inflated in one go; libdeflate takes a third less time than ISA-L."""
        try:
            packed: Any = self.packed  # of any buffer, whatever its annotation says
            return deflate_decode(packed, raw=True, out=self.size_bytes)
        except DeflateError as error:
            raise _not_inflatable(self) from error


def _not_inflatable(entry: Entry) -> InputError:
    return InputError("zip_corrupt", f"entry {entry.number} cannot be inflated")


class EntryReader(SeekableBytes):
    """A file over one entry that inflates no further than it is read."""

    def __init__(self, entry: Entry, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self._entry = entry
        self._packed_at = 0
        self._inflated = bytearray()

    @cached_property
    def _inflater(self) -> "isal_zlib.Decompress":
        return isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)

    def _between(self, start: int, end: int) -> bytes:
        if not self._entry.deflated:
            return bytes(self._entry.packed[start:end])
        while len(self._inflated) < end and self._inflate_more(end - len(self._inflated)):
            pass
        return bytes(self._inflated[start:end])

    def _inflate_more(self, wanted_bytes: int) -> bool:
        """Inflate a piece of at least STEP_BYTES; say whether there may be more."""
        room = min(max(wanted_bytes, STEP_BYTES), self._size - len(self._inflated))
        packed: bytes | memoryview = self._inflater.unconsumed_tail
        if not packed:
            packed = self._entry.packed[self._packed_at : self._packed_at + room]
            self._packed_at += len(packed)
        try:
            piece = self._inflater.decompress(packed, room)
        except IsalError as error:  # type: ignore[misc]  # declared as an instance
            raise _not_inflatable(self._entry) from error
        self._inflated += piece
        # Input may be used up while output still waits inside the inflater: only both end it.
        return bool(piece or packed) and not self._inflater.eof


def open_archive(buffer: memoryview, limits: Limits) -> tuple[Entry, ...]:
    """Return the files of a zip; refuse what is no zip, is damaged, unsafe or above the limits."""
    if len(buffer) > limits.zip_bytes:
        raise InputError(
            "too_large", f"{len(buffer)} bytes came; at most {limits.zip_bytes} are accepted"
        )
    entries = [
        _entry(buffer, number, info)
        for number, info in enumerate(_listing(buffer, limits), start=1)
        if info.file_size or not info.filename.endswith("/")  # is_dir() fails on an empty name
    ]
    if not entries:
        raise InputError("zip_empty", "the zip has no files in it")
    _refuse_overlaps(entries)
    declared = sum(entry.size_bytes for entry in entries)
    if declared > limits.inflated_bytes:
        raise InputError(
            "too_large",
            f"the zip unpacks to {declared} bytes; at most {limits.inflated_bytes} are accepted",
        )
    return tuple(entries)


class _ListingFile(SeekableBytes):
    """The zip as a file for zipfile, without a copy; a huge central directory is not read."""

    def __init__(self, buffer: memoryview, limits: Limits) -> None:
        super().__init__(len(buffer))
        self._buffer = buffer
        self._limits = limits

    def _between(self, start: int, end: int) -> bytes:
        most = max(END_OF_LISTING_REACH, self._limits.entries * LISTING_BYTES_PER_ENTRY)
        if end - start > most:
            raise _too_many_entries(self._limits)
        return bytes(self._buffer[start:end])


def _listing(buffer: memoryview, limits: Limits) -> Sequence[zipfile.ZipInfo]:
    """Return the entries of the central directory, as zipfile reads them."""
    try:
        with zipfile.ZipFile(_ListingFile(buffer, limits)) as listing:
            infos = listing.infolist()
    except InputError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, OSError, struct.error, ValueError) as error:
        raise _unreadable(buffer) from error
    if len(infos) > limits.entries:
        raise _too_many_entries(limits)
    return infos


def _unreadable(buffer: memoryview) -> InputError:
    """Return the error for bytes in which zipfile found no list of entries."""
    if END_OF_LISTING in bytes(buffer[-END_OF_LISTING_REACH:]):
        return InputError("zip_corrupt", "the zip's list of entries cannot be read")
    if bytes(buffer[:4]) == b"PK\x03\x04":
        return InputError(
            "zip_truncated", f"the zip stops after {len(buffer)} bytes, before its list of entries"
        )
    return InputError("not_a_zip", f"the {len(buffer)} bytes that came are not a zip file")


def _too_many_entries(limits: Limits) -> InputError:
    return InputError(
        "too_many_entries", f"the zip has more entries than the {limits.entries} accepted"
    )


def _entry(buffer: memoryview, number: int, info: zipfile.ZipInfo) -> Entry:
    """Return where one entry's bytes are; refuse encryption and unusual compression."""
    if info.flag_bits & 0x1:
        raise InputError("zip_unsupported", f"entry {number} is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(
            "zip_unsupported",
            f"entry {number} is compressed by method {info.compress_type}; "
            "0 (stored) and 8 (deflated) are read",
        )
    offset = info.header_offset
    signature, name_bytes, extra_bytes = LOCAL_HEADER.unpack(
        bytes(buffer[offset : offset + LOCAL_HEADER.size]).ljust(LOCAL_HEADER.size)
    )
    start = offset + LOCAL_HEADER.size + name_bytes + extra_bytes
    packed = buffer[start : start + info.compress_size]
    if signature != b"PK\x03\x04" or len(packed) != info.compress_size:
        raise InputError("zip_corrupt", f"entry {number} is not where the zip's list says")
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    if not deflated and info.file_size != info.compress_size:
        raise InputError("zip_corrupt", f"entry {number} is stored, but declares two sizes")
    return Entry(number, start, packed, deflated, info.file_size, info.CRC)


def _refuse_overlaps(entries: Sequence[Entry]) -> None:
    """Refuse entries that share bytes: no honest program writes them, zip bombs do."""
    in_place = sorted((entry for entry in entries if entry.packed), key=lambda entry: entry.start)
    for entry, following in itertools.pairwise(in_place):
        if entry.start + len(entry.packed) > following.start:
            raise InputError(
                "zip_unsafe", f"entries {entry.number} and {following.number} share bytes"
            )
