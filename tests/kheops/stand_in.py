"""The stand-in as tests use it: a URL, a world to change, and switches for what goes wrong."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from gateway_server import listening
from oidc_provider import ProviderOfTests

from kheops.app import application
from kheops.orthanc import Orthanc
from kheops.tokens import Tokens
from kheops.world import Album, Capability, World
from tools.engine.ports import free_ports


class Kheops:
    """A running stand-in; world: what it knows."""

    def __init__(
        self, orthanc: Orthanc, *, issuer: str, keys: Callable[[], Mapping[str, Any]], port: int
    ) -> None:
        self.orthanc, self.port, self._issuer, self._keys = orthanc, port, issuer, keys
        self.forget()
        self.app = application(self)

    @property
    def url(self) -> str:
        """Its root, as a gateway is told of it."""
        return f"http://127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Begin with an empty world, in which nothing goes wrong."""
        self.world = World()
        self.tokens = Tokens(self.world, self._issuer, self._keys)
        self.failure: int | None = None
        self.fails: Counter[str] = Counter()
        self.truncations: Counter[str] = Counter()
        self.gives_viewer_tokens = True

    def add_album(self, name: str, *admins: str, members: tuple[str, ...] = ()) -> Album:
        """Return a new album of some users, who are registered then."""
        return self.world.album(name, *admins, members=members)

    def add_study(self, album: Album | str, *files: bytes, store: bool = True) -> str:
        """Put DICOM files of one study into an album, or into the inbox of a user; return its UID.

        store: whether Orthanc gets them.
        """
        if store:
            self.orthanc.store(*files)
        keys = {self.world.learn(file) for file in files}
        if isinstance(album, Album):
            album.series |= keys
        else:
            self.world.registered.add(album)
            self.world.inboxes.setdefault(album, set()).update(keys)
        (study,) = {key[0] for key in keys}
        return study

    def share(self, album: Album, user: str, *, admin: bool = False) -> None:
        """Let a user see an album."""
        self.world.registered.add(user)
        album.members[user] = admin

    def capability(self, user: str, album: Album | None = None, **more: Any) -> Capability:
        """Return a token that a user has made on Kheops's page."""
        self.world.registered.add(user)
        return self.world.mint(user, album.id if album else None, **more)

    def fail_with(self, status: int | None) -> None:
        """Answer everything with a status from now on; None: no more."""
        self.failure = status

    def fail_at(self, route: str, *, times: int) -> None:
        """Answer 502 at a route some times: "study", "series", "albums" …"""
        self.fails[route] = times

    def truncate(self, study_uid: str, times: int = 1) -> None:
        """Break off the zip of a study, under 200, some times."""
        self.truncations[study_uid] = times


@contextmanager
def running_kheops(
    orthanc: Orthanc, issuer: str, keys: Callable[[], Mapping[str, Any]]
) -> Iterator[Kheops]:
    """Give a stand-in with an empty world."""
    (port,) = free_ports(1)
    kheops = Kheops(orthanc, issuer=issuer, keys=keys, port=port)
    with listening(kheops.app, port):
        yield kheops


@pytest.fixture(scope="session")
def _running_kheops(orthanc: Orthanc, _running_provider: ProviderOfTests) -> Iterator[Kheops]:
    issuer = _running_provider.issuer
    with running_kheops(orthanc, issuer, lambda: httpx.get(f"{issuer}/jwks").json()) as kheops:
        yield kheops


@pytest.fixture
def kheops(_running_kheops: Kheops, provider: ProviderOfTests) -> Kheops:  # noqa: ARG001
    """A Kheops with an empty world, whose users log in at the tests' OpenID provider."""
    _running_kheops.forget()
    return _running_kheops
