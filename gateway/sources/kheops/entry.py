"""Capability tokens of Kheops as credentials of programs: whom the guard lets in by one."""

import hashlib

from starlette.datastructures import Secret

from gateway.login.bearer import invalid_token
from gateway.login.principal import CAPABILITY, Principal
from gateway.sources.kheops.capabilities import Capabilities
from gateway.sources.kheops.ids import is_capability
from gateway.sources.problems import problem_of
from gateway.sources.source import SourceError

DIGEST_CHARACTERS = 32


class Entry:
    """How programs get in by tokens of Kheops."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities

    async def principal_of(self, text: str) -> Principal | None:
        """Return whom a token is about: itself; None if it has not the form of one.

        Raises ProblemError: 401 `invalid_token` unless Kheops says that it is active, or why
        Kheops cannot be asked.
        """
        if not is_capability(text):
            return None
        try:
            said = await self._capabilities.said(Secret(text))
        except SourceError as error:
            raise problem_of(error) from error
        if not said.is_active:
            raise invalid_token("Kheops does not know this token, or it has ended: make a new one")
        digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]
        return Principal(f"capability-{digest}", CAPABILITY)
