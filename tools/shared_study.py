"""A study through shared memory: on the machine of the service, without the copies of HTTP.

The study is written once, into a region that the service reads. The region has no name in /dev/shm
but while the service opens it, so that nothing stays there however this process ends; what stays
registered then, the service lets go of by itself (tools/engine/supervisor.py).
"""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import tritonclient.http as triton

from tools.client import ServiceError, send, send_tensor, service_errors
from tools.engine.access import Access, local_access
from tools.engine.command import KEY_HEADER
from tools.engine.regions import SHARED_MEMORY, study_region_name

__all__ = ["Access", "Study", "local_access", "send_shared"]

Study = Path | bytes | memoryview

NO_ROOM = (errno.ENOSPC, errno.ENOMEM)


def send_shared(
    access: Access, model: str, study: Study, parameters: Mapping[str, str] | None = None
) -> triton.InferResult:
    """Return what a model that takes a DICOM zip answers, as `send` does, and raise as it does.

    study: its bytes, or its file, which is then copied by the kernel and never into this process.
    Without room for another copy in shared memory, or if the service cannot open it, HTTP is used.
    """
    try:
        with _handed_over(access, study) as tensor:
            return send_tensor(access.http_url, model, tensor, parameters=parameters)
    except _NotSharedError:
        content = study.read_bytes() if isinstance(study, Path) else study
        return send(access.http_url, model, content, parameters)


class _NotSharedError(Exception):
    """The study is not in shared memory: nothing is left there, and nothing was sent."""


@contextmanager
def _handed_over(access: Access, study: Study) -> Iterator[triton.InferInput]:
    """Give an input that names a region with the study, registered for the time of the block."""
    size = study.stat().st_size if isinstance(study, Path) else len(study)
    if not size:
        raise _NotSharedError  # no region has no bytes
    name = study_region_name()
    region = _open_region(name, size)
    try:
        _register(access, name, size)
        (SHARED_MEMORY / name).unlink()
        try:
            _fill(region, study, size)
            tensor = triton.InferInput("DICOM_ZIP", [size], "UINT8")
            tensor.set_shared_memory(name, size)
            yield tensor
        finally:
            _unregister(access, name)
    finally:
        (SHARED_MEMORY / name).unlink(missing_ok=True)
        os.close(region)


def _open_region(name: str, size: int) -> int:
    """Return the descriptor of a new region, which takes memory only as it is filled."""
    try:
        region = os.open(SHARED_MEMORY / name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _NotSharedError from error
    os.ftruncate(region, size)
    return region


def _fill(region: int, study: Study, size: int) -> None:
    """Write the study; not through a mapping, where a full /dev/shm is a signal and no error."""
    try:
        if isinstance(study, Path):
            _copy_file(study, region, size)
            return
        written = 0
        while written < size:
            written += os.pwrite(region, memoryview(study)[written:], written)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _NotSharedError from error
        raise


def _copy_file(path: Path, region: int, size: int) -> None:
    with path.open("rb", buffering=0) as file:
        copied = 0
        while copied < size:
            count = os.sendfile(region, file.fileno(), copied, size - copied)
            if not count:
                raise OSError(f"{path} became shorter while it was read")
            copied += count


def _register(access: Access, name: str, size: int) -> None:
    try:
        with service_errors(access.http_url), _client(access) as client:
            client.register_system_shared_memory(name, f"/{name}", size, headers=_key(access))
    except ServiceError as error:
        # Another Triton with another key by now, or one that sees another /dev/shm: HTTP will tell.
        raise _NotSharedError from error


def _unregister(access: Access, name: str) -> None:
    """Let the service unmap the region, which gives its memory back.

    Refused while an inference reads it (this call was interrupted, say): the service does it later.
    """
    with suppress(ServiceError), service_errors(access.http_url), _client(access) as client:
        client.unregister_system_shared_memory(name, headers=_key(access))


def _client(access: Access) -> triton.InferenceServerClient:
    return triton.InferenceServerClient(access.http_url)


def _key(access: Access) -> dict[str, str]:
    return {KEY_HEADER: access.key}
