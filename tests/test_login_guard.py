"""What the guard and the headers do with every request, whoever sends it."""

import secrets

import pytest
from login_world import (
    LOCAL_TOKEN,
    NAVIGATION,
    browser_of,
    local_settings,
    running,
    unused_oidc_settings,
)
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gateway.app import application
from gateway.login.principal import principal_of

pytestmark = pytest.mark.anyio

WATCHER = secrets.token_urlsafe()

HTTPS = {"GATEWAY_PUBLIC_URL": "https://features.example.org"}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def gateway():
    async with running(unused_oidc_settings(**HTTPS)) as app:
        yield app


@pytest.fixture
async def browser(gateway):
    async with browser_of(gateway) as browser:
        yield browser


async def test_a_person_is_led_to_the_login_and_a_program_never(browser):
    person = await browser.get("/?study=7&x=%2F", headers=NAVIGATION)
    old_browser = await browser.get("/", headers={"Accept": "text/html"})
    program = await browser.get("/", headers={"Accept": "*/*"})
    script = await browser.get("/", headers={"Accept": "text/html", "Sec-Fetch-Mode": "cors"})

    assert (person.status_code, person.headers["location"]) == (
        303,
        "/login?next=%2F%3Fstudy%3D7%26x%3D%252F",
    )
    assert old_browser.status_code == 303
    for answer in (program, script):
        assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/session", "/api/nothing", "/v2/models/x/infer", "/metrics"])
async def test_an_address_of_the_api_never_redirects(browser, path):
    assert (await browser.get(path, headers=NAVIGATION)).status_code == 401


async def test_the_token_of_who_watches_opens_the_metrics_alone_by_any_host_name():
    settings = unused_oidc_settings(**HTTPS, GATEWAY_METRICS_TOKEN=WATCHER)
    async with running(settings) as app, browser_of(app) as browser:
        for token, path, status in (
            (WATCHER, "/metrics", 200),
            (WATCHER, "/api/session", 421),
            ("", "/metrics", 421),
            ("another", "/metrics", 421),
        ):
            headers = bearer(token) | {"Host": "gateway:8080"}
            answer = await browser.get(path, headers=headers)
            assert answer.status_code == status, path

        answer = await browser.get("/api/session", headers=bearer(WATCHER))
        assert answer.status_code == 401


async def test_a_login_that_fails_is_counted_with_its_code():
    settings = unused_oidc_settings(GATEWAY_METRICS_TOKEN=WATCHER)
    async with running(settings) as app, browser_of(app) as browser:
        assert (await browser.get("/login", headers=NAVIGATION)).status_code == 503

        page = (await browser.get("/metrics", headers=bearer(WATCHER))).text

    assert (
        'requests_total{code="provider_unreachable",method="GET",outcome="failure",'
        'route="/login",status="503"} 1.0'
    ) in page
    assert 'provider_questions_total{answer="unreachable"} 1.0' in page


async def test_without_a_token_for_it_nobody_watches(browser):
    answer = await browser.get("/metrics", headers=bearer("") | {"Host": "gateway:8080"})

    assert answer.status_code == 421


@pytest.mark.parametrize(
    "path",
    [
        "/loginx",
        "/login/",
        "/login/x",
        "/login/../api/session",
        "/LOGIN",
        "/static",
        "/staticx",
        "//static/x",
        "/livez/",
        "/api/session/../../livez",
        "/../static/x",
        "/api/session/static/",
    ],
)
async def test_what_looks_like_an_open_address_is_none(gateway, path):
    sent = []

    async def send(message):
        sent.append(message)

    # As a server that takes the path as it comes: a client would tidy it up.
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"features.example.org")],
        "app": gateway,
    }
    await gateway(scope, None, send)

    assert sent[0]["status"] == 401


@pytest.mark.parametrize("host", ["evil.example", "features.example.org:8080", "127.0.0.1:8080"])
async def test_only_the_public_name_is_answered_to(browser, host):
    answer = await browser.get("/login", headers={"Host": host})
    probe = await browser.get("/livez", headers={"Host": host})

    assert (answer.status_code, answer.json()["code"]) == (421, "foreign_host")
    assert probe.text == "alive\n"


@pytest.mark.parametrize("host", ["features.example.org", "Features.Example.org:443"])
async def test_the_public_name_may_have_its_port(browser, host):
    assert (await browser.get("/login/out", headers={"Host": host})).status_code == 200


async def test_every_answer_has_the_headers_failures_too():
    async def fail(_):
        raise RuntimeError("hush")

    app = application(unused_oidc_settings(**HTTPS))
    app.router.routes.insert(0, Route("/static/fail", fail))
    async with app.router.lifespan_context(app), browser_of(app) as browser:
        for path in ("/livez", "/", "/login", "/nothing", "/static/none", "/static/fail"):
            headers = (await browser.get(path)).headers
            assert headers["content-security-policy"].startswith("default-src 'none'; script-src")
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert headers["strict-transport-security"] == "max-age=31536000"
            assert headers["cache-control"] == "no-store"
        assert "hush" not in (await browser.get("/static/fail")).text


async def test_a_static_file_keeps_its_own_caching():
    async def file(_):
        return PlainTextResponse("x", headers={"Cache-Control": "no-cache", "ETag": '"1"'})

    app = application(unused_oidc_settings())
    app.router.routes.insert(0, Route("/static/x.js", file))
    async with app.router.lifespan_context(app), browser_of(app) as browser:
        headers = (await browser.get("/static/x.js")).headers

    assert headers["cache-control"] == "no-cache"
    assert "strict-transport-security" not in headers  # no TLS on loopback


async def test_under_https_cookies_are_bound_to_the_host():
    async with running(unused_oidc_settings(**HTTPS)) as app:
        cookies = {app.state.way.cookie, app.state.way.attempt_cookie}

    assert {each.name for each in cookies} == {
        "__Host-deepfeatures",
        "__Host-deepfeatures-login",
    }
    assert all(each.is_secure for each in cookies)


async def test_a_websocket_is_refused(gateway):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "path": "/api/session", "headers": [], "app": gateway}
    await gateway(scope, receive, send)

    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_a_route_knows_who_sent_a_request():
    async def who(request):
        principal = principal_of(request)
        return PlainTextResponse(f"{principal.subject} {principal.way}")

    app = application(local_settings())
    app.router.routes.insert(0, Route("/api/who", who))
    bearer = {"Authorization": f"Bearer {LOCAL_TOKEN}"}
    async with app.router.lifespan_context(app), browser_of(app) as browser:
        assert (await browser.get("/api/who", headers=bearer)).text == "local bearer"
        assert (await browser.get("/api/who")).status_code == 401


@pytest.mark.parametrize(
    ("query", "cookies"), [("", 8000), ("x=1&" * 10000, 0)], ids=["cookies", "query"]
)
async def test_a_head_that_is_slow_to_take_apart_is_not(browser, query, cookies):
    cookie = {"Cookie": "; ".join("a=b" for _ in range(cookies))}
    for path in ("/api/session", "/login/out", "/livez"):
        answer = await browser.get(f"{path}?{query}", headers=cookie)
        assert (answer.status_code, answer.json()["code"]) == (431, "headers_too_large")
