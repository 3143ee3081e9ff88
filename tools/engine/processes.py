"""What /proc says of processes: alive or not, how busy, how large. See proc_pid_stat(5)."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

STATE, PARENT, USER_TICKS, SYSTEM_TICKS, START = 0, 1, 11, 12, 19
"""Positions in /proc/PID/stat, counted behind the name in brackets."""

STOPPED = "Tt"
GONE = "ZXx"

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

STUB = "triton_python_backend_stub"


@dataclass(frozen=True)
class Stub:
    """A process in which Triton runs a Python model.

    region: name of the shared memory between it and the server.
    """

    pid: int
    model: str
    region: str


def state(pid: int) -> str:
    """Return the state letter of a process, "X" if it is gone."""
    fields = _stat(pid)
    return fields[STATE] if fields else "X"


def start_time(pid: int) -> int:
    """Return when a process started, in ticks since boot; 0 if there is none of this number."""
    fields = _stat(pid)
    return int(fields[START]) if fields else 0


def cpu_ticks(pids: Iterable[int]) -> int:
    """Return the processor time of processes together."""
    stats = [fields for fields in map(_stat, pids) if fields]
    return sum(int(fields[USER_TICKS]) + int(fields[SYSTEM_TICKS]) for fields in stats)


def memory_bytes(pids: Iterable[int]) -> int:
    """Return the memory of processes together; what they share counts once (PSS)."""
    return sum(map(_pss_bytes, pids))


def own_bytes(pid: int) -> int:
    """Return the memory that a process has for itself, 0 if it is gone: proc_pid_statm(5)."""
    try:
        _, resident, shared, *_ = map(int, (PROC / str(pid) / "statm").read_text().split())
    except OSError:
        return 0
    return (resident - shared) * PAGE_BYTES


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, threads of it included."""
    found: list[int] = []
    for listing in PROC.glob(f"{pid}/task/*/children"):
        try:
            found += map(int, listing.read_text().split())
        except OSError:
            continue
    return found


def stubs(server_pid: int) -> list[Stub]:
    """Return the living stubs of a tritonserver, by the models that they run."""
    found = (_stub(pid) for pid in children(server_pid))
    return [stub for stub in found if stub]


def stubs_of_regions(prefix: str) -> list[Stub]:
    """Return the living stubs whose region has a name that starts so, whoever is their parent."""
    found = (_stub(int(each.name)) for each in PROC.glob("[0-9]*"))
    return [stub for stub in found if stub and stub.region.startswith(prefix)]


def is_stub(stub: Stub) -> bool:
    """Say whether the process is still the stub that it was."""
    return _stub(stub.pid) == stub


def kill_stub(stub: Stub) -> None:
    """End a stub; a process that has got its number since is left alone."""
    if is_stub(stub):
        with suppress(ProcessLookupError):
            os.kill(stub.pid, signal.SIGKILL)


def _stub(pid: int) -> Stub | None:
    """Return a stub by its command line: stub, model file, region, …, instance name, …"""
    try:
        words = (PROC / str(pid) / "cmdline").read_text().split("\0")
    except OSError:
        return None
    if len(words) < 9 or not words[0].endswith(STUB):
        return None
    # The instance is named <model>_<group>_<number>.
    return Stub(pid, model=words[8].rsplit("_", 2)[0], region=words[2])


def _stat(pid: int) -> list[str]:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _pss_bytes(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
