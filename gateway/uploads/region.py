"""Studies in shared memory: written as they come, handed over by name, gone when they are let go.

A region has a name of its own as long as it is held, and another for each time that it is handed
over: Triton's model takes that one away when it opens the region, so a second engine can still get
the study. What a killed gateway leaves is removed by the next one, and by the engines' supervisor.
"""

import errno
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

from gateway.problems import ProblemError
from gateway.settings import Bounds
from tools.engine.regions import SHARED_MEMORY, study_region_name

NO_ROOM = (errno.ENOSPC, errno.ENOMEM)

CHUNK_BYTES = 1 << 20

LEFT_FREE_BYTES = 1 << 30
LEFT_FREE_SHARE = 0.25
"""Of shared memory, the smaller one: Triton's models have their tensors there, and die without."""

BESIDE_THE_STUDY_BYTES = 1 << 16
"""What a form may have around its file: a body is announced with it."""


class RegionGoneError(Exception):
    """The study was let go of: whoever sent it is gone."""


class Regions:
    """The studies that one gateway holds; held_bytes: what they take together."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._open: set[Region] = set()
        self.held_bytes = 0

    @contextmanager
    def new(self, announced_bytes: int = 0) -> Iterator["Region"]:
        """Give a new region, which is gone after the block.

        announced_bytes: what is said to come. A study that cannot fit is refused before it is sent;
        nothing is reserved, or those who announce and do not send would keep others out. Raises
        ProblemError `too_large` or `no_room`.
        """
        self.refuse(announced_bytes - BESIDE_THE_STUDY_BYTES, announced_bytes)
        region = Region(self)
        self._open.add(region)
        try:
            yield region
        finally:
            region.close()

    def refuse(self, study_bytes: int, more_bytes: int) -> None:
        """Refuse a study above the limit, and one for whose next bytes there is no room."""
        if study_bytes > self._bounds.study_bytes:
            raise too_large(self._bounds.study_bytes)
        if self.held_bytes + more_bytes > self._bounds.held_bytes or more_bytes > _free_bytes():
            raise no_room()

    def forget(self, region: "Region") -> None:
        """Count a region no longer."""
        if region in self._open:
            self._open.remove(region)
            self.held_bytes -= region.size

    def close(self) -> None:
        """Let go of every study."""
        for region in tuple(self._open):
            region.close()


class Region:
    """One study; `size` is what has come of it, in bytes; begun_at: of time.monotonic."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._names = {study_region_name()}
        (self._own_name,) = self._names
        self._file = _new_file(self._own_name)
        self.size = 0
        self.begun_at = time.monotonic()

    @property
    def is_gone(self) -> bool:
        """Whether it was let go of."""
        return self._file < 0

    def write(self, chunk: bytes | memoryview) -> None:
        """Add a chunk; raises ProblemError `too_large` or `no_room`.

        In the event loop: 64 KiB take 20 µs, and to hand them to a thread takes longer. Not
        through a mapping, where a full /dev/shm is a signal and no error.
        """
        self._regions.refuse(self.size + len(chunk), len(chunk))
        view = memoryview(chunk)
        try:
            while view:
                written = os.pwrite(self._open_file(), view, self.size)
                self.size += written
                self._regions.held_bytes += written
                view = view[written:]
        except OSError as error:
            if error.errno in NO_ROOM:
                raise no_room() from None
            raise

    @contextmanager
    def handed_over(self) -> Iterator[str]:
        """Give a name by which the region can be opened once; it is gone after the block."""
        self._open_file()
        name = study_region_name()
        self._names.add(name)
        with suppress(FileNotFoundError):  # if /dev/shm was emptied: HTTP has the open file still
            os.link(SHARED_MEMORY / self._own_name, SHARED_MEMORY / name)
        try:
            yield name
        finally:
            _remove(name)
            self._names.discard(name)

    def read(self, start: int, count: int) -> bytes:
        """Return some bytes of the study; fewer where it ends."""
        return os.pread(self._open_file(), count, start)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the study in chunks; raises RegionGoneError when it was let go of meanwhile."""
        for start in range(0, self.size, CHUNK_BYTES):
            yield self.read(start, CHUNK_BYTES)

    def close(self) -> None:
        """Let go of the study: all its names, and its memory unless Triton reads it."""
        for name in self._names:
            _remove(name)
        self._names = set()
        if not self.is_gone:
            os.close(self._file)
        self._file = -1  # or the number would soon be that of another study's file
        self._regions.forget(self)

    def _open_file(self) -> int:
        if self.is_gone:
            raise RegionGoneError
        return self._file


def too_large(limit_bytes: int) -> ProblemError:
    """Return the refusal of a study above the limit."""
    sentence = f"the zip is above the limit of {limit_bytes >> 20} MiB: send fewer series in one"
    return ProblemError(413, "too_large", sentence)


def no_room() -> ProblemError:
    """Return the refusal of a study that shared memory has no room for now."""
    sentence = "there is no room for another study: send it again in a while"
    return ProblemError(503, "no_room", sentence, headers={"Retry-After": "10"})


def _new_file(name: str) -> int:
    try:
        return os.open(
            SHARED_MEMORY / name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_room() from None
        raise


def _free_bytes() -> int:
    """Return what studies may still take of shared memory."""
    found = os.statvfs(SHARED_MEMORY)
    left_free = min(LEFT_FREE_BYTES, int(LEFT_FREE_SHARE * found.f_blocks * found.f_frsize))
    return found.f_bavail * found.f_frsize - left_free


def _remove(name: str) -> None:
    (SHARED_MEMORY / name).unlink(missing_ok=True)
