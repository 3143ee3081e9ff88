"""What is done now and then: what has expired is deleted, what is to be revoked is revoked."""

import asyncio
import logging
import time

from gateway.jobs.revocations import LoginOf, Revocations
from gateway.jobs.store import Store

EVERY_S = 60.0

log = logging.getLogger(__name__)


class Upkeep:
    """Looks after what is kept."""

    def __init__(self, store: Store, revocations: Revocations, *, login_of: LoginOf) -> None:
        self._store, self._revocations, self._login_of = store, revocations, login_of
        self._next_at = 0.0

    async def look(self) -> None:
        """Do it, if it is time."""
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + EVERY_S
        deleted = await asyncio.to_thread(self._store.delete_expired)
        if deleted:
            log.info("%d jobs have expired and are deleted", deleted)
        await self._revocations.revoke_all(self._login_of)
        await asyncio.to_thread(self._revocations.forget_old)
