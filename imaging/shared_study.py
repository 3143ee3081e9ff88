"""A study that the sender has put into shared memory: mapped where it lies, and never copied.

Triton has shared memory of its own; its Python backend (2.51) copies what comes through it twice.
"""

import mmap
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from imaging.errors import InputError

PARAMETER = "shared_memory_study"
"""Of a request, whose DICOM_ZIP is then empty: the name of the region."""

REMOTE = "x-df-remote"
"""Header that the proxy for other machines puts before a request: it can name no region here."""

FOLDER = Path("/dev/shm")  # noqa: S108  (where shm_open keeps regions, shm_overview(7))

NAME = re.compile(r"deepfeatures-\d+-\d+-study-[0-9a-f]{32}", re.ASCII)
"""The sender's process and its start, and 128 random bits: who does not know them has no region."""


def mapped(name: str) -> memoryview:
    """Return the bytes of a region, read-only, and take its name away: it is for one request.

    The memory is given back when nobody looks at it any more. Refuses (`no_region`) a name that is
    none of a study's, and a region that is not there or belongs to another account.
    """
    refusal = InputError(
        "no_region", "the region of shared memory is not there: send the bytes of the zip"
    )
    if not NAME.fullmatch(name):
        raise refusal
    try:
        region = os.open(FOLDER / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise refusal from error
    try:
        found = os.fstat(region)
        if not (stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid() and found.st_size):
            raise refusal
        with suppress(FileNotFoundError):
            (FOLDER / name).unlink()
        return memoryview(mmap.mmap(region, found.st_size, prot=mmap.PROT_READ))
    finally:
        os.close(region)
