"""Sessions of people who have logged in: on the server, behind an id that only a browser knows."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic

from gateway.login.asking import ProviderError, UnreachableError
from gateway.login.oidc import Identity, Tokens
from gateway.login.once import SingleFlight
from gateway.login.opaque import digest_of, new_text
from gateway.settings import Stay

RETRY_S = 30.0
"""Between two tries to refresh the tokens of one session while the provider is down."""

SESSIONS_OF_ONE = 16
"""Browsers of one person: somebody with a password cannot push the others out."""

log = logging.getLogger(__name__)

Refresh = Callable[[Tokens, str], Awaitable[Tokens]]
"""New tokens for old ones of a subject; raises ProviderError."""


@dataclass
class Session:
    """Somebody in one browser; times by time.monotonic()."""

    identity: Identity
    tokens: Tokens
    began_at: float
    seen_at: float
    retry_at: float = 0.0
    flight: SingleFlight[None] = field(default_factory=SingleFlight)


class Sessions:
    """All sessions, the one that was seen longest ago first.

    Only digests of ids are kept, so that what reads this memory cannot act for anybody.
    """

    def __init__(self, stay: Stay, refresh: Refresh) -> None:
        self._stay, self._refresh = stay, refresh
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, identity: Identity, tokens: Tokens) -> str:
        """Return the id of a new session: always a new one, whatever the browser had before."""
        self._forget_old()
        of_same = [
            key
            for key, session in self._sessions.items()
            if session.identity.subject == identity.subject
        ]
        for key in of_same[: max(0, len(of_same) - SESSIONS_OF_ONE + 1)]:
            del self._sessions[key]
        while len(self._sessions) >= self._stay.sessions:
            self._sessions.popitem(last=False)
        text, now = new_text(), monotonic()
        self._sessions[digest_of(text)] = Session(identity, tokens, now, now)
        return text

    async def current(self, text: str) -> Session | None:
        """Return the session of an id, its tokens refreshed if it is time; None if it has ended."""
        key = digest_of(text)
        session = self._alive(key)
        if session is None:
            return None
        await self._fresh(key, session)
        if self._sessions.get(key) is not session:
            return None
        session.seen_at = monotonic()
        self._sessions.move_to_end(key)
        return session

    async def of_subject(self, subject: str) -> Session | None:
        """Return a session of somebody, as fresh as `current` gives it; None if there is none."""
        newest_first = [*reversed(self._sessions.items())]
        for key, session in newest_first:
            if session.identity.subject == subject and self._alive(key) is session:
                await self._fresh(key, session)
                if self._sessions.get(key) is session:
                    return session
        return None

    def end(self, text: str) -> Session | None:
        """End the session of an id and return what it was."""
        return self._sessions.pop(digest_of(text), None)

    def _alive(self, key: bytes) -> Session | None:
        session = self._sessions.get(key)
        if session is None or not self._is_over(session):
            return session
        del self._sessions[key]
        return None

    def _is_over(self, session: Session) -> bool:
        now = monotonic()
        idle_s, whole_s = now - session.seen_at, now - session.began_at
        return idle_s >= self._stay.idle_s or whole_s >= self._stay.whole_s

    async def _fresh(self, key: bytes, session: Session) -> None:
        """Refresh the tokens of a session if it is time."""
        if monotonic() >= max(session.tokens.renew_at, session.retry_at):
            await session.flight.run(lambda: self._renew(key, session))

    async def _renew(self, key: bytes, session: Session) -> None:
        """Refresh the tokens; a session outlives a provider that is down, not one that says no."""
        try:
            session.tokens = await self._refresh(session.tokens, session.identity.subject)
        except UnreachableError:
            session.retry_at = monotonic() + RETRY_S
            log.warning("a session goes on without fresh tokens: the provider is not reached")
        except ProviderError as error:
            self._sessions.pop(key, None)
            log.info("a session has ended: %s", error)

    def _forget_old(self) -> None:
        for key in [key for key, each in self._sessions.items() if self._is_over(each)]:
            del self._sessions[key]
