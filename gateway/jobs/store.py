"""What owners do with their jobs: begin them, cancel them, begin again, delete them."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from gateway.jobs.changes import SERIES_CHOSEN, Changes, Event
from gateway.jobs.database import Database
from gateway.jobs.records import unknown_job
from gateway.jobs.requests import with_series
from gateway.jobs.sealing import Sealing
from gateway.jobs.states import AT_WORK, DONE, REFUSED, RETRIABLE, RUNNING, WAITING
from gateway.jobs.tables import jobs, results, studies
from gateway.problems import ProblemError
from gateway.sources.credential import Credential


@dataclass(frozen=True)
class NewJob:
    """What somebody wants done.

    names: a StudyInstanceUID or a key of an upload a study.
    """

    owner: str
    model: str
    kind: str
    album: str | None
    title: str
    options: dict[str, str]
    names: tuple[str, ...]


class Store:
    """All jobs, for their owners: what is somebody else's is not there (ProblemError 404).

    of_one_user: jobs of a user that are not over.
    """

    def __init__(
        self, database: Database, sealing: Sealing, *, changes: Changes, of_one_user: int
    ) -> None:
        self._database, self._sealing, self._changes = database, sealing, changes
        self._of_one_user = of_one_user

    def create(self, new: NewJob, *, credential: Credential, expires_at: float) -> str:
        """Keep a new job, and return its id; raises ProblemError `too_many_jobs`."""
        job_id, key = secrets.token_urlsafe(16), self._sealing.new_key()
        box = self._sealing.box(key)
        request = {"title": new.title, "album": new.album, "options": new.options}
        with self._database.writing() as connection:
            self._refuse_too_many(connection, new.owner)
            connection.execute(
                insert(jobs).values(
                    id=job_id,
                    owner=new.owner,
                    model=new.model,
                    kind=new.kind,
                    state=RUNNING,
                    created_at=time.time(),
                    expires_at=expires_at,
                    key=key,
                    request=box.seal_json(request),
                    names=box.seal_json(new.names),
                    credential=box.seal_credential(credential),
                )
            )
            rows = [
                {"job_id": job_id, "position": position, "state": WAITING}
                for position in range(len(new.names))
            ]
            connection.execute(insert(studies), rows)
        return job_id

    def cancel(self, owner: str, job_id: str) -> None:
        """Cancel a job; one that is over stays as it is."""
        with self._database.writing() as connection:
            job = self._locked(connection, owner, job_id=job_id)
            if job.state == RUNNING:
                self._changes.cancel(connection, job)

    def delete(self, owner: str, job_id: str) -> None:
        """Delete a job with all its rows, whatever its state."""
        with self._database.writing() as connection:
            self._changes.delete(connection, self._locked(connection, owner, job_id=job_id))
        self._database.truncate_log()

    def retry(
        self,
        owner: str,
        job_id: str,
        *,
        positions: Sequence[int],
        older: bool,
        series: Mapping[int, str],
        credential: Credential,
        expires_at: float,
    ) -> None:
        """Begin again with studies that failed or were cancelled: some, or all without positions.

        older: those done by other versions than the newest rows, instead. series: chosen for
        studies by position, which begin again even if they are done. credential: replaces the one
        that the job has.
        """
        with self._database.writing() as connection:
            job = self._locked(connection, owner, job_id=job_id)
            if job.state != RUNNING:
                self._refuse_too_many(connection, owner)
            self._changes.let_go(connection, job)
            sealed = self._sealing.box(job.key).seal_credential(credential)
            values = {"state": RUNNING, "waits_for": "", "credential": sealed, "ended_at": None}
            this = update(jobs).where(jobs.c.id == job_id)
            connection.execute(this.values(expires_at=expires_at, **values))
            which: ColumnElement[bool] = studies.c.state.in_(RETRIABLE)
            if older:
                which = _of_older_versions(connection, job_id)
            if positions or series:
                which = and_(which, studies.c.position.in_((*positions, *series)))
            if series:
                self._choose(connection, job, series=series)
                done = and_(studies.c.state == DONE, studies.c.position.in_([*series]))
                which = or_(which, done)
            self._begin_again(connection, job, which=which)

    def delete_expired(self) -> int:
        """Delete the jobs whose time is over; return how many."""
        expired = select(jobs.c.id).where(jobs.c.expires_at <= time.time())
        with self._database.reading() as connection:
            found = connection.scalars(expired).all()
        for job_id in found:
            with self._database.writing() as connection:
                job = self._changes.locked(connection, job_id)
                if job is not None and job.expires_at <= time.time():
                    self._changes.delete(connection, job)
        if found:
            self._database.truncate_log()
        return len(found)

    def _choose(self, connection: Connection, job: Row[Any], *, series: Mapping[int, str]) -> None:
        """Keep which series are to be taken; a study at work has gone with others already."""
        named = and_(studies.c.job_id == job.id, studies.c.position.in_([*series]))
        free = select(studies.c.position).where(named, studies.c.state.not_in(AT_WORK))
        chosen = {position: series[position] for position in connection.scalars(free)}
        if not chosen:
            return
        box = self._sealing.box(job.key)
        request = box.seal_json(with_series(box.open_json(job.request), chosen))
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(request=request))
        self._changes.note(connection, job.id, code=SERIES_CHOSEN, times=len(chosen))

    def _begin_again(
        self, connection: Connection, job: Row[Any], *, which: ColumnElement[bool]
    ) -> None:
        with_old = select(studies.c.position).where(studies.c.job_id == job.id, which)
        refused = and_(studies.c.job_id == job.id, studies.c.code == REFUSED)
        still_waiting = update(studies).where(refused, studies.c.state == WAITING)
        connection.execute(still_waiting.values(code="", sentence=None))
        old = and_(results.c.job_id == job.id, results.c.position.in_(with_old))
        connection.execute(delete(results).where(old))
        self._changes.set_waiting(connection, job, which=which)
        self._changes.tell(connection, job.id, told=[Event(None, RUNNING)])
        self._changes.end_if_over(connection, job)

    def _locked(self, connection: Connection, owner: str, *, job_id: str) -> Row[Any]:
        job = self._changes.locked(connection, job_id)
        if job is None or job.owner != owner:
            raise unknown_job()
        return job

    def _refuse_too_many(self, connection: Connection, owner: str) -> None:
        running = and_(jobs.c.owner == owner, jobs.c.state == RUNNING)
        count = connection.scalar(select(func.count()).where(running)) or 0
        if count >= self._of_one_user:
            sentence = f"{count} of your jobs are not over: wait for one of them, or cancel it"
            raise ProblemError(429, "too_many_jobs", sentence, headers={"Retry-After": "60"})


def _of_older_versions(connection: Connection, job_id: str) -> ColumnElement[bool]:
    """Return which studies were done by another version than the last one that was done."""
    done = and_(studies.c.job_id == job_id, studies.c.state == DONE, studies.c.rows > 0)
    last = select(studies.c.version).where(done).order_by(studies.c.finished_at.desc()).limit(1)
    newest = connection.scalar(last) or ""
    return and_(studies.c.state == DONE, studies.c.rows > 0, studies.c.version != newest)
