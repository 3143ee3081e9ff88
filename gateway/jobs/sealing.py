"""What is kept is sealed: each job has a key of its own, which is sealed under the configured ones.

So a change of keys concerns one short text a job, and a key that is not known is noticed at start.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from starlette.datastructures import Secret

from gateway.sources.credential import Credential


class UnsealableError(Exception):
    """Something was sealed under a key that is not configured."""


class Box:
    """Seals and opens bytes: AES-128-CBC with HMAC-SHA256, as Fernet specifies it."""

    def __init__(self, fernet: Fernet | MultiFernet) -> None:
        self._fernet = fernet

    def seal(self, content: bytes) -> bytes:
        """Return what nobody reads without the key."""
        return self._fernet.encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed; raises UnsealableError."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise UnsealableError from None

    def seal_json(self, document: Any) -> bytes:
        """Return a sealed JSON document."""
        return self.seal(json.dumps(document).encode())

    def open_json(self, sealed: bytes) -> Any:
        """Return the JSON document that was sealed."""
        return json.loads(self.open(sealed))

    def seal_credential(self, credential: Credential) -> bytes:
        """Return a sealed credential."""
        until = credential.expires_at.isoformat() if credential.expires_at else None
        return self.seal_json([credential.kind, str(credential.text), credential.id, until])

    def open_credential(self, sealed: bytes) -> Credential:
        """Return the credential that was sealed."""
        kind, text, given_id, until = self.open_json(sealed)
        expires_at = datetime.fromisoformat(until) if until else None
        return Credential(kind, Secret(text), given_id, expires_at)


class Sealing(Box):
    """The configured keys, the first of which seals: for keys of jobs, and what outlives a job."""

    def __init__(self, keys: Sequence[Secret]) -> None:
        fernets = [Fernet(str(key)) for key in keys]
        self._first, self._all = Box(fernets[0]), MultiFernet(fernets)
        super().__init__(self._all)

    def new_key(self) -> bytes:
        """Return a new key of a job, sealed."""
        return self.seal(Fernet.generate_key())

    def box(self, sealed_key: bytes) -> Box:
        """Return what seals and opens for one job."""
        return Box(Fernet(self.open(sealed_key)))

    def under_the_first(self, sealed: bytes) -> bytes:
        """Return the same, sealed under the first key; raises UnsealableError."""
        try:
            self._first.open(sealed)
        except UnsealableError:
            return self.seal(self.open(sealed))
        return sealed
