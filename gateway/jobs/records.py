"""Jobs as their owners see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select

from gateway.jobs.changes import Event
from gateway.jobs.database import Database
from gateway.jobs.sealing import Sealing
from gateway.jobs.states import RUNNING
from gateway.jobs.tables import events, incidents, jobs, results, studies
from gateway.problems import ProblemError

RATED_STUDIES = 20
"""The last ones, of which the rate is told."""


@dataclass(frozen=True)
class Job:
    """A job as it is now.

    row: of the table. request: title, album and options. counts: of studies by state.
    rated: times at which the last ones were over. happened: its incidents.
    """

    row: Row[Any]
    request: dict[str, Any]
    counts: dict[str, int]
    rows: int
    rated: Sequence[float]
    happened: Sequence[Row[Any]]


@dataclass(frozen=True)
class Entry:
    """One study of a job; sentence: why it has its code."""

    position: int
    name: str
    state: str
    attempts: int
    code: str
    sentence: str
    rows: int


@dataclass(frozen=True)
class Stored:
    """A study and its answer, packed; content is None where there is none."""

    position: int
    name: str
    state: str
    code: str
    content: bytes | None


class Records:
    """What is known of jobs, for their owners: what is somebody else's is not there (404)."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self._database, self._sealing = database, sealing

    def all_of(self, owner: str) -> list[Job]:
        """Return a user's jobs, the newest first."""
        query = select(jobs).where(jobs.c.owner == owner).order_by(jobs.c.created_at.desc())
        with self._database.reading() as connection:
            return [self._job(connection, row) for row in connection.execute(query).all()]

    def one(self, owner: str, job_id: str) -> Job:
        """Return a job."""
        with self._database.reading() as connection:
            return self._job(connection, _owned(connection, owner, job_id=job_id))

    def entries(self, owner: str, job_id: str, *, position: int | None = None) -> list[Entry]:
        """Return the studies of a job, or the one at a position, if there is one."""
        of_this: ColumnElement[bool] = studies.c.job_id == job_id
        if position is not None:
            of_this = and_(of_this, studies.c.position == position)
        with self._database.reading() as connection:
            job = _owned(connection, owner, job_id=job_id)
            found = connection.execute(
                select(studies).where(of_this).order_by(studies.c.position)
            ).all()
        box = self._sealing.box(job.key)
        names = box.open_json(job.names)
        return [
            Entry(
                each.position,
                names[each.position],
                each.state,
                each.attempts,
                each.code,
                box.open(each.sentence).decode() if each.sentence else "",
                each.rows,
            )
            for each in found
        ]

    def events(self, owner: str, job_id: str, *, after: int) -> tuple[str, list[Event], int]:
        """Return a job's state, what came after an event, and the number of the last one."""
        later = and_(events.c.job_id == job_id, events.c.number > after)
        query = select(events).where(later).order_by(events.c.number)
        with self._database.reading() as connection:
            job = _owned(connection, owner, job_id=job_id)
            found = connection.execute(query).all() if job.last_event > after else []
        told = [
            Event(each.position, each.state, each.attempts, each.code, each.rows, each.seconds)
            for each in found
        ]
        return job.state, told, job.last_event

    def stored(self, owner: str, job_id: str, *, positions: range) -> list[Stored]:
        """Return studies of a job with their answers, by their positions."""
        within = studies.c.position.between(positions.start, positions.stop - 1)
        same = and_(results.c.job_id == studies.c.job_id, results.c.position == studies.c.position)
        query = (
            select(studies.c.position, studies.c.state, studies.c.code, results.c.content)
            .outerjoin(results, same)
            .where(studies.c.job_id == job_id, within)
            .order_by(studies.c.position)
        )
        with self._database.reading() as connection:
            job = _owned(connection, owner, job_id=job_id)
            found = connection.execute(query).all()
        box = self._sealing.box(job.key)
        names = box.open_json(job.names)
        return [
            Stored(
                each.position,
                names[each.position],
                each.state,
                each.code,
                None if each.content is None else box.open(each.content),
            )
            for each in found
        ]

    def _job(self, connection: Connection, row: Row[Any]) -> Job:
        of_this = studies.c.job_id == row.id
        counted = connection.execute(
            select(studies.c.state, func.count(), func.sum(studies.c.rows))
            .where(of_this)
            .group_by(studies.c.state)
        ).all()
        rated: Sequence[float] = ()
        if row.state == RUNNING:
            rated = connection.scalars(_last_finished(row.id)).all()
        happened = connection.execute(
            select(incidents).where(incidents.c.job_id == row.id).order_by(incidents.c.first_at)
        ).all()
        request = self._sealing.box(row.key).open_json(row.request)
        counts = {state: count for state, count, _ in counted}
        return Job(row, request, counts, sum(rows for _, _, rows in counted), rated, happened)


def unknown_job() -> ProblemError:
    """Return the refusal of a job that is not there, or somebody else's: nobody can tell which."""
    return ProblemError(404, "unknown_job", "there is no job of yours with this id")


def _owned(connection: Connection, owner: str, *, job_id: str) -> Row[Any]:
    query = select(jobs).where(jobs.c.id == job_id, jobs.c.owner == owner)
    job = connection.execute(query).first()
    if job is None:
        raise unknown_job()
    return job


def _last_finished(job_id: str) -> Select[Any]:
    finished = and_(studies.c.job_id == job_id, studies.c.finished_at.is_not(None))
    last = select(studies.c.finished_at).where(finished)
    return last.order_by(studies.c.finished_at.desc()).limit(RATED_STUDIES)
