"""Which gateways are there: each has a lease, and what a dead one had is free when it runs out."""

import secrets
import time
from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from gateway.jobs.changes import GATEWAY_GONE, RESTART, Changes
from gateway.jobs.database import Database
from gateway.jobs.states import NEEDS_FILE, RUNNING, UPLOADS, WAITING
from gateway.jobs.tables import gateways, jobs, studies

LEASE_S = 30.0
RENEW_S = 10.0


Place = tuple[str, int]
"""A job and the position of a study."""


class Leases:
    """The lease of this gateway, and those of others that share the database.

    own: the random id of this gateway, of this start.
    """

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database, self._changes = database, changes
        self.own = secrets.token_hex(16)

    def begin(self) -> None:
        """Be there. A gateway that has the database for itself frees what the last one had."""
        if self._database.is_sqlite:
            with self._database.writing() as connection:
                connection.execute(delete(gateways))
                for job_id in connection.scalars(
                    select(jobs.c.id).where(jobs.c.state == RUNNING)
                ).all():
                    self._restart(connection, job_id)
        self.renew()

    def renew(self) -> None:
        """Stay there, and free what gateways had that are gone."""
        until = time.time() + LEASE_S
        with self._database.writing() as connection:
            mine = update(gateways).where(gateways.c.id == self.own).values(leased_until=until)
            if not connection.execute(mine).rowcount:
                connection.execute(insert(gateways).values(id=self.own, leased_until=until))
        self._free_of_the_gone()

    def held(self) -> list[Place]:
        """Return what this gateway has."""
        mine = select(studies.c.job_id, studies.c.position).where(studies.c.gateway == self.own)
        with self._database.reading() as connection:
            return [(each.job_id, each.position) for each in connection.execute(mine)]

    def free(self, places: Iterable[Place]) -> None:
        """Free what this gateway has, and could not write down what became of it."""
        for job_id, position in places:
            with self._database.writing() as connection:
                job = self._changes.locked(connection, job_id)
                if job is not None:
                    this = (studies.c.position == position) & (studies.c.gateway == self.own)
                    self._changes.set_waiting(connection, job, which=this)

    def end(self) -> None:
        """Be gone, so that others go on at once."""
        with self._database.writing() as connection:
            self._free(connection, [self.own], incident="")
            connection.execute(delete(gateways).where(gateways.c.id == self.own))

    def _restart(self, connection: Connection, job_id: str) -> None:
        """Free all of a job; the bytes of uploads were with the gateway that is gone."""
        job = self._changes.locked(connection, job_id)
        if job is None:
            return
        self._changes.free(connection, job, of_gateways=None)
        if job.kind == UPLOADS:
            self._changes.set_waiting(connection, job, which=studies.c.state == WAITING)
        of_this = (studies.c.job_id == job_id) & studies.c.state.in_((WAITING, NEEDS_FILE))
        # The time while nobody was there is not the source's: its patience begins anew.
        connection.execute(update(studies).where(of_this).values(failing_since=None, ready_at=0.0))
        self._changes.note(connection, job_id, code=RESTART)

    def _free_of_the_gone(self) -> None:
        with self._database.writing() as connection:
            late = gateways.c.leased_until < time.time()
            query = select(gateways.c.id).where(late).with_for_update(skip_locked=True)
            gone = connection.scalars(query).all()
            if gone:
                self._free(connection, list(gone), incident=GATEWAY_GONE)
                connection.execute(delete(gateways).where(gateways.c.id.in_(gone)))

    def _free(self, connection: Connection, ids: list[str], *, incident: str) -> None:
        held = select(studies.c.job_id).where(studies.c.gateway.in_(ids)).distinct()
        for job_id in sorted(connection.scalars(held).all()):
            job = self._changes.locked(connection, job_id)
            if job is None:
                continue
            freed = self._changes.free(connection, job, of_gateways=ids)
            if incident and freed:
                self._changes.note(connection, job_id, code=incident, times=freed)
