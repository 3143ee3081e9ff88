"""What a source of studies does, whatever server is behind it; knows no web framework."""

from dataclasses import dataclass
from typing import Protocol

from gateway.sources.credential import Credential
from gateway.uploads.region import Region


class SourceError(Exception):
    """A source did not do what was asked.

    code: stable; docs/sources.md lists all. sentence: says what to do, and is safe to show.
    temporary: whether to ask again will help. retry_after_s: not before, if the source says so.
    """

    def __init__(
        self,
        code: str,
        sentence: str,
        *,
        temporary: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code, self.sentence = code, sentence
        self.temporary, self.retry_after_s = temporary, retry_after_s


@dataclass(frozen=True)
class Retrieved:
    """What a region holds now.

    series_uids: the series that were asked for, where the zip may hold more; None for all of it.
    """

    series_uids: tuple[str, ...] | None


class Source(Protocol):
    """A server that has studies.

    album: the id of an album, or None for a user's inbox, and where there are no albums. All
    methods raise SourceError.
    """

    async def for_job(self, credential: Credential, album: str | None) -> Credential:
        """Return what a job keeps, so that it outlives a login: a new one, or the same."""

    async def release(self, credential: Credential) -> None:
        """Revoke what `for_job` minted; of all others nothing is done."""

    async def study_uids(self, credential: Credential, album: str | None) -> list[str]:
        """Return the StudyInstanceUIDs of all studies of an album."""

    async def retrieve(
        self, credential: Credential, *, album: str | None, study_uid: str, region: Region
    ) -> Retrieved:
        """Write the zip of a study into an empty region, and see that it is whole.

        Raises ProblemError `too_large` or `no_room`, too. After an error the region is to be
        let go of: it may hold a part.
        """
