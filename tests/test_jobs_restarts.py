"""Jobs outlive what they run in: gateways that are killed, and engines that go away."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest
from dicomweb_double import DicomwebDouble
from gateway_server import listening, wait_until
from jobs_world import KEY, failed, jobs_gateway, source_of, uids

from tools.engine.ports import free_ports

TOKEN = "token-of-the-tests"  # noqa: S105


@contextmanager
def process(port, server_url, **stated):
    """Run `python -m gateway` until the block ends, and give its process."""
    environment = os.environ | {
        "GATEWAY_MODE": "local",
        "GATEWAY_PORT": str(port),
        "GATEWAY_TOKEN": TOKEN,
        "GATEWAY_TRITON_URLS": server_url,
        "GATEWAY_JOBS_KEY": KEY,
        **stated,
    }
    command = [sys.executable, "-m", "gateway"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.kill()


def ask(port, method, path, **more):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.request(method, f"http://127.0.0.1:{port}{path}", headers=headers, **more)


def answers(port):
    try:
        return ask(port, "GET", "/readyz").is_success
    except httpx.TransportError:
        return False


def job_of(port, path):
    return ask(port, "GET", path).json()


def done(port, path):
    return job_of(port, path)["counts"]["done"]


@pytest.mark.timeout(180)
def test_a_cohort_ends_complete_though_the_gateway_is_killed(server, tmp_path):
    archive = DicomwebDouble.with_studies(uids(16))
    port, archive_port = free_ports(2)
    stated = {
        "GATEWAY_JOBS_DATABASE": f"sqlite:///{tmp_path / 'jobs.sqlite'}",
        "GATEWAY_DICOMWEB_URL": f"http://127.0.0.1:{archive_port}",
    }
    body = {
        "source": {"kind": "dicomweb"},
        "studies": [{"study_uid": uid} for uid in uids(16)],
        "model": "ct3dcnn",
    }
    with listening(archive.app(), archive_port):
        with process(port, server.http_url, **stated) as first:
            wait_until(lambda: answers(port), 60)
            path = ask(port, "POST", "/api/jobs", json=body).headers["location"]
            wait_until(lambda: done(port, path) >= 4)
            first.send_signal(signal.SIGKILL)
        with process(port, server.http_url, **stated):
            wait_until(lambda: answers(port), 60)
            wait_until(lambda: job_of(port, path)["state"] == "ended", 60)
            job = job_of(port, path)
            found = ask(port, "GET", f"{path}/results.json").json()["answers"]

    assert job["counts"]["done"] == 16
    assert [answer["study_uid"] for answer in found] == uids(16)
    assert all(len(answer["rows"]) == 1 for answer in found)
    assert "the service was restarted once" in job["events"]
    # What was done before is not done again: at most the four at work when it was killed are.
    assert archive.retrieved.total() <= 16 + 4


def test_two_gateways_share_a_queue_and_do_no_study_twice(server, postgres):
    source = source_of(12)
    source.failing[uids(1)[0]] = [failed()]
    with (
        jobs_gateway(server.http_url, postgres, source=source) as (one, _),
        jobs_gateway(server.http_url, postgres, source=source) as (other, _),
    ):
        begun = one.begin()

        job = other.ended(begun["id"])

        assert job["counts"]["done"] == 12
        assert sorted(source.retrieved) == sorted([*uids(12), uids(1)[0]])
        found = other.ask("GET", f"/{job['id']}/results.json").json()
        assert [answer["study_uid"] for answer in found["answers"]] == uids(12)
        told = [found for _, name, found in one.events(job["id"], last=0) if name == "study"]
        assert sum(event["state"] == "done" for event in told) == 12


def test_uploads_need_their_files_again_after_a_restart(server, tmp_path):
    database = f"sqlite:///{tmp_path / 'jobs.sqlite'}"
    body = {"source": {"kind": "uploads"}, "studies": [{"key": "a"}], "model": "ct3dcnn"}
    with jobs_gateway(server.http_url, database) as (client, _):
        job_id = client.ask("POST", json=body).json()["id"]
        assert client.job(job_id)["studies"][0]["state"] == "waiting"

    with jobs_gateway(server.http_url, database) as (client, _):
        assert client.job(job_id)["studies"][0]["state"] == "needs_file"
