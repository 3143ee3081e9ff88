"""OpenID Connect's code flow, as a confidential client with PKCE; knows no web framework.

Authlib's own client for httpx is not used: it keeps one user's token in itself, and importing it
warns that httpx is deprecated. Its parts that know no client are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from gateway.login.asking import RefusedError, UnreachableError, UntrustedError, get_json, post_form
from gateway.login.discovery import Provider, document_url, provider_of
from gateway.login.keys import Keys
from gateway.login.once import Remembered
from gateway.login.opaque import is_same, new_text
from gateway.login.tokens import Token, TokenError, is_among, verified
from gateway.settings import Oidc

FRESH_S = 3600.0
PAUSE_S = 5.0
"""Of the discovery document; only people who log in wait for it, so it is asked for again soon."""

KEY_PAUSE_S = 1.0
"""An ID token comes from the provider itself: a new key in it is worth a fetch at once."""

NAME_CHARACTERS = 200

ASSUMED_LIFE_S = 300.0
"""Of an access token whose life the provider does not state (RFC 6749 section 5.1)."""

LONGEST_LIFE_S = 86400.0
"""A session is asked after once a day at least, whatever the provider states."""


@dataclass(frozen=True)
class Secrets:
    """What one login keeps from everybody but itself: RFC 7636's verifier, and the nonce."""

    verifier: str = field(repr=False)
    nonce: str = field(repr=False)

    @classmethod
    def new(cls) -> "Secrets":
        """Return fresh ones, 256 bits each."""
        return cls(new_text(), new_text())


@dataclass(frozen=True)
class Identity:
    """Who has logged in: the provider's `sub`, and what to call them on the page."""

    subject: str
    name: str = field(repr=False)


