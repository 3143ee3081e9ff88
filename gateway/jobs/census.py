"""How many jobs and studies are in which state, of all users together, for whoever watches."""

import time
from dataclasses import dataclass

from sqlalchemy import and_, case, exists, func, select

from gateway.jobs.database import Database
from gateway.jobs.states import CANCELLED, ENDED, OF_A_STUDY, RUNNING, WAITING
from gateway.jobs.tables import jobs, studies

WAITS_FOR_LOGIN = "waits_for_login"

OF_A_JOB = (RUNNING, WAITS_FOR_LOGIN, ENDED, CANCELLED)


@dataclass(frozen=True)
class Census:
    """Counts by state; each has all states, as OF_A_JOB and OF_A_STUDY list them.

    studies: of jobs that go on, and of those that are over. oldest_waiting_s: since the oldest job
    was begun that has a study which could be worked on; 0 without one.
    """

    jobs: dict[str, int]
    studies: dict[str, int]
    oldest_waiting_s: float


def census(database: Database) -> Census:
    """Count what a database holds; raises SQLAlchemyError while it is away."""
    state = case((jobs.c.waits_for > "", WAITS_FOR_LOGIN), else_=jobs.c.state)
    could_go_on = and_(
        jobs.c.state == RUNNING,
        jobs.c.waits_for == "",
        exists().where(studies.c.job_id == jobs.c.id, studies.c.state == WAITING),
    )
    with database.reading() as connection:
        of_jobs = connection.execute(select(state, func.count()).group_by(state)).all()
        of_studies = connection.execute(
            select(studies.c.state, func.count()).group_by(studies.c.state)
        ).all()
        oldest = connection.scalar(select(func.min(jobs.c.created_at)).where(could_go_on))
    return Census(
        dict.fromkeys(OF_A_JOB, 0) | dict(of_jobs),
        dict.fromkeys(OF_A_STUDY, 0) | dict(of_studies),
        0.0 if oldest is None else max(time.time() - oldest, 0.0),
    )
