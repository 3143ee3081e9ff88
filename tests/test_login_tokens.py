"""Tokens without a provider: signatures, claims, kinds, and that no text of them is repeated."""

import asyncio
import base64
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey
from login_world import Issuer, unused_oidc_settings

from gateway.login.bearer import principal_of_bearer
from gateway.login.keys import Keys
from gateway.login.tokens import TokenError, verified
from gateway.problems import ProblemError
from gateway.settings import Oidc

ISSUER = Issuer()

TIMES = ("exp", "iat", "nbf")


def claims(**other):
    """Return right claims but for the stated ones; times as seconds from now."""
    now = int(time.time())
    right = {"iss": ISSUER.url, "sub": "ada", "azp": "gateway", "iat": now, "exp": now + 60}
    stated = {key: now + each if key in TIMES else each for key, each in other.items()}
    return {key: value for key, value in (right | stated).items() if value is not None}


def oidc(**other: str) -> Oidc:
    settings = unused_oidc_settings(**other).oidc
    assert settings is not None
    return settings


def principal(token: str, **other: str):
    return asyncio.run(principal_of_bearer(token, Keys(ISSUER.key_set), oidc=oidc(**other)))


def test_an_access_token_tells_whom_it_is_about():
    assert principal(ISSUER.token(claims())).subject == "ada"
    assert principal(ISSUER.token(claims(typ="Bearer"), typ="JWT")).way == "bearer"


def test_a_token_signed_with_es256_is_taken():
    key = ECKey.generate_key("P-256", {"kid": "curve"})

    async def key_set():
        return {"keys": [key.as_dict(private=False)]}

    token = jwt.encode({"alg": "ES256", "kid": "curve", "typ": "at+jwt"}, claims(), key)
    found = asyncio.run(principal_of_bearer(token, Keys(key_set), oidc=oidc()))
    assert found.subject == "ada"


def test_a_program_of_the_allow_list_is_taken_and_another_is_not():
    token = ISSUER.token(claims(azp="cohort-script"))

    assert principal(token, GATEWAY_AUDIENCES="other cohort-script").subject == "ada"
    with pytest.raises(ProblemError, match="it is for another service"):
        principal(token)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        pytest.param({"exp": -70}, "it has expired", id="expired"),
        pytest.param({"nbf": 200}, "its nbf is not right", id="not yet"),
        pytest.param({"iss": "https://hush.example"}, "its iss is not right", id="issuer"),
        pytest.param({"sub": None}, "its sub is not right", id="subject"),
        pytest.param({"sub": "x" * 256}, "its sub is not right", id="long subject"),
        pytest.param({"typ": "hush"}, "its typ is not that of an access token", id="kind"),
        pytest.param({"azp": "hush"}, "it is for another service", id="party"),
        pytest.param({"azp": ["hush", 7]}, "it is for another service", id="parties"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_quotes_nothing(other, sentence):
    with pytest.raises(ProblemError, match=sentence) as caught:
        principal(ISSUER.token(claims(**other)))

    assert caught.value.status == 401
    assert caught.value.headers == {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS256", "RS384", "PS256", "", None, ["RS256"]]
)
def test_an_algorithm_that_is_not_accepted_is_named_as_the_reason(algorithm):
    header = json.dumps({"alg": algorithm, "kid": ISSUER.key.kid}).encode()
    _, body, signature = ISSUER.token(claims()).split(".")
    head = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
    with pytest.raises(ProblemError, match="signed by an algorithm that is not accepted"):
        principal(f"{head}.{body}.{signature}")


@settings(deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda each: each.decode("latin-1")))
def test_no_text_is_more_than_refused(text):
    with pytest.raises(TokenError):
        asyncio.run(verified(text, Keys(ISSUER.key_set), issuer=ISSUER.url))


@settings(deadline=None)
@given(st.integers(0, 2000), st.characters(codec="ascii"))
def test_a_token_with_one_character_changed_is_refused(place, character):
    token = ISSUER.token(claims())
    place %= token.rindex(".") + 300  # the last of a signature holds bits that mean nothing
    if token[place] == character:
        return
    with pytest.raises(TokenError):
        asyncio.run(
            verified(
                token[:place] + character + token[place + 1 :],
                Keys(ISSUER.key_set),
                issuer=ISSUER.url,
            )
        )
