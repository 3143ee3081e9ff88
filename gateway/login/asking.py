"""Questions to the OpenID provider, and what its silence or its refusal is to the gateway."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import httpx

TIMEOUT = httpx.Timeout(10.0, connect=3.0)
"""Seconds. A person waits for the answer; a provider that is up takes less than one."""

ANSWER_BYTES = 1 << 20
"""Of a discovery document, a key set or tokens: all are some thousand bytes."""

log = logging.getLogger(__name__)


class ProviderError(Exception):
    """The provider did not do what was asked; the message is a sentence safe to show."""


class UnreachableError(ProviderError):
    """No answer, or one that says to come again: what holds goes on holding."""

    def __init__(self) -> None:
        super().__init__("the login service cannot be reached at the moment; try again in a minute")


class RefusedError(ProviderError):
    """The provider said no.

    code: its error code if it is one that OAuth 2.0 knows (RFC 6749 section 5.2), else "".
    """

    def __init__(self, code: str) -> None:
        super().__init__("the login service did not accept this login; log in again")
        self.code = code


class UntrustedError(ProviderError):
    """The provider's answer is not what it has to be; the sentence says in what."""


TEMPORARY_STATUSES = (408, 425, 429)

TEMPORARY_CODES = ("temporarily_unavailable", "server_error", "slow_down")

KNOWN_CODES = (
    "access_denied",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
)


class _Telling(httpx.AsyncClient):
    """A client that tells of each request whether it was answered, refused, or unreachable."""

    def __init__(self, told: Callable[[str], None]) -> None:
        super().__init__(timeout=TIMEOUT, headers={"Accept": "application/json"})
        self._told = told

    async def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        """Send a request."""
        answer = "unreachable"
        try:
            response = await super().send(request, **how)
            if response.status_code < 500:
                answer = "refused" if response.is_client_error else "answered"
            return response
        finally:
            self._told(answer)


def provider_http(told: Callable[[str], None]) -> httpx.AsyncClient:
    """Return a client that never follows a provider's redirect, nor waits for ever.

    told: of each request "answered", "refused" or "unreachable".
    """
    return _Telling(told)


async def get_json(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Return the JSON object at a URL of the provider; raises UnreachableError."""
    response = await _answer(http, httpx.Request("GET", url))
    document = _object(response)
    if response.status_code != 200 or document is None:
        log.warning("the provider answered %s to a GET", response.status_code)
        raise UnreachableError
    return document


async def post_form(
    http: httpx.AsyncClient, url: str, *, form: Mapping[str, str], auth: httpx.Auth | None
) -> dict[str, Any]:
    """Return the JSON object that a form is answered with.

    Raises RefusedError if the provider says no as OAuth 2.0 does, UnreachableError for anything
    else: a proxy's page before a provider that is being updated is no refusal.
    """
    response = await _answer(http, httpx.Request("POST", url, data=dict(form)), auth=auth)
    document = _object(response)
    if response.status_code == 200 and document is not None:
        return document
    code = str((document or {}).get("error", ""))
    log.warning("the provider answered %s (%s)", response.status_code, known_code(code))
    is_refusal = 400 <= response.status_code < 500 and code and code not in TEMPORARY_CODES
    if is_refusal and response.status_code not in TEMPORARY_STATUSES:
        raise RefusedError(known_code(code))
    raise UnreachableError


def known_code(code: str) -> str:
    """Return an error code that OAuth 2.0 knows, or "": a provider's own text is not repeated."""
    return code if code in KNOWN_CODES else ""


async def _answer(
    http: httpx.AsyncClient, request: httpx.Request, *, auth: httpx.Auth | None = None
) -> httpx.Response:
    try:
        request.headers["Accept"] = "application/json"
        request.extensions = {"timeout": TIMEOUT.as_dict()}
        return await http.send(request, auth=auth, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        log.warning("the provider cannot be reached: %s", type(error).__name__)
        raise UnreachableError from error


def _object(response: httpx.Response) -> dict[str, Any] | None:
    if len(response.content) > ANSWER_BYTES:
        return None
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
