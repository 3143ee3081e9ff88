"""What must be right before Triton can run, each with a sentence that says what to do."""

import os
import platform
import shutil
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tools.engine import scanner_key
from tools.engine.access import KEY, KEY_FORM
from tools.engine.installation import find_installation
from tools.engine.regions import SHARED_MEMORY
from tools.engine.settings import LOOPBACK, EngineError, EngineSettings
from tools.engine.sources import CONFIG, models_in, served_models, steps_of
from tools.engine.stated import StatedError, stated
from tools.platform_check import problem as platform_problem

LEAST_SHARED_MEMORY_BYTES = 256 << 20
LEAST_MEMORY_BYTES = 2 << 30
"""For the idle service and one study of usual size; larger ones need more."""

CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, and the sentence on what is wrong, empty if nothing."""

    name: str
    found: str
    problem: str = ""


def checks(settings: EngineSettings) -> Iterator[Check]:
    """Yield every check, whether fine or not."""
    yield _platform()
    yield _triton(settings)
    yield _numpy()
    yield _stated()
    for port in settings.ports:
        yield port_check(settings.address, port)
    yield _shared_memory()
    yield _memory()
    yield _models(settings)


def refuse(settings: EngineSettings) -> None:
    """Raise EngineError with the sentence of the first problem."""
    for check in checks(settings):
        if check.problem:
            raise EngineError(check.problem)


def _platform() -> Check:
    found = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return Check("platform", found, platform_problem())


def _triton(settings: EngineSettings) -> Check:
    try:
        installation = find_installation()
    except (EngineError, OSError) as error:
        return Check("Triton", "none", str(error))
    missing = [file for file in (installation.binary, installation.stub) if not file.exists()]
    problem = ""
    if missing:
        problem = f"{missing[0].name} is missing: install nvidia-pytriton again"
    elif settings.address != LOOPBACK and not installation.hardened:
        problem = "this Triton has known vulnerabilities and listens on 127.0.0.1 only"
    return Check("Triton", str(installation.binary), problem)


def _numpy() -> Check:
    found = version("numpy")
    problem = f"numpy {found} corrupts tensors in Triton 2.51: install a numpy below 2"
    return Check("numpy", found, "" if int(found.split(".")[0]) < 2 else problem)


def _stated() -> Check:
    """Look at what the environment states by value or by file."""
    try:
        stated(os.environ, scanner_key.VARIABLE)
        key = stated(os.environ, KEY)
    except StatedError as error:
        return Check("keys", "none", str(error))
    problem = f"{KEY} is not 32 to 128 letters, digits, - and _, as `openssl rand -hex 32` makes"
    fine = not key or KEY_FORM.fullmatch(key)
    return Check("keys", "stated" if key else "made at each start", "" if fine else problem)


def port_check(address: str, port: int) -> Check:
    """Return whether a port is free."""
    with socket.socket() as probe:
        # As servers do: a port that was just given back is free (socket(7), SO_REUSEADDR).
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            problem = (
                f"port {port} on {address} is taken by another program: stop it, or choose other "
                "ports with --http-port, --grpc-port, --metrics-port, --state-port and "
                "--gateway-port"
            )
            return Check(f"port {port}", "taken", problem)
    return Check(f"port {port}", "free")


def _shared_memory() -> Check:
    free = shutil.disk_usage(SHARED_MEMORY).free
    problem = (
        f"{SHARED_MEMORY} has {_mib(free)} free, {_mib(LEAST_SHARED_MEMORY_BYTES)} are needed: "
        "remove what fills it; in a container set shm_size"
    )
    fine = free >= LEAST_SHARED_MEMORY_BYTES
    return Check("shared memory", f"{_mib(free)} free", "" if fine else problem)


def _memory() -> Check:
    available = _available_bytes()
    problem = f"{_mib(available)} of memory are available, {_mib(LEAST_MEMORY_BYTES)} are needed"
    fine = available >= LEAST_MEMORY_BYTES
    return Check("memory", f"{_mib(available)} available", "" if fine else problem)


def _available_bytes() -> int:
    """Return the memory of the machine that is free to take, or of the container if it is less."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = {name: int(rest.split()[0]) << 10 for name, rest in (x.split(":") for x in lines)}
    try:
        limit = int((CGROUP / "memory.max").read_text())
        in_container = limit - int((CGROUP / "memory.current").read_text())
    except (OSError, ValueError):  # no cgroup of version 2, or "max"
        return available["MemAvailable"]
    return min(available["MemAvailable"], in_container)


def _models(settings: EngineSettings) -> Check:
    repository = settings.model_repository
    models = served_models(settings.sources)
    found = f"{repository}: {', '.join(sorted(models)) or 'no models'}"
    problems = filter(None, (_model_problem(folder, models) for folder in models.values()))
    problem = next(problems, "")
    if not models_in([repository]):
        problem = f"{repository} holds no model: name a model repository with --model-repository"
    return Check("models", found, problem)


def _model_problem(folder: Path, models: Collection[str]) -> str:
    """Return what is missing of one model, empty if nothing is."""
    text = (folder / CONFIG).read_text()
    if missing := set(steps_of(folder)) - set(models):
        return f"the ensemble {folder.name} needs the model {min(missing)}, which is not there"
    versions = [path for path in folder.iterdir() if path.is_dir() and path.name.isdigit()]
    if not versions:
        return f"the model {folder.name} has no version: a folder named 1 is needed"
    content = {"python": "model.py", "tensorflow": "model.savedmodel"}
    for backend, name in content.items():
        if f'backend: "{backend}"' in text and not any((v / name).exists() for v in versions):
            return f"the model {folder.name} has no {name}"
    return ""


def _mib(count: int) -> str:
    return f"{count >> 20} MiB"
