"""The key of a running service, for programs of the same account on the same machine.

Each start of Triton has a key of its own, unless one is stated, and writes it into its private
folder; whoever may read that folder may stop the service anyway.
"""

import json
import os
import re
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.engine.regions import has_owner

FILE = "access.json"

KEY = "DEEPFEATURES_ENGINE_KEY"
"""Of the environment: the key, where a gateway of another machine or container is to have it."""

KEY_FORM = re.compile(r"[A-Za-z0-9_-]{32,128}", re.ASCII)
"""It is written into a flag of Triton, beside colons, commas and equals signs."""


LOOPBACK_NAMES = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Access:
    """Where a service of this machine listens, and what opens its restricted APIs.

    hosts: the names by which it can be meant; that of its container, if it listens to others.
    models: the folder that its Triton reads. sources: those that its models come from.
    """

    http_url: str
    key: str
    models: str = ""
    sources: tuple[str, ...] = ()
    hosts: tuple[str, ...] = LOOPBACK_NAMES

    def is_at(self, url: str) -> bool:
        """Say whether it is the service at HOST:PORT."""
        host, _, port = url.rpartition(":")
        return host in self.hosts and self.http_url.endswith(f":{port}")


def write_access(folder: Path, access: Access) -> Path:
    """Leave the key in a private folder, for this account alone; return the file."""
    path = folder / FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(access), file)
    return path


def local_access(url: str) -> Access | None:
    """Return the access to the service at `url`, None if it is not ours or not on this machine.

    A service in a container, and one of another account, have their folders elsewhere: unless a
    container shares them, with the numbers of its processes (deploy/shared-memory.yaml).
    """
    for file in Path(tempfile.gettempdir()).glob(f"deepfeatures-*/{FILE}"):
        access = _read(file)
        if access and access.is_at(url):
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
        return Access(**{name: _frozen(value) for name, value in stated.items()})
    except (OSError, ValueError, TypeError):  # it ends just now, or is half written
        return None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
