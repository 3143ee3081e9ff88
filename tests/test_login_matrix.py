"""Every route of the gateway against every credential that is not one: nothing gets through."""

import base64
import hmac
import json
import time
from collections.abc import Iterator

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from login_world import FORM, access_token, browser_of, logged_in, oidc_settings, running
from starlette.routing import BaseRoute, Mount, Route

pytestmark = pytest.mark.anyio

OPEN = {"/livez", "/readyz", "/login", "/login/callback", "/login/out", "/static"}

REFUSED = (401, 403)


def addresses(routes: list[BaseRoute], *, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield method and path of every route, its parameters filled in."""
    for route in routes:
        if isinstance(route, Mount):
            inner = list(addresses(route.routes or [], before=before + route.path))
            yield from inner or [
                ("GET", f"{before}{route.path}/x"),
                ("POST", f"{before}{route.path}/x"),
            ]
        elif isinstance(route, Route):
            path = before + "".join(
                "x" if part.startswith("{") else part for part in split_parameters(route.path)
            )
            yield from ((method, path) for method in sorted(route.methods or {"GET", "POST"}))


def split_parameters(path: str) -> list[str]:
    return path.replace("{", "\0{").replace("}", "}\0").split("\0")


def is_open(path: str) -> bool:
    return path in OPEN or path.startswith("/static/")


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def unsigned(claims: dict, header: dict) -> str:
    return ".".join(encoded(json.dumps(each).encode()) for each in (header, claims)) + "."


def by_secret(claims: dict, header: dict, secret: bytes) -> str:
    """Return a token with HS256, by hand: joserfc takes no public key as a secret."""
    text = unsigned(claims, header).rstrip(".")
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


@pytest.fixture
async def gateway(provider):
    async with running(oidc_settings(provider)) as app:
        yield app


@pytest.fixture
async def browser(gateway):
    async with browser_of(gateway) as browser:
        await logged_in(browser)
        yield browser


def claims_of(provider, **other) -> dict:
    now = int(time.time())
    right = {
        "iss": provider.issuer,
        "sub": "ada",
        "aud": "gateway",
        "azp": "gateway",
        "typ": "Bearer",
        "iat": now,
        "exp": now + 3600,
    }
    return {key: value for key, value in (right | other).items() if value is not None}


async def forged(provider) -> dict[str, str]:
    """Return tokens that none but the right key and claims would make right, by what is wrong."""
    url = f"{provider.issuer}/jwks"
    async with httpx.AsyncClient() as http:
        public = (await http.get(url)).json()["keys"][0]
    key = RSAKey.import_key(public)
    header = {"alg": "RS256", "kid": public["kid"], "typ": "at+jwt"}
    mine = RSAKey.generate_key(2048, {"kid": public["kid"]})
    right = claims_of(provider)
    symmetric = {"alg": "HS256", "kid": public["kid"]}
    good = provider.signed(right, typ="at+jwt")
    head, body, signature = good.split(".")
    other = encoded(json.dumps(claims_of(provider, sub="eve")).encode())
    return {
        "alg none": unsigned(right, {"alg": "none", "kid": public["kid"]}),
        "alg None": unsigned(right, {"alg": "None"}),
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "another body": f"{head}.{other}.{signature}",
        "HS256 with the public key": by_secret(right, symmetric, key.as_pem(private=False)),
        "HS256 with the key's JSON": by_secret(right, symmetric, json.dumps(public).encode()),
        "HS256 with nothing": by_secret(right, symmetric, b""),
        "another key of the same id": jwt.encode(header, right, mine),
        "another key in the header": jwt.encode(
            header | {"jwk": mine.as_dict(private=False)}, right, mine
        ),
        "another key without an id": jwt.encode({"alg": "RS256", "typ": "at+jwt"}, right, mine),
        "garbage": "a.b.c",
        "nothing": "x",
        "not ASCII": "\u00e9.\u00e9.\u00e9".encode().decode("latin-1"),
        "long": "e" * 30000,
    }


def wrong_claims(provider) -> dict[str, str]:
    """Return tokens with the provider's own signature that are wrong in one claim."""
    now = int(time.time())
    wrong = {
        "expired": {"exp": now - 61},
        "not yet valid": {"nbf": now + 120},
        "of the future": {"iat": now + 120},
        "without an end": {"exp": None},
        "end as a text": {"exp": "9999999999"},
        "wrong issuer": {"iss": "https://another.example"},
        "issuer with a slash": {"iss": provider.issuer + "/"},
        "no issuer": {"iss": None},
        "wrong audience": {"aud": "another", "azp": "another"},
        "audience that begins alike": {"aud": "gateway2", "azp": None},
        "no audience": {"aud": None, "azp": None},
        "no subject": {"sub": None},
        "subject of lines": {"sub": "ada\nroot"},
        "ID token": {"typ": "ID"},
        "refresh token": {"typ": "Refresh"},
        "logout token": {"typ": "Logout"},
        "bound to a key": {"cnf": {"jkt": "x"}},
    }
    tokens = {
        what: provider.signed(claims_of(provider, **other), typ="JWT")
        for what, other in wrong.items()
    }
    tokens["no kind"] = provider.signed(claims_of(provider, typ=None), typ="JWT")
    tokens["ID token as at+jwt"] = provider.signed(claims_of(provider, typ="ID"), typ="at+jwt")
    return tokens


async def test_the_open_routes_are_those_that_are_meant(gateway):
    for method, path in addresses(gateway.routes):
        async with browser_of(gateway) as stranger:
            answer = await stranger.request(method, path)
        assert is_open(path) or answer.status_code in REFUSED, (method, path)


async def test_no_route_takes_a_token_that_is_wrong(gateway, provider, browser):
    session = await gateway.state.sessions.current(browser.cookies[gateway.state.way.cookie.name])
    tokens = {
        **await forged(provider),
        **wrong_claims(provider),
        "the ID token of a login": session.tokens.id_token,
        "the refresh token of a login": session.tokens.refresh,
    }
    for method, path in addresses(gateway.routes):
        for what, token in tokens.items() if not is_open(path) else ():
            # The good cookie of the browser does not help: the token decides.
            bearer = {"Authorization": f"Bearer {token}".encode("latin-1"), **FORM}
            answer = await browser.request(method, path, headers=bearer)
            assert answer.status_code == 401, (method, path, what)
            assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
            assert token[:20] not in answer.text or len(token) < 4, what
            if method != "HEAD":
                assert answer.json()["code"] == "invalid_token", (method, path, what)


@pytest.mark.parametrize(
    "authorization",
    ["Basic Z2F0ZXdheTpzZWNyZXQ=", "Bearer", "Bearer ", "", "DPoP x", "Negotiate x"],
)
async def test_no_route_takes_another_scheme(gateway, browser, authorization):
    for method, path in addresses(gateway.routes):
        if not is_open(path):
            answer = await browser.request(
                method, path, headers={"Authorization": authorization, **FORM}
            )
            assert answer.status_code == 401, (method, path)


async def test_two_tokens_are_none(gateway, browser):
    token = await access_token(browser, gateway)
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]

    assert (await browser.get("/api/session", headers=twice)).status_code == 401


