"""Studies of Kheops as an album has them, whole, whatever goes wrong on the way."""

import io
import zipfile
from dataclasses import replace

import httpx
import pydicom
import pytest
from kheops.stand_in import Kheops as StandIn
from login_world import Issuer
from pydicom.uid import generate_uid
from sources_world import BOUNDS, a_region, content_of, study_files, token_of
from starlette.datastructures import Secret

from gateway.problems import ProblemError
from gateway.sources import trying
from gateway.sources.asking import source_http
from gateway.sources.credential import ACCESS, CAPABILITY, Credential
from gateway.sources.kheops.source import Kheops
from gateway.sources.source import Retrieved, SourceError
from imaging.archive import Limits
from imaging.study import Study

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(trying, "PAUSES_SECONDS", (0.0, 0.0))


@pytest.fixture(scope="module")
def anyio_backend():
    """One event loop for the source and all tests of it."""
    return "asyncio"


@pytest.fixture(scope="module")
async def source(_running_kheops):
    async with source_http() as http:
        yield Kheops(_running_kheops.url, http)


@pytest.fixture
def ada(provider):
    """The access token of a user."""
    return Credential(ACCESS, Secret(token_of(provider, "ada")))


async def retrieved(source, credential, album, study):
    """The DICOM files in the zip of a study, by their SOPInstanceUID."""
    with a_region() as region:
        said = await source.retrieve(credential, album=album, study_uid=study, region=region)
        content = content_of(region)
    assert said == Retrieved(None)  # no more is in it than was asked for
    return instances(content)


