"""The protocol with an issuer of the test: what it may answer, and what is refused."""

import asyncio
import base64
import json
import time
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import httpx
import pytest
from login_world import Issuer, unused_oidc_settings

from gateway.login.asking import ProviderError, RefusedError, UnreachableError, UntrustedError
from gateway.login.oidc import OpenIdClient, Secrets, Tokens
from gateway.settings import Oidc

ISSUER = Issuer("https://login.example.org/realm")

BACK = "https://features.example.org/login/callback"

OWN = Secrets("verifier-of-this-login", "nonce-of-this-login")


def settings(**other: str) -> Oidc:
    oidc = unused_oidc_settings(GATEWAY_ISSUER=ISSUER.url, **other).oidc
    assert oidc is not None
    return oidc


TIMES = ("exp", "iat", "nbf")


def claims(**other):
    """Return right claims but for the stated ones; times as seconds from now."""
    now = int(time.time())
    right = {
        "iss": ISSUER.url,
        "sub": "ada",
        "aud": "gateway",
        "nonce": OWN.nonce,
        "iat": now,
        "exp": now + 60,
        "name": "Ada L",
    }
    stated = {key: now + each if key in TIMES and each else each for key, each in other.items()}
    return {key: value for key, value in (right | stated).items() if value is not None}


def answer(token: str | None = None, **other):
    right = {"access_token": "a", "refresh_token": "r", "expires_in": 3600, "token_type": "Bearer"}
    stated = right | {"id_token": ISSUER.token(claims()) if token is None else token} | other
    return {key: value for key, value in stated.items() if value is not None}


class Server:
    """The issuer's server: answers the token endpoint with what the test wants."""

    def __init__(self, token_answer, *, status: int = 200, **document: object) -> None:
        self.token_answer, self.status, self.document = token_answer, status, document
        self.asked: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.endswith("/certs"):
            return httpx.Response(200, json=await ISSUER.key_set())
        if request.url.path.endswith("/token"):
            text = json.dumps(self.token_answer)  # httpx writes no NaN
            return httpx.Response(self.status, text=text)
        names = ("authorization_endpoint", "token_endpoint", "end_session_endpoint")
        paths = dict(zip(names, ("auth", "token", "logout"), strict=True))
        stated = {name: f"{ISSUER.url}/{path}" for name, path in paths.items()}
        stated |= {"issuer": ISSUER.url, "jwks_uri": f"{ISSUER.url}/certs"}
        return httpx.Response(200, json=stated | self.document)


def with_client(server: Server, call, **other: str):
    async def run():
        async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as http:
            return await call(OpenIdClient(settings(**other), http, BACK))

    return asyncio.run(run())


def exchange(server: Server, *, stated_issuer: str | None = None, **other: str):
    return with_client(
        server, lambda c: c.exchange("code", OWN, stated_issuer=stated_issuer), **other
    )


def test_the_authorization_url_has_what_the_standard_asks_for():
    # RFC 7636 appendix B gives the challenge of this verifier.
    own = Secrets("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "n")
    url = with_client(Server({}), lambda c: c.authorization_url("s", own))

    assert url.startswith(f"{ISSUER.url}/auth?")
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "response_type": "code",
        "client_id": "gateway",
        "redirect_uri": BACK,
        "scope": "openid email profile",
        "state": "s",
        "nonce": "n",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }


def test_a_code_becomes_an_identity_and_tokens():
    server = Server(answer())
    identity, tokens = exchange(server)

    assert (identity.subject, identity.name) == ("ada", "Ada L")
    assert (tokens.access, tokens.refresh) == ("a", "r")
    asked = next(each for each in server.asked if each.url.path.endswith("/token"))
    assert dict(parse_qsl(asked.content.decode())) == {
        "grant_type": "authorization_code",
        "code": "code",
        "redirect_uri": BACK,
        "code_verifier": OWN.verifier,
    }


def test_the_clients_secret_goes_as_the_provider_takes_it():
    secret = "a b:%+ü"  # noqa: S105
    basic, form = (
        Server(answer()),
        Server(answer(), token_endpoint_auth_methods_supported=["client_secret_post"]),
    )
    for server in (basic, form):
        exchange(server, GATEWAY_CLIENT_SECRET=secret)

    header = basic.asked[1].headers["authorization"].removeprefix("Basic ")
    name, _, text = base64.b64decode(header).decode().partition(":")
    assert (unquote_plus(name), unquote_plus(text)) == ("gateway", secret)  # RFC 6749 2.3.1
    assert "authorization" not in form.asked[1].headers
    assert dict(parse_qsl(form.asked[1].content.decode()))["client_secret"] == secret


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        pytest.param({"nonce": "another"}, "for another login", id="nonce"),
        pytest.param({"nonce": None}, "for another login", id="no nonce"),
        pytest.param({"nonce": [OWN.nonce]}, "for another login", id="nonce in a list"),
        pytest.param({"aud": "another"}, "for another", id="audience"),
        pytest.param({"aud": ["gateway", "another"]}, "for another", id="audiences, no party"),
        pytest.param({"azp": "another"}, "for another", id="party"),
        pytest.param({"azp": ["gateway"]}, "for another", id="party in a list"),
        pytest.param({"aud": None}, "its aud is not right", id="no audience"),
        pytest.param({"aud": {"gateway": 1}}, "its aud is not right", id="audience of a kind"),
        pytest.param({"iss": "https://another.example"}, "its iss is not right", id="issuer"),
        pytest.param({"exp": -61}, "it has expired", id="expired"),
        pytest.param({"iat": 90}, "its iat is not right", id="future"),
        pytest.param({"iat": None}, "its iat is not right", id="no iat"),
        pytest.param({"nbf": 90}, "its nbf is not right", id="not yet"),
        pytest.param({"sub": 7}, "its sub is not right", id="subject"),
    ],
)
def test_an_identity_token_that_is_wrong_is_refused(other, sentence):
    with pytest.raises(UntrustedError, match=sentence):
        exchange(Server(answer(ISSUER.token(claims(**other)))))


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="none"),
        pytest.param(7, id="no text"),
        pytest.param(Issuer(ISSUER.url).token(claims()), id="of another key"),
        pytest.param("eyJhbGciOiJub25lIn0.e30.", id="unsigned"),
    ],
)
def test_an_identity_token_without_the_issuers_signature_is_refused(token):
    with pytest.raises(UntrustedError):
        exchange(Server(answer(token)))


