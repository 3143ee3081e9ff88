"""Changes of a job, each with the event that tells it: steps of larger transactions.

Whoever changes a job locks its row first. So numbers of events grow in the order in which they can
be seen, the last study of a job is noticed, and nobody waits for each other crosswise.
"""

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, insert, select, update
from starlette.datastructures import Secret

from gateway.jobs.sealing import Sealing
from gateway.jobs.states import (
    AT_WORK,
    CANCELLED,
    ENDED,
    NEEDS_FILE,
    OPEN,
    UPLOADS,
    WAITING,
)
from gateway.jobs.tables import events, incidents, jobs, revocations, studies
from gateway.sources.credential import Credential

RESTART, GATEWAY_GONE, INTERRUPTED = "restart", "gateway_gone", "interrupted"
SERIES_CHOSEN = "series_chosen"
"""Incidents that are no code of a study."""


@dataclass(frozen=True)
class Event:
    """What a study has come to; position None: the job itself. seconds: that it took, if known."""

    position: int | None
    state: str
    attempts: int = 0
    code: str = ""
    rows: int = 0
    seconds: float | None = None


class Changes:
    """What can happen to a job.

    rows_s: after its end it is kept for so many seconds.
    """

    def __init__(self, sealing: Sealing, rows_s: float) -> None:
        self._sealing, self._rows_s = sealing, rows_s

    def locked(self, connection: Connection, job_id: str, *, skip: bool = False) -> Row[Any] | None:
        """Return a job that nobody else changes now; None if it is not there.

        skip: None, too, if somebody changes it.
        """
        query = select(jobs).where(jobs.c.id == job_id).with_for_update(skip_locked=skip)
        return connection.execute(query).first()

    def tell(self, connection: Connection, job_id: str, *, told: Sequence[Event]) -> None:
        """Append events."""
        last = connection.execute(
            update(jobs)
            .where(jobs.c.id == job_id)
            .values(last_event=jobs.c.last_event + len(told))
            .returning(jobs.c.last_event)
        ).scalar_one()
        numbered = enumerate(told, last - len(told) + 1)
        connection.execute(
            insert(events),
            [{"job_id": job_id, "number": number, **asdict(each)} for number, each in numbered],
        )

    def note(self, connection: Connection, job_id: str, *, code: str, times: int = 1) -> None:
        """Count an incident."""
        now = time.time()
        this = and_(incidents.c.job_id == job_id, incidents.c.code == code)
        counted = {"times": incidents.c.times + times, "last_at": now}
        if not connection.execute(update(incidents).where(this).values(counted)).rowcount:
            first = {"times": times, "first_at": now, "last_at": now}
            connection.execute(insert(incidents).values(job_id=job_id, code=code, **first))

    def end_if_over(self, connection: Connection, job: Row[Any]) -> None:
        """End a job that has nothing left to do."""
        is_open = (studies.c.job_id == job.id) & studies.c.state.in_(OPEN)
        if not connection.scalar(select(exists().where(is_open))):
            self.end(connection, job, state=ENDED)

    def end(self, connection: Connection, job: Row[Any], *, state: str) -> None:
        """End a job: its credential goes, its rows stay for a while."""
        now = time.time()
        self.let_go(connection, job)
        connection.execute(
            update(jobs)
            .where(jobs.c.id == job.id)
            .values(state=state, waits_for="", ended_at=now, expires_at=now + self._rows_s)
        )
        self.tell(connection, job.id, told=[Event(None, state)])

    def let_go(self, connection: Connection, job: Row[Any]) -> None:
        """Delete a job's credential; of one that was minted for it the id stays, to revoke it."""
        if job.credential is None:
            return
        credential = self._sealing.box(job.key).open_credential(job.credential)
        self.put_down(connection, job, credential=credential)
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(credential=None))

    def put_down(self, connection: Connection, job: Row[Any], *, credential: Credential) -> None:
        """Put down that a credential is to be revoked, if it was minted for a job."""
        if credential.id:
            now = time.time()
            ends_at = credential.expires_at
            connection.execute(
                insert(revocations).values(
                    id=secrets.token_hex(16),
                    owner=job.owner,
                    kind=job.kind,
                    credential=self._sealing.seal_credential(replace(credential, text=Secret(""))),
                    next_at=now,
                    until=ends_at.timestamp() if ends_at else now + self._rows_s,
                )
            )

    def cancel(self, connection: Connection, job: Row[Any]) -> None:
        """Cancel all that is open; answers of studies at work will find no place."""
        self._set(connection, job, which=studies.c.state.in_(OPEN), state=CANCELLED)
        self.end(connection, job, state=CANCELLED)

    def free(
        self, connection: Connection, job: Row[Any], *, of_gateways: Iterable[str] | None
    ) -> int:
        """Let others have the studies of gateways that are gone; return how many were at work.

        of_gateways: None for all. What was uploaded is gone with its gateway.
        """
        held = studies.c.gateway > ""
        if of_gateways is not None:
            held = studies.c.gateway.in_(tuple(of_gateways))
        at_work = held & studies.c.state.in_(AT_WORK)
        state = NEEDS_FILE if job.kind == UPLOADS else WAITING
        freed = self._set(connection, job, which=at_work, state=state)
        of_this = (studies.c.job_id == job.id) & held
        connection.execute(update(studies).where(of_this).values(gateway=""))
        return freed

    def set_waiting(
        self, connection: Connection, job: Row[Any], *, which: ColumnElement[bool]
    ) -> int:
        """Have studies done, again or at last; return how many."""
        state = NEEDS_FILE if job.kind == UPLOADS else WAITING
        return self._set(connection, job, which=which, state=state)

    def _set(
        self, connection: Connection, job: Row[Any], *, which: ColumnElement[bool], state: str
    ) -> int:
        """Change the state of some studies, of which no gateway has any afterwards."""
        changed = connection.execute(
            update(studies)
            .where((studies.c.job_id == job.id) & which)
            .values(
                state=state,
                gateway="",
                code="",
                sentence=None,
                rows=0,
                version="",
                ready_at=0.0,
                failures=0,
                same_failures=0,
                failing_since=None,
                finished_at=None,
            )
            .returning(studies.c.position, studies.c.attempts)
        ).all()
        if changed:
            told = [Event(each.position, state, each.attempts) for each in sorted(changed)]
            self.tell(connection, job.id, told=told)
        return len(changed)

    def delete(self, connection: Connection, job: Row[Any]) -> None:
        """Delete a job and all that is of it, but for what is to be revoked."""
        self.let_go(connection, job)
        connection.execute(delete(jobs).where(jobs.c.id == job.id))
