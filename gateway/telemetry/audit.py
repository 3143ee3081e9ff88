"""Who did what, when, on which study, with what outcome: appended to a file, never changed.

Each entry has the SHA-256 of the one before it, so that one that was taken out or changed shows.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

FIRST = "0" * 64
"""What the first entry of a file says of the one before it."""

PSEUDONYM_CHARACTERS = 32

log = structlog.get_logger("deepfeatures.audit")


class Audit:
    """The audit log of one gateway: a file, or the log where none is named.

    key: makes pseudonyms of studies; without one, those of this start have nothing to do with
        those of another.
    """

    def __init__(self, file: Path | None, key: bytes = b"") -> None:
        self._key = key or secrets.token_bytes(32)
        self._descriptor: int | None = None
        self._before = FIRST
        if file is not None:
            self._before = _last_digest(file)
            self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def close(self) -> None:
        """Close the file; nothing is recorded afterwards."""
        if self._descriptor is not None:
            os.close(self._descriptor)

    def record(self, entry: Mapping[str, Any], study_uids: Iterable[str] = ()) -> None:
        """Append one entry, with the time and the pseudonyms of the studies that it is about."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        studies = sorted({self.pseudonym(uid) for uid in study_uids})
        whole = {"at": moment, **entry, "studies": studies, "before": self._before}
        if self._descriptor is None:
            log.info("audit", **{name: value for name, value in whole.items() if name != "before"})
            return
        line = json.dumps(whole, ensure_ascii=False).encode() + b"\n"
        os.write(self._descriptor, line)  # with O_APPEND one write is one entry: open(2)
        self._before = hashlib.sha256(line).hexdigest()

    def pseudonym(self, study_uid: str) -> str:
        """Return the name of a study in this log: by the key alone it can be made again."""
        digest = hmac.digest(self._key, study_uid.encode(), "sha256")
        return digest.hex()[:PSEUDONYM_CHARACTERS]


def broken_entries(file: Path) -> list[int]:
    """Return the numbers, from 1, of entries that do not follow from the one before them."""
    broken, before = [], FIRST
    for number, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
        try:
            if json.loads(line)["before"] != before:
                broken.append(number)
        except (ValueError, KeyError, TypeError):
            broken.append(number)
        before = hashlib.sha256(line).hexdigest()
    return broken


def _last_digest(file: Path) -> str:
    try:
        lines = file.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return FIRST
    return hashlib.sha256(lines[-1]).hexdigest() if lines else FIRST
