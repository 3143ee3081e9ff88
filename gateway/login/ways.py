"""How people and programs get in: what the guard asks of a mode, and the mode `oidc`."""

from typing import Protocol
from urllib.parse import urlsplit

from gateway.login.attempts import Attempts
from gateway.login.bearer import principal_of_bearer
from gateway.login.cookies import CookieKind, attempt_cookie, session_cookie
from gateway.login.oidc import OpenIdClient
from gateway.login.principal import Principal
from gateway.login.sessions import Sessions
from gateway.settings import DEFAULT_PORTS, Oidc, Settings


class Way(Protocol):
    """What the guard asks of a mode.

    hosts: Host headers that it answers to, in lower case. cookie: its credential in a browser.
    """

    hosts: frozenset[str]
    cookie: CookieKind

    async def of_bearer(self, text: str) -> Principal:
        """Return whom a Bearer token is about; raises ProblemError."""

    async def of_cookie(self, text: str) -> Principal | None:
        """Return whom a cookie is about; None if it says nothing (any more)."""


class OtherTokens(Protocol):
    """Bearer tokens that are not the provider's."""

    async def principal_of(self, text: str) -> Principal | None:
        """Return whom a token is about, None if it is not one of these; raises ProblemError."""


class OidcWay:
    """The mode `oidc`: sessions of people, access tokens of programs.

    others: tokens of another server that are taken, too; None for none.
    """

    def __init__(
        self, settings: Settings, oidc: Oidc, *, client: OpenIdClient, others: OtherTokens | None
    ) -> None:
        self._oidc, self.client, self._others = oidc, client, others
        self.hosts = hosts_of(settings.public_url)
        self.cookie = session_cookie(settings)
        self.attempt_cookie = attempt_cookie(settings)
        self.attempts = Attempts()
        self.sessions = Sessions(
            settings.stay, lambda tokens, subject: client.refreshed(tokens, subject=subject)
        )

    async def of_bearer(self, text: str) -> Principal:
        """Return whom a token is about; raises ProblemError."""
        other = await self._others.principal_of(text) if self._others is not None else None
        return other or await principal_of_bearer(text, self.client.keys, oidc=self._oidc)

    async def of_cookie(self, text: str) -> Principal | None:
        """Return whose session a cookie names."""
        session = await self.sessions.current(text)
        if session is None:
            return None
        return Principal(session.identity.subject, "session", session.identity.name)


def hosts_of(origin: str) -> frozenset[str]:
    """Return what a browser may send as Host for an origin: a default port is left out, or not."""
    parts = urlsplit(origin)
    default = DEFAULT_PORTS[parts.scheme]
    if parts.port in (None, default):
        host = parts.netloc.removesuffix(f":{default}")
        return frozenset({host, f"{host}:{default}"})
    return frozenset({parts.netloc})
