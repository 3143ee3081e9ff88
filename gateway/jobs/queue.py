"""The queue of studies: one gateway at a time has a study, and writes down what becomes of it."""

import logging
import time
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from gateway.jobs.changes import INTERRUPTED, Changes, Event
from gateway.jobs.claim import Claim, Finished, LostError
from gateway.jobs.database import Database
from gateway.jobs.requests import options_of
from gateway.jobs.sealing import Sealing, UnsealableError
from gateway.jobs.states import (
    DECODED,
    DONE,
    FAILED,
    INFERRED,
    NEEDS_FILE,
    REFUSED,
    RUNNING,
    UPLOADS,
    WAITING,
)
from gateway.jobs.tables import jobs, results, studies
from gateway.jobs.trouble import Trouble
from gateway.jobs.turns import is_ready, jobs_in_turn
from gateway.sources.credential import NO_CREDENTIAL, Credential

log = logging.getLogger(__name__)


class Queue:
    """The studies that wait, for one gateway; all methods but `claim…` raise LostError."""

    def __init__(
        self, database: Database, sealing: Sealing, *, changes: Changes, gateway: str
    ) -> None:
        self._database, self._sealing, self._changes = database, sealing, changes
        self._gateway = gateway
        self._closed: set[str] = set()

    def claim(self, but_of: Collection[str] = ()) -> Claim | None:
        """Return the next study: of the user with the fewest at work, of the oldest job.

        but_of: users who have to wait.
        """
        now = time.time()
        with self._database.writing() as connection:
            for (job_id,) in connection.execute(jobs_in_turn(now, but_of)).all():
                job = self._changes.locked(connection, job_id, skip=True)
                if job is None or job.state != RUNNING or job.waits_for:
                    continue
                ready = and_(studies.c.job_id == job_id, *is_ready(now))
                query = select(studies).where(ready).order_by(studies.c.position).limit(1)
                study = connection.execute(query).first()
                taken = self._taken_if_open(connection, job, study=study)
                if taken is not None:
                    return taken
        return None

    def claim_upload(self, job_id: str, position: int) -> Claim | None:
        """Return a study whose bytes have come; None if it does not wait for any."""
        with self._database.writing() as connection:
            job = self._changes.locked(connection, job_id)
            if job is None or job.state != RUNNING or job.kind != UPLOADS:
                return None
            waits = studies.c.state.in_((WAITING, NEEDS_FILE)) & (studies.c.gateway == "")
            this = and_(studies.c.job_id == job_id, studies.c.position == position, waits)
            study = connection.execute(select(studies).where(this)).first()
            return None if study is None else self._taken(connection, job, study=study)

    def begin(self, claim: Claim, state: str) -> None:
        """Note that the study is at work, which is an attempt."""
        with self._database.writing() as connection:
            values = {"state": state, "attempts": claim.attempts + 1}
            self._write(
                connection,
                claim,
                values=values,
                told=[Event(claim.position, state, claim.attempts + 1)],
            )

    def move(self, claim: Claim, states: Sequence[str]) -> None:
        """Note which states the study has gone through, up to the last of them."""
        told = [Event(claim.position, state, claim.attempts + 1) for state in states]
        with self._database.writing() as connection:
            self._write(connection, claim, values={"state": states[-1]}, told=told)

    def finish(self, claim: Claim, finished: Finished) -> None:
        """Keep the answer: with the change of state, so that it is there once."""
        place, attempts, rows = claim.position, claim.attempts + 1, finished.rows
        told = [
            Event(place, DECODED, attempts, seconds=finished.seconds_to_volumes),
            Event(place, INFERRED, attempts, seconds=finished.seconds_to_features),
            Event(place, DONE, attempts, rows=rows),
        ]
        values = {"state": DONE, "rows": rows, "version": finished.version, **_over(), **_WELL}
        sealed = claim.box.seal(finished.content)
        with self._database.writing() as connection:
            job = self._write(connection, claim, values=values, told=told)
            keys = {"job_id": claim.job_id, "position": place}
            connection.execute(insert(results).values(content=sealed, **keys))
            if finished.interruptions:
                times = finished.interruptions
                self._changes.note(connection, claim.job_id, code=INTERRUPTED, times=times)
            self._changes.end_if_over(connection, job)

    def fail(self, claim: Claim, code: str, *, sentence: str) -> None:
        """Note that the study cannot be done, and why."""
        told = [Event(claim.position, FAILED, claim.attempts + 1, code)]
        sealed = claim.box.seal(sentence.encode())
        values = {"state": FAILED, "code": code, "sentence": sealed, **_over()}
        with self._database.writing() as connection:
            job = self._write(connection, claim, values=values, told=told)
            self._changes.end_if_over(connection, job)

    def again(self, claim: Claim, trouble: Trouble, *, sentence: str, after_s: float) -> None:
        """Put back a study that did not succeed this time."""
        values = {
            "code": trouble.code,
            "sentence": claim.box.seal(sentence.encode()),
            "failures": trouble.failures,
            "same_failures": trouble.same_failures,
            "failing_since": trouble.since,
        }
        state = NEEDS_FILE if claim.kind == UPLOADS else WAITING
        told = [Event(claim.position, state, claim.attempts + 1, trouble.code)]
        with self._database.writing() as connection:
            self._write(connection, claim, values={**values, **_back(state, after_s)}, told=told)
            self._changes.note(connection, claim.job_id, code=trouble.code)

    def put_back(self, claim: Claim, *, after_s: float) -> None:
        """Put back a study that was not begun: no attempt, and nothing to tell."""
        with self._database.writing() as connection:
            self._write(
                connection,
                claim,
                values={"gateway": "", "ready_at": time.time() + after_s},
                told=[],
            )

    def lose_file(self, claim: Claim) -> None:
        """Put back an upload whose sender is gone."""
        told = [Event(claim.position, NEEDS_FILE, claim.attempts + 1)]
        with self._database.writing() as connection:
            self._write(connection, claim, values=_back(NEEDS_FILE, 0.0), told=told)

    def refuse(self, claim: Claim, fresh: Credential | None) -> None:
        """Put back a study whose source does not know the owner any more.

        fresh: replaces the credential; without one the job waits for its owner's login, unless
        they have just logged in.
        """
        told = [Event(claim.position, WAITING, claim.attempts + 1, REFUSED), Event(None, RUNNING)]
        with self._database.writing() as connection:
            job = self._write(
                connection, claim, values={"code": REFUSED, **_back(WAITING, 0.0)}, told=told
            )
            if job.waits_for or not claim.is_asked_with(job.credential):
                if fresh is not None:
                    self._changes.put_down(connection, job, credential=fresh)
                return
            self._changes.note(connection, claim.job_id, code=REFUSED)
            this = update(jobs).where(jobs.c.id == claim.job_id)
            if fresh is None:
                connection.execute(this.values(waits_for=REFUSED))
                return
            self._changes.let_go(connection, job)
            connection.execute(this.values(credential=claim.box.seal_credential(fresh)))

    def _taken_if_open(
        self, connection: Connection, job: Row[Any], *, study: Row[Any] | None
    ) -> Claim | None:
        """Return a study that is this gateway's now; None for one of a job that it cannot open."""
        try:
            return None if study is None else self._taken(connection, job, study=study)
        except UnsealableError:
            # Another gateway has a newer key: it will do the job.
            if job.id not in self._closed:
                log.error("a job is sealed under a key that this gateway does not have")
            self._closed.add(job.id)
            return None

    def _taken(self, connection: Connection, job: Row[Any], *, study: Row[Any]) -> Claim:
        number = study.claims + 1
        box = self._sealing.box(job.key)
        request = box.open_json(job.request)
        credential = box.open_credential(job.credential) if job.credential else NO_CREDENTIAL
        this = and_(studies.c.job_id == job.id, studies.c.position == study.position)
        taken = update(studies).where(this).values(gateway=self._gateway, claims=number)
        connection.execute(taken)
        return Claim(
            job_id=job.id,
            position=study.position,
            number=number,
            owner=job.owner,
            model=job.model,
            kind=job.kind,
            album=request["album"],
            name=box.open_json(job.names)[study.position],
            options=options_of(request, study.position),
            credential=credential,
            attempts=study.attempts,
            trouble=Trouble(study.code, study.failures, study.same_failures, study.failing_since),
            box=box,
        )

    def _write(
        self,
        connection: Connection,
        claim: Claim,
        *,
        values: dict[str, Any],
        told: Sequence[Event],
    ) -> Row[Any]:
        """Change the study of a claim, if it is still this gateway's; return its job."""
        job = self._changes.locked(connection, claim.job_id)
        this = and_(
            studies.c.job_id == claim.job_id,
            studies.c.position == claim.position,
            studies.c.gateway == self._gateway,
            studies.c.claims == claim.number,
        )
        changed = connection.execute(update(studies).where(this).values(values)).rowcount
        if job is None or not changed:
            raise LostError
        if told:
            self._changes.tell(connection, claim.job_id, told=told)
        return job


_WELL: dict[str, Any] = {
    "code": "",
    "sentence": None,
    "failures": 0,
    "same_failures": 0,
    "failing_since": None,
}


def _over() -> dict[str, Any]:
    return {"gateway": "", "finished_at": time.time()}


def _back(state: str, after_s: float) -> dict[str, Any]:
    return {"state": state, "gateway": "", "ready_at": time.time() + after_s}
