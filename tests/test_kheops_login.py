"""Who gets at Kheops: logins that are new to it, its own tokens, and the person at the machine."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from login_world import (
    FORM,
    LOCAL_TOKEN,
    access_token,
    browser_of,
    local_settings,
    logged_in,
    running,
)
from sources_world import gateway_of, program, study_files, token_of
from test_login_matrix import addresses, is_open

from gateway.sources.callers import access_of

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def gateway(_running_provider, _running_kheops):
    async with gateway_of(_running_provider, GATEWAY_KHEOPS_URL=_running_kheops.url) as app:
        yield app


@pytest.fixture
async def new_user(gateway, provider):
    """A program of somebody whom Kheops does not know."""
    async with program(gateway, token_of(provider, "new")) as client:
        yield client


async def test_somebody_new_is_registered_once(kheops, new_user):
    for _ in range(2):
        answer = await new_user.get("/api/kheops/albums")
        assert answer.json() == {"albums": [], "total": 0, "inbox": {"studies": 0}}

    assert "new" in kheops.world.registered
    assert kheops.world.asked["register"] == 1


async def test_somebody_new_who_asks_for_much_at_once_is_registered_once(kheops, new_user):
    paths = ["/api/kheops/albums", "/api/kheops/albums/inbox/studies"] * 4

    answers = await asyncio.gather(*(new_user.get(path) for path in paths))

    assert {answer.status_code for answer in answers} == {200}
    assert kheops.world.asked["register"] == 1


async def test_somebody_without_an_email_address_is_told_so(kheops, new_user):
    kheops.world.without_email.add("new")

    answer = await new_user.get("/api/kheops/albums")

    assert (answer.status_code, answer.json()["code"]) == (403, "not_registered")
    assert "email address" in answer.json()["detail"]


async def test_the_login_of_a_browser_opens_its_albums(kheops, gateway):
    kheops.add_album("Of Ada", "ada")
    async with browser_of(gateway) as browser:
        await logged_in(browser)

        answer = await browser.get("/api/kheops/albums")

    assert [album["name"] for album in answer.json()["albums"]] == ["Of Ada"]


async def test_who_is_logged_in_can_be_asked_for_another_time(gateway):
    """So that what a job was given is revoked when it ends, though nobody asks just then."""
    assert await access_of(gateway, "cleo") is None
    async with browser_of(gateway) as browser:
        await logged_in(browser, login="cleo")
        held = await access_of(gateway, "cleo")
        assert str(held.text) == await access_token(browser, gateway)

        assert await access_of(gateway, "ben") is None
        await browser.post("/logout", headers=FORM)

    assert await access_of(gateway, "cleo") is None


async def test_a_login_that_kheops_refuses_is_told_to_log_in_again(kheops, gateway, provider):
    """Its user was registered, and Kheops says 401 all the same."""
    async with program(gateway, token_of(provider, "ada")) as ada:
        await ada.get("/api/kheops/albums")
        kheops.world.registered.clear()
        answer = await ada.get("/api/kheops/albums")

    assert (answer.status_code, answer.json()["code"]) == (403, "source_refused")
    assert "log out and in again" in answer.json()["detail"]


async def test_a_token_of_a_user_opens_all_that_the_user_sees(kheops, gateway):
    album = kheops.add_album("Of Ada", "ada")
    uid = kheops.add_study(album, *study_files(), store=False)
    async with program(gateway, kheops.capability("ada").text) as client:
        albums = (await client.get("/api/kheops/albums")).json()
        studies = (await client.get(f"/api/kheops/albums/{album.id}/studies")).json()

    assert [each["id"] for each in albums["albums"]] == [album.id]
    assert [each["study_uid"] for each in studies["studies"]] == [uid]


async def test_a_token_of_an_album_opens_that_alone(kheops, gateway):
    album, other = kheops.add_album("Of Ada", "ada"), kheops.add_album("Another", "ada")
    async with program(gateway, kheops.capability("ada", album).text) as client:
        albums = (await client.get("/api/kheops/albums")).json()
        opened = await client.get(f"/api/kheops/albums/{album.id}/studies")
        shut = [
            await client.get(f"/api/kheops/albums/{place}/studies") for place in (other.id, "inbox")
        ]

    assert [each["id"] for each in albums["albums"]] == [album.id]
    assert albums["inbox"] is None
    assert opened.status_code == 200
    assert [answer.status_code for answer in shut] == [404, 403]


async def test_a_token_of_kheops_opens_nothing_else(kheops, gateway):
    paths = {path for _, path in addresses(gateway.routes) if not is_open(path)}
    paths -= {"/api/jobs"}
    async with program(gateway, kheops.capability("ada").text) as client:
        for path in (*paths, "/api", "/api/jobsx", "/api/kheopsx", "/api/models/../session"):
            if not path.startswith(("/api/kheops/", "/api/jobs/", "/api/models")):
                answer = await client.get(path)
                assert (answer.status_code, answer.json()["code"]) == (403, "out_of_reach"), path
    assert "/api/session" in paths


async def test_a_token_of_kheops_opens_the_models(kheops, gateway):
    async with program(gateway, kheops.capability("ada").text) as client:
        assert (await client.get("/api/models")).status_code == 200


@pytest.mark.parametrize("what", ["made up", "ended", "revoked", "of a report provider"])
async def test_a_token_that_kheops_does_not_call_active_opens_nothing(kheops, gateway, what):
    album = kheops.add_album("Of Ada", "ada")
    before = datetime.now(UTC) - timedelta(seconds=1)
    texts = {
        "made up": "A" * 22,
        "ended": kheops.capability("ada", expires_at=before).text,
        "revoked": kheops.capability("ada", revoked=True).text,
        "of a report provider": kheops.world.mint_report_provider("ada", album.id),
    }
    async with program(gateway, texts[what]) as client:
        for path in ("/api/kheops/albums", "/api/models", "/api/session"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_kheops_is_asked_about_a_token_once_a_minute(kheops, gateway, monkeypatch):
    made = kheops.capability("ada")
    async with program(gateway, made.text) as client:
        answers = await asyncio.gather(*(client.get("/api/models") for _ in range(8)))
        assert {answer.status_code for answer in answers} == {200}
        assert kheops.world.asked["introspect"] == 1

        made.revoked = True
        assert (await client.get("/api/models")).status_code == 200
        # What it opens at Kheops, Kheops decides each time.
        assert (await client.get("/api/kheops/albums")).json()["code"] == "source_refused"

        later = "gateway.sources.kheops.capabilities.monotonic"
        monkeypatch.setattr(later, lambda: monotonic() + 61)
        assert (await client.get("/api/models")).status_code == 401


async def test_without_kheops_nobody_is_let_in_by_its_token(kheops, gateway):
    text = kheops.capability("ada").text
    kheops.fail_with(502)
    async with program(gateway, text) as client:
        answer = await client.get("/api/models")

    assert (answer.status_code, answer.json()["code"]) == (502, "source_failed")


async def test_a_gateway_without_kheops_takes_none_of_its_tokens(kheops, provider):
    async with gateway_of(provider) as app, program(app, kheops.capability("ada").text) as client:
        assert (await client.get("/api/models")).json()["code"] == "invalid_token"


@pytest.fixture(scope="module")
async def own_machine(_running_kheops):
    """A gateway of the mode local."""
    async with running(local_settings(GATEWAY_KHEOPS_URL=_running_kheops.url)) as app:
        yield app


async def test_the_person_at_the_machine_states_a_token_of_kheops(kheops, own_machine):
    album = kheops.add_album("Of Ada", "ada")
    token = {"Kheops-Token": kheops.capability("ada").text}
    async with program(own_machine, LOCAL_TOKEN, **token) as client:
        answer = await client.get("/api/kheops/albums")

    assert [each["id"] for each in answer.json()["albums"]] == [album.id]


async def test_the_person_at_the_machine_is_told_how(kheops, own_machine):
    async with program(own_machine, LOCAL_TOKEN) as client:
        answer = await client.get("/api/kheops/albums")

    assert (answer.status_code, answer.json()["code"]) == (403, "source_refused")
    assert "Kheops-Token" in answer.json()["detail"]
    assert not kheops.world.asked


@pytest.mark.parametrize("text", ["short", "A" * 23, "a.b.c", "Ä" * 22])
async def test_a_header_that_is_no_token_of_kheops_goes_nowhere(kheops, own_machine, text):
    async with program(own_machine, LOCAL_TOKEN) as client:
        answer = await client.get("/api/kheops/albums", headers={"Kheops-Token": text.encode()})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_token")
    assert not kheops.world.asked


async def test_the_header_is_for_the_mode_local_alone(kheops, new_user):
    headers = {"Kheops-Token": kheops.capability("ada").text}

    answer = await new_user.get("/api/kheops/albums", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_token")
    assert kheops.world.asked["albums"] == 0
