"""The guard before every route: nobody passes whom it does not know."""

from urllib.parse import quote, urlencode

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.login.bearer import invalid_token
from gateway.login.forgery import check_same_origin
from gateway.login.local import PARAMETER, LocalWay
from gateway.login.opaque import is_same
from gateway.login.principal import CAPABILITY, CAPABILITY_PATHS, Principal
from gateway.login.ways import Way
from gateway.problems import ProblemError, ProblemResponse
from gateway.settings import Settings

PROBES = ("/livez", "/readyz")
"""Asked by what watches over the gateway, by any name of it; they tell nothing else."""

METRICS_PATH = "/metrics"

WATCHER = Principal("metrics", "bearer")
"""Who reads the metrics with the token that is for them alone."""

CALLBACK_PATH = "/login/callback"

OUT_PATH = "/login/out"
"""Where the provider leads browsers after a logout."""

OPEN_PATHS = (*PROBES, "/login", CALLBACK_PATH, OUT_PATH)

OPEN_FOLDER = "/static/"

HEAD_BYTES = 32768
"""Of headers and query: the server has no bound, and to take thousands of cookies apart is slow."""

PAGES = ("/", "/docs")
"""Where a browser without a session is led to the login, and back afterwards."""


class Guard:
    """ASGI middleware: puts a Principal into `scope["principal"]`, or answers instead.

    way: how people get in, from `app.state.way`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._guarded(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        way: Way = scope["app"].state.way
        try:
            answer = await _answer_or_known(scope, way)
        except ProblemError as problem:
            answer = ProblemResponse(problem)
        if answer is not None:
            await answer(scope, receive, send)
            return
        inner = scope
        if scope["path"] == CALLBACK_PATH:
            # Servers log the address of a request once it is answered: the code is not for logs.
            inner = dict(scope)
            scope["query_string"] = b""
        try:
            await self._app(inner, receive, send)
        finally:
            scope.update({**inner, "query_string": scope["query_string"]})


async def _answer_or_known(scope: Scope, way: Way) -> Response | None:
    """Return the guard's own answer; None if the request may pass."""
    _check_size(scope)
    headers, path = Headers(scope=scope), scope["path"]
    query = QueryParams(scope["query_string"])
    settings: Settings = scope["app"].state.settings
    if path == METRICS_PATH and _is_watcher(headers, settings):
        scope["principal"] = WATCHER  # by any name of the gateway: it is no browser
        return None
    has_token = isinstance(way, LocalWay) and PARAMETER in query
    if has_token:
        scope["query_string"] = b""  # not for the server's log either
    if path not in PROBES:
        _check_host(headers, way, public_url=settings.public_url)
    if has_token and isinstance(way, LocalWay) and scope["method"] == "GET":
        scope["is_login"] = True
        return way.exchanged(path, query)
    if path in OPEN_PATHS or path.startswith(OPEN_FOLDER):
        return None
    principal = await _known(scope, headers, way=way)
    if principal is not None:
        scope["principal"] = principal
        return None
    return _unknown(scope, headers, path=path)


def _is_watcher(headers: Headers, settings: Settings) -> bool:
    scheme, _, text = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and is_same(text.strip(), str(settings.metrics_token))


async def _known(scope: Scope, headers: Headers, *, way: Way) -> Principal | None:
    """Return who sent a request. An Authorization header decides alone: it was put on purpose."""
    authorizations = headers.getlist("authorization")
    if authorizations:
        scheme, _, text = authorizations[0].partition(" ")
        if len(authorizations) > 1 or scheme.lower() != "bearer" or not text.strip():
            raise invalid_token("the Authorization header is not one of: Bearer TOKEN")
        principal = await way.of_bearer(text.strip())
        _check_reach(principal, scope["path"])
        return principal
    text = "; ".join(headers.getlist("cookie"))
    value = cookie_parser(text).get(way.cookie.name, "")
    if not value:
        return None
    origin = f"{_public_scheme(scope)}://{headers['host'].lower()}"
    check_same_origin(headers, method=scope["method"], path=scope["path"], origin=origin)
    return await way.of_cookie(value)


def _check_reach(principal: Principal, path: str) -> None:
    """Refuse whoever came by a token of Kheops all that such a token is not for."""
    is_inside = any(path == each or path.startswith(f"{each}/") for each in CAPABILITY_PATHS)
    if principal.way == CAPABILITY and not is_inside:
        raise ProblemError(
            403,
            "out_of_reach",
            f"a token of Kheops opens {', '.join(CAPABILITY_PATHS)} alone: log in for this",
        )


def _unknown(scope: Scope, headers: Headers, *, path: str) -> Response:
    """Lead a person to the login; a program gets a problem, and never a redirect."""
    if is_navigation(scope["method"], headers):
        if path == "/logout":
            return RedirectResponse(OUT_PATH, 303)
        if path in PAGES:
            asked = quote(path)
            if scope["query_string"]:
                asked += f"?{scope['query_string'].decode('latin-1')}"
            return RedirectResponse(f"/login?{urlencode({'next': asked})}", 303)
    raise ProblemError(
        401,
        "not_logged_in",
        "log in, or send an access token: Authorization: Bearer TOKEN",
        headers={"WWW-Authenticate": "Bearer"},
    )


def is_navigation(method: str, headers: Headers) -> bool:
    """Return whether a browser shows the answer as a page."""
    modes = headers.getlist("sec-fetch-mode")
    is_page = modes == ["navigate"] if modes else "text/html" in headers.get("accept", "")
    return is_page and method in ("GET", "POST")


def _check_size(scope: Scope) -> None:
    size = len(scope["query_string"])
    size += sum(len(name) + len(text) for name, text in scope["headers"])
    if size > HEAD_BYTES:
        raise ProblemError(
            431,
            "headers_too_large",
            f"headers and query are {size} bytes; {HEAD_BYTES} are taken",
        )


def _check_host(headers: Headers, way: Way, *, public_url: str) -> None:
    hosts = headers.getlist("host")
    if len(hosts) != 1 or hosts[0].lower() not in way.hosts:
        raise ProblemError(
            421,
            "foreign_host",
            f"the gateway's address is {public_url}; a proxy before it has to pass on the Host "
            "header as it comes",
        )


def _public_scheme(scope: Scope) -> str:
    return "https" if scope["app"].state.settings.is_https else "http"
