"""Sessions while tokens end, keys change, clocks differ and the real provider is away."""

import asyncio
import logging
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from login_world import (
    NAVIGATION,
    access_token,
    browser_of,
    logged_in,
    monotonic_ahead,
    oidc_settings,
    running,
    to_the_provider,
)

from gateway.login.asking import UnreachableError, get_json, provider_http
from gateway.login.discovery import document_url

pytestmark = pytest.mark.anyio


@pytest.fixture
async def gateway(provider):
    async with running(oidc_settings(provider)) as app:
        yield app


@pytest.fixture
async def browser(gateway):
    async with browser_of(gateway) as browser:
        yield browser


async def test_tokens_are_refreshed_once_for_many_requests(browser, gateway, provider, monkeypatch):
    await logged_in(browser)
    token, asked = await access_token(browser, gateway), provider.asked()["tokens"]
    monotonic_ahead(monkeypatch, 3541)
    answers = await asyncio.gather(*(browser.get("/api/session") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert provider.asked()["tokens"] == asked + 1
    assert await access_token(browser, gateway) != token


async def test_questions_to_the_provider_are_counted_by_how_they_end(provider):
    told = []
    async with provider_http(told.append) as http:
        await get_json(http, document_url(provider.issuer))
        with pytest.raises(UnreachableError):
            await get_json(http, f"{provider.issuer}/nothing")
        with pytest.raises(UnreachableError):
            await get_json(http, "http://127.0.0.1:9/realm")

    assert told == ["answered", "refused", "unreachable"]


async def test_tokens_are_not_refreshed_long_before_they_end(browser, provider, monkeypatch):
    await logged_in(browser)
    asked = provider.asked()["tokens"]
    monotonic_ahead(monkeypatch, 3500)

    assert (await browser.get("/api/session")).status_code == 200
    assert provider.asked()["tokens"] == asked


async def test_a_session_whose_refresh_is_refused_has_ended(browser, provider, monkeypatch):
    await logged_in(browser)
    provider.tell("revoke")
    monotonic_ahead(monkeypatch, 3541)

    assert (await browser.get("/api/session")).status_code == 401
    page = await browser.get("/", headers=NAVIGATION)
    assert page.headers["location"] == "/login?next=%2F"


@pytest.mark.parametrize("way", ["reset", "unavailable", "maintenance"])
async def test_sessions_go_on_while_the_provider_is_down(browser, provider, monkeypatch, way):
    await logged_in(browser)
    provider.tell("down", way=way)
    monotonic_ahead(monkeypatch, 3541)
    assert (await browser.get("/api/session")).status_code == 200
    asked = provider.asked()["tokens"]
    assert (await browser.get("/api/session")).status_code == 200
    assert provider.asked()["tokens"] == asked  # it is left alone for a while

    provider.tell("up")
    monotonic_ahead(monkeypatch, 3541 + 61)
    assert (await browser.get("/api/session")).status_code == 200
    assert provider.asked()["tokens"] == asked + 1


async def test_access_tokens_are_taken_while_the_provider_is_down(
    browser, gateway, provider, monkeypatch
):
    await logged_in(browser)
    bearer = {"Authorization": f"Bearer {await access_token(browser, gateway)}"}
    provider.tell("down")
    monotonic_ahead(monkeypatch, 1000)

    assert (await browser.get("/api/session", headers=bearer)).status_code == 200


@pytest.mark.parametrize("way", ["reset", "unavailable", "maintenance"])
async def test_a_login_while_the_provider_is_down_says_so(browser, provider, way):
    provider.tell("down", way=way)
    answer = await browser.get("/login", headers=NAVIGATION)

    assert answer.status_code == 503
    assert "The login service cannot be reached at the moment" in answer.text
    assert "back soon" not in answer.text


async def test_a_provider_that_goes_down_during_a_login_is_told_of(browser, provider):
    target = await to_the_provider(browser)
    provider.tell("down")
    answer = await browser.get(target, headers=NAVIGATION)

    assert answer.status_code == 503
    assert "The login service cannot be reached at the moment" in answer.text


async def test_a_token_before_the_provider_was_ever_reached_is_a_503(browser, provider):
    provider.tell("down")
    token = provider.signed({"sub": "ada"}, typ="at+jwt")
    answer = await browser.get("/api/session", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unreachable")
    assert answer.headers["retry-after"] == "5"


async def test_a_rotated_key_is_fetched_when_a_token_names_it(
    browser, gateway, provider, monkeypatch
):
    await logged_in(browser)
    old = {"Authorization": f"Bearer {await access_token(browser, gateway)}"}
    provider.tell("rotate")
    monotonic_ahead(monkeypatch, 2)  # soon: a new key in an ID token is worth a fetch
    await logged_in_again(browser, gateway)
    new = {"Authorization": f"Bearer {await access_token(browser, gateway)}"}

    assert (await browser.get("/api/session", headers=new)).status_code == 200
    assert (await browser.get("/api/session", headers=old)).status_code == 401


async def logged_in_again(browser, gateway):
    """Log in once more; the provider remembers who it is, and leads straight back."""
    browser.cookies.delete(gateway.state.way.cookie.name)
    response = await browser.get("/login", headers=NAVIGATION)
    back = await browser.get(response.headers["location"], headers=NAVIGATION)
    return await browser.get(back.headers["location"], headers=NAVIGATION)


async def test_a_flood_of_unknown_keys_fetches_once(browser, provider):
    await logged_in(browser)
    fetched = provider.asked()["keys"]
    header = "eyJhbGciOiJSUzI1NiIsImtpZCI6I"
    tokens = [f"{header}mtleS{n:02}ifQ.e30.c2ln" for n in range(40)]
    answers = await asyncio.gather(
        *(browser.get("/api/session", headers={"Authorization": f"Bearer {t}"}) for t in tokens)
    )

    assert {answer.status_code for answer in answers} == {401}
    assert provider.asked()["keys"] <= fetched + 1


@pytest.mark.parametrize("off_s", [-30, 30])
async def test_a_provider_whose_clock_is_half_a_minute_off_works(browser, gateway, provider, off_s):
    provider.tell("clock", s=off_s)
    await logged_in(browser)
    bearer = {"Authorization": f"Bearer {await access_token(browser, gateway)}"}

    assert (await browser.get("/api/session")).status_code == 200
    assert (await browser.get("/api/session", headers=bearer)).status_code == 200


async def test_a_provider_whose_clock_is_two_minutes_ahead_is_told_of(browser, provider):
    provider.tell("clock", s=120)
    answer = await logged_in(browser)

    assert answer.status_code == 502
    assert "its iat is not right" in answer.text


async def test_names_and_tokens_are_in_no_log(browser, gateway, provider, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG, logger="gateway")
    target = await to_the_provider(browser, login="hush-marker")
    await browser.get(target, headers=NAVIGATION)
    token = await access_token(browser, gateway)
    await browser.get("/api/session", headers={"Authorization": f"Bearer {token[:-9]}hush"})
    monotonic_ahead(monkeypatch, 3541)
    provider.tell("down")
    await browser.get("/api/session")
    provider.tell("up")
    provider.tell("revoke")
    monotonic_ahead(monkeypatch, 3541 + 61)
    await browser.get("/api/session")

    text = " ".join(r.getMessage() for r in caplog.records if r.name.startswith("gateway"))
    assert "a session has ended" in text
    code = dict(parse_qsl(urlsplit(target).query))["code"]
    cookie = browser.cookies[gateway.state.way.cookie.name]
    assert not [each for each in ("hush", token, code, cookie) if each in text]


async def test_the_provider_is_never_followed_elsewhere():
    """A redirect of the token endpoint would carry the code to where it points."""

    def elsewhere(_: httpx.Request) -> httpx.Response:
        return httpx.Response(307, headers={"Location": "https://elsewhere.example/"})

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(elsewhere), follow_redirects=True
    ) as http:
        with pytest.raises(UnreachableError):
            await get_json(http, "https://provider.example/keys")
