"""The gateway's cookies: their names, and how they are set and taken away."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from starlette.responses import Response

from gateway.settings import Settings


@dataclass(frozen=True)
class CookieKind:
    """A cookie of the gateway.

    name: under https with the prefix that makes browsers take it from this host over TLS alone
        (RFC 6265bis section 4.1.3.2); on loopback with the port, which cookies do not tell apart.
    """

    name: str
    is_secure: bool
    same_site: Literal["lax", "strict"]

    def put(self, response: Response, value: str, *, max_age_s: int | None = None) -> None:
        """Set it; without an age it ends with the browser."""
        response.set_cookie(
            self.name,
            value,
            max_age=max_age_s,
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite=self.same_site,
        )

    def take_away(self, response: Response) -> None:
        """Make the browser forget it."""
        self.put(response, "", max_age_s=0)


def session_cookie(settings: Settings) -> CookieKind:
    """Return the cookie that holds the id of a session.

    Lax: the provider leads browsers back from another site, and they must be known then.
    """
    return _kind("deepfeatures", settings, same_site="lax")


def attempt_cookie(settings: Settings) -> CookieKind:
    """Return the cookie that binds a login to the browser that began it."""
    return _kind("deepfeatures-login", settings, same_site="lax")


def local_cookie(settings: Settings) -> CookieKind:
    """Return the cookie of the mode local: no other site ever leads to it, so Strict."""
    return _kind("deepfeatures-local", settings, same_site="strict")


def _kind(name: str, settings: Settings, *, same_site: Literal["lax", "strict"]) -> CookieKind:
    if settings.is_https:
        return CookieKind(f"__Host-{name}", is_secure=True, same_site=same_site)
    port = urlsplit(settings.public_url).port or 80
    return CookieKind(f"{name}-{port}", is_secure=False, same_site=same_site)
