"""A study of Kheops through the client: a job of the gateway that is begun, followed, deleted."""

import asyncio

import httpx
import pytest
from sources_world import study_files

from deep_features_client import (
    AsyncClient,
    Client,
    NotAllowed,
    Progress,
    Refused,
    TimedOut,
    Timeouts,
)


@pytest.fixture(scope="module")
def album(kheops):
    """An album with one study, and a token that opens it."""
    album = kheops.add_album("Lungs", "ada")
    uid = kheops.add_study(album, *study_files("CT", slices_each=2))
    return album.id, uid, kheops.capability("ada", album).text


@pytest.fixture
def client(gateway):
    with Client(gateway.url, gateway.token) as client:
        yield client


def jobs(gateway):
    headers = {"Authorization": f"Bearer {gateway.token}"}
    return httpx.get(f"{gateway.url}/api/jobs", headers=headers).json()["jobs"]


def test_a_study_comes_from_kheops_and_its_job_is_deleted(client, gateway, album):
    album_id, uid, token = album
    told = []

    answer = client.extract_from_kheops(
        album_id, uid, options={"regions": "whole"}, kheops_token=token, progress=told.append
    )

    (row,) = answer.rows
    assert (row.study_uid, row.patient_id, len(row.features)) == (uid, "P1", 256)
    assert row.feature_names[-1] == "ct3dcnn1_255"
    assert [each["modality"] for each in answer.report["series"]] == ["CT"]
    assert jobs(gateway) == []
    assert set(told) <= {Progress("waiting")}


def test_asyncio_gets_the_same_and_deletes_the_job_of_a_task_that_is_cancelled(gateway, album):
    album_id, uid, token = album

    async def asked():
        async with AsyncClient(gateway.url, gateway.token) as client:
            answer = await client.extract_from_kheops(album_id, uid, kheops_token=token)
            began = asyncio.Event()
            again = client.extract_from_kheops(
                album_id, uid, kheops_token=token, progress=lambda _: began.set()
            )
            task = asyncio.create_task(again)
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return answer

    assert asyncio.run(asked()).rows[0].study_uid == uid
    assert jobs(gateway) == []


def test_a_study_that_fails_has_its_own_code(client, gateway, album):
    album_id, _, token = album

    with pytest.raises(Refused, match="^source_empty: ") as refused:
        client.extract_from_kheops(album_id, "1.2.3", kheops_token=token)

    assert refused.value.status is None
    assert jobs(gateway) == []


def test_a_study_that_takes_too_long_is_given_up_and_its_job_deleted(kheops, gateway, album):
    album_id, uid, token = album
    kheops.fail_at("study", times=50)
    limits = Timeouts(whole_s=1)
    with Client(gateway.url, gateway.token, timeout=limits) as client, pytest.raises(TimedOut):
        client.extract_from_kheops(album_id, uid, kheops_token=token)

    kheops.fail_at("study", times=0)
    assert jobs(gateway) == []


def test_a_token_that_kheops_does_not_know_is_not_allowed(client, gateway, album):
    with pytest.raises(NotAllowed, match="^source_refused: Kheops does not accept the token"):
        client.extract_from_kheops(album[0], album[1], kheops_token="A" * 22)
    with pytest.raises(Refused, match="^bad_token: "):
        client.extract_from_kheops(album[0], album[1], kheops_token="B" * 5)

    assert jobs(gateway) == []


def test_an_album_that_is_not_there_is_told_of(client, album):
    with pytest.raises(Refused, match="^source_empty: "):
        client.extract_from_kheops("0000000000", album[1], kheops_token=album[2])
