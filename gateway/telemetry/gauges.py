"""What is there when Prometheus asks: studies against their limits, engines, jobs."""

import asyncio
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from gateway.engines.pool import Engines
from gateway.jobs.census import census
from gateway.jobs.setup import Jobs
from gateway.settings import Bounds
from gateway.telemetry.metrics import Metrics
from gateway.uploads.studies import Studies


def add_gauges(metrics: Metrics, studies: Studies, engines: Engines, *, bounds: Bounds) -> None:
    """Let metrics look at studies and engines."""
    add = metrics.gauge
    add("studies", "Studies with a place.", lambda: studies.admission.places)
    add("studies_limit", "Places that there are.", lambda: bounds.at_work + bounds.waiting)
    add("studies_at_work", "Studies with a Triton.", lambda: studies.admission.at_work)
    add("studies_at_work_limit", "Studies that Tritons get at once.", lambda: bounds.at_work)
    add("held_bytes", "Bytes of studies that are held.", lambda: studies.regions.held_bytes)
    add("held_limit_bytes", "Bytes of studies that are held at most.", lambda: bounds.held_bytes)
    add("ready", "1 while a canary was answered lately.", lambda: engines.is_ready)
    add("engines", "Tritons that it is told of.", lambda: len([*engines]))
    add("engines_in", "Tritons that get studies.", lambda: sum(each.is_in for each in engines))


def add_gauges_of_jobs(metrics: Metrics, jobs: Jobs) -> None:
    """Let metrics look at jobs, of all gateways of one database."""
    text = "Studies of jobs that are worked on here."
    metrics.gauge("studies_of_jobs", text, lambda: jobs.runner.at_work)
    metrics.look(_Looks(metrics, jobs).look)


class _Looks:
    def __init__(self, metrics: Metrics, jobs: Jobs) -> None:
        self._database = jobs.database
        add = partial(metrics.labelled_gauge, label="state")
        self._jobs = add("jobs", "Jobs by state.")
        self._studies = add("job_studies", "Studies of jobs by state.")
        self._oldest_s, self._is_up = 0.0, False
        text = "Since the oldest job was begun that has a study to be worked on."
        metrics.gauge("oldest_waiting_seconds", text, lambda: self._oldest_s)
        metrics.gauge("database_up", "1 while the database of jobs answers.", lambda: self._is_up)

    async def look(self) -> None:
        """Count again; while the database is away, the last counts stay."""
        try:
            found = await asyncio.to_thread(census, self._database)
        except SQLAlchemyError:
            self._is_up = False
            return
        self._is_up, self._oldest_s = True, found.oldest_waiting_s
        for gauge, counts in ((self._jobs, found.jobs), (self._studies, found.studies)):
            for state, count in counts.items():
                gauge.labels(state).set(count)
