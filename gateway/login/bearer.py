"""Programs that call the API with an access token of the provider: RFC 6750, RFC 9068."""

from collections.abc import Mapping
from typing import Any

from gateway.login.asking import ProviderError
from gateway.login.keys import Keys
from gateway.login.principal import Principal
from gateway.login.tokens import Token, TokenError, is_among, verified
from gateway.problems import ProblemError
from gateway.settings import Oidc

ACCESS_TYPES = ("at+jwt", "application/at+jwt")
"""Of the header: RFC 9068 section 2.1."""

KEYCLOAK_ACCESS = "bearer"
"""Keycloak states the kind in a claim `typ`: Bearer, ID, Refresh, Offline, Logout."""


async def principal_of_bearer(text: str, keys: Keys, *, oidc: Oidc) -> Principal:
    """Return whom an access token is about.

    Raises ProblemError: 401 `invalid_token`, or 503 `provider_unreachable` while the provider has
    never been reached. No text of the token is in either.
    """
    try:
        token = await verified(text, keys, issuer=oidc.issuer)
        _check_is_access_token(token)
        _check_audience(token.claims, oidc.audiences)
    except TokenError as error:
        raise invalid_token(f"the access token is refused: {error}") from error
    except ProviderError as error:
        raise ProblemError(
            503, "provider_unreachable", str(error), headers={"Retry-After": "5"}
        ) from error
    return Principal(token.claims["sub"], "bearer")


def invalid_token(sentence: str) -> ProblemError:
    """Return the answer to a Bearer token that is refused."""
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return ProblemError(401, "invalid_token", sentence, headers=challenge)


def _check_is_access_token(token: Token) -> None:
    """Refuse what the same issuer signs for other ends: ID, refresh and logout tokens."""
    stated, claimed = token.header.get("typ"), token.claims.get("typ")
    has_header = isinstance(stated, str) and stated.lower() in ACCESS_TYPES
    has_claim = isinstance(claimed, str) and claimed.lower() == KEYCLOAK_ACCESS
    if not has_claim and (claimed is not None or not has_header):
        raise TokenError("its typ is not that of an access token")
    if "cnf" in token.claims:
        raise TokenError("it is bound to a key (cnf), whose proof the gateway does not take")


def _check_audience(claims: Mapping[str, Any], allowed: frozenset[str]) -> None:
    """Take a token for us, or one that was given to a program of ours.

    Keycloak names in `aud` only clients whose roles the user has, and the program in `azp`.
    """
    if not (is_among(claims.get("aud"), allowed) or is_among(claims.get("azp"), allowed)):
        raise TokenError("it is for another service (aud, azp)")
