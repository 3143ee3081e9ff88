"""What jobs need for as long as the gateway runs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

from gateway.jobs.changes import Changes
from gateway.jobs.database import Database
from gateway.jobs.leases import Leases
from gateway.jobs.queue import Queue
from gateway.jobs.records import Records
from gateway.jobs.retrieval import Retrieval
from gateway.jobs.revocations import LoginOf, Revocations
from gateway.jobs.runner import Runner
from gateway.jobs.sealing import Sealing, UnsealableError
from gateway.jobs.settings import JobsSettings
from gateway.jobs.store import Store
from gateway.jobs.tables import jobs, revocations
from gateway.jobs.upkeep import Upkeep
from gateway.problems import ProblemError
from gateway.reading import SettingsError
from gateway.sources.source import Source
from gateway.uploads.studies import Studies

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Jobs:
    """The parts of a gateway with jobs, for its routes."""

    settings: JobsSettings
    database: Database
    store: Store
    records: Records
    queue: Queue
    revocations: Revocations
    runner: Runner


def jobs_of(request: Request) -> Jobs:
    """Return the jobs of the gateway that got a request; raises ProblemError `no_jobs`."""
    found: Jobs | None = request.app.state.jobs
    if found is None:
        sentence = "this gateway keeps no jobs: GATEWAY_JOBS_DATABASE names no database"
        raise ProblemError(404, "no_jobs", sentence)
    return found


@asynccontextmanager
async def jobs_running(
    settings: JobsSettings,
    studies: Studies,
    *,
    sources: Mapping[str, Source],
    login_of: LoginOf,
) -> AsyncIterator[Jobs | None]:
    """Give the jobs of a gateway, which works on them during the block; None without a database.

    login_of: an access token of somebody who is logged in now. Raises SettingsError if the database
    is not to be had, or sealed under another key.
    """
    database = await asyncio.to_thread(_opened, settings)
    if database is None:
        yield None
        return
    found, leases = _parts(database, settings, studies=studies, sources=sources, login_of=login_of)
    try:
        await asyncio.to_thread(leases.begin)
        running = asyncio.create_task(found.runner.run())
        running.add_done_callback(_noticed)
        try:
            yield found
        finally:
            running.cancel()
            await asyncio.wait({running})
            await asyncio.to_thread(_leave, leases)
    finally:
        await asyncio.to_thread(database.close)


def check(settings: JobsSettings) -> None:
    """Raise SettingsError now, where it can be said, if jobs could not be had."""
    database = _opened(settings)
    if database is not None:
        database.close()


def _opened(settings: JobsSettings) -> Database | None:
    """Return the open database, all of whose jobs the keys open; None without one."""
    if not settings.database:
        return None
    database = Database(settings.database)
    try:
        database.open()
    except SettingsError as error:
        if settings.is_stated:
            raise
        log.warning("there are no jobs: %s", error)
        return None
    try:
        _seal_under_the_first_key(database, _sealing(database, settings))
    except SettingsError:
        database.close()
        raise
    return database


def _sealing(database: Database, settings: JobsSettings) -> Sealing:
    try:
        return Sealing(settings.keys or (database.key_beside_it(),))
    except (OSError, ValueError):
        sentence = "the key beside GATEWAY_JOBS_DATABASE cannot be made, or is none any more"
        raise SettingsError(sentence) from None


def _seal_under_the_first_key(database: Database, sealing: Sealing) -> None:
    with database.writing() as connection:
        count = _seal_anew(connection, jobs, column="key", sealing=sealing)
        count += _seal_anew(connection, revocations, column="credential", sealing=sealing)
        if count:  # and nothing is changed
            sentence = f"GATEWAY_JOBS_KEY does not open {count} jobs in the database"
            raise SettingsError(f"{sentence}: add the key under which they were sealed")


def _seal_anew(connection: Connection, table: Table, *, column: str, sealing: Sealing) -> int:
    """Seal a column under the first key; return in how many rows no key opens it."""
    unsealable = 0
    for given_id, sealed in connection.execute(select(table.c.id, table.c[column])).all():
        try:
            anew = sealing.under_the_first(sealed)
        except UnsealableError:
            unsealable += 1
            continue
        if anew != sealed:
            connection.execute(update(table).where(table.c.id == given_id).values({column: anew}))
    return unsealable


def _parts(
    database: Database,
    settings: JobsSettings,
    *,
    studies: Studies,
    sources: Mapping[str, Source],
    login_of: LoginOf,
) -> tuple[Jobs, Leases]:
    sealing = _sealing(database, settings)
    changes = Changes(sealing, settings.rows_s)
    leases = Leases(database, changes)
    store = Store(database, sealing, changes=changes, of_one_user=settings.of_one_user)
    queue = Queue(database, sealing, changes=changes, gateway=leases.own)
    revoked = Revocations(database, sealing, sources=sources)
    runner = Runner(
        queue,
        leases,
        retrieval=Retrieval(queue, studies, sources=sources, login_of=login_of),
        upkeep=Upkeep(store, revoked, login_of=login_of),
        at_once=settings.at_once,
    )
    return Jobs(
        settings, database, store, Records(database, sealing), queue, revoked, runner
    ), leases


def _noticed(running: "asyncio.Task[None]") -> None:
    """Say so if nobody works on jobs any more."""
    if not running.cancelled() and running.exception() is not None:
        log.error("jobs are not worked on any more", exc_info=running.exception())


def _leave(leases: Leases) -> None:
    try:
        leases.end()
    except SQLAlchemyError as error:
        log.warning("studies are freed later (%s)", type(error).__name__)
