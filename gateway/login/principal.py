"""Somebody who may use the gateway."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

CAPABILITY = "capability"

CAPABILITY_PATHS = ("/api/kheops", "/api/jobs", "/api/models")


@dataclass(frozen=True)
class Principal:
    """Somebody who may use the gateway.

    subject: stable and opaque: "local", the provider's `sub`, or made of a token of Kheops.
    way: how they came in: "local", "session", "bearer", or CAPABILITY: by a token of Kheops, which
        opens CAPABILITY_PATHS alone.
    name: for the page alone; it is never logged.
    """

    subject: str
    way: str
    name: str = ""


def principal_of(connection: HTTPConnection) -> Principal:
    """Return who sent a request that has passed the guard."""
    principal: Principal = connection.scope["principal"]
    return principal
