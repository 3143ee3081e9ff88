"""By what a source is asked for whoever begins a job, and what the job keeps of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from starlette.requests import Request

from gateway.jobs.states import KHEOPS
from gateway.problems import ProblemError
from gateway.sources.callers import credential_of
from gateway.sources.credential import NO_CREDENTIAL, Credential
from gateway.sources.source import Retrieved, Source, SourceError
from gateway.uploads.region import Region

NO_SOURCE = "this gateway is not connected to such a source"


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

    async def retrieve(self, album: str | None, study_uid: str, *, region: Region) -> Retrieved:
        """Write the zip of a study into an empty region; raises SourceError, ProblemError."""
        if self.source is None:
            raise ProblemError(404, "no_source", NO_SOURCE)
        return await self.source.retrieve(
            self.credential, album=album, study_uid=study_uid, region=region
        )

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


async def login_of(request: Request, kind: str) -> Login:
    """Return by what a source is asked for a request; a DICOMweb server knows no users."""
    source: Source | None = request.app.state.sources.get(kind)
    if source is None:
        raise ProblemError(404, "no_source", NO_SOURCE)
    return Login(source, await credential_of(request) if kind == KHEOPS else NO_CREDENTIAL)
