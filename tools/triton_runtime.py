"""What the wheel's tritonserver needs around it: a backend directory, an environment, flags."""

import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass, field
from pathlib import Path

from tools.locations import data_folder, wheel_folder
from tools.platform_check import libpython_folder

FORWARDED_HEADERS = "(?i)x-df-.*"
"""Request headers that reach the models as parameters; all others stay outside."""

NVIDIA_DEVICE = Path("/dev/nvidiactl")
WITHOUT_GPU = ["--pinned-memory-pool-byte-size=0", "--allow-gpu-metrics=false"]
"""Flags that spare the log some of the complaints about a GPU that is not there."""


@dataclass(frozen=True)
class ServerSettings:
    """Where the server listens and what it serves; on loopback only: this Triton is not hardened.

    model_repository: folder of models.
    """

    http_port: int = 8000
    grpc_port: int = 8001
    metrics_port: int = 8002
    model_repository: Path = field(default_factory=lambda: data_folder("model_repository"))
    verbose: bool = False

    @property
    def http_url(self) -> str:
        return f"127.0.0.1:{self.http_port}"


def make_backend_directory(directory: Path) -> None:
    """Fill a folder with links to the backends: Triton's Python backend, and our TensorFlow one.

    The Python backend looks for its stub beside itself, and the wheel keeps one for each version of
    Python elsewhere.
    """
    wheel = wheel_folder()
    python = directory / "python"
    python.mkdir()
    for file in (wheel / "backends" / "python").glob("*.*"):
        shutil.copy2(file, python)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = wheel / "python_backend_stubs" / version / "triton_python_backend_stub"
    shutil.copy2(stub, python)
    (directory / "tensorflow").symlink_to(data_folder("backends") / "tensorflow")


def environment() -> dict[str, str]:
    """Return the environment of the server: its libraries, and our Python for its models.

    The wheel's stubs start Python in isolated mode: PYTHONPATH and its like are not read. Python
    then takes its packages from the environment of the first `python3` on PATH.
    """
    site_packages = sysconfig.get_path("platlib")
    libraries = [libpython_folder(), f"{site_packages}/nvidia_pytriton.libs"]
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "LD_LIBRARY_PATH": ":".join(filter(None, libraries)),
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def command(settings: ServerSettings, *, backends: Path, region_prefix: str) -> list[str]:
    """Return the command line of tritonserver.

    region_prefix: starts the names of the server's shared-memory regions, so that its leftovers
        can be told from another server's.
    """
    return [
        str(wheel_folder() / "bin" / "tritonserver"),
        f"--model-repository={settings.model_repository}",
        f"--backend-directory={backends}",
        f"--backend-config=python,shm-region-prefix-name={region_prefix}",
        "--model-control-mode=explicit",
        "--load-model=*",
        "--disable-auto-complete-config",
        "--http-address=127.0.0.1",
        f"--http-port={settings.http_port}",
        "--grpc-address=127.0.0.1",
        f"--grpc-port={settings.grpc_port}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={settings.metrics_port}",
        f"--http-header-forward-pattern={FORWARDED_HEADERS}",
        f"--grpc-header-forward-pattern={FORWARDED_HEADERS}",
        f"--log-info={str(settings.verbose).lower()}",
        *([] if NVIDIA_DEVICE.exists() else WITHOUT_GPU),
    ]
