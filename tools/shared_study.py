"""A study through shared memory: on the machine of the service, without the copies of HTTP.

The study is written once, into a region whose name the request states, and read where it lies
(imaging/shared_study.py). Nothing stays, however this process ends: the service takes the name away
when it opens the region, and removes what dead processes left (tools/engine/supervisor.py).
"""

import errno
import mmap
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import tritonclient.http as triton

from imaging.shared_study import PARAMETER
from tools.client import ServiceError, send
from tools.engine.access import Access, local_access
from tools.engine.regions import SHARED_MEMORY, study_region_name

__all__ = ["Access", "Study", "local_access", "send_shared"]

Study = Path | bytes | memoryview

NO_ROOM = (errno.ENOSPC, errno.ENOMEM)


def send_shared(
    access: Access, model: str, study: Study, parameters: Mapping[str, str] | None = None
) -> triton.InferResult:
    """Return what a model that takes a DICOM zip answers, as `send` does, and raise as it does.

    study: its bytes, or its file.
    Without room for another copy in shared memory, or if the service does not see it, HTTP is used.
    """
    try:
        with _handed_over(study) as name:
            named = {**(parameters or {}), PARAMETER: name}
            return send(access.http_url, model, b"", named)
    except _NotSharedError:
        pass
    except ServiceError as error:
        if error.code != "no_region":
            raise
    content = study.read_bytes() if isinstance(study, Path) else study
    return send(access.http_url, model, content, parameters)


class _NotSharedError(Exception):
    """The study is not in shared memory: nothing is left there, and nothing was sent."""


@contextmanager
def _handed_over(study: Study) -> Iterator[str]:
    """Give the name of a region with the study, which is there for the time of the block.

    The service takes the name away as soon as it has opened the region.
    """
    name = study_region_name()
    try:
        with _content(study) as content, _new_region(name) as region:
            _fill(region, content)
        yield name
    finally:
        (SHARED_MEMORY / name).unlink(missing_ok=True)


@contextmanager
def _content(study: Study) -> Iterator[memoryview]:
    """Give the bytes of a study; those of a file are mapped, and so never in this process."""
    if not isinstance(study, Path):
        yield memoryview(study)
        return
    with study.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:
            raise _NotSharedError  # nothing can be mapped; what is wrong with it, the service says
        yield memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))


@contextmanager
def _new_region(name: str) -> Iterator[int]:
    """Give the descriptor of a new region, which takes memory only as it is filled."""
    try:
        region = os.open(SHARED_MEMORY / name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _NotSharedError from error
    try:
        yield region
    finally:
        os.close(region)


def _fill(region: int, content: memoryview) -> None:
    """Write the study; not through a mapping, where a full /dev/shm is a signal and no error."""
    try:
        written = 0
        while written < len(content):
            written += os.pwrite(region, content[written:], written)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _NotSharedError from error
        raise
