"""The database of jobs: SQLite for one gateway, PostgreSQL for several that share a queue."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Secret
from starlette.requests import Request
from starlette.responses import Response

from gateway.jobs.tables import VERSION, metadata, schema
from gateway.problems import ProblemError, ProblemResponse
from gateway.reading import SettingsError

PRAGMAS = (
    "journal_mode=WAL",
    "busy_timeout=30000",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "secure_delete=ON",
)
"""Of SQLite: what is deleted is overwritten with zeros, and gone from the file."""

ADVISORY_LOCK = 7_266_150_011
"""Of PostgreSQL: any number, so that of two gateways that start at once one makes the tables."""

WRITES = {"gateway_writes": True}


class Database:
    """An open database; all its methods block."""

    def __init__(self, address: str) -> None:
        self._url = _with_driver(make_url(address))
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self._lock: int | None = None
        self._engine: Engine | None = None

    @property
    def file(self) -> Path:
        """The file of an SQLite database."""
        return Path(str(self._url.database))

    def open(self) -> None:
        """Open it, with tables of the known version; raises SettingsError.

        One gateway at a time has an SQLite database, until it closes it or dies.
        """
        try:
            if self.is_sqlite:
                self._take_file()
            self._engine = _engine(self._url)
            with self.writing() as connection:
                _make_tables(connection)
        except (SQLAlchemyError, OSError) as error:
            self.close()
            sentence = f"GATEWAY_JOBS_DATABASE cannot be opened ({type(error).__name__})"
            raise SettingsError(sentence) from None
        except SettingsError:
            self.close()
            raise

    def close(self) -> None:
        """Let another gateway have it."""
        if self._engine is not None:
            self._engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
        self._engine = self._lock = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection whose statements see one state of the database."""
        assert self._engine is not None  # noqa: S101  (it is open as long as the gateway runs)
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all kept, or none of them."""
        assert self._engine is not None  # noqa: S101
        with self._engine.connect().execution_options(**WRITES) as connection, connection.begin():
            yield connection

    def truncate_log(self) -> None:
        """Have SQLite's write-ahead log, which repeats what is deleted since, emptied."""
        if self.is_sqlite and self._engine is not None:
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()

    def key_beside_it(self) -> Secret:
        """Return the key in a file beside an SQLite database, made when it is needed."""
        file = self.file.with_suffix(".key")
        with suppress(FileExistsError):
            draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
            draft.touch(mode=0o600)
            draft.write_bytes(Fernet.generate_key())
            try:
                os.link(draft, file)  # whole, or not at all
            finally:
                draft.unlink()
        return Secret(file.read_text(encoding="ascii"))

    def _take_file(self) -> None:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._lock = os.open(f"{self.file}.lock", flags, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sentence = "GATEWAY_JOBS_DATABASE is another gateway's now: several need PostgreSQL"
            raise SettingsError(sentence) from None


async def on_database_error(_: Request, __: Exception) -> Response:
    """Answer while the database is away, without its words."""
    sentence = "the database of jobs does not answer, and comes back by itself: try again"
    problem = ProblemError(503, "database_away", sentence, headers={"Retry-After": "5"})
    return ProblemResponse(problem)


def _with_driver(url: URL) -> URL:
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url.set(drivername="sqlite+pysqlite")


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        more: dict[str, Any] = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
        return create_engine(url, hide_parameters=True, **more)
    engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the module would begin transactions as it likes
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that begins by reading could not write any more once another one has.
        writes = WRITES.items() <= connection.get_execution_options().items()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make_tables(connection: Connection) -> None:
    """Make the tables where there are none; refuse those of another version."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
    if inspect(connection).has_table(schema.name):
        version = connection.scalar(select(schema.c.version))
        if version != VERSION:
            raise SettingsError(
                f"GATEWAY_JOBS_DATABASE has tables of version {version}, and this gateway knows "
                f"{VERSION}: use the gateway that they are of, or another database"
            )
        return
    metadata.create_all(connection)
    connection.execute(insert(schema).values(version=VERSION))
