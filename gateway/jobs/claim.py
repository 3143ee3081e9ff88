"""A study that one gateway has, and what becomes of it."""

from dataclasses import dataclass

from gateway.jobs.sealing import Box
from gateway.jobs.trouble import Trouble
from gateway.sources.credential import NO_CREDENTIAL, Credential


class LostError(Exception):
    """The study is not this gateway's any more: cancelled, deleted, or taken up by another one."""


@dataclass(frozen=True)
class Claim:
    """A study that is this gateway's, and what is needed to do it.

    number: which claim of the study it is; an older one is worth nothing.
    name: its StudyInstanceUID, or the key of an upload. trouble: what went wrong before.
    """

    job_id: str
    position: int
    number: int
    owner: str
    model: str
    kind: str
    album: str | None
    name: str
    options: dict[str, str]
    credential: Credential
    attempts: int
    trouble: Trouble
    box: Box

    def is_asked_with(self, sealed: bytes | None) -> bool:
        """Say whether a sealed credential is the one that the study is asked for with."""
        kept = NO_CREDENTIAL if sealed is None else self.box.open_credential(sealed)
        return str(kept.text) == str(self.credential.text)


@dataclass(frozen=True)
class Finished:
    """The answer to a study.

    content: labels, features and report, packed. rows: how many. version: a digest of what they
    were computed by. seconds_to_volumes, seconds_to_features: of the last steps.
    interruptions: engines that went away meanwhile.
    """

    content: bytes
    rows: int
    version: str
    seconds_to_volumes: float
    seconds_to_features: float
    interruptions: int
