"""A running service that models are published to: the user's, or one for the time of a check."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tools.client import is_live
from tools.engine.access import Access, local_access
from tools.engine.control import Control, ControlError
from tools.engine.ports import free_ports
from tools.engine.repository import PreparedRepository
from tools.engine.run import running
from tools.engine.settings import EngineError, EngineSettings
from tools.engine.sources import models_in, steps_of
from tools.models.names import ModelsError, Version
from tools.models.store import Store


@dataclass(frozen=True)
class LiveService:
    """Triton at `url`: models come into force, and out of it, without a request being lost.

    sources: the folders that its models come from. folder: what it reads, made of those.
    """

    url: str
    sources: tuple[Path, ...]
    folder: Path
    control: Control

    @classmethod
    def of(cls, access: Access) -> "LiveService":
        """Return the service that an access opens."""
        return cls(
            access.http_url,
            tuple(map(Path, access.sources)),
            Path(access.models),
            Control(access.http_url, access.key),
        )

    @property
    def store(self) -> Store:
        """The store that it serves."""
        repository, folder = self.sources
        return Store(folder, repository)

    def prepare(self, model: str, *, further: Path | None = None) -> None:
        """Give Triton the files of a model, and of those that it is made of."""
        sources = self.sources if further is None else (*self.sources, further)
        prepared = PreparedRepository(sources, self.folder)
        for each in (*steps_of(models_in(sources)[model]), model):
            prepared.add(each)

    def load(self, model: str, *, further: Path | None = None) -> None:
        """Load a model, in place of one of that name; refuse one that Triton cannot load.

        further: a folder with models, beside the service's own.
        """
        self.prepare(model, further=further)
        try:
            self.control.load(model)
        except ControlError as error:
            raise ModelsError(f"Triton cannot load {model}: {error}") from error

    def unload(self, model: str) -> None:
        """Unload a model, if it is there; it finishes what it works on."""
        with suppress(ControlError):  # one that failed to load is not there to be unloaded
            self.control.unload(model)
        PreparedRepository(self.sources, self.folder).remove(model)

    def unload_pair(self, version: Version) -> None:
        """Unload both parts of a version."""
        for part in version.parts:
            self.unload(part)


def live_at(url: str, store: Store) -> LiveService | None:
    """Return the service at `url`, None if none is there.

    Refuses a service whose models come from elsewhere, and one that is not this account's.
    """
    access = local_access(url)
    if access is None:
        if is_live(url):
            raise ModelsError(
                f"the service at {url} belongs to another account or is in a container: publish "
                "there, or name a store with --store and another address with --url"
            )
        return None
    live = LiveService.of(access)
    if live.store != store:
        raise ModelsError(
            f"the service at {url} serves the store {live.store.folder}: name it with --store"
        )
    return live


@contextmanager
def service_for(url: str, store: Store) -> Iterator[LiveService]:
    """Give the service at `url`; where none is, one for the time of the block."""
    if live := live_at(url, store):
        yield live
        return
    http_port, grpc_port, metrics_port = free_ports(3)
    settings = EngineSettings(
        http_port,
        grpc_port,
        metrics_port,
        model_repository=store.repository,
        store=store.folder,
    )
    try:
        with running(settings):
            own = live_at(settings.http_url, store)
            assert own is not None  # noqa: S101  (it has just been started)
            yield own
    except EngineError as error:
        raise ModelsError(
            f"the check needs a service, and none could be started: {error}"
        ) from error
