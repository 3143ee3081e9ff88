"""A real PACS with DICOMweb: Debian's Orthanc, started once, its storage in a temporary folder."""

import json
import os
import subprocess
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from phantoms import zip_of

from tools.engine.ports import free_ports

PROGRAM = Path("/usr/sbin/Orthanc")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")

USER, PASSWORD = "gateway", "hush-hush of the PACS"

START_SECONDS = 60


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc; it has one user, by HTTP Basic."""

    port: int

    @property
    def url(self) -> str:
        """Its own API, and below /dicom-web the standard's."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def dicomweb_url(self) -> str:
        return f"{self.url}/dicom-web"

    def http(self) -> httpx.Client:
        """Return a client of its user."""
        return httpx.Client(base_url=self.url, auth=(USER, PASSWORD), timeout=60)

    def store(self, *files: bytes) -> None:
        """Store DICOM files, as one zip."""
        archive = zip_of(*files, method=zipfile.ZIP_STORED)
        with self.http() as http:
            http.post("/instances", content=archive).raise_for_status()

    def delete(self, study_uid: str) -> None:
        """Forget a study."""
        with self.http() as http:
            query = {"Level": "Study", "Query": {"StudyInstanceUID": study_uid}}
            for name in http.post("/tools/find", json=query).json():
                http.delete(f"/studies/{name}").raise_for_status()


def environment(orthanc: Orthanc) -> dict[str, str]:
    """Return the settings of a gateway that reads from it."""
    return {
        "GATEWAY_DICOMWEB_URL": orthanc.dicomweb_url,
        "GATEWAY_DICOMWEB_USER": USER,
        "GATEWAY_DICOMWEB_PASSWORD": PASSWORD,
    }


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """A running Orthanc; tests tell their studies from others' by their UIDs."""
    if not (PROGRAM.exists() and PLUGIN.exists()):
        pytest.skip("there is no orthanc with orthanc-dicomweb")
    folder = tmp_path_factory.mktemp("orthanc")
    (port,) = free_ports(1)
    configuration = {
        "Name": "PACS of the tests",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    command = [str(PROGRAM), str(folder / "orthanc.json")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "TZ": "UTC"})
    found = Orthanc(port)
    try:
        _wait(found, process)
        yield found
    finally:
        process.terminate()
        process.wait(30)


def _wait(orthanc: Orthanc, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    with orthanc.http() as http:
        while True:
            assert process.poll() is None
            try:
                http.get("/system").raise_for_status()
            except httpx.TransportError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return
