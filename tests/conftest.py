"""What all tests share: the real Triton, once a session, and the shared cases where they are."""

import os

import pytest
from kheops.orthanc import orthanc  # noqa: F401  (fixtures)
from kheops.stand_in import _running_kheops, kheops  # noqa: F401
from oidc_provider import _running_provider, provider, provider_files  # noqa: F401  (fixtures)
from postgres_server import _database, postgres  # noqa: F401  (fixtures)
from shared_folder import SHARED

from imaging.instances import quiet_pydicom
from tools.engine.ports import free_ports
from tools.engine.run import running
from tools.engine.settings import EngineSettings


@pytest.fixture(autouse=True, scope="session")
def _quiet_pydicom():
    """Read headers as the service does: without warnings that quote them."""
    quiet_pydicom()


@pytest.fixture(autouse=True, scope="session")
def _nothing_in_the_accounts_folders(tmp_path_factory):
    """Services of the tests have a key and a store of their own, and try the network once."""
    os.environ["DEEPFEATURES_SCANNER_KEY"] = "key of the tests"
    os.environ["DEEPFEATURES_MODELS"] = str(tmp_path_factory.mktemp("models"))
    os.environ["TF_BACKEND_TRIALS"] = str(tmp_path_factory.mktemp("trials"))
    os.environ["GATEWAY_JOBS_DATABASE"] = "none"


@pytest.fixture(scope="session")
def server():
    """A running Triton with the project's models; its settings have the addresses."""
    http_port, grpc_port, metrics_port = free_ports(3)
    settings = EngineSettings(http_port, grpc_port, metrics_port)
    with running(settings):
        yield settings


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real DICOM cases with reference conversions."""
    if not SHARED.is_dir():
        pytest.skip("the shared cases are not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def anyio_backend():
    """The event loop of asynchronous tests: that of the gateway, for all tests that share one."""
    return "asyncio"
