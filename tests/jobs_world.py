"""Jobs for tests: a source in memory, stores of a database, and clients of a gateway."""

import asyncio
import json
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from cryptography.fernet import Fernet
from gateway_server import serving, settings_of, wait_until
from starlette.datastructures import Secret

from gateway.jobs.changes import Changes
from gateway.jobs.database import Database
from gateway.jobs.leases import Leases
from gateway.jobs.queue import Queue
from gateway.jobs.records import Records
from gateway.jobs.sealing import Sealing
from gateway.jobs.store import NewJob, Store
from gateway.sources.credential import CAPABILITY, Credential
from gateway.sources.source import Retrieved, SourceError
from tools.phantom import phantom_zip

ALBUM = "37bs6GW5cR"

KEY = Fernet.generate_key().decode()

ROWS_S = 30 * 24 * 3600.0


@dataclass
class MemorySource:
    """A source whose studies are zips in memory, and that does what a test says.

    failing: errors that the next retrievals of a study get. refuses: tokens that are worth nothing.
    held: while it is set to an event, retrievals wait. minted, released: tokens by their ids.
    albums: that it was asked for.
    """

    studies: dict = field(default_factory=dict)
    failing: dict = field(default_factory=dict)
    refuses: set = field(default_factory=set)
    held: object = None
    minted: list = field(default_factory=list)
    released: list = field(default_factory=list)
    retrieved: list = field(default_factory=list)
    albums: set = field(default_factory=set)

    async def for_job(self, credential, album):
        self.albums.add(album)
        if str(credential.text) in self.refuses:
            raise _refused()
        minted = f"minted-{len(self.minted)}"
        self.minted.append(minted)
        return Credential(CAPABILITY, Secret(f"hush-{minted}"), minted)

    async def release(self, credential, *, by=None):
        if by is None or str(by.text) in self.refuses:
            raise _refused()
        self.released.append(credential.id)

    async def study_uids(self, credential, album):
        self.albums.add(album)
        if str(credential.text) in self.refuses:
            raise _refused()
        return list(self.studies)

    async def retrieve(self, credential, *, album, study_uid, region):
        while self.held is not None and not self.held.is_set():
            await asyncio.sleep(0.01)  # a test sets it from another thread
        self.albums.add(album)
        self.retrieved.append(study_uid)
        if str(credential.text) in self.refuses:
            raise _refused()
        if self.failing.get(study_uid):
            raise self.failing[study_uid].pop(0)
        region.write(self.studies[study_uid])
        return Retrieved(None)


def _refused():
    return SourceError("source_refused", "log in again")


def failed():
    """What a source says for everything."""
    return SourceError("source_failed", "the source failed: nothing is to be done", temporary=True)


def uids(count):
    """UIDs of so many studies."""
    return [f"1.2.840.{number}" for number in range(1, count + 1)]


def source_of(count):
    """A source with so many small studies."""
    return MemorySource({uid: phantom_zip() for uid in uids(count)})


@dataclass
class Parts:
    """The parts of one gateway's jobs, without the gateway."""

    database: Database
    store: Store
    records: Records
    queue: Queue
    leases: Leases
    changes: Changes


@contextmanager
def parts_of(url, *, keys=(KEY,), of_one_user=20):
    """Give the parts of a gateway that has opened a database."""
    database = Database(url)
    database.open()
    sealing = Sealing([Secret(key) for key in keys])
    changes = Changes(sealing, ROWS_S)
    leases = Leases(database, changes)
    store = Store(database, sealing, changes, of_one_user=of_one_user)
    queue = Queue(database, sealing, changes, gateway=leases.own)
    leases.begin()
    try:
        yield Parts(database, store, Records(database, sealing), queue, leases, changes)
    finally:
        database.close()


def new_job(names, *, owner="ada", kind="kheops", **more):
    """A job as somebody begins it."""
    stated = {
        "model": "ct3dcnn",
        "album": ALBUM if kind == "kheops" else None,
        "title": "",
        "options": {},
    }
    return NewJob(owner=owner, kind=kind, names=tuple(names), **(stated | more))


@contextmanager
def jobs_gateway(server_url, database, *, source=None, **settings):
    """Give a gateway with jobs, and the source in memory that it has as Kheops."""
    stated = {"GATEWAY_JOBS_DATABASE": database, "GATEWAY_JOBS_KEY": KEY, **settings}
    with serving(settings_of(server_url, **stated)) as (url, app):
        app.state.sources["kheops"] = source
        yield Client(url), app


@dataclass
class Client:
    """Somebody at a gateway."""

    url: str
    user: str = "ada"

    def as_user(self, user):
        return Client(self.url, user)

    def ask(self, method, path="", **more):
        headers = {"test-user": self.user, **more.pop("headers", {})}
        url = f"{self.url}/api/jobs{path}"
        return httpx.request(method, url, headers=headers, timeout=60, **more)

    def begin(self, studies="all", **more):
        """Begin a job of Kheops, and return it."""
        if studies != "all":
            studies = [{"study_uid": uid} for uid in studies]
        source = {"kind": "kheops", "album": ALBUM}
        body = {"source": source, "studies": studies, "model": "ct3dcnn", **more}
        answer = self.ask("POST", json=body)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def job(self, job_id):
        return self.ask("GET", f"/{job_id}").json()

    def until(self, job_id, is_so, seconds=30):
        """The job, as soon as something is so of it."""
        wait_until(lambda: is_so(self.job(job_id)), seconds)
        return self.job(job_id)

    def ended(self, job_id, seconds=60):
        return self.until(job_id, lambda job: job["state"] == "ended", seconds)

    def events(self, job_id, last=None):
        """The events of a job until its end: number, name, content."""
        headers = {"test-user": self.user}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        url = f"{self.url}/api/jobs/{job_id}/events"
        with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield from _parsed(answer.iter_lines())


def _parsed(lines):
    """Events of a stream, by the rules of the HTML standard, as far as they are needed."""
    fields = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and fields:
            yield int(fields["id"]), fields["event"], json.loads(fields["data"])
            fields = {}
