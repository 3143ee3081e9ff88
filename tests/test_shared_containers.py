"""Engine and gateway in namespaces, as deploy/shared-memory.yaml has them, and otherwise."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from engine_service import DEEPFEATURES
from gateway_server import wait_until

from tools.engine.ports import free_ports
from tools.locations import CHECKOUT
from tools.phantom import phantom_zip

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        os.getuid() != 0 or shutil.which("unshare") is None, reason="only root makes namespaces"
    ),
]

IN_NEW_NAMESPACES = ("unshare", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
PRIVATE_MEMORY = 'mount -t tmpfs -o mode=1777 tmpfs /dev/shm && exec "$@"'
TOKEN = {"Authorization": "Bearer hush"}


@dataclass(frozen=True)
class Container:
    """An engine with processes and a /dev/shm of its own. pid: of its launcher, seen from here."""

    pid: int
    url: str
    run: Path


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    http, grpc, metrics, state = free_ports(4)
    ports = {"http": http, "grpc": grpc, "metrics": metrics, "state": state}
    flags = [f"--{name}-port={port}" for name, port in ports.items()]
    command = [*IN_NEW_NAMESPACES, "sh", "-c", PRIVATE_MEMORY, "sh", DEEPFEATURES, "serve"]
    process = subprocess.Popen(
        [*command, "--no-gateway", *flags], env=os.environ | {"TMPDIR": str(run)}
    )
    try:
        wait_until(lambda: is_ready(state), 240)
        yield Container(child_of(process.pid), f"127.0.0.1:{http}", run)
    finally:
        process.kill()
        process.wait()


def child_of(pid):
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def is_ready(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").is_success
    except httpx.TransportError:
        return False


@contextmanager
def gateway(engine, *into):
    """A gateway that is started by a command with the rest of it behind; its address."""
    (port,) = free_ports(1)
    settings = {
        "GATEWAY_MODE": "local",
        "GATEWAY_TOKEN": "hush",
        "GATEWAY_PORT": str(port),
        "GATEWAY_TRITON_URLS": engine.url,
        "GATEWAY_JOBS_DATABASE": "none",
        "TMPDIR": str(engine.run),
    }
    process = subprocess.Popen(
        [*into, sys.executable, "-P", "-m", "gateway"],
        env={**os.environ, **settings, "PYTHONPATH": str(CHECKOUT)},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_ready(port), 60)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def shared(engine, *namespaces):
    return ("nsenter", "--target", str(engine.pid), *namespaces)


def answer_and_modalities(url):
    """The status for a study, and what the engine told of its model: nothing to a stranger."""
    sent = httpx.post(
        f"{url}/api/models/ct3dcnn/features",
        content=phantom_zip(),
        headers={**TOKEN, "Content-Type": "application/zip"},
        timeout=60,
    )
    (model,) = httpx.get(f"{url}/api/models", headers=TOKEN).json()["models"]
    return sent.status_code, model["trained_modalities"]


def test_with_memory_and_processes_in_common_they_know_each_other(engine):
    with gateway(engine, *shared(engine, "--mount", "--pid")) as url:
        assert answer_and_modalities(url) == (200, ["CT"])


def test_with_memory_alone_in_common_studies_go_over_http(engine):
    into = (*shared(engine, "--mount"), *IN_NEW_NAMESPACES)
    with gateway(engine, *into) as url:
        assert answer_and_modalities(url) == (200, None)


def test_with_nothing_in_common_studies_go_over_http(engine):
    with gateway(engine, *IN_NEW_NAMESPACES) as url:
        assert answer_and_modalities(url) == (200, None)
