"""Jobs and studies as the API shows them."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from gateway.jobs.changes import Event
from gateway.jobs.happened import sentences
from gateway.jobs.records import Entry, Job
from gateway.jobs.requests import series_of
from gateway.jobs.states import AT_WORK, OF_A_STUDY, OPEN, REFUSED, RUNNING, UPLOADS
from gateway.sources.kheops.ids import INBOX

SENTENCES = {
    REFUSED: "the source asks for a login: log in again, then retry the job, and it goes on",
}


def job_json(job: Job) -> dict[str, Any]:
    """Return a job without its studies."""
    row = job.row
    rate = _rate_per_minute(job)
    left = sum(job.counts.get(state, 0) for state in OPEN)
    return {
        "id": row.id,
        "title": job.request["title"],
        "model": row.model,
        "options": job.request["options"],
        "series": series_of(job.request),
        "source": source_json(row.kind, job.request["album"]),
        "created_at": _moment(row.created_at),
        "ended_at": _moment(row.ended_at),
        "expires_at": _moment(row.expires_at),
        "state": row.state,
        "code": row.waits_for,
        "sentence": SENTENCES.get(row.waits_for, ""),
        "counts": {state: job.counts.get(state, 0) for state in OF_A_STUDY},
        "rows": job.rows,
        "rate_per_minute": None if rate is None else round(rate, 2),
        "seconds_left": None if rate is None else round(left * 60 / rate, 1),
        "events": sentences(job.happened, row.kind),
    }


def source_json(kind: str, album: str | None) -> dict[str, Any]:
    """Return where studies come from, as it is stated for a new job."""
    return {"kind": kind} | ({"album": album or INBOX} if kind == "kheops" else {})


def entry_json(entry: Entry, kind: str) -> dict[str, Any]:
    """Return a study of a job; while it is at work, what went wrong before is not told."""
    is_told = entry.state not in AT_WORK
    return {
        "position": entry.position,
        name_field(kind): entry.name,
        "state": entry.state,
        "attempts": entry.attempts,
        "code": entry.code if is_told else "",
        "sentence": (entry.sentence or SENTENCES.get(entry.code, "")) if is_told else "",
        "rows": entry.rows,
    }


def name_field(kind: str) -> str:
    """Return what the name of a study is called: an upload has a key, and no UID is known of it."""
    return "key" if kind == UPLOADS else "study_uid"


def event_json(event: Event) -> dict[str, Any]:
    """Return an event of a study; the seconds of a step are there where they are known."""
    found = {
        "position": event.position,
        "state": event.state,
        "attempts": event.attempts,
        "code": event.code,
        "rows": event.rows,
    }
    return found if event.seconds is None else {**found, "seconds": event.seconds}


def whole_json(job: Job, entries: Iterable[Entry]) -> dict[str, Any]:
    """Return a job with its studies."""
    return {**job_json(job), "studies": [entry_json(each, job.row.kind) for each in entries]}


def _moment(seconds: float | None) -> str | None:
    """Return a time as ISO 8601 has it."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _rate_per_minute(job: Job) -> float | None:
    """Return how many studies were over in a minute, up to now; None if too little is known."""
    if job.row.state != RUNNING or job.row.waits_for or len(job.rated) < 2:
        return None
    seconds = time.time() - min(job.rated)
    return 60 * (len(job.rated) - 1) / seconds if seconds > 0 else None
