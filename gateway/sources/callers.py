"""With what a source is asked for whoever sent a request."""

from starlette.applications import Starlette
from starlette.datastructures import Secret
from starlette.requests import Request

from gateway.login.principal import principal_of
from gateway.login.sessions import Sessions
from gateway.problems import ProblemError
from gateway.sources.credential import ACCESS, CAPABILITY, NO_CREDENTIAL, Credential
from gateway.sources.kheops.ids import is_capability

HEADER = "kheops-token"
"""In the mode local, where nobody logs in at a provider."""


async def credential_of(request: Request) -> Credential:
    """Return what sources are asked with for a request that has passed the guard.

    Raises ProblemError: 401 if its session ends just now, 400 `bad_token` for the header.
    """
    way, stated = principal_of(request).way, request.headers.getlist(HEADER)
    if request.app.state.settings.mode == "local":
        return _of_header(stated) if stated else NO_CREDENTIAL
    if stated:
        raise bad_token("the header Kheops-Token is for the mode local: send it as a Bearer token")
    if way == "session":
        return await _of_session(request)
    text = request.headers["authorization"].partition(" ")[2].strip()
    return Credential(CAPABILITY if way == "capability" else ACCESS, Secret(text))


async def access_of(app: Starlette, subject: str) -> Credential | None:
    """Return an access token of somebody who is logged in at the moment; None if nobody is."""
    sessions: Sessions | None = app.state.sessions
    session = await sessions.of_subject(subject) if sessions is not None else None
    return None if session is None else Credential(ACCESS, Secret(session.tokens.access))


def bad_token(sentence: str) -> ProblemError:
    """Return the refusal of a token that cannot be one."""
    return ProblemError(400, "bad_token", sentence)


def _of_header(stated: list[str]) -> Credential:
    if len(stated) > 1 or not is_capability(stated[0]):
        raise bad_token("the header Kheops-Token is not one token of Kheops: 22 letters and digits")
    return Credential(CAPABILITY, Secret(stated[0]))


async def _of_session(request: Request) -> Credential:
    cookie = request.cookies.get(request.app.state.way.cookie.name, "")
    session = await request.app.state.sessions.current(cookie)
    if session is None:
        raise ProblemError(401, "not_logged_in", "the session has ended: log in again")
    return Credential(ACCESS, Secret(session.tokens.access))
