"""Logins that have begun: what the gateway must know again when the browser comes back."""

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic

from gateway.login.oidc import Secrets

ATTEMPT_S = 600.0
"""For a password and a second factor."""

MOST_ATTEMPTS = 10_000
"""About 1 KB each; the oldest gives way."""

LOCAL_PATH = re.compile(r"/(?!/)(?:(?!//)[!-\[\]-~])*")
"""Printable ASCII from one slash on, without a backslash, a space or two slashes in a row:
browsers take "//host", "/\\host" and "/<tab>/host" for other hosts."""

PATH_CHARACTERS = 2000


@dataclass(frozen=True)
class Attempt:
    """A login that has begun: own secrets, and where its browser goes afterwards."""

    own: Secrets = field(repr=False)
    browser: bytes = field(repr=False)
    next_path: str
    ends_at: float


class Attempts:
    """Logins that have begun, by `state`; each is for one browser and ends by being taken."""

    def __init__(self) -> None:
        self._attempts: OrderedDict[bytes, Attempt] = OrderedDict()

    def begin(self, browser: str, *, next_path: str) -> tuple[str, Attempt]:
        """Return a new `state` and what it stands for; browser: the text of its cookie."""
        state = secrets.token_urlsafe(32)
        attempt = Attempt(Secrets.new(), _digest(browser), next_path, monotonic() + ATTEMPT_S)
        self._forget_old()
        self._attempts[_digest(state)] = attempt
        return state, attempt

    def take(self, state: str, *, browser: str) -> Attempt | None:
        """Return the attempt of that browser, once; None if there is none."""
        attempt = self._attempts.get(_digest(state))
        if attempt is None or not hmac.compare_digest(attempt.browser, _digest(browser)):
            return None
        del self._attempts[_digest(state)]
        return attempt if monotonic() < attempt.ends_at else None

    def knows(self, browser: str) -> bool:
        """Return whether a login of that browser is under way: in another tab, say."""
        digest = _digest(browser)
        return any(each.browser == digest for each in self._attempts.values())

    def _forget_old(self) -> None:
        while self._attempts:
            oldest = next(iter(self._attempts.values()))
            if monotonic() < oldest.ends_at and len(self._attempts) < MOST_ATTEMPTS:
                return
            self._attempts.popitem(last=False)


def local_path(stated: str) -> str:
    """Return a path of this gateway as it is, and "/" for anything that may lead elsewhere."""
    is_local = len(stated) <= PATH_CHARACTERS and LOCAL_PATH.fullmatch(stated)
    return stated if is_local and not stated.startswith("/login") else "/"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
