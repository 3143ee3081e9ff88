"""Kheops as a source of studies."""

import httpx

from gateway.sources.credential import ACCESS, Credential
from gateway.sources.found import Page, Series, Study
from gateway.sources.kheops import albums, studies, tokens
from gateway.sources.kheops.albums import Albums
from gateway.sources.kheops.api import Api
from gateway.sources.kheops.capabilities import Capabilities
from gateway.sources.kheops.retrieve import retrieve
from gateway.sources.queries import Query
from gateway.sources.source import Retrieved
from gateway.sources.trying import tried
from gateway.uploads.region import Region


class Kheops:
    """One Kheops; url: its root. All methods raise SourceError.

    capabilities: what it says of its tokens.
    """

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._api = Api(url, http)
        self.capabilities = Capabilities(self._api)

    async def for_job(self, credential: Credential, album: str | None) -> Credential:
        """Return a capability token for a job; one that a user has made serves as it is."""
        if credential.kind != ACCESS:
            return credential
        return await tokens.minted(self._api, credential, album)

    async def release(self, credential: Credential, *, by: Credential | None = None) -> None:
        """Revoke a token that `for_job` minted, by an access token of the same user."""
        if credential.id:
            await tokens.revoke(self._api, credential, by=by)

    async def study_uids(self, credential: Credential, album: str | None) -> list[str]:
        """Return the StudyInstanceUIDs of all studies of an album, or of the inbox."""
        return await studies.study_uids(self._api, credential, album)

    async def retrieve(
        self, credential: Credential, *, album: str | None, study_uid: str, region: Region
    ) -> Retrieved:
        """Write the zip of what an album has of a study into an empty region."""
        await tried(
            lambda: retrieve(
                self._api, credential, album=album, study_uid=study_uid, region=region
            ),
            region,
        )
        return Retrieved(None)

    async def albums(self, credential: Credential, query: Query) -> Albums:
        """Return albums that are looked for, and how full the inbox is."""
        return await albums.albums(self._api, self.capabilities, credential=credential, query=query)

    async def studies(
        self, credential: Credential, *, album: str | None, query: Query
    ) -> Page[Study]:
        """Return studies that are looked for in an album, or in the inbox."""
        return await studies.studies(self._api, credential, album=album, query=query)

    async def series(
        self, credential: Credential, *, album: str | None, study_uid: str
    ) -> list[Series]:
        """Return the series of a study that an album has."""
        return await studies.series(self._api, credential, album=album, study_uid=study_uid)
