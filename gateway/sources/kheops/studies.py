"""Studies and series of an album of Kheops, or of the inbox."""

from collections.abc import Mapping

from gateway.sources import qido, searching
from gateway.sources.credential import Credential
from gateway.sources.failures import UNREADABLE
from gateway.sources.found import Page, Series, Study
from gateway.sources.kheops.api import Api
from gateway.sources.queries import Query
from gateway.sources.searching import Wanted

SORTS = {"date": "StudyDate", "patient_id": "PatientID", "name": "PatientName"}

AT_ONCE = 1000

MOST_STUDIES = 100_000
"""Of an album: more are taken for an answer that never ends."""


def place_of(album: str | None) -> Mapping[str, str]:
    """Return the parameter that names an album or the inbox: Kheops takes one of both."""
    return {"album": album} if album else {"inbox": "true"}


async def studies(
    api: Api, credential: Credential, *, album: str | None, query: Query
) -> Page[Study]:
    """Return studies of an album, None for the inbox; raises SourceError."""
    return await searching.studies(
        query, lambda wanted: _asked(api, credential, album=album, wanted=wanted), sorts=True
    )


async def study_uids(api: Api, credential: Credential, album: str | None) -> list[str]:
    """Return the StudyInstanceUIDs of all studies of an album; raises SourceError."""
    found: dict[str, None] = {}
    offset = 0
    while offset < MOST_STUDIES:
        wanted = Wanted({}, AT_ONCE, offset, "patient_id")
        page = await _asked(api, credential, album=album, wanted=wanted)
        found |= dict.fromkeys(study.study_uid for study in page.found)
        offset += AT_ONCE
        if not page.found or (page.total is not None and offset >= page.total):
            return list(found)
    raise api.server.failures.of(UNREADABLE)


async def series(
    api: Api, credential: Credential, *, album: str | None, study_uid: str
) -> list[Series]:
    """Return the series of a study that an album has: maybe not all; raises SourceError."""
    params = {**place_of(album), "includefield": ",".join(qido.SERIES_FIELDS)}
    answer, _ = await api.get(credential, f"/studies/{study_uid}/series", params)
    return qido.series(answer)


async def _asked(
    api: Api, credential: Credential, *, album: str | None, wanted: Wanted
) -> Page[Study]:
    params = {
        **place_of(album),
        **wanted.filters,
        "limit": str(wanted.limit),
        "offset": str(wanted.offset),
        "includefield": "StudyDescription",
    }
    if wanted.sort:
        direction = "-" if wanted.sort.startswith("-") else ""
        params["sort"] = direction + SORTS[wanted.sort.removeprefix("-")]
    answer, total = await api.get(credential, "/studies", params)
    return Page(qido.studies(answer), total)
