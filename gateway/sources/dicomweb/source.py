"""A DICOMweb server as a source of studies: it has no albums, and its studies are everybody's."""

import httpx
from starlette.datastructures import Secret

from gateway.sources.asking import STUDY_SECONDS, Asked, Server
from gateway.sources.credential import Credential
from gateway.sources.dicomweb.qido import Searches
from gateway.sources.failures import CUT_OFF, Failures, Meaning, Meanings
from gateway.sources.found import Page, Series, Study
from gateway.sources.queries import Query
from gateway.sources.settings import SourcesSettings
from gateway.sources.source import Retrieved, SourceError
from gateway.sources.trying import tried
from gateway.sources.wado import ACCEPT, OK, ZipInFlight, add_instances
from gateway.sources.zips import is_whole
from gateway.uploads.region import Region

OWN_LOGIN = Meaning(
    "source_refused", "{server} refuses the gateway's own login: ask who runs the gateway"
)

MISSING = Meaning("source_empty", "{server} has no such study any more: look for it again")

STATUSES: Meanings = {401: OWN_LOGIN, 403: OWN_LOGIN, 404: MISSING, 410: MISSING}

DICOMWEB = Failures("the DICOMweb server", STATUSES)

ACCEPTS = (f"{ACCEPT}; transfer-syntax=*", ACCEPT)
"""As it is stored, where a server knows how to say that (PS3.18 section 8.7.3.5.2)."""

UNKNOWN_ACCEPT = (400, 406)


class Dicomweb:
    """One DICOMweb server. Credentials of users are nothing to it."""

    def __init__(self, settings: SourcesSettings, http: httpx.AsyncClient) -> None:
        self._authorization = _authorization(settings)
        self._server = Server(settings.dicomweb_url, http, DICOMWEB)
        self._searches = Searches(settings.dicomweb_url, self._authorization, DICOMWEB)

    def close(self) -> None:
        """Let go of connections."""
        self._searches.close()

    async def for_job(self, credential: Credential, _: str | None) -> Credential:
        """Return the same: nothing is needed."""
        return credential

    async def release(self, credential: Credential, *, by: Credential | None = None) -> None:
        """Revoke nothing."""

    async def study_uids(self, _: Credential, __: str | None) -> list[str]:
        """Refuse: all studies of a hospital are no cohort."""
        raise SourceError("bad_query", "a DICOMweb server has no albums: name the studies")

    async def retrieve(
        self, _: Credential, *, album: str | None, study_uid: str, region: Region
    ) -> Retrieved:
        """Write a study into an empty region, zipped as it comes."""
        del album
        await tried(lambda: self._retrieve(study_uid, region), region)
        return Retrieved(None)

    async def studies(self, query: Query) -> Page[Study]:
        """Return studies that are looked for."""
        return await self._searches.studies(query)

    async def series(self, study_uid: str) -> list[Series]:
        """Return the series of a study."""
        return await self._searches.series(study_uid)

    async def _retrieve(self, study_uid: str, region: Region) -> None:
        with ZipInFlight(region.write) as archive:
            status = await self._add_study(study_uid, archive)
            if status != OK:
                raise DICOMWEB.of_status(status)
            if not archive.count:
                raise DICOMWEB.of(MISSING)
        if not await is_whole(region):
            raise DICOMWEB.of(CUT_OFF)

    async def _add_study(self, study_uid: str, archive: ZipInFlight) -> int:
        for accept in ACCEPTS:
            headers = {"Accept": accept, "Accept-Encoding": "identity"}
            if self._authorization:
                headers["Authorization"] = str(self._authorization)
            path = f"/studies/{study_uid}"
            asked = Asked("GET", path, headers=headers, seconds=STUDY_SECONDS)
            status = await add_instances(self._server, asked, to=archive)
            if status not in UNKNOWN_ACCEPT:
                break
        return status


def _authorization(settings: SourcesSettings) -> Secret:
    """Return the Authorization header of the gateway itself; empty if it has none."""
    if settings.dicomweb_token:
        return Secret("Bearer " + str(settings.dicomweb_token))
    if settings.dicomweb_user:
        basic = httpx.BasicAuth(settings.dicomweb_user, str(settings.dicomweb_password))
        request = next(basic.auth_flow(httpx.Request("GET", settings.dicomweb_url)))
        return Secret(request.headers["Authorization"])
    return Secret("")
