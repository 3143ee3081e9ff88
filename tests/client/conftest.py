"""A gateway before the real Triton, as programs of others meet it: with a token, and a Kheops."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from gateway_server import listening, wait_until
from kheops.orthanc import PLUGIN, PROGRAM
from kheops.stand_in import Kheops, running_kheops
from phantoms import slices, thorax, zip_of

from gateway.app import application
from gateway.settings import Settings
from tools.client import Features, infer
from tools.engine.ports import free_ports

TOKEN = "the-token-of-the-printed-url"  # noqa: S105


@dataclass(frozen=True)
class Gateway:
    """Where it is, and what opens it."""

    url: str
    token: str


@pytest.fixture(scope="session")
def kheops(orthanc) -> Iterator[Kheops]:
    """A Kheops whose users come with tokens of its own."""
    with running_kheops(orthanc, "https://provider.example", dict) as kheops:
        yield kheops


@pytest.fixture(scope="session")
def gateway(request, server, tmp_path_factory) -> Iterator[Gateway]:
    """A gateway for one person, with jobs; with Kheops where there is an Orthanc for it."""
    (port,) = free_ports(1)
    stated = {
        "GATEWAY_MODE": "local",
        "GATEWAY_TOKEN": TOKEN,
        "GATEWAY_PORT": str(port),
        "GATEWAY_STUDY_MIB": "8",
        "GATEWAY_TRITON_URLS": server.http_url,
        "GATEWAY_JOBS_DATABASE": f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'jobs.sqlite'}",
    }
    if PROGRAM.exists() and PLUGIN.exists():
        stated["GATEWAY_KHEOPS_URL"] = request.getfixturevalue("kheops").url
    with listening(application(Settings.from_environment(stated)), port):
        url = f"http://127.0.0.1:{port}"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        models = f"{url}/api/models"
        wait_until(lambda: httpx.get(models, headers=headers).json().get("models"))
        yield Gateway(url, TOKEN)


@pytest.fixture(scope="session")
def files() -> list:
    """The objects of a small study."""
    return slices(thorax(shape=(20, 26, 12)), PatientID="MÜLLER^7")


@pytest.fixture(scope="session")
def study(files) -> bytes:
    """The same as a zip."""
    return zip_of(*files)


@pytest.fixture(scope="session")
def direct(server, study) -> Features:
    """What Triton answers to the study by NVIDIA's own client."""
    return infer(server.http_url, "ct3dcnn", study)
