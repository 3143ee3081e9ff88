"""Jobs of albums in Kheops: by a token that is minted for them, renewed, and revoked at the end."""

import asyncio

import pytest
from jobs_world import KEY
from login_world import browser_of, logged_in, oidc_settings, running
from sources_world import MARKER, program, study_files, token_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(server, provider, kheops, tmp_path, monkeypatch):
    """Settings of a gateway with jobs, before the Triton and the Kheops of the tests."""
    monkeypatch.setattr("gateway.jobs.trouble.FIRST_PAUSE_S", 0.05)
    return oidc_settings(
        provider,
        GATEWAY_TRITON_URLS=server.http_url,
        GATEWAY_KHEOPS_URL=kheops.url,
        GATEWAY_JOBS_DATABASE=f"sqlite:///{tmp_path / 'jobs.sqlite'}",
        GATEWAY_JOBS_KEY=KEY,
    )


async def until(is_so):
    async with asyncio.timeout(60):
        while not await is_so():
            await asyncio.sleep(0.05)


async def ready(client):
    await until(lambda: _is_ready(client))


async def _is_ready(client):
    return (await client.get("/readyz")).is_success


async def begun(client, album, **headers):
    source = {"kind": "kheops", "album": album.id}
    body = {"source": source, "studies": "all", "model": "ct3dcnn", "options": {"regions": "whole"}}
    answer = await client.post("/api/jobs", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.headers["location"]


async def ended(client, path):
    async def is_over():
        return (await client.get(path)).json()["state"] == "ended"

    await until(is_over)
    return (await client.get(path)).json()


def album_of(kheops, user, studies):
    album = kheops.add_album("Lungs", user)
    return album, sorted(kheops.add_study(album, *study_files()) for _ in range(studies))


async def test_an_album_ends_complete_though_kheops_fails_for_a_while(
    settings, provider, kheops, caplog
):
    album, uids = album_of(kheops, "ada", 3)
    kheops.fail_at("study", times=8)
    kheops.truncate(uids[1], 4)
    async with (
        running(settings) as app,
        program(app, token_of(provider, "ada")) as ada,
        program(app, token_of(provider, "eve")) as eve,
    ):
        await ready(ada)
        path = await begun(ada, album)

        job = await ended(ada, path)

        found = (await ada.get(f"{path}/results.json")).json()["answers"]
        assert sorted(answer["study_uid"] for answer in found) == uids
        assert all(len(answer["rows"]) == 1 for answer in found)
        assert any(sentence.startswith("Kheops failed") for sentence in job["events"])
        assert (await eve.get(path)).status_code == 404
        assert kheops.world.revoked == kheops.world.minted  # as soon as ada had asked for it
        assert len(kheops.world.minted) == 1
    assert MARKER not in caplog.text
    assert not any(text in caplog.text for text in kheops.world.capabilities)


async def test_a_token_that_is_revoked_meanwhile_is_replaced_by_the_login_of_now(settings, kheops):
    async with running(settings) as app, browser_of(app) as browser:
        await logged_in(browser)
        user = next(iter(app.state.sessions._sessions.values())).identity.subject
        album, _ = album_of(kheops, user, 2)
        await ready(browser)
        same_origin = {"Sec-Fetch-Site": "same-origin"}
        kheops.fail_at("study", times=4)

        path = await begun(browser, album, **same_origin)
        (first,) = kheops.world.capabilities.values()
        first.revoked = True
        job = await ended(browser, path)

        assert job["counts"]["done"] == 2
        assert job["events"][-1] == "Kheops asked for a new login once"
        assert len(kheops.world.minted) in (2, 3)  # both studies may have noticed at once
        await until(lambda: _is_revoked(kheops))


async def _is_revoked(kheops):
    return kheops.world.revoked == kheops.world.minted
