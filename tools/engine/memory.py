"""How much memory a service takes: each page of its processes and of shared memory once."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tools.engine.processes import PROC

CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""As a container sees its own: of cgroup v2 and v1. Without a limit, "max" or a huge number."""


def service_memory(pids: Iterable[int], shared_before: int = 0) -> int:
    """Return the bytes of processes, and of the machine's shared memory beyond `shared_before`.

    Shared memory is counted for the machine, since a region that no process maps is memory too.
    """
    return sum(map(private_bytes, pids)) + shared_bytes() - shared_before


def private_bytes(pid: int) -> int:
    """Return the memory of a process without shared memory (PSS), 0 if it is gone."""
    try:
        sizes = _kibibytes(PROC / str(pid) / "smaps_rollup")
    except OSError:
        return 0
    return (sizes.get("Pss", 0) - sizes.get("Pss_Shmem", 0)) << 10


def shared_bytes() -> int:
    """Return what shared memory of the whole machine takes."""
    return _kibibytes(PROC / "meminfo")["Shmem"] << 10


def limit_bytes() -> int:
    """Return the memory that there is for this process and others: of its container or machine."""
    limits = [_kibibytes(PROC / "meminfo")["MemTotal"] << 10]
    for file in CONTAINER_LIMITS:
        with suppress(OSError, ValueError):
            limits.append(int(file.read_text()))
    return min(limits)


def _kibibytes(file: Path) -> dict[str, int]:
    """Return what a file of /proc states in kB: see proc_pid_smaps(5), proc_meminfo(5)."""
    lines = (line.split() for line in file.read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if words[-1] == "kB"}
