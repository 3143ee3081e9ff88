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

    series_uids: to be stated to the engine, where the zip holds more than was asked for; None where
        it holds that alone, as it does wherever a source can see to it: a stated series is taken
        without the model's choice among several, and one that is no image is refused.
    """

    series_uids: tuple[str, ...] | None


class Source(Protocol):
    """A server that has studies.

    album: the id of an album, or None for a user's inbox, and where there are no albums. All
    methods raise SourceError.
    """

    async def for_job(self, credential: Credential, album: str | None) -> Credential:
        """Return what a job keeps, so that it outlives a login: a new one, or the same."""

    async def release(self, credential: Credential, *, by: Credential | None = None) -> None:
        """Revoke what `for_job` minted; of all others nothing is done.

        by: an access token of the same user, if one is at hand: Kheops lets nobody else revoke.
            Without one the error is `source_refused`, and the credential ends by itself.
        """

    async def study_uids(self, credential: Credential, album: str | None) -> list[str]:
        """Return the StudyInstanceUIDs of all studies of an album."""

    async def retrieve(
        self, credential: Credential, *, album: str | None, study_uid: str, region: Region
    ) -> Retrieved:
        """Write the zip of a study into an empty region, and see that it is whole.

        Raises ProblemError `too_large` or `no_room`, too. After an error the region is to be
        let go of: it may hold a part.
        """
