"""Logins that have begun: what the gateway must know again when the browser comes back."""

import hmac
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from time import monotonic

from gateway.login.oidc import Secrets
from gateway.login.opaque import digest_of, new_text

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
        state = new_text()
        attempt = Attempt(Secrets.new(), digest_of(browser), next_path, monotonic() + ATTEMPT_S)
        self._forget_old()
        self._attempts[digest_of(state)] = attempt
        return state, attempt

    def take(self, state: str, *, browser: str) -> Attempt | None:
        """Return the attempt of that browser, once; None if there is none."""
        attempt = self._attempts.get(digest_of(state))
        if attempt is None or not hmac.compare_digest(attempt.browser, digest_of(browser)):
            return None
        del self._attempts[digest_of(state)]
        return attempt if monotonic() < attempt.ends_at else None

    def knows(self, browser: str) -> bool:
        """Return whether a login of that browser is under way: in another tab, say."""
        digest = digest_of(browser)
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
