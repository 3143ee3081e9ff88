"""One Triton as the gateway sees it."""

import logging
import time
from dataclasses import dataclass, field

import httpx

from gateway.engines.catalogue import Model

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
WRITE_SECONDS = 60.0


@dataclass(eq=False)
class Engine:
    """A Triton by its address, and what is known of it; times are of time.monotonic.

    pending: our studies that it has. is_in: whether it gets more. is_local: whether it is of this
    machine and account, and opens regions by name. models: what it serves, by name. broken: those
    of them that did not answer the last canary.
    """

    url: str
    http: httpx.AsyncClient
    pending: int = 0
    is_in: bool = False
    is_local: bool = False
    answered_at: float = field(default_factory=time.monotonic)
    models: dict[str, Model] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()

    def serves(self, model: str) -> bool:
        """Say whether a study for the model can go to it."""
        return self.is_in and model in self.models and model not in self.broken

    def has_answered(self) -> None:
        """Note that it has answered somebody."""
        self.answered_at = time.monotonic()

    def take_out(self, reason: str) -> None:
        """Send it no more studies until it has answered a canary."""
        if self.is_in:
            log.warning("the engine %s gets no studies: %s", self.url, reason)
        self.is_in = False

    def take_in(self) -> None:
        """Send it studies."""
        if not self.is_in:
            log.info("the engine %s gets studies", self.url)
        self.is_in = True


def client_of(url: str) -> httpx.AsyncClient:
    """Return a client of one Triton, `HOST:PORT`.

    No limit of connections, since admission has one; none for an answer, which may be minutes of
    work away. Without proxies of the environment, and without compression, which costs more than
    it saves on the way to a Triton.
    """
    return httpx.AsyncClient(
        base_url=f"http://{url}",
        headers={"Accept-Encoding": "identity"},
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS, write=WRITE_SECONDS),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
        trust_env=False,
    )