def test_an_identity_token_for_several_is_taken_if_we_are_its_party():
    token = ISSUER.token(claims(aud=["gateway", "account"], azp="gateway"))

    assert exchange(Server(answer(token)))[0].subject == "ada"


@pytest.mark.parametrize(
    ("document", "stated"),
    [
        pytest.param({}, "https://another.example", id="another's"),
        pytest.param({"authorization_response_iss_parameter_supported": True}, None, id="none"),
        pytest.param({}, "", id="empty"),
    ],
)
def test_who_answers_is_checked(document, stated):
    server = Server(answer(), **document)
    if stated == "":
        assert exchange(server, stated_issuer=stated)
        return
    with pytest.raises(UntrustedError, match="another login service"):
        exchange(server, stated_issuer=stated)
    assert not [each for each in server.asked if each.method == "POST"]  # the code stays here


@pytest.mark.parametrize(
    ("status", "stated", "error"),
    [
        (400, {"error": "invalid_grant"}, RefusedError),
        (401, {"error": "invalid_client"}, RefusedError),
        (400, {"error": "<script>"}, RefusedError),
        (400, {"error": "temporarily_unavailable"}, UnreachableError),
        (429, {"error": "invalid_grant"}, UnreachableError),
        (500, {"error": "invalid_grant"}, UnreachableError),
        (403, {}, UnreachableError),
        (400, [], UnreachableError),
        (200, [], UnreachableError),
        (307, {}, UnreachableError),
    ],
)
def test_a_no_is_told_from_an_outage(status, stated, error):
    tokens = Tokens("a", "r", "i", 0.0)
    with pytest.raises(ProviderError) as caught:
        with_client(Server(stated, status=status), lambda c: c.refreshed(tokens, subject="ada"))
    assert type(caught.value) is error
    assert "script" not in str(caught.value) + getattr(caught.value, "code", "")


def refreshed(stated) -> Tokens:
    old = Tokens("old", "old refresh", "old id", 0.0)
    return with_client(Server(stated), lambda c: c.refreshed(old, subject="ada"))


def test_a_refresh_keeps_what_it_does_not_bring():
    tokens = refreshed({"access_token": "new"})

    assert (tokens.access, tokens.refresh, tokens.id_token) == ("new", "old refresh", "old id")


def test_a_refresh_takes_what_it_brings():
    token = ISSUER.token(claims(nonce=None))
    tokens = refreshed(answer(token))

    assert (tokens.refresh, tokens.id_token) == ("r", token)


def test_a_refresh_for_somebody_else_is_refused():
    with pytest.raises(UntrustedError, match="somebody else"):
        refreshed(answer(ISSUER.token(claims(sub="eve"))))


def test_without_a_refresh_token_there_is_nothing_to_refresh():
    server = Server(answer())
    with pytest.raises(RefusedError):
        with_client(server, lambda c: c.refreshed(Tokens("a", "", "i", 0.0), subject="ada"))
    assert not server.asked


@pytest.mark.parametrize("life", [None, "x", 0, -5, True, float("nan"), []])
def test_a_life_that_is_none_is_taken_as_five_minutes(life):
    stated = {"access_token": "a"} if life is None else {"access_token": "a", "expires_in": life}
    tokens = with_client(
        Server(stated), lambda c: c.refreshed(Tokens("", "r", "", 0.0), subject="ada")
    )

    assert 235 < tokens.renew_at - time.monotonic() <= 240


def test_the_provider_is_asked_once_for_what_it_states():
    server = Server(answer())

    async def twice(client):
        return await asyncio.gather(*(client.authorization_url("s", OWN) for _ in range(20)))

    with_client(server, twice)
    assert len(server.asked) == 1


def test_the_way_out_has_the_hint_and_the_way_back():
    url = with_client(Server({}), lambda c: c.end_session_url("hint", back_to="https://x/out"))

    assert dict(parse_qsl(urlsplit(url).query)) == {
        "id_token_hint": "hint",
        "post_logout_redirect_uri": "https://x/out",
        "client_id": "gateway",
    }
