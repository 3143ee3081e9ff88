"""The provider's public keys: fetched once for all, and again when it signs with a new one."""

import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from gateway.login.asking import UnreachableError
from gateway.login.once import Remembered

PAUSE_S = 30.0
"""Between two fetches: anybody can send tokens with a key id that nobody knows."""

FRESH_S = 600.0
"""A key that the provider has withdrawn is believed for so long at most while it can be asked."""

Key = RSAKey | ECKey


class UnknownKeyError(Exception):
    """The provider has no such key."""


class Keys:
    """The keys of one provider by key id.

    fetch: returns its key set (RFC 7517 section 5); raises UnreachableError.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Mapping[str, Any]]]) -> None:
        async def keys() -> Sequence[Key]:
            usable = usable_keys(await fetch())
            if not usable:  # a proxy's answer, say: the keys before hold
                raise UnreachableError
            return usable

        self._remembered = Remembered(keys, fresh_s=FRESH_S, pause_s=PAUSE_S)

    async def key(self, kid: str | None, *, algorithm: str, pause_s: float = PAUSE_S) -> Key:
        """Return the key that a token names.

        pause_s: since the last fetch, for another one to be made if the key is not known.
        Raises UnknownKeyError; UnreachableError only if no keys were ever fetched.
        """
        found = _named(await self._remembered.value(), kid=kid, algorithm=algorithm)
        if found is None:
            keys = await self._remembered.renewed(pause_s)
            found = _named(keys, kid=kid, algorithm=algorithm)
        if found is None:
            raise UnknownKeyError
        return found


def usable_keys(key_set: Mapping[str, Any]) -> Sequence[Key]:
    """Return the keys of a set that may sign with RS256 or ES256; the others are passed over."""
    stated = key_set.get("keys")
    found = [_usable(each) for each in stated] if isinstance(stated, list) else []
    return [key for key in found if key is not None]


KEY_TYPES: Mapping[str, tuple[str, type[Key]]] = {"RSA": ("RS256", RSAKey), "EC": ("ES256", ECKey)}


def _usable(stated: object) -> Key | None:
    if not isinstance(stated, dict) or str(stated.get("kty")) not in KEY_TYPES:
        return None
    algorithm, key_type = KEY_TYPES[str(stated["kty"])]
    if stated.get("use", "sig") != "sig" or stated.get("alg", algorithm) != algorithm:
        return None
    if key_type is ECKey and stated.get("crv") != "P-256":  # RFC 7518 section 3.4
        return None
    try:
        with warnings.catch_warnings():  # joserfc warns of RSA keys below 2048 bits
            warnings.simplefilter("error", SecurityWarning)
            return key_type.import_key(stated)
    except (JoseError, SecurityWarning, ValueError, TypeError, KeyError):
        return None


def _named(keys: Sequence[Key], *, kid: str | None, algorithm: str) -> Key | None:
    """Return the key of that id; without an id, the only one of its kind."""
    kinds = [key for key in keys if KEY_TYPES[key.key_type][0] == algorithm]
    if kid is None:
        return kinds[0] if len(kinds) == 1 else None
    return next((key for key in kinds if key.kid == kid), None)
