"""What happened to a job, as sentences for its report: from counters, which hold no text."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from gateway.jobs.changes import GATEWAY_GONE, INTERRUPTED, RESTART, SERIES_CHOSEN
from gateway.jobs.states import DICOMWEB, KHEOPS, REFUSED

SOURCES = {KHEOPS: "Kheops", DICOMWEB: "the DICOMweb server"}

SENTENCES = {
    RESTART: "the service was restarted {times}",
    GATEWAY_GONE: "a gateway went away over studies {times}, and others took them up",
    INTERRUPTED: "an engine was interrupted over a study {times}, and was asked again",
    SERIES_CHOSEN: "the series of a study was chosen by hand {times}",
    REFUSED: "{source} asked for a new login {times}",
    "source_unreachable": "{source} was not reached {times}{span}",
    "source_failed": "{source} failed {times}{span}",
    "truncated_zip": "a study came incomplete from {source} {times}",
}

OTHERWISE = "studies were tried again because of {code} {times}{span}"


def sentences(incidents: Iterable[Row[Any]], kind: str) -> list[str]:
    """Return a sentence for each kind of incident. kind: of the job's source."""
    return [
        SENTENCES.get(each.code, OTHERWISE).format(
            code=each.code,
            source=SOURCES.get(kind, "the sender"),
            times="once" if each.times == 1 else f"{each.times} times",
            span=_span(each.last_at - each.first_at),
        )
        for each in incidents
    ]


def _span(seconds: float) -> str:
    return f" within {seconds:.0f} s" if seconds >= 1 else ""
