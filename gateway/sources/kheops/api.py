"""Kheops over HTTP: its tokens, its statuses in words, and the registration of a new user.

Kheops answers 401 without a word to a user whom it does not know, as to a token that has ended. So
a 401 to a login's access token is followed by one `POST /register`, and the question again.
"""

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

import httpx

from gateway.login.once import SingleFlight
from gateway.login.opaque import digest_of
from gateway.sources.asking import Answer, Asked, Server
from gateway.sources.credential import ACCESS, NONE, Credential
from gateway.sources.failures import BROKEN, Failures, Meaning, Meanings

OK, CREATED, EMPTY, UNAUTHORIZED = 200, 201, 204, 401

JSON = {"Accept": "application/dicom+json, application/json"}

REGISTERED_KEPT = 4096
"""Digests of tokens that were registered with, and when: not again, whatever Kheops says then."""

REFUSED = Meaning(
    "source_refused",
    "{server} does not accept this login any more: log out and in again; a token of {server} may "
    "have been revoked",
)

NO_CREDENTIAL_STATED = Meaning(
    "source_refused",
    "{server} needs a token: create one on its page, and send it in the header Kheops-Token",
)

NOT_REGISTERED = Meaning(
    "not_registered",
    "{server} could not make an account of this login: it needs an email address there; ask who "
    "runs the login service, then log in again",
)

STATUSES: Meanings = {
    401: REFUSED,
    403: Meaning("source_refused", "{server} does not let this login or token do that"),
    404: Meaning(
        "source_empty",
        "{server} has no such album or study, or it is not shared with you any more: ask its owner",
    ),
    500: Meaning(
        "source_failed",
        "{server} failed, maybe over a login that it cannot check: try again in a minute",
        True,
    ),
    502: Meaning(
        "source_failed", "{server} does not get at its images: try again in a minute", True
    ),
    504: Meaning("source_failed", "{server} took too long: try again in a minute", True),
}

KHEOPS = Failures("Kheops", STATUSES)

log = logging.getLogger(__name__)


class Api:
    """The API of one Kheops; url: its root, without /api."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.server = Server(f"{url}/api", http, KHEOPS)
        self._registered: OrderedDict[bytes, float] = OrderedDict()
        self._flights: dict[bytes, SingleFlight[None]] = {}

    async def get(
        self, credential: Credential, path: str, params: Mapping[str, str] | None = None
    ) -> tuple[Any, int | None]:
        """Return the JSON at a path, None if it is empty (204), and X-Total-Count.

        Raises SourceError.
        """
        answer = await self.ask(credential, Asked("GET", path, params, headers=JSON))
        if answer.status == EMPTY:
            return None, 0
        if answer.status != OK:
            raise self.server.refusal(answer)
        return self.server.document(answer), total_of(answer)

    async def ask(self, credential: Credential, asked: Asked) -> Answer:
        """Return the answer to a question of somebody's, whatever its status."""
        asked_at = monotonic()
        answer = await self.server.answer(authorized(asked, credential))
        if answer.status == UNAUTHORIZED and await self._registers(credential, asked_at):
            answer = await self.server.answer(authorized(asked, credential))
        return answer

    @asynccontextmanager
    async def streamed(self, credential: Credential, asked: Asked) -> AsyncIterator[httpx.Response]:
        """Give the answer to a question whose body is on the way; raises SourceError unless 200."""
        async with self.server.streamed(authorized(asked, credential)) as response:
            if response.status_code != OK:
                raise self.server.refusal(response)
            yield response

    async def _registers(self, credential: Credential, asked_at: float) -> bool:
        """Register the user of an access token, once; return whether that was after a time."""
        key = digest_of(str(credential.text))
        if credential.kind != ACCESS:
            return False
        if key in self._registered:
            return self._registered[key] > asked_at
        flight = self._flights.setdefault(key, SingleFlight())
        try:
            await flight.run(lambda: self._register(credential))
        finally:
            self._flights.pop(key, None)
        self._registered[key] = monotonic()
        while len(self._registered) > REGISTERED_KEPT:
            self._registered.popitem(last=False)
        return True

    async def _register(self, credential: Credential) -> None:
        form = {"access_token": str(credential.text)}
        answer = await self.server.answer(Asked("POST", "/register", form=form))
        log.info("a user was registered with Kheops: it answered %d", answer.status)
        if answer.status in (OK, CREATED, EMPTY):
            return
        raise self.server.failures.of(REGISTRATION.get(answer.status, BROKEN))


REGISTRATION: Meanings = {
    400: REFUSED,
    401: REFUSED,
    403: REFUSED,
    500: NOT_REGISTERED,
}


def total_of(answer: Answer) -> int | None:
    """Return how many there are on all pages, if Kheops says so."""
    stated = answer.headers.get("x-total-count", "")
    return int(stated) if stated.isascii() and stated.isdecimal() else None


def authorized(asked: Asked, credential: Credential) -> Asked:
    """Return a question with somebody's token; raises SourceError without one."""
    if credential.kind == NONE:
        raise KHEOPS.of(NO_CREDENTIAL_STATED)
    token = {"Authorization": "Bearer " + str(credential.text)}
    return replace(asked, headers={**(asked.headers or {}), **token})
