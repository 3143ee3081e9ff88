"""What a Kheops knows: users, albums, an inbox each, and tokens that it gave out."""

import io
import secrets
import string
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pydicom

LETTERS = string.ascii_letters + string.digits

Key = tuple[str, str]
"""StudyInstanceUID and SeriesInstanceUID."""


def word(count: int) -> str:
    """Return a name as Kheops makes them."""
    return "".join(secrets.choice(LETTERS) for _ in range(count))


@dataclass
class Album:
    """An album; members: whether each is an admin."""

    id: str
    name: str
    members: dict[str, bool]
    series: set[Key] = field(default_factory=set)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    description: str = ""


@dataclass
class Capability:
    """A capability token; album: its scope, or None for that of its user."""

    id: str
    text: str
    user: str
    album: str | None
    expires_at: datetime
    title: str = ""
    revoked: bool = False

    @property
    def is_active(self) -> bool:
        return not self.revoked and datetime.now(UTC) < self.expires_at


@dataclass(frozen=True)
class Somebody:
    """Whom a token is about, and what it opens.

    kind: "access", "capability", "viewer" or "report". album: the only one that it opens. study:
    the only one, of a viewer token; in_inbox: whether that is of the inbox.
    """

    user: str
    kind: str
    album: str | None = None
    study: str | None = None
    in_inbox: bool = False

    @property
    def has_user_access(self) -> bool:
        return self.kind == "access" or (self.kind == "capability" and self.album is None)


class World:
    """Everything; what a test changes, the next request sees."""

    def __init__(self) -> None:
        self.registered: set[str] = set()
        self.without_email: set[str] = set()
        self.albums: dict[str, Album] = {}
        self.inboxes: dict[str, set[Key]] = {}
        self.studies: dict[str, dict[str, Any]] = {}
        self.modality: dict[Key, str] = {}
        self.capabilities: dict[str, Capability] = {}
        self.reports: dict[str, Somebody] = {}
        self.asked: Counter[str] = Counter()
        self.viewer_tokens = 0

    def album(self, name: str, *admins: str, members: tuple[str, ...] = ()) -> Album:
        """Return a new album of some users; its admins are registered."""
        roles = dict.fromkeys(members, False) | dict.fromkeys(admins, True)
        album = Album(word(10), name, roles)
        self.albums[album.id] = album
        self.registered.update(roles)
        return album

    def learn(self, file: bytes) -> Key:
        """Take in the header of a DICOM file, and return what it belongs to."""
        dataset = pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True)
        key = dataset.StudyInstanceUID, dataset.SeriesInstanceUID
        known = self.studies.setdefault(key[0], {"instances": Counter()})
        known["instances"][key[1]] += 1
        self.modality[key] = dataset.Modality
        for keyword in ("PatientID", "PatientName", "StudyDate", "StudyDescription"):
            known[keyword] = str(dataset[keyword].value) if keyword in dataset else None
        return key

    def seen(self, somebody: Somebody, study: str | None = None) -> set[Key]:
        """Return the series that somebody sees, of one study or of all."""
        if somebody.album is not None:
            album = self.albums.get(somebody.album)
            found = album.series if album and somebody.user in album.members else set()
        elif somebody.kind == "viewer" and somebody.in_inbox:
            found = self.inboxes.get(somebody.user, set())
        else:
            found = self.inboxes.get(somebody.user, set()).union(
                *(each.series for each in self.of_user(somebody.user))
            )
        only = {each for each in (study, somebody.study) if each}
        return {key for key in found if not only - {key[0]}}

    def of_user(self, user: str) -> list[Album]:
        """Return the albums of a user."""
        return [album for album in self.albums.values() if user in album.members]

    def mint(self, user: str, album: str | None = None, **more: Any) -> Capability:
        """Return a new capability token of a user, or of an album."""
        life = more.pop("expires_at", datetime.now(UTC) + timedelta(days=90))
        made = Capability(word(10), word(22), user, album, life, **more)
        self.capabilities[made.text] = made
        return made

    def mint_report_provider(self, user: str, album: str) -> str:
        """Return a token of a report provider of an album."""
        text = f"eyJhbGciOiJIUzI1NiJ9.{word(60)}.{word(43)}"
        self.reports[text] = Somebody(user, "report", album)
        return text

    @property
    def minted(self) -> list[str]:
        """The ids of all capability tokens, oldest first."""
        return [each.id for each in self.capabilities.values()]

    @property
    def revoked(self) -> list[str]:
        """The ids of those that were revoked."""
        return [each.id for each in self.capabilities.values() if each.revoked]
