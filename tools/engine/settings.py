"""What one server is to be: where it listens, what it serves, which Triton it is."""

from dataclasses import dataclass, field
from pathlib import Path

from tools.engine.sources import store_folder
from tools.locations import data_folder

LOOPBACK = "127.0.0.1"


class EngineError(RuntimeError):
    """The server cannot run, and the message says why and what to do."""


@dataclass(frozen=True)
class EngineSettings:
    """Where the server listens, and what it serves.

    address: of all ports; loopback unless the server is inside a container.
    state_port: of the page with the state of the engine; None for no page.
    model_repository: folder of models. store: of published ones, which go before those.
    """

    http_port: int = 8000
    grpc_port: int = 8001
    metrics_port: int = 8002
    state_port: int | None = None
    address: str = LOOPBACK
    model_repository: Path = field(default_factory=lambda: data_folder("model_repository"))
    store: Path = field(default_factory=store_folder)
    verbose: bool = False

    @property
    def sources(self) -> tuple[Path, ...]:
        """The folders that models come from, the last one first."""
        return self.model_repository, self.store

    @property
    def http_url(self) -> str:
        """The HTTP address as this machine reaches it, without scheme."""
        return f"127.0.0.1:{self.http_port}"

    @property
    def metrics_host(self) -> str:
        """Host and port of the metrics, as this machine reaches them."""
        return f"127.0.0.1:{self.metrics_port}"

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports that the server takes."""
        ports = (self.http_port, self.grpc_port, self.metrics_port, self.state_port)
        return tuple(port for port in ports if port is not None)
