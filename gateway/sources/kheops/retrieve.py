"""The zip of a study as an album of Kheops has it, into a region.

By a viewer token of the album Kheops's own zip holds what the album has. By any other of a user's
tokens it holds all that the user sees of the study, whatever album is named: so without a viewer
token the series of the album are had one by one.
"""

from gateway.sources.asking import STUDY_SECONDS, Asked
from gateway.sources.credential import Credential
from gateway.sources.failures import CUT_OFF, UNREADABLE, Meaning
from gateway.sources.kheops.api import OK, Api, authorized
from gateway.sources.kheops.studies import place_of, series
from gateway.sources.kheops.tokens import viewer_token
from gateway.sources.wado import ACCEPT, ZipInFlight, add_instances
from gateway.sources.zips import is_whole, is_zip
from gateway.uploads.region import Region

ZIP = {"Accept": "application/zip", "Accept-Encoding": "identity"}
INSTANCES = {"Accept": ACCEPT, "Accept-Encoding": "identity"}

GONE = Meaning("source_empty", "the study has nothing in this album of {server} any more")


async def retrieve(
    api: Api, credential: Credential, *, album: str | None, study_uid: str, region: Region
) -> None:
    """Write the zip into an empty region; raises SourceError, and ProblemError."""
    found = await series(api, credential, album=album, study_uid=study_uid)
    if not found:
        raise api.server.failures.of(GONE)
    viewer = await viewer_token(api, credential, album=album, study_uid=study_uid)
    if viewer is not None:
        await _zip(api, viewer, study_uid=study_uid, region=region)
    else:
        uids = [each.series_uid for each in found]
        path, place = f"/studies/{study_uid}/series", place_of(album)
        asked = [
            Asked("GET", f"{path}/{uid}", place, headers=INSTANCES, seconds=STUDY_SECONDS)
            for uid in uids
        ]
        await _series(api, credential, asked=asked, region=region)
    if not await is_whole(region):
        raise api.server.failures.of(CUT_OFF)


async def _zip(api: Api, viewer: Credential, *, study_uid: str, region: Region) -> None:
    asked = Asked("GET", f"/studies/{study_uid}", headers=ZIP, seconds=STUDY_SECONDS)
    async with api.streamed(viewer, asked) as response:
        async for chunk in api.server.chunks(response):
            region.write(chunk)
    if region.size and not is_zip(region):
        raise api.server.failures.of(UNREADABLE)


async def _series(api: Api, credential: Credential, *, asked: list[Asked], region: Region) -> None:
    with ZipInFlight(region.write) as archive:
        for each in asked:
            status = await add_instances(api.server, authorized(each, credential), to=archive)
            if status != OK:
                raise api.server.failures.of_status(status)
