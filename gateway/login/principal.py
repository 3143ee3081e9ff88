"""Somebody who may use the gateway."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection


@dataclass(frozen=True)
class Principal:
    """Somebody who may use the gateway.

    subject: stable and opaque: "local", or the provider's `sub`.
    way: how they came in: "local", "session" or "bearer".
    name: for the page alone; it is never logged.
    """

    subject: str
    way: str
    name: str = ""


def principal_of(connection: HTTPConnection) -> Principal:
    """Return who sent a request that has passed the guard."""
    principal: Principal = connection.scope["principal"]
    return principal
