"""Signed tokens: the algorithm and key that they name, their signature, and their claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from gateway.login.keys import PAUSE_S, Keys, UnknownKeyError

ALGORITHMS = ("RS256", "ES256")
"""Nothing symmetric: a public key must not be a secret; and never "none"."""

LEEWAY_S = 60
"""By so much may the provider's clock differ from ours, as Kheops has it."""

TOKEN_BYTES = 16384

SUBJECT_CHARACTERS = 255
"""OpenID Connect Core 1.0 section 2: "sub" is at most 255 ASCII characters."""


class TokenError(Exception):
    """A token is not valid; the message says in what and quotes nothing of it."""


@dataclass(frozen=True)
class Token:
    """A token whose signature, issuer, subject and times were found right."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


async def verified(
    text: str, keys: Keys, *, issuer: str, pause_s: float = PAUSE_S, **options: ClaimsOption
) -> Token:
    """Return a token once its signature and claims are right: iss, sub, exp, and those stated.

    pause_s: as Keys.key has it. Raises TokenError, or UnreachableError without any keys.
    """
    if len(text) > TOKEN_BYTES or not text.isascii():
        raise TokenError("it is not a token")
    unverified_header = _unverified_header(text)
    algorithm, kid = unverified_header.get("alg"), unverified_header.get("kid")
    if algorithm not in ALGORITHMS:
        raise TokenError("it is signed by an algorithm that is not accepted")
    if kid is not None and not isinstance(kid, str):
        raise TokenError("its key id is not a text")
    try:
        key = await keys.key(kid, algorithm=algorithm, pause_s=pause_s)
        token = jwt.decode(text, key, algorithms=[algorithm])
    except UnknownKeyError as error:
        raise TokenError("its key is not one of the issuer's") from error
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise TokenError("its signature is not right") from error
    _check_claims(token.claims, issuer=issuer, options=options)
    return Token(token.header, token.claims)


def is_among(values: object, allowed: frozenset[str]) -> bool:
    """Return whether a claim, a text or a list of texts, holds one that is allowed."""
    listed = values if isinstance(values, list) else [values]
    return any(isinstance(value, str) and value in allowed for value in listed)


def _unverified_header(text: str) -> Mapping[str, Any]:
    try:
        header: object = jws.extract_compact(text.encode("ascii")).headers()
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise TokenError("it is not a signed token") from error
    if not isinstance(header, dict):
        raise TokenError("it is not a signed token")
    return header


def _check_claims(
    claims: dict[str, Any], *, issuer: str, options: Mapping[str, ClaimsOption]
) -> None:
    registry = JWTClaimsRegistry(leeway=LEEWAY_S)
    registry.options = {
        "iss": {"essential": True, "value": issuer},
        "sub": {"essential": True},
        "exp": {"essential": True},
        **options,
    }
    try:
        registry.validate(claims)
    except ExpiredTokenError as error:
        raise TokenError("it has expired") from error
    except ClaimError as error:
        raise TokenError(f"its {error.claim.split(',')[0]} is not right") from error
    subject = claims["sub"]
    if len(subject) > SUBJECT_CHARACTERS or not (subject.isascii() and subject.isprintable()):
        raise TokenError("its sub is not right")
