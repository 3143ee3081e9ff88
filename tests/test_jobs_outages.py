"""A cohort of Kheops ends complete, whatever goes away meanwhile."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Timer

import httpx
import pytest
from cryptography.fernet import Fernet
from engine_service import Service
from gateway_server import wait_until
from sources_world import study_files, token_of

USER = "ada"


@dataclass
class Gateway:
    """`python -m gateway` as a process of its own, which is killed and started again."""

    environment: dict
    url: str
    process: subprocess.Popen = field(default=None)

    def start(self):
        command = [sys.executable, "-m", "gateway"]
        self.process = subprocess.Popen(
            command, env=os.environ | self.environment, stderr=subprocess.DEVNULL
        )

    def kill(self):
        self.process.kill()
        self.process.wait()

    def kill_and_start(self):
        self.kill()
        self.start()


@contextmanager
def gateway_to(kheops, engine, provider, folder):
    """Give a gateway whose jobs are in a file."""
    environment = {
        "GATEWAY_MODE": "oidc",
        "GATEWAY_PORT": str(provider.gateway_port),
        "GATEWAY_ISSUER": provider.issuer,
        "GATEWAY_CLIENT_ID": "gateway",
        "GATEWAY_CLIENT_SECRET": provider.secret("gateway"),
        "GATEWAY_TRITON_URLS": engine.url,
        "GATEWAY_KHEOPS_URL": kheops.url,
        "GATEWAY_JOBS_DATABASE": f"sqlite:///{folder / 'jobs.sqlite'}",
        "GATEWAY_JOBS_KEY": Fernet.generate_key().decode(),
    }
    gateway = Gateway(environment, provider.gateway_url)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.kill()


@pytest.fixture
def engine(tmp_path):
    """An engine that is watched over: what is killed of it comes back."""
    service = Service(tmp_path)
    wait_until(lambda: service.page("/readyz")[0] == 200, 90)
    yield service
    service.process.terminate()
    service.process.wait(40)


def kill_triton(engine):
    os.kill(engine.page("/state")[1]["triton_pid"], signal.SIGKILL)


def let_fail(kheops, seconds):
    """Let Kheops answer 502 to everything for some seconds."""
    kheops.fail_with(502)
    Timer(seconds, kheops.fail_with, [None]).start()


@pytest.mark.parametrize(
    ("studies", "outage_s"),
    [(24, 8), pytest.param(200, 60, marks=[pytest.mark.long, pytest.mark.timeout(1200)])],
)
def test_a_cohort_ends_complete_through_every_outage(
    kheops, provider, engine, tmp_path, studies, outage_s
):
    album = kheops.add_album("lungs", USER)
    uids = [kheops.add_study(album, *study_files(PatientID=f"P{n}")) for n in range(studies)]
    kheops.truncate(uids[studies // 3])

    def ask(method, path, **more):
        headers = {"Authorization": f"Bearer {token_of(provider, USER)}"}
        return httpx.request(method, gateway.url + path, headers=headers, timeout=30, **more)

    def job():
        """The job; None while the gateway is away."""
        try:
            answer = ask("GET", path)
        except httpx.TransportError:
            return None
        return answer.json() if answer.is_success else None

    def has_done(share):
        found = job()
        return found is not None and found["counts"].get("done", 0) >= share * studies

    body = {
        "source": {"kind": "kheops", "album": album.id},
        "studies": "all",
        "model": "ct3dcnn",
    }
    with gateway_to(kheops, engine, provider, tmp_path) as gateway:
        wait_until(lambda: answers(f"{gateway.url}/readyz"), 60)
        begun = ask("POST", "/api/jobs", json=body)
        assert begun.status_code == 202, begun.text
        path = begun.headers["location"]
        events = (
            gateway.kill_and_start,
            lambda: kill_triton(engine),
            lambda: let_fail(kheops, outage_s),
            gateway.kill_and_start,
            lambda: kill_triton(engine),
            gateway.kill_and_start,
        )
        started = time.monotonic()
        for number, happen in enumerate(events, 1):
            wait_until(lambda: has_done(number / (len(events) + 2)), 180)  # noqa: B023
            happen()
        wait_until(lambda: (job() or {}).get("state") == "ended", 300)
        seconds = time.monotonic() - started
        ended = job()
        found = ask("GET", f"{path}/results.json").json()["answers"]
        table = ask("GET", f"{path}/results.csv").text.splitlines()

    print(f"{studies} studies in {seconds:.0f} s", *ended["events"], sep="\n")  # noqa: T201
    assert ended["counts"].get("done") == studies, ended["counts"]
    assert sorted(answer["study_uid"] for answer in found) == sorted(uids)
    assert all(len(answer["rows"]) == 1 for answer in found)
    assert len(table) == 1 + studies
    told = " ".join(ended["events"])
    assert "restarted 3 times" in told
    assert "Kheops failed" in told
    assert kheops.world.revoked == kheops.world.minted != []


def answers(url):
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
