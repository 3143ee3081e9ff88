"""The mode for one person: the printed URL, its cookie, and names that lead here wrongly."""

import logging
import re

import pytest
from login_world import FORM, LOCAL_TOKEN, NAVIGATION, browser_of, local_settings, running

pytestmark = pytest.mark.anyio


@pytest.fixture
async def gateway():
    async with running(local_settings()) as app:
        yield app


@pytest.fixture
async def browser(gateway):
    async with browser_of(gateway) as browser:
        yield browser


async def test_the_printed_url_becomes_a_cookie_and_the_same_address_without_token(browser):
    answer = await browser.get(f"/?study=7&token={LOCAL_TOKEN}&view=a%26b", headers=NAVIGATION)

    assert (answer.status_code, answer.headers["location"]) == (303, "/?study=7&view=a%26b")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert re.fullmatch(
        r"deepfeatures-local-8080=[\w-]{43}; HttpOnly; Path=/; SameSite=strict", cookie
    )
    assert LOCAL_TOKEN not in str(answer.headers)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert (await browser.get("/api/session")).json() == {
        "mode": "local",
        "way": "local",
        "name": "",
    }


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "/%0d%0aX: y", "/%2F/x"])
async def test_the_redirect_stays_here(browser, path):
    answer = await browser.get(f"http://127.0.0.1:8080{path}?token={LOCAL_TOKEN}")

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("token", ["", "x", LOCAL_TOKEN[:-1], LOCAL_TOKEN + "x", "%C3%A9", "%ff"])
async def test_another_token_is_refused(browser, token):
    answer = await browser.get(f"/?token={token}")

    assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")
    assert not browser.cookies


async def test_two_tokens_of_which_one_is_wrong_are_refused(browser):
    assert (await browser.get(f"/?token={LOCAL_TOKEN}&token=x")).status_code == 401


async def test_programs_send_the_token_as_bearer(browser):
    answer = await browser.get("/api/session", headers={"Authorization": f"Bearer {LOCAL_TOKEN}"})
    wrong = await browser.get("/api/session", headers={"Authorization": "Bearer x"})

    assert answer.json()["way"] == "bearer"
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_token")


async def test_the_token_is_no_cookie_and_the_cookie_no_token(browser, gateway):
    await browser.get(f"/?token={LOCAL_TOKEN}")
    name, text = gateway.state.way.cookie.name, browser.cookies[gateway.state.way.cookie.name]
    async with browser_of(gateway) as another:
        as_cookie = await another.get("/api/session", headers={"Cookie": f"{name}={LOCAL_TOKEN}"})
        as_bearer = await another.get("/api/session", headers={"Authorization": f"Bearer {text}"})
        as_token = await another.get(f"/?token={text}")

    assert {each.status_code for each in (as_cookie, as_bearer, as_token)} == {401}


@pytest.mark.parametrize(
    "host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080"]
)
async def test_the_names_of_this_machine_are_its_own(browser, host):
    bearer = {"Host": host, "Authorization": f"Bearer {LOCAL_TOKEN}"}

    assert (await browser.get("/api/session", headers=bearer)).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8080",
        "evil.example",
        "localhost",
        "localhost:8081",
        "localhost.evil.example:8080",
        "127.0.0.1.nip.io:8080",
        "127.0.0.2:8080",
        "0.0.0.0:8080",
        "[::]:8080",
        "user@127.0.0.1:8080",
        "127.0.0.1:8080,evil.example",
        "",
    ],
)
async def test_a_foreign_name_is_refused_whatever_else_is_right(browser, host):
    bearer = {"Host": host, "Authorization": f"Bearer {LOCAL_TOKEN}"}
    answer = await browser.get("/api/session", headers=bearer)

    assert (answer.status_code, answer.json()["code"]) == (421, "foreign_host")
    by_url = await browser.get(f"/?token={LOCAL_TOKEN}", headers={"Host": host})
    assert by_url.status_code == 421
    assert "set-cookie" not in by_url.headers


async def test_a_tunnel_to_another_port_is_told_by_the_public_url():
    settings = local_settings(GATEWAY_PUBLIC_URL="http://localhost:9000")
    async with running(settings) as app, browser_of(app) as browser:
        bearer = {"Authorization": f"Bearer {LOCAL_TOKEN}"}
        assert (await browser.get("/api/session", headers=bearer)).status_code == 200


async def test_logging_out_makes_every_cookie_worthless(browser, gateway):
    await browser.get(f"/?token={LOCAL_TOKEN}")
    name = gateway.state.way.cookie.name
    kept = browser.cookies[name]
    answer = await browser.post("/logout", headers=FORM)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login/out")
    assert "open the URL that the gateway printed" in (await browser.get("/login/out")).text
    again = await browser.get("/api/session", headers={"Cookie": f"{name}={kept}"})
    assert again.status_code == 401


async def test_a_page_of_another_port_cannot_log_out(browser):
    await browser.get(f"/?token={LOCAL_TOKEN}")
    for headers in ({}, {"Origin": "http://127.0.0.1:9999"}, {"Sec-Fetch-Site": "same-site"}):
        answer = await browser.post("/logout", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    by_origin = await browser.post("/logout", headers={"Origin": "http://127.0.0.1:8080"})
    assert by_origin.status_code == 303


async def test_a_browser_without_a_cookie_reads_what_to_do(browser):
    first = await browser.get("/", headers=NAVIGATION)
    page = await browser.get(first.headers["location"], headers=NAVIGATION)

    assert first.headers["location"] == "/login?next=%2F"
    assert page.status_code == 401
    assert "Open the URL that the gateway printed when it was started" in page.text


async def test_the_token_is_in_no_log(browser, caplog):
    caplog.set_level(logging.DEBUG, logger="gateway")
    await browser.get(f"/?token={LOCAL_TOKEN}")
    await browser.get(f"/?token={LOCAL_TOKEN}x")
    await browser.get("/api/session", headers={"Authorization": f"Bearer {LOCAL_TOKEN}x"})

    text = " ".join(r.getMessage() for r in caplog.records if r.name.startswith("gateway"))
    assert "hush" not in text
