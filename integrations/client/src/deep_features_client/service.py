"""What the four clients have in common: an address, a token, limits."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit, urlunsplit

from deep_features_client.calls import Call, Effort
from deep_features_client.limits import Retries, Timeouts
from deep_features_client.progress import Tell
from deep_features_client.version import __version__

Token: TypeAlias = "str | Callable[[], str]"  # noqa: S105  (a type)
"""A token, or what gives the one of now: access tokens end, most of them within an hour."""

Verify: TypeAlias = "ssl.SSLContext | bool"

DEFAULT_MODEL = "ct3dcnn"

GOODBYE = Timeouts(connect_s=5.0, write_s=5.0, read_s=15.0, whole_s=30.0)
"""Limits for the deletion of a job, which happens also when the time for its answer is over."""


@dataclass(frozen=True)
class Service:
    """Where and how a service is asked."""

    url: str
    token: Token | None = field(repr=False)
    timeout: Timeouts
    retries: Retries

    @classmethod
    def of(
        cls,
        url: str,
        token: Token | None,
        *,
        timeout: Timeouts | None,
        retries: Retries | None,
    ) -> Service:
        """Return a service as callers state it.

        An address as the gateway prints it has a token in its query; `localhost:8000` is one, too.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        (printed,) = parse_qs(parts.query).get("token", [None])
        base = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        return cls(base, token or printed, timeout or Timeouts(), retries or Retries())

    def effort(self, progress: Tell | None = None) -> Effort:
        """Return what the next answer may cost, from now on."""
        return Effort(self.timeout, self.retries, progress)

    def goodbye(self) -> Effort:
        """Return what it may cost to clean up."""
        return Effort(GOODBYE, self.retries)

    def request(self, call: Call, effort: Effort) -> dict[str, Any]:
        """Return a call as httpx builds requests of it; a study's content is the caller's."""
        headers = {"User-Agent": f"deep-features-client/{__version__}", **call.headers}
        if call.content is not None:  # known, so that it is not sent in chunks
            headers["Content-Length"] = str(call.content.size_bytes)
        token = self.token() if callable(self.token) else self.token
        if token:
            headers["Authorization"] = f"Bearer {token.strip()}"
        return {
            "method": call.method,
            "url": call.path,
            "params": call.query,
            "headers": {name: value.encode() for name, value in headers.items()},
            "content": call.body,
            "extensions": {"timeout": effort.time_left},
        }


def stated(options: Mapping[str, str] | None) -> dict[str, str]:
    """Return the options of a request; pictures are made if they are asked for."""
    return {"preview": "false", **{name: str(value) for name, value in (options or {}).items()}}
