"""What a server's refusal means to whoever asked, and what they can do."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.sources.source import SourceError

LONGEST_WAIT_S = 3600.0


@dataclass(frozen=True)
class Meaning:
    """What a status means: the code, the sentence, and whether to ask again will help."""

    code: str
    sentence: str
    temporary: bool = False


AWAY = Meaning("source_unreachable", "{server} cannot be reached: try again in a minute", True)

BROKEN = Meaning(
    "source_failed", "{server} failed: try again, and ask who runs it if it goes on", True
)

UNREADABLE = Meaning(
    "source_failed", "{server}'s answer cannot be read: ask who runs it whether it works", True
)

CUT_OFF = Meaning("truncated_zip", "{server} stopped in the middle of a study: try again", True)

Meanings = Mapping[int, Meaning]

COMMON: Meanings = {
    400: Meaning("bad_query", "{server} does not take this search: change it"),
    429: Meaning("source_unreachable", "{server} has too much to do: try again in a while", True),
    503: AWAY,
}


@dataclass(frozen=True)
class Failures:
    """What the statuses of one server mean; server: what to call it."""

    server: str
    meanings: Meanings

    def of_status(self, status: int, retry_after: str = "") -> SourceError:
        """Return the error for an answer that is none."""
        meaning = self.meanings.get(status) or COMMON.get(status) or BROKEN
        return self.of(meaning, retry_after)

    def of(self, meaning: Meaning, retry_after: str = "") -> SourceError:
        """Return the error of a meaning."""
        return SourceError(
            meaning.code,
            meaning.sentence.format(server=self.server),
            temporary=meaning.temporary,
            retry_after_s=_seconds(retry_after) if meaning.temporary else None,
        )


def _seconds(retry_after: str) -> float | None:
    """Return the seconds of a Retry-After header, if it is not a date (RFC 9110 section 10.2.3)."""
    is_number = retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10
    return min(float(retry_after), LONGEST_WAIT_S) if is_number else None
