"""The tables of the database; docs/privacy.md says of each column what is in it, and how long.

Times are seconds since 1970, UTC. What is sealed cannot be searched, and need not be.
"""

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

VERSION = 1
"""Of these tables: another one is refused at start, not guessed at."""

metadata = MetaData()

schema = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

gateways = Table(
    "gateways",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("leased_until", Double, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("model", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("waits_for", String(64), nullable=False, default=""),
    Column("created_at", Double, nullable=False),
    Column("ended_at", Double),
    Column("expires_at", Double, nullable=False),
    Column("last_event", Integer, nullable=False, default=0),
    Column("key", LargeBinary, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("names", LargeBinary, nullable=False),
    Column("credential", LargeBinary),
    Index("jobs_by_owner", "owner", "created_at"),
    Index("jobs_by_state", "state", "created_at"),
)


def _of_a_job() -> Column[str]:
    return Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)


studies = Table(
    "studies",
    metadata,
    _of_a_job(),
    Column("position", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("code", String(64), nullable=False, default=""),
    Column("sentence", LargeBinary),
    Column("rows", Integer, nullable=False, default=0),
    Column("version", String(64), nullable=False, default=""),
    Column("finished_at", Double),
    Column("ready_at", Double, nullable=False, default=0.0),
    Column("failures", Integer, nullable=False, default=0),
    Column("same_failures", Integer, nullable=False, default=0),
    Column("failing_since", Double),
    Column("gateway", String(32), nullable=False, default=""),
    Column("claims", Integer, nullable=False, default=0),
    Index("studies_by_state", "job_id", "state", "ready_at"),
    Index("studies_by_gateway", "gateway", "job_id"),
)

results = Table(
    "results",
    metadata,
    _of_a_job(),
    Column("position", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

events = Table(
    "events",
    metadata,
    _of_a_job(),
    Column("number", Integer, primary_key=True),
    Column("position", Integer),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("code", String(64), nullable=False, default=""),
    Column("rows", Integer, nullable=False, default=0),
    Column("seconds", Double),
)

incidents = Table(
    "incidents",
    metadata,
    _of_a_job(),
    Column("code", String(64), primary_key=True),
    Column("times", Integer, nullable=False),
    Column("first_at", Double, nullable=False),
    Column("last_at", Double, nullable=False),
)

revocations = Table(
    "revocations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("credential", LargeBinary, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("until", Double, nullable=False),
    Index("revocations_by_owner", "owner", "next_at"),
)
