"""One request until it is answered: what is tried again, when, and when it is given up.

Procedures here and in gateway.py and triton.py are generators, which yield what is to be done (a
Call, a Pause) and are sent what came of it. So they are written once, and blocking.py and
asynchronous.py each say how it is done.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import httpx

from deep_features_client.errors import (
    Busy,
    DeepFeaturesError,
    Refused,
    TimedOut,
    Unreachable,
)
from deep_features_client.limits import LEAST_PAUSE_S, Retries, TimeLeft, Timeouts
from deep_features_client.problems import bad_answer, problem_of
from deep_features_client.progress import Progress, Tell, nobody
from deep_features_client.replies import Reply
from deep_features_client.studies import Content

T = TypeVar("T")

LOST = (httpx.NetworkError, httpx.ProxyError, httpx.RemoteProtocolError)
BEFORE_ANYTHING_WAS_SENT = (httpx.ConnectError, httpx.ConnectTimeout)


@dataclass(frozen=True)
class Call:
    """A request. content: its body, if that is a study; body: if it is anything else.

    is_repeatable: whether it may be sent again when it is not known if it arrived.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    content: Content | None = None
    body: bytes = b""
    is_repeatable: bool = True


@dataclass(frozen=True)
class Pause:
    """Nothing is to be done for some seconds."""

    seconds: float


Steps: TypeAlias = Generator["Call | Pause", Any, T]
"""A procedure: it is sent the Reply to each Call, or thrown its httpx.RequestError."""


class Effort:
    """What one answer may cost, and who is told of it."""

    def __init__(self, timeouts: Timeouts, retries: Retries, tell: Tell | None = None) -> None:
        self.time_left = TimeLeft(timeouts)
        self.retries = retries
        self.tell = tell or nobody

    def check(self) -> None:
        """Raise TimedOut if the time is over."""
        if self.time_left.left_s() <= 0:
            raise TimedOut("timed_out", "it took longer in all than whole_s allows")

    def chunks(self, content: Content) -> Iterator[bytes]:
        """Yield a study as it is sent, and tell of it."""
        sent, total = 0, content.size_bytes
        self.tell(Progress("sending", sent, total))
        for chunk in content.chunks():
            self.check()
            yield chunk
            sent += len(chunk)
            self.tell(Progress("sending", sent, total))
        self.tell(Progress("waiting", sent, total))


def answered(call: Call, effort: Effort) -> Steps[Reply]:
    """Return the answer to a call, which is a success.

    Raises the typed error of any other answer; of 429, 503 and lost connections after the retries.
    """
    pauses, first_failure = effort.retries.pauses_s(), None
    while True:
        effort.check()
        try:
            reply: Reply = yield call
        except httpx.RequestError as error:
            problem = _lost(error, effort)
            problem.__cause__ = error
            if not (call.is_repeatable or isinstance(error, BEFORE_ANYTHING_WAS_SENT)):
                raise problem from error
        else:
            if reply.is_success:
                return reply
            problem = problem_of(reply)
        pause = _pause_s(problem, next(pauses))
        first_failure = first_failure or time.monotonic()
        tried_s = time.monotonic() - first_failure + pause
        if tried_s > effort.retries.seconds or pause > effort.time_left.left_s():
            raise problem
        effort.tell(Progress("pausing", code=problem.code, seconds=pause))
        yield Pause(pause)


def _pause_s(problem: DeepFeaturesError, otherwise: float) -> float:
    """Return the pause before another try; raises the problem if it would be the same again."""
    if isinstance(problem, Unreachable):
        return otherwise
    if not isinstance(problem, Busy):
        raise problem
    stated = problem.retry_after_s
    return otherwise if stated is None else max(stated, LEAST_PAUSE_S)


def _lost(error: httpx.RequestError, effort: Effort) -> DeepFeaturesError:
    """Return what it means that no whole answer came; only Unreachable may be tried again."""
    if isinstance(error, httpx.TimeoutException):
        return _late(error, effort)
    causes = tuple(_causes(error))
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in causes):
        return Refused("untrusted_certificate", "the service's certificate is not trusted here")
    if any(isinstance(each, socket.gaierror) and _is_final(each) for each in causes):
        return Refused("unknown_host", "no host has the name in the address of the service")
    if isinstance(error, httpx.ConnectError):
        return Unreachable("unreachable", "nothing answers at the address of the service")
    if isinstance(error, LOST):
        return Unreachable("unreachable", "the connection was lost before the answer was there")
    if isinstance(error, httpx.DecodingError):
        return bad_answer()
    return Refused("bad_request", "it cannot be sent: see the address, the token and the options")


def _late(error: httpx.TimeoutException, effort: Effort) -> DeepFeaturesError:
    effort.check()
    if isinstance(error, httpx.ConnectTimeout):
        return Unreachable("unreachable", "nothing answered within connect_s")
    limit = "write_s" if isinstance(error, httpx.WriteTimeout) else "read_s"
    return TimedOut("timed_out", f"nothing came or went for longer than {limit}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and what it was raised from."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _is_final(error: socket.gaierror) -> bool:
    return error.errno != socket.EAI_AGAIN
