"""Whose turn it is: the user with the fewest studies at work, then the oldest job."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, exists, func, select

from gateway.jobs.states import RUNNING, UPLOADS, WAITING
from gateway.jobs.tables import jobs, studies


def is_ready(now: float) -> tuple[Any, ...]:
    """Return the conditions for a study that can be taken now."""
    return (studies.c.state == WAITING, studies.c.gateway == "", studies.c.ready_at <= now)


def jobs_in_turn(now: float, but_of: Collection[str]) -> Select[Any]:
    """Return the query for jobs with something to do, the one whose turn it is first."""
    busy = (
        select(jobs.c.owner, func.count().label("count"))
        .join(studies, studies.c.job_id == jobs.c.id)
        .where(studies.c.gateway > "")
        .group_by(jobs.c.owner)
        .subquery()
    )
    has_ready = exists().where(studies.c.job_id == jobs.c.id, *is_ready(now))
    return (
        select(jobs.c.id)
        .outerjoin(busy, busy.c.owner == jobs.c.owner)
        .where(jobs.c.state == RUNNING, jobs.c.waits_for == "", jobs.c.kind != UPLOADS, has_ready)
        .where(jobs.c.owner.not_in(tuple(but_of)))
        .order_by(func.coalesce(busy.c.count, 0), jobs.c.created_at, jobs.c.id)
    )
