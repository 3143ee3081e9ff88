"""The limit of reading a zip: all its entries inflated by the fastest libraries, on all cores.

Nothing is parsed, checked or kept: a thread inflates into the same memory again and again.
"""

import mmap
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from imaging.cores import usable_cores

Deflated = tuple[Any, int]
"""The bytes of an entry, a memoryview, and how many they become."""

LOCAL_HEADER_BYTES = 30
"""Before name and extra field, whose lengths are its last four bytes: APPNOTE.TXT 4.3.7."""


def isal(zip_file: str) -> Callable[[], int]:
    """Get ready to inflate with Intel's ISA-L, which our own reader has for headers."""
    from isal import isal_zlib

    def inflate(entry: Deflated) -> None:
        isal_zlib.decompressobj(wbits=-15).decompress(entry[0])

    return _on_all_cores(zip_file, inflate)


def libdeflate(zip_file: str) -> Callable[[], int]:
    """Get ready to inflate with libdeflate, which our own reader has for whole entries."""
    from imagecodecs import deflate_decode

    largest = max(size for _, size in _entries(zip_file))
    memory = threading.local()

    def inflate(entry: Deflated) -> None:
        if not hasattr(memory, "room"):
            memory.room = np.empty(largest, np.uint8)
        deflate_decode(entry[0], raw=True, out=memory.room[: entry[1]])

    return _on_all_cores(zip_file, inflate)


def _on_all_cores(zip_file: str, inflate: Callable[[Deflated], None]) -> Callable[[], int]:
    entries = _entries(zip_file)
    threads = ThreadPoolExecutor(usable_cores())

    def run() -> int:
        for _ in threads.map(inflate, entries):
            pass
        return sum(size for _, size in entries)

    return run


def _entries(zip_file: str) -> list[Deflated]:
    with Path(zip_file).open("rb") as file, zipfile.ZipFile(file) as archive:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        found = []
        for info in archive.infolist():
            head = info.header_offset + LOCAL_HEADER_BYTES
            start = head + sum(data[head - 4 : head].cast("H"))
            if info.compress_type == zipfile.ZIP_DEFLATED:
                found.append((data[start : start + info.compress_size], info.file_size))
        return found
