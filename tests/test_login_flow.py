"""The login with a real OpenID provider, and a client with cookies as the browser."""

import re
from html import unescape
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from login_world import (
    FORM,
    NAVIGATION,
    access_token,
    browser_of,
    followed,
    logged_in,
    monotonic_ahead,
    oidc_settings,
    running,
    to_the_provider,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def gateway(provider):
    async with running(oidc_settings(provider)) as app:
        yield app


@pytest.fixture
async def browser(gateway):
    async with browser_of(gateway) as browser:
        yield browser


async def test_a_login_leads_back_to_where_it_began_and_the_session_has_a_name(browser):
    to_login = await browser.get("/?study=7&view=table", headers=NAVIGATION)
    back = await logged_in(browser, path=to_login.headers["location"])

    assert (back.status_code, back.headers["location"]) == (303, "/?study=7&view=table")
    answer = await browser.get("/api/session")
    assert answer.json() == {"mode": "oidc", "way": "session", "name": "ada of the tests"}


async def test_the_authorization_request_has_pkce_state_and_nonce(browser):
    answer = await browser.get("/login", headers=NAVIGATION)

    query = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert [len(query[name]) for name in ("code_challenge", "state", "nonce")] == [43] * 3


async def test_nothing_of_the_tokens_reaches_the_browser(browser, gateway):
    back = await logged_in(browser)

    token = await access_token(browser, gateway)
    assert len(token) > 300
    assert token not in str(back.headers)
    assert "eyJ" not in str(back.headers) + back.text


async def test_the_cookie_of_a_session_is_not_for_scripts_and_not_for_foreign_requests(browser):
    back = await logged_in(browser)

    session, attempt = back.headers.get_list("set-cookie")
    assert re.fullmatch(r"deepfeatures-\d+=[\w-]{43}; HttpOnly; Path=/; SameSite=lax", session)
    assert "Max-Age=0" in attempt


async def test_a_login_can_be_used_once(browser):
    target = await to_the_provider(browser)
    first = await browser.get(target, headers=NAVIGATION)
    second = await browser.get(target, headers=NAVIGATION)

    assert (first.status_code, second.status_code) == (303, 400)
    assert "has been used" in second.text


async def test_a_login_that_began_in_another_browser_is_refused(browser, gateway):
    target = await to_the_provider(browser)
    async with browser_of(gateway) as another:
        answer = await another.get(target, headers=NAVIGATION)
        assert answer.status_code == 400
        assert not another.cookies
        await another.get("/login", headers=NAVIGATION)
        assert (await another.get(target, headers=NAVIGATION)).status_code == 400
    assert (await browser.get(target, headers=NAVIGATION)).status_code == 303


async def test_logins_in_two_tabs_of_a_browser_both_come_back(browser, gateway):
    name = gateway.state.way.cookie.name
    first = await browser.get("/login?next=/docs", headers=NAVIGATION)
    assert (await logged_in(browser)).headers["location"] == "/"
    before = browser.cookies[name]
    known = await browser.get(first.headers["location"], headers=NAVIGATION)
    late = await browser.get(known.headers["location"], headers=NAVIGATION)

    assert (late.status_code, late.headers["location"]) == (303, "/docs")
    assert browser.cookies[name] != before
    async with browser_of(gateway) as another:  # the first tab's session has ended
        headers = {"Cookie": f"{name}={before}"}
        assert (await another.get("/api/session", headers=headers)).status_code == 401


async def test_a_login_that_is_ten_minutes_old_is_refused(browser, monkeypatch):
    target = await to_the_provider(browser)
    monotonic_ahead(monkeypatch, 601)

    assert (await browser.get(target, headers=NAVIGATION)).status_code == 400


async def test_the_id_that_a_browser_had_before_a_login_is_never_taken_over(browser, gateway):
    name, planted = gateway.state.way.cookie.name, "A" * 43
    browser.cookies.set(name, planted, domain="127.0.0.1", path="/")
    await logged_in(browser)

    async with browser_of(gateway) as another:
        answer = await another.get("/api/session", headers={"Cookie": f"{name}={planted}"})
        assert answer.status_code == 401


async def test_logging_out_ends_the_session_here_and_at_the_provider(browser, gateway, provider):
    await logged_in(browser)
    name = gateway.state.way.cookie.name
    kept = browser.cookies[name]
    answer = await browser.post("/logout", headers=FORM)

    assert answer.status_code == 200
    onward = unescape(re.search(r'content="0; url=([^"]+)"', answer.text)[1])
    query = dict(parse_qsl(urlsplit(onward).query))
    assert onward.startswith(f"{provider.issuer}/session/end?")
    assert query["post_logout_redirect_uri"] == f"{provider.gateway_url}/login/out"
    assert name not in browser.cookies
    assert (
        await browser.get("/api/session", headers={"Cookie": f"{name}={kept}"})
    ).status_code == 401

    confirm = await browser.get(onward, headers=NAVIGATION)
    action, xsrf = re.search(r'action="([^"]+)".*?value="([^"]+)"', confirm.text).groups()
    form = {"xsrf": xsrf, "logout": "yes"}
    last = await followed(browser, await browser.post(action, data=form, headers=NAVIGATION))
    assert str(last.url).startswith(f"{provider.gateway_url}/login/out")
    assert "You are logged out." in last.text
    again = await followed(browser, await browser.get("/login", headers=NAVIGATION))
    assert 'name="login"' in again.text  # the provider asks again who it is


async def test_who_does_not_agree_at_the_provider_reads_a_sentence(browser):
    asked = await followed(browser, await browser.get("/login", headers=NAVIGATION))
    abort = unescape(re.search(r'href="([^"]+/abort)"', asked.text)[1])
    answer = await followed(browser, await browser.get(abort, headers=NAVIGATION))

    assert answer.status_code == 403
    assert "you did not go on there" in answer.text


async def test_a_text_in_the_way_back_is_not_shown(browser):
    location = (await browser.get("/login", headers=NAVIGATION)).headers["location"]
    state = parse_qs(urlsplit(location).query)["state"][0]
    script = "<script>alert(1)</script>"
    query = urlencode({"state": state, "error": script, "error_description": script})
    answer = await browser.get(f"/login/callback?{query}", headers=NAVIGATION)

    assert answer.status_code == 403
    assert "alert" not in answer.text


async def test_an_answer_of_another_issuer_is_refused(browser):
    target = await to_the_provider(browser)
    query = dict(parse_qsl(urlsplit(target).query)) | {"iss": "https://another.example"}
    answer = await browser.get(f"/login/callback?{urlencode(query)}", headers=NAVIGATION)

    assert answer.status_code == 502
    assert "came from another login service" in answer.text


async def test_a_code_of_another_login_is_refused(browser, gateway):
    stolen = dict(parse_qsl(urlsplit(await to_the_provider(browser)).query))["code"]
    async with browser_of(gateway) as another:
        target = await to_the_provider(another, login="eve")
        query = dict(parse_qsl(urlsplit(target).query)) | {"code": stolen}
        answer = await another.get(f"/login/callback?{urlencode(query)}", headers=NAVIGATION)
        assert answer.status_code == 502
        assert (await another.get("/api/session")).status_code == 401
