"""Logging in and out, and who one is."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.login.asking import ProviderError, UnreachableError, known_code
from gateway.login.attempts import ATTEMPT_S, Attempt, local_path
from gateway.login.guard import CALLBACK_PATH, OUT_PATH
from gateway.login.local import LocalWay
from gateway.login.opaque import CHARACTERS, new_text
from gateway.login.pages import logged_out, onward, refusal
from gateway.login.principal import Principal, principal_of
from gateway.login.ways import OidcWay
from gateway.problems import ProblemError

CODE_CHARACTERS = 4096

SENTENCES_OF_CODES = {
    "access_denied": "the login service did not let you in, or you did not go on there",
    "invalid_scope": "the login service does not give the scopes that GATEWAY_SCOPES states",
    "unauthorized_client": "the login service does not know this gateway as a client",
}


async def log_in(request: Request) -> Response:
    """Lead a browser to the provider, and remember where it wants to be afterwards."""
    way, next_path = request.app.state.way, local_path(request.query_params.get("next", "/"))
    if isinstance(way, LocalWay):
        sentence = "open the URL that the gateway printed when it was started"
        return refusal(request, ProblemError(401, "not_logged_in", sentence), again="")
    if await way.of_cookie(request.cookies.get(way.cookie.name, "")) is not None:
        return RedirectResponse(next_path, 303)
    browser = request.cookies.get(way.attempt_cookie.name, "")
    if not way.attempts.knows(browser):
        browser = new_text()
    state, attempt = way.attempts.begin(browser, next_path=next_path)
    try:
        url = await way.client.authorization_url(state, attempt.own)
    except ProviderError as error:
        return refusal(request, _problem(error))
    response = RedirectResponse(url, 303)
    way.attempt_cookie.put(response, browser, max_age_s=int(ATTEMPT_S))
    return response


async def come_back(request: Request) -> Response:
    """Begin a session for the browser that the provider sends back, if it began the login."""
    request.scope["is_login"] = True
    way = request.app.state.way
    if isinstance(way, LocalWay):
        return RedirectResponse("/", 303)
    attempt = _attempt(request, way)
    if attempt is None:
        sentence = "this login has been used, is too old or began in another browser; log in again"
        return refusal(request, ProblemError(400, "login_unknown", sentence))
    again = f"/login?{urlencode({'next': attempt.next_path})}"
    code, error = (request.query_params.get(each, "") for each in ("code", "error"))
    if error or not 0 < len(code) <= CODE_CHARACTERS:
        sentence = SENTENCES_OF_CODES.get(
            known_code(error), "the login service could not log you in; log in again"
        )
        return refusal(request, ProblemError(403, "login_refused", sentence), again=again)
    try:
        identity, tokens = await way.client.exchange(
            code, attempt.own, stated_issuer=request.query_params.get("iss")
        )
    except ProviderError as failure:
        return refusal(request, _problem(failure), again=again)
    way.sessions.end(request.cookies.get(way.cookie.name, ""))
    response = RedirectResponse(attempt.next_path, 303)
    way.cookie.put(response, way.sessions.begin(identity, tokens))
    if not way.attempts.knows(request.cookies[way.attempt_cookie.name]):  # in another tab
        way.attempt_cookie.take_away(response)
    request.scope["principal"] = Principal(identity.subject, "session")
    return response


async def log_out(request: Request) -> Response:
    """End the session here, and lead the browser to where the provider ends its own."""
    way = request.app.state.way
    if principal_of(request).way == "bearer":
        raise ProblemError(400, "no_session", "an access token has no session that could end")
    if isinstance(way, LocalWay):
        way.log_out()
        response: Response = RedirectResponse(OUT_PATH, 303)
    else:
        response = await _out_at_the_provider(request, way)
    way.cookie.take_away(response)
    return response


async def out(request: Request) -> Response:
    """Say that one is logged out."""
    is_local = isinstance(request.app.state.way, LocalWay)
    return logged_out(again="" if is_local else "/login")


async def session(request: Request) -> Response:
    """Tell who one is, and by which mode."""
    principal = principal_of(request)
    return JSONResponse(
        {
            "mode": request.app.state.settings.mode,
            "way": principal.way,
            "name": principal.name,
        }
    )


ROUTES = (
    Route("/login", log_in, methods=["GET"]),
    Route(CALLBACK_PATH, come_back, methods=["GET"]),
    Route(OUT_PATH, out, methods=["GET"]),
    Route("/logout", log_out, methods=["POST"]),
    Route("/api/session", session, methods=["GET"]),
)


def _attempt(request: Request, way: OidcWay) -> Attempt | None:
    states = request.query_params.getlist("state")
    browser = request.cookies.get(way.attempt_cookie.name, "")
    if [len(each) for each in (*states, browser)] != [CHARACTERS] * 2:
        return None
    return way.attempts.take(states[0], browser=browser)


async def _out_at_the_provider(request: Request, way: OidcWay) -> Response:
    ended = way.sessions.end(request.cookies.get(way.cookie.name, ""))
    back_to = f"{request.app.state.settings.public_url}{OUT_PATH}"
    url = ""
    if ended is not None and ended.tokens.id_token:
        url = await way.client.end_session_url(ended.tokens.id_token, back_to=back_to)
    return onward(url) if url else RedirectResponse(OUT_PATH, 303)


def _problem(error: ProviderError) -> ProblemError:
    if isinstance(error, UnreachableError):
        return ProblemError(503, "provider_unreachable", str(error), headers={"Retry-After": "5"})
    return ProblemError(502, "login_failed", str(error))