@dataclass(frozen=True)
class Tokens:
    """What the provider gave for a login.

    renew_at: by time.monotonic(), so that the provider's clock may be wrong.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    id_token: str = field(repr=False)
    renew_at: float


class OpenIdClient:
    """The gateway as a client of one provider.

    redirect_uri: where the provider sends browsers back to, registered there exactly so.
    """

    def __init__(self, settings: Oidc, http: httpx.AsyncClient, redirect_uri: str) -> None:
        self._settings, self._http, self._redirect_uri = settings, http, redirect_uri
        self._provider = Remembered(self._discovered, fresh_s=FRESH_S, pause_s=PAUSE_S)
        self.keys = Keys(self._key_set)

    async def authorization_url(self, state: str, own: Secrets) -> str:
        """Return where a browser logs in; raises ProviderError."""
        provider = await self._provider.value()
        url: str = prepare_grant_uri(
            provider.authorization_endpoint,
            self._settings.client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope=self._settings.scopes,
            state=state,
            nonce=own.nonce,
            code_challenge=create_s256_code_challenge(own.verifier),
            code_challenge_method="S256",
        )
        return url

    async def exchange(
        self, code: str, own: Secrets, *, stated_issuer: str | None
    ) -> tuple[Identity, Tokens]:
        """Return who logged in, and their tokens; raises ProviderError.

        stated_issuer: `iss` of the answer to the authorization request (RFC 9207), if it had one.
        """
        provider = await self._provider.value()
        if stated_issuer != self._settings.issuer and (stated_issuer or provider.names_itself):
            raise UntrustedError("the answer came from another login service; log in again")
        answer = await self._token_answer(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self._redirect_uri,
            code_verifier=own.verifier,
        )
        id_token = await self._id_token(answer)
        nonce = id_token.claims.get("nonce")
        if not isinstance(nonce, str) or not is_same(nonce, own.nonce):
            raise UntrustedError("the login service's answer is for another login; log in again")
        return _identity(id_token.claims), _tokens(answer)

    async def refreshed(self, tokens: Tokens, *, subject: str) -> Tokens:
        """Return new tokens for old ones of the same subject; raises ProviderError."""
        if not tokens.refresh:
            raise RefusedError("")
        answer = await self._token_answer(grant_type="refresh_token", refresh_token=tokens.refresh)
        kept = replace(_tokens(answer), id_token=tokens.id_token, refresh=tokens.refresh)
        if isinstance(answer.get("refresh_token"), str):
            kept = replace(kept, refresh=answer["refresh_token"])
        if "id_token" not in answer:
            return kept
        try:
            id_token = await self._id_token(answer)
        except UnreachableError:
            return kept
        if id_token.claims["sub"] != subject:  # OpenID Connect Core 1.0 section 12.2
            raise UntrustedError("the login service's answer is for somebody else; log in again")
        return replace(kept, id_token=answer["id_token"])

    async def end_session_url(self, id_token: str, *, back_to: str) -> str:
        """Return where a browser logs out at the provider, or "" if there is no such place."""
        try:
            endpoint = (await self._provider.value()).end_session_endpoint
        except UnreachableError:
            return ""
        query = urlencode(
            {
                "id_token_hint": id_token,
                "post_logout_redirect_uri": back_to,
                "client_id": self._settings.client_id,
            }
        )
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}" if endpoint else ""

    async def _token_answer(self, **form: str) -> Mapping[str, Any]:
        provider = await self._provider.value()
        client_id, secret = self._settings.client_id, str(self._settings.client_secret)
        auth = None
        if provider.takes_basic:
            # RFC 6749 section 2.3.1: both are form-encoded before they are joined by a colon.
            auth = httpx.BasicAuth(quote_plus(client_id), quote_plus(secret))
        else:
            form |= {"client_id": client_id, "client_secret": secret}
        return await post_form(self._http, provider.token_endpoint, form=form, auth=auth)

    async def _id_token(self, answer: Mapping[str, Any]) -> Token:
        """Return the ID token of an answer: OpenID Connect Core 1.0 section 3.1.3.7."""
        client_id = self._settings.client_id
        try:
            token = await verified(
                str(answer.get("id_token", "")),
                self.keys,
                issuer=self._settings.issuer,
                pause_s=KEY_PAUSE_S,
                aud={"essential": True},
                iat={"essential": True},
            )
        except TokenError as error:
            raise UntrustedError(
                f"the login service's identity token is refused: {error}; log in again"
            ) from error
        audience, party = token.claims["aud"], token.claims.get("azp")
        is_for_several = isinstance(audience, list) and len(audience) > 1
        is_ours = is_among(audience, frozenset({client_id}))
        if not is_ours or (party is None and is_for_several) or party not in (None, client_id):
            raise UntrustedError("the login service's identity token is for another; log in again")
        return token

    async def _key_set(self) -> Mapping[str, Any]:
        return await get_json(self._http, (await self._provider.value()).jwks_uri)

    async def _discovered(self) -> Provider:
        issuer = self._settings.issuer
        return provider_of(await get_json(self._http, document_url(issuer)), issuer=issuer)


def _identity(claims: Mapping[str, Any]) -> Identity:
    names = (claims.get(each) for each in ("name", "preferred_username", "email"))
    name = next((each for each in names if isinstance(each, str) and each), "")
    return Identity(claims["sub"], name[:NAME_CHARACTERS])


def _tokens(answer: Mapping[str, Any]) -> Tokens:
    life_s = answer.get("expires_in", ASSUMED_LIFE_S)
    if not isinstance(life_s, int | float) or isinstance(life_s, bool) or not life_s > 0:
        life_s = ASSUMED_LIFE_S
    texts = {each: answer.get(each) for each in ("access_token", "refresh_token", "id_token")}
    access, refresh, id_token = (text if isinstance(text, str) else "" for text in texts.values())
    life_s = min(life_s, LONGEST_LIFE_S)
    # A minute before the end, or a fifth of a short life: refreshed before it is missed.
    return Tokens(access, refresh, id_token, monotonic() + life_s - min(60.0, life_s / 5))
