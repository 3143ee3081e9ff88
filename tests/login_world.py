"""Gateways, browsers and tokens for tests of the login."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from html import unescape
from time import monotonic
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from gateway_server import listening
from joserfc import jwt
from joserfc.jwk import RSAKey
from oidc_provider import ProviderOfTests
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.app import application
from gateway.settings import Settings

LOCAL_TOKEN = "hush-hush-the-token-of-the-url"  # noqa: S105

LOCAL_URL = "http://127.0.0.1:8080"


def local_settings(**more: str) -> Settings:
    return Settings.from_environment(
        {
            "GATEWAY_MODE": "local",
            "GATEWAY_TOKEN": LOCAL_TOKEN,
            "GATEWAY_JOBS_DATABASE": "none",
            **more,
        }
    )


def oidc_settings(provider: ProviderOfTests, **more: str) -> Settings:
    return Settings.from_environment(
        {
            "GATEWAY_MODE": "oidc",
            "GATEWAY_PORT": str(provider.gateway_port),
            "GATEWAY_ISSUER": provider.issuer,
            "GATEWAY_CLIENT_ID": "gateway",
            "GATEWAY_CLIENT_SECRET": provider.secret("gateway"),
            **more,
        }
    )


def unused_oidc_settings(**more: str) -> Settings:
    """Return settings whose provider is never asked, or cannot be."""
    return Settings.from_environment(
        {
            "GATEWAY_MODE": "oidc",
            "GATEWAY_ISSUER": "http://127.0.0.1:9/realm",
            "GATEWAY_CLIENT_ID": "gateway",
            "GATEWAY_CLIENT_SECRET": "hush",
            **more,
        }
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Starlette]:
    """Yield a gateway in this process, between its start and its end."""
    app = application(settings)
    async with app.router.lifespan_context(app):
        yield app


def browser_of(app: Starlette) -> httpx.AsyncClient:
    """Return a client that has cookies, whose requests to the gateway go to `app` directly."""
    url = app.state.settings.public_url
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(base_url=url, mounts={url: transport}, timeout=30.0)


NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
}

FORM = {**NAVIGATION, "Sec-Fetch-Site": "same-origin", "Origin": "null"}
"""What a browser sends with a form of a page with `Referrer-Policy: no-referrer`."""


async def followed(browser: httpx.AsyncClient, response: httpx.Response) -> httpx.Response:
    """Follow redirects as a browser does."""
    while response.is_redirect:
        target = urljoin(str(response.url), response.headers["location"])
        response = await browser.get(target, headers=NAVIGATION)
    return response


async def to_the_provider(
    browser: httpx.AsyncClient, *, path: str = "/login", login: str = "ada"
) -> str:
    """Log in at the provider and agree there; return where it leads the browser back to."""
    response = await followed(browser, await browser.get(path, headers=NAVIGATION))
    while True:
        action = unescape(re.search(r'action="([^"]+)"', response.text)[1])
        prompt = re.search(r'name="prompt" value="(\w+)"', response.text)[1]
        form = {"prompt": prompt, "login": login, "password": "any"}
        response = await browser.post(action, data=form, headers=FORM)
        while response.is_redirect:
            target = urljoin(str(response.url), response.headers["location"])
            if "/login/callback" in target:
                return target
            response = await browser.get(target, headers=NAVIGATION)


async def logged_in(browser: httpx.AsyncClient, **more: Any) -> httpx.Response:
    """Log in, and return the gateway's answer to the way back."""
    return await browser.get(await to_the_provider(browser, **more), headers=NAVIGATION)


async def access_token(browser: httpx.AsyncClient, app: Starlette) -> str:
    """Return an access token that the provider has given for the session of a browser."""
    text = browser.cookies[app.state.way.cookie.name]
    session = await app.state.sessions.current(text)
    return session.tokens.access


@dataclass
class Issuer:
    """An issuer of tokens without a server: its key, and its set of keys."""

    url: str = "http://127.0.0.1:9/realm"
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first"}))

    async def key_set(self) -> Mapping[str, Any]:
        return {"keys": [{**self.key.as_dict(private=False), "use": "sig", "alg": "RS256"}]}

    def token(self, claims: Mapping[str, Any], **header: Any) -> str:
        stated = {"alg": "RS256", "kid": self.key.kid, "typ": "at+jwt", **header}
        return jwt.encode(stated, dict(claims), self.key)


def monotonic_ahead(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the gateway's clock for durations go ahead."""
    for module in ("sessions", "once", "attempts", "oidc"):
        monkeypatch.setattr(f"gateway.login.{module}.monotonic", lambda: monotonic() + seconds)


@contextmanager
def served(settings: Settings, *routes: Route) -> Iterator[None]:
    """Serve a gateway on its port by the server that people run, with all of its logs on.

    routes: of the test, behind the gateway's own.
    """
    app = application(settings)
    app.router.routes[:0] = routes  # before those of the page
    with listening(app, settings.port, address=settings.address, access_log=True):
        yield
