"""The shared-memory regions of our servers: private, and removed when their server is gone.

Triton's Python backend makes them 0644, whatever the umask, and they hold requests afterwards.
"""

import os
import re
import secrets
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from tools.engine.processes import start_time

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (where shm_open keeps regions, shm_overview(7))

NAME = "deepfeatures-{pid}-{start}-{purpose}-"
LEFT_SECONDS = 30.0

OWNER = re.compile(r"deepfeatures-(\d+)-(\d+)-")
STUDY = re.compile(r"deepfeatures-\d+-\d+-study-")


def region_prefix(serial: int) -> str:
    """Return a prefix that names this process, by its number and its start, and the launch."""
    return _own_name(str(serial))


def study_region_name() -> str:
    """Return a name for a region with a study: of this process, and not to be guessed.

    Whoever knows the name of a registered region can have it read by an inference without a key.
    """
    return _own_name("study") + secrets.token_hex(16)


def folder_prefix() -> str:
    """Return a prefix for temporary folders of this process, in shared memory."""
    return _own_name("files")


def _own_name(purpose: str) -> str:
    pid = os.getpid()
    return NAME.format(pid=pid, start=start_time(pid), purpose=purpose)


def is_ours(name: str) -> bool:
    """Say whether a name is one that this module makes."""
    return OWNER.match(name) is not None


def has_owner(name: str) -> bool:
    """Say whether the process that a name is of is still there; False for names of others."""
    owner = OWNER.match(name)
    return owner is not None and start_time(int(owner[1])) == int(owner[2])


def make_private(prefix: str) -> None:
    """Take the regions from other users of the machine; the server goes on using them."""
    for region in SHARED_MEMORY.glob(f"{prefix}*"):
        try:
            if region.stat().st_mode & 0o077:
                region.chmod(0o600)
        except FileNotFoundError:
            continue


def remove(prefix: str) -> None:
    """Remove the regions of one launch."""
    for region in SHARED_MEMORY.glob(f"{prefix}*"):
        region.unlink(missing_ok=True)


def remove_leftovers() -> None:
    """Remove the regions and the temporary folders of servers whose process is gone."""
    folders = list(filter(_has_no_owner, Path(tempfile.gettempdir()).glob("deepfeatures-*")))
    for left in filter(_has_no_owner, SHARED_MEMORY.glob("deepfeatures-*")):
        if left.is_dir():
            folders.append(left)
        else:
            left.unlink(missing_ok=True)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_studies(now: float) -> None:
    """Remove regions with studies whose process is gone; now: of time.time.

    The model takes the name away when it opens a region: these were never opened. A process of
    another container looks gone, too, and its study may wait in a queue for a while.
    """
    for region in filter(_has_no_owner, SHARED_MEMORY.glob("deepfeatures-*-study-*")):
        with suppress(FileNotFoundError):
            if now - region.stat().st_mtime > LEFT_SECONDS:
                region.unlink()


def _has_no_owner(path: Path) -> bool:
    return is_ours(path.name) and not has_owner(path.name)


def taken_bytes() -> dict[str, int]:
    """Return what our regions take, of every process: those of models, and those with studies."""
    taken = {"models": 0, "studies": 0}
    for name in (each.name for each in SHARED_MEMORY.glob("deepfeatures-*")):
        taken["studies" if STUDY.match(name) else "models"] += size_bytes(name)
    return taken


def size_bytes(name: str) -> int:
    """Return the memory that a region takes, 0 if it is not there."""
    try:
        return (SHARED_MEMORY / name).stat().st_blocks * 512
    except FileNotFoundError:
        return 0
