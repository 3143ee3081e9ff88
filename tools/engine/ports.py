"""Ports on which nothing listens."""

import secrets
import socket
from contextlib import ExitStack, suppress

BELOW_THOSE_OF_CLIENTS = range(20_000, 32_000)
"""Linux gives outgoing connections ports from 32768 on: one of these could be taken by a client
between the moment that it was found free and the moment that a server listens on it."""


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that are free now; raises OSError if there are not as many."""
    ports: list[int] = []
    with ExitStack() as stack:
        for port in secrets.SystemRandom().sample(BELOW_THOSE_OF_CLIENTS, 64 + count):
            if len(ports) == count:
                return ports
            with suppress(OSError):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
                ports.append(port)
    raise OSError(f"fewer than {count} ports are free")