def instances(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = [archive.read(name) for name in archive.namelist() if name != "DICOMDIR"]
    return by_uid(files)


def by_uid(files):
    return {
        pydicom.dcmread(io.BytesIO(file), specific_tags=["SOPInstanceUID"]).SOPInstanceUID: file
        for file in files
    }


@pytest.fixture
def shared(kheops):
    """An album with one series of a study whose user has the other one in the inbox."""
    study = generate_uid()
    album = kheops.add_album("Lung", "ada", members=("ben",))
    files = study_files("CT", StudyInstanceUID=study)
    kheops.add_study(album, *files)
    kheops.add_study("ada", *study_files("MR", StudyInstanceUID=study))
    return album, study, files


async def test_a_study_is_what_the_album_has_of_it(source, ada, shared):
    album, study, files = shared

    assert await retrieved(source, ada, album.id, study) == by_uid(files)


async def test_without_viewer_tokens_it_is_so_too(kheops, source, ada, shared):
    """Kheops's own zip would hold the series of the inbox as well."""
    album, study, files = shared
    kheops.gives_viewer_tokens = False

    assert await retrieved(source, ada, album.id, study) == by_uid(files)
    assert kheops.world.asked["study"] == 0


async def test_a_study_of_the_inbox_is_what_the_inbox_has_of_it(source, ada, shared):
    _, study, files = shared

    found = await retrieved(source, ada, None, study)

    assert len(found) == 2
    assert not found.keys() & by_uid(files).keys()


@pytest.mark.parametrize("scope", ["album", "user"])
async def test_a_token_of_kheops_gets_the_same(kheops, source, shared, scope):
    album, study, files = shared
    made = kheops.capability("ada", album if scope == "album" else None)
    token = Credential(CAPABILITY, Secret(made.text))

    assert await retrieved(source, token, album.id, study) == by_uid(files)


async def test_the_engine_reads_what_came_either_way(kheops, source, ada, shared):
    album, study, files = shared
    for gives_viewer_tokens in (True, False):
        kheops.gives_viewer_tokens = gives_viewer_tokens
        with a_region() as region:
            await source.retrieve(ada, album=album.id, study_uid=study, region=region)
            found = Study.from_zip(memoryview(content_of(region)), Limits())

        (series,) = found.series
        assert (series.study_uid, len(series.instances)) == (study, len(files))


async def test_a_zip_that_breaks_off_is_noticed(kheops, source, ada, shared):
    album, study, files = shared
    kheops.truncate(study, times=1)

    with pytest.raises(SourceError, match="^truncated_zip") as caught:
        await retrieved(source, ada, album.id, study)

    assert caught.value.temporary
    assert await retrieved(source, ada, album.id, study) == by_uid(files)


@pytest.mark.parametrize("route", ["series", "token", "study"])
async def test_two_failures_are_not_noticed(kheops, source, ada, shared, route):
    album, study, files = shared
    kheops.fail_at(route, times=2)

    assert await retrieved(source, ada, album.id, study) == by_uid(files)
    assert kheops.world.asked[route] == 3


async def test_longer_patience_is_not_its_own(kheops, source, ada, shared):
    album, study, _ = shared
    kheops.fail_with(502)

    with pytest.raises(SourceError, match="^source_failed") as caught:
        await retrieved(source, ada, album.id, study)

    assert caught.value.temporary
    assert kheops.world.asked["series"] == 3


async def test_a_study_that_has_left_the_album_is_not_there(kheops, source, ada, shared):
    album, study, _ = shared
    album.series.clear()  # the user still has the other series in the inbox: Kheops says 204
    with pytest.raises(SourceError, match="^source_empty") as caught:
        await retrieved(source, ada, album.id, study)
    assert not caught.value.temporary

    kheops.world.inboxes.clear()  # and now 404
    with pytest.raises(SourceError, match="^source_empty"):
        await retrieved(source, ada, album.id, study)


async def test_what_the_pacs_has_lost_is_a_failure(kheops, source, ada, shared):
    album, study, _ = shared
    kheops.orthanc.delete(study)

    with pytest.raises(SourceError, match="^source_") as caught:
        await retrieved(source, ada, album.id, study)

    assert caught.value.code in ("source_failed", "source_empty")


async def test_somebody_else_s_study_is_not_had(source, provider, shared):
    album, study, _ = shared
    eve = Credential(ACCESS, Secret(token_of(provider, "eve")))
    for place in (album.id, None):
        with pytest.raises(SourceError, match="^source_empty"):
            await retrieved(source, eve, place, study)


async def test_a_login_of_another_provider_is_a_failure(kheops, source):
    """Kheops cannot tell a new key of its provider from a stranger's: 500."""
    kheops.add_album("Lung", "ada")
    issuer = Issuer()
    stranger = Credential(ACCESS, Secret(issuer.token({"iss": issuer.url, "sub": "ada"})))

    with pytest.raises(SourceError, match="^source_failed: .* cannot check") as caught:
        await source.study_uids(stranger, None)

    assert caught.value.temporary


async def test_a_study_above_the_limit_is_refused(source, ada, shared):
    album, study, _ = shared
    with (
        a_region(replace(BOUNDS, study_bytes=1000)) as region,
        pytest.raises(ProblemError, match="^too_large"),
    ):
        await source.retrieve(ada, album=album.id, study_uid=study, region=region)


async def test_all_studies_of_an_album_are_told(kheops, source, ada, monkeypatch):
    monkeypatch.setattr("gateway.sources.kheops.studies.AT_ONCE", 2)
    album = kheops.add_album("Lung", "ada")
    uids = {kheops.add_study(album, *study_files(), store=False) for _ in range(5)}
    own = kheops.add_study("ada", *study_files(), store=False)

    assert set(await source.study_uids(ada, album.id)) == uids
    assert await source.study_uids(ada, None) == [own]


async def test_a_study_of_500_series_is_whole(kheops, source, ada):
    album = kheops.add_album("Lung", "ada")
    files = study_files(*["CT"] * 500, slices_each=1)
    study = kheops.add_study(album, *files)

    found = await source.series(ada, album=album.id, study_uid=study)
    assert len(found) == 500
    assert [each.number for each in found] == [*range(1, 501)]
    assert await retrieved(source, ada, album.id, study) == by_uid(files)


async def test_an_admin_s_job_has_a_token_of_the_album(kheops, source, ada, shared):
    album, study, files = shared

    made = await source.for_job(ada, album.id)

    assert (made.kind, made.id) == (CAPABILITY, kheops.world.minted[0])
    assert kheops.world.capabilities[str(made.text)].album == album.id
    assert await retrieved(source, made, album.id, study) == by_uid(files)


async def test_a_member_s_job_has_a_token_of_the_user(kheops, source, provider, shared):
    album, study, files = shared
    ben = Credential(ACCESS, Secret(token_of(provider, "ben")))

    made = await source.for_job(ben, album.id)

    assert kheops.world.capabilities[str(made.text)].album is None
    assert await retrieved(source, made, album.id, study) == by_uid(files)


async def test_a_job_s_token_outlives_the_login_and_is_revoked(kheops, source, provider, shared):
    album, study, files = shared
    short = Credential(ACCESS, Secret(token_of(provider, "ada")))
    made = await source.for_job(short, album.id)
    gone = Credential(ACCESS, Secret(token_of(provider, "ada", exp=1)))
    with pytest.raises(SourceError, match="^source_refused"):
        await retrieved(source, gone, album.id, study)
    assert await retrieved(source, made, album.id, study) == by_uid(files)

    await source.release(made, by=short)
    await source.release(made, by=short)  # what is revoked stays so

    assert kheops.world.revoked == [made.id]
    with pytest.raises(SourceError, match="^source_refused"):
        await retrieved(source, made, album.id, study)


async def test_nobody_but_a_login_revokes(kheops, source, ada):
    """Kheops answers 401 to a token that would revoke itself."""
    made = await source.for_job(ada, None)

    for by in (None, made):
        with pytest.raises(SourceError, match="^source_refused"):
            await source.release(made, by=by)
    assert kheops.world.revoked == []


async def test_a_user_s_own_token_is_kept_as_it_is(kheops, source):
    own = Credential(CAPABILITY, Secret(kheops.capability("ada").text))

    assert await source.for_job(own, None) is own
    await source.release(own)

    assert kheops.world.asked["capabilities"] == kheops.world.asked["revoke"] == 0


def test_the_stand_in_takes_a_token_in_a_path_and_by_basic(kheops: StandIn):
    kheops.add_album("Lung", "ada")
    text = kheops.capability("ada").text

    for answer in (
        httpx.get(f"{kheops.url}/api/link/{text}/albums"),
        httpx.get(f"{kheops.url}/api/albums", auth=("any", text)),
    ):
        assert [album["name"] for album in answer.json()] == ["Lung"]
    assert httpx.get(f"{kheops.url}/api/albums").headers["www-authenticate"]
