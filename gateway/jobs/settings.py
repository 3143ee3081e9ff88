"""What is configured of jobs."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from starlette.datastructures import Secret

from gateway.reading import Reader, SettingsError

NO_DATABASE = "none"

DIALECTS = ("sqlite", "postgresql")

DAY_S = 24 * 3600.0


@dataclass(frozen=True)
class JobsSettings:
    """Where jobs are kept, under which keys, and how many there may be.

    database: an SQLAlchemy URL; empty for a gateway without jobs. is_stated: whether somebody
        chose it; what nobody chose is done without where it cannot be had.
    keys: Fernet keys; the first one seals, all of them open. None: one beside the database.
    at_once: studies of jobs that one gateway works on. of_one_user: jobs that are not over.
    studies: of one job. rows_s: seconds after which a job and its rows are deleted.
    """

    database: str
    is_stated: bool
    keys: tuple[Secret, ...]
    at_once: int
    of_one_user: int
    studies: int
    rows_s: float


def jobs_settings(read: Reader, mode: str) -> JobsSettings:
    """Return what GATEWAY_JOBS_… and their like state; raises SettingsError."""
    stated = read.secret("GATEWAY_JOBS_DATABASE", "")
    database = stated or (_of_the_account(read) if mode == "local" else "")
    if database == NO_DATABASE:
        database = ""
    is_sqlite = _dialect(database) == "sqlite"
    keys = tuple(Secret(key) for key in read.secrets("GATEWAY_JOBS_KEY"))
    if database and not keys and not (mode == "local" and is_sqlite):
        raise SettingsError("GATEWAY_JOBS_KEY is not set: it seals what jobs keep")
    for key in keys:
        _check(key)
    return JobsSettings(
        database=database,
        is_stated=bool(stated),
        keys=keys,
        at_once=read.number("GATEWAY_JOBS_AT_ONCE", 4),
        of_one_user=read.number("GATEWAY_JOBS_OF_ONE_USER", 20),
        studies=read.number("GATEWAY_STUDIES_OF_A_JOB", 2000),
        rows_s=read.seconds("GATEWAY_ROWS_DAYS", 30.0) * DAY_S,
    )


def _of_the_account(read: Reader) -> str:
    data = Path(read.text("XDG_DATA_HOME", "") or Path.home() / ".local" / "share")
    return f"sqlite:///{data / 'triton-deep-features' / 'gateway' / 'jobs.sqlite'}"


def _dialect(database: str) -> str:
    """Return which database a URL names; the URL may hold a password, and is in no message."""
    if not database:
        return ""
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        raise SettingsError("GATEWAY_JOBS_DATABASE is not a URL of SQLAlchemy") from None
    dialect = url.get_backend_name()
    if dialect not in DIALECTS:
        raise SettingsError(f"GATEWAY_JOBS_DATABASE is neither {' nor '.join(DIALECTS)}")
    if dialect == "sqlite" and url.database in (None, "", ":memory:"):
        raise SettingsError("GATEWAY_JOBS_DATABASE names no file")
    return dialect


def _check(key: Secret) -> None:
    try:
        Fernet(str(key))
    except ValueError:
        sentence = "GATEWAY_JOBS_KEY is no Fernet key: 32 random bytes in base64url"
        raise SettingsError(sentence) from None