async def test_no_route_takes_a_session_that_is_guessed_or_has_ended(gateway, browser):
    name = gateway.state.way.cookie.name
    kept = browser.cookies[name]
    await browser.post("/logout", headers=FORM)
    async with browser_of(gateway) as stranger:
        for method, path in addresses(gateway.routes):
            for text in (kept, "A" * 43, kept[:-1], "", "x" * 20000, '"', "\u00e9", "a=b"):
                cookie = {"Cookie": f"{name}={text}".encode(), "Sec-Fetch-Site": "same-origin"}
                answer = await stranger.request(method, path, headers=cookie)
                assert is_open(path) or answer.status_code == 401, (method, path, text[:9])


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="neither header"),
        pytest.param({"Origin": "https://evil.example"}, id="foreign origin"),
        pytest.param({"Origin": "null"}, id="null origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, id="cross-site"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, id="another port"),
        pytest.param({"Sec-Fetch-Site": "none"}, id="none"),
        pytest.param({"Sec-Fetch-Site": ""}, id="empty"),
        pytest.param({"Sec-Fetch-Site": "cross-site", "Origin": "SELF"}, id="both, cross-site"),
    ],
)
async def test_no_route_that_changes_something_takes_a_cookie_from_elsewhere(
    gateway, browser, headers
):
    own = {"SELF": gateway.state.settings.public_url}
    headers = {key: own.get(text, text) for key, text in headers.items()}
    for method, path in addresses(gateway.routes):
        if not is_open(path) and method not in ("GET", "HEAD", "OPTIONS"):
            answer = await browser.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert (await browser.get("/api/session")).status_code == 200  # nobody logged them out


async def test_no_data_are_given_to_a_page_of_another_site(browser):
    for site in ("cross-site", "same-site"):
        for mode in ("no-cors", "cors", "same-origin", "websocket"):
            foreign = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
            answer = await browser.get("/api/session", headers=foreign)
            assert answer.status_code == 403


async def test_no_route_answers_to_a_foreign_host(gateway, browser):
    token = await access_token(browser, gateway)
    port = gateway.state.settings.port
    for method, path in addresses(gateway.routes):
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"localhost:{port}", ""):
            headers = {"Host": host, "Authorization": f"Bearer {token}"}
            answer = await browser.request(method, path, headers=headers)
            assert answer.status_code == 421 or path in ("/livez", "/readyz"), (path, host)


async def test_what_is_right_gets_through(gateway, provider, browser):
    token = await access_token(browser, gateway)
    of_another_program = provider.signed(
        claims_of(provider, aud=["account", "gateway"], azp="another"), typ="JWT"
    )
    late = provider.signed(claims_of(provider, exp=int(time.time()) - 50), typ="JWT")
    async with browser_of(gateway) as program:
        for each in (token, of_another_program, late):
            answer = await program.get(
                "/api/session",
                headers={"Authorization": f"Bearer {each}", "Sec-Fetch-Site": "cross-site"},
            )
            assert answer.json() == {"mode": "oidc", "way": "bearer", "name": ""}
    assert (await browser.get("/api/session")).status_code == 200
