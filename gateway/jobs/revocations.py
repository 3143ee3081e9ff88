"""Credentials that were minted for jobs, and are to be revoked: their ids, until that is done.

Kheops lets nobody revoke a token but its user. So it is tried whenever the user is there: for one
who closed the laptop, when they come back for the rows.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, select, true, update

from gateway.jobs.database import Database
from gateway.jobs.sealing import Sealing
from gateway.jobs.tables import revocations
from gateway.sources.credential import Credential
from gateway.sources.source import Source, SourceError

AGAIN_S = 60.0

LoginOf = Callable[[str], Awaitable[Credential | None]]
"""An access token of somebody who is logged in now; None for others."""


@dataclass(frozen=True)
class Revocation:
    """What is to be revoked, at which kind of source. credential: without its text."""

    id: str
    owner: str
    kind: str
    credential: Credential


class Revocations:
    """What is to be revoked at sources."""

    def __init__(
        self, database: Database, sealing: Sealing, *, sources: Mapping[str, Source]
    ) -> None:
        self._database, self._sealing, self._sources = database, sealing, sources

    async def revoke_all(self, login_of: LoginOf) -> None:
        """Revoke what is due of all whose login is at hand."""
        for each in await asyncio.to_thread(self._due, true()):
            by = await login_of(each.owner)
            if by is not None:
                await self._revoke(each, by)

    async def revoke_of(self, owner: str, by: Credential) -> None:
        """Revoke what is due of somebody who has just sent a request."""
        for each in await asyncio.to_thread(self._due, revocations.c.owner == owner):
            await self._revoke(each, by)

    def forget_old(self) -> None:
        """Delete what was never revoked, after its time."""
        with self._database.writing() as connection:
            connection.execute(delete(revocations).where(revocations.c.until <= time.time()))

    def _due(self, which: ColumnElement[bool]) -> list[Revocation]:
        """Return what is to be revoked; it is not due again for a while, at no gateway."""
        now = time.time()
        this = which & (revocations.c.next_at <= now)
        with self._database.reading() as connection:
            if connection.execute(select(revocations.c.id).where(this)).first() is None:
                return []
        taken = update(revocations).where(this).values(next_at=now + AGAIN_S)
        with self._database.writing() as connection:
            found = connection.execute(taken.returning(*revocations.c)).all()
        opened = self._sealing.open_credential
        return [
            Revocation(each.id, each.owner, each.kind, opened(each.credential)) for each in found
        ]

    async def _revoke(self, what: Revocation, by: Credential) -> None:
        """Ask a source to revoke a credential; what is done is forgotten, else tried again."""
        source = self._sources.get(what.kind)
        if source is None:
            return
        try:
            await source.release(what.credential, by=by)
        except SourceError:
            return
        await asyncio.to_thread(self._forget, what)

    def _forget(self, what: Revocation) -> None:
        with self._database.writing() as connection:
            connection.execute(delete(revocations).where(revocations.c.id == what.id))
