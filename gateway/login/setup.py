"""What the login needs for as long as the gateway runs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from gateway.login.asking import provider_http
from gateway.login.guard import CALLBACK_PATH
from gateway.login.local import LocalWay
from gateway.login.oidc import OpenIdClient
from gateway.login.ways import OidcWay, OtherTokens
from gateway.settings import Settings


@asynccontextmanager
async def login(
    app: Starlette,
    settings: Settings,
    *,
    others: OtherTokens | None = None,
    told: Callable[[str], None],
) -> AsyncIterator[None]:
    """Put `way`, `http`, `sessions` and `keys` into the application's state.

    The last two are None in the mode local. others: tokens that are taken in the mode oidc, too.
    told: of each question to the provider how it ended.
    """
    async with provider_http(told) as http:
        app.state.http, app.state.sessions, app.state.keys = http, None, None
        if settings.oidc is None:
            app.state.way = LocalWay(settings)
        else:
            redirect_uri = f"{settings.public_url}{CALLBACK_PATH}"
            client = OpenIdClient(settings.oidc, http, redirect_uri)
            app.state.way = OidcWay(settings, settings.oidc, client=client, others=others)
            app.state.sessions, app.state.keys = app.state.way.sessions, client.keys
        yield
