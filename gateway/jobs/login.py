"""By what a source is asked for whoever begins a job, and what the job keeps of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from gateway.problems import ProblemError
from gateway.sources.credential import Credential
from gateway.sources.source import Source, SourceError


@dataclass(frozen=True)
class Login:
    """A source, and a credential of somebody there; source None: of uploads there is none."""

    source: Source | None
    credential: Credential

    async def study_uids(self, album: str | None) -> tuple[str, ...]:
        """Return all studies of an album, each once; raises SourceError."""
        if self.source is None:
            return ()
        return tuple(dict.fromkeys(await self.source.study_uids(self.credential, album)))

    @asynccontextmanager
    async def for_job(self, album: str | None) -> AsyncIterator[Credential]:
        """Give what a job keeps; it is revoked if the block does not keep it."""
        if self.source is None:
            yield self.credential
            return
        kept = await self.source.for_job(self.credential, album)
        try:
            yield kept
        except ProblemError:
            with suppress(SourceError):
                await self.source.release(kept, by=self.credential)
            raise
