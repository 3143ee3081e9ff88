"""Headers that every answer carries, so that a browser does only what the page is for."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.settings import Settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        # Chromium holds redirects after a form to it as well. Logout leaves for the provider by
        # a page of its own (pages.py), not by a redirect: so no other origin is needed here, and
        # the provider may lead on to a third one.
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

YEAR_S = 365 * 24 * 3600

STATIC_FOLDER = "/static/"


class SecurityHeaders:
    """ASGI middleware; it belongs outside of everything that answers, failures too."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._headers = app, dict(ALWAYS)
        if settings.is_https:
            self._headers["Strict-Transport-Security"] = f"max-age={YEAR_S}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_static = scope["path"].startswith(STATIC_FOLDER)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, text in self._headers.items():
                    headers[name] = text
                # A file's own caching holds; an answer about it that is none is not kept.
                if not is_static or message["status"] not in (200, 206, 304):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, receive, send_with_headers)
