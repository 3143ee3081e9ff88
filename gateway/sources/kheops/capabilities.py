"""Capability tokens as a way in: believed only after Kheops was asked, and not for long."""

from collections import OrderedDict
from time import monotonic

from starlette.datastructures import Secret

from gateway.login.once import SingleFlight
from gateway.login.opaque import digest_of
from gateway.sources.kheops.api import Api
from gateway.sources.kheops.tokens import Introspected, introspected

FRESH_S = 60.0
"""So long a token that was revoked may still get in; what it opens, Kheops decides each time."""

KEPT = 1024


class Capabilities:
    """What Kheops has said of capability tokens, by their digests."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: OrderedDict[bytes, tuple[Introspected, float]] = OrderedDict()
        self._flights: dict[bytes, SingleFlight[Introspected]] = {}

    async def said(self, token: Secret) -> Introspected:
        """Return what Kheops says of a token, or said less than FRESH_S ago; raises SourceError."""
        key = digest_of(str(token))
        known = self._known.get(key)
        if known is not None and monotonic() - known[1] < FRESH_S:
            return known[0]
        flight = self._flights.setdefault(key, SingleFlight())
        asked_at = monotonic()
        try:
            found = await flight.run(lambda: introspected(self._api, token))
        finally:
            self._flights.pop(key, None)
        self._known.pop(key, None)
        if found.is_active:  # anybody can make up others: they take no room here
            self._known[key] = found, asked_at
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found
