"""The key of a running service, for programs of the same account on the same machine.

Each start of Triton has a key of its own, and writes it into its private folder; whoever may read
that folder may stop the service anyway.
"""

import json
import os
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.engine.regions import has_owner

FILE = "access.json"

LOOPBACK = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Access:
    """Where a service of this machine listens, and what opens its restricted APIs.

    models: the folder that its Triton reads. sources: those that its models come from.
    """

    http_url: str
    key: str
    models: str = ""
    sources: tuple[str, ...] = ()


def write_access(folder: Path, access: Access) -> Path:
    """Leave the key in a private folder, for this account alone; return the file."""
    path = folder / FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(access), file)
    return path


def local_access(url: str) -> Access | None:
    """Return the access to the service at `url`, None if it is not ours or not on this machine.

    A service in a container, and one of another account, have their folders elsewhere.
    """
    host, _, port = url.rpartition(":")
    if host not in LOOPBACK:
        return None
    for file in Path(tempfile.gettempdir()).glob(f"deepfeatures-*/{FILE}"):
        access = _read(file)
        if access and access.http_url.endswith(f":{port}"):
            return access
    return None


def _read(file: Path) -> Access | None:
    """Return what a file says, None if another account may have written it, or its owner ended."""
    try:
        folder = file.parent.lstat()
        ours = stat.S_ISDIR(folder.st_mode) and folder.st_uid == os.getuid()
        if not ours or folder.st_mode & 0o077 or not has_owner(file.parent.name):
            return None
        stated = json.loads(file.read_text())
        return Access(**{**stated, "sources": tuple(stated.get("sources", ()))})
    except (OSError, ValueError, TypeError):  # it ends just now, or is half written
        return None
