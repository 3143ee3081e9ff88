"""What a search finds: albums, studies, series, as the API tells of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def readable(text: str) -> str:
    """Return a server's text as one that can be written: JSON may escape half of a character."""
    return text.encode("utf-8", "replace").decode().strip()


@dataclass(frozen=True)
class Album:
    """An album of Kheops; created and changed as it states them, ISO 8601."""

    id: str
    name: str
    description: str
    modalities: tuple[str, ...]
    studies: int | None
    series: int | None
    created: str
    changed: str


@dataclass(frozen=True)
class Study:
    """A study; date is YYYY-MM-DD, texts are empty and numbers None where nothing is stated."""

    study_uid: str
    patient_id: str
    patient_name: str
    date: str
    description: str
    modalities: tuple[str, ...]
    series: int | None
    instances: int | None


@dataclass(frozen=True)
class Series:
    """A series of a study."""

    series_uid: str
    modality: str
    description: str
    number: int | None
    instances: int | None


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of what was found; total: of all of it, None if there is more and nobody counted."""

    found: Sequence[T]
    total: int | None

    def as_json(self, name: str) -> dict[str, Any]:
        """Return it as the API tells of it; the items have a name."""
        items = [asdict(each) for each in self.found]  # type: ignore[call-overload]
        return {name: items, "total": self.total}
