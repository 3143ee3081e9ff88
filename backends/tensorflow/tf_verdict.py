"""Which engine computes a SavedModel: OpenVINO where it may, does the same, and is faster."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tf_errors import SavedModelError
from tf_graph_safety import Operations
from tf_parity import TOLERANCE
from tf_settings import Settings
from tf_signature import Signature
from tf_warm_up import NUMPY_TYPES, is_predictable

FASTER = 1.03
"""By how much OpenVINO must be faster: less is noise, and would change from start to start. Nor may
it take more processor time, which under load is what counts and other processes hardly change."""

FOLDER = "TF_BACKEND_TRIALS"
"""Environment variable: a folder that keeps what trials found, and that nobody else may write."""

TRIAL_SECONDS = 60

LEFT_OUT = frozenset(("Assert", "CheckNumerics", "CheckNumericsV2", "Print", "PrintV2", "Abort"))
"""Operations that OpenVINO drops in silence: with them, bad input would be refused no longer."""


@dataclass(frozen=True)
class Candidate:
    """A SavedModel that two engines may compute.

    version_directory: has the SavedModel's directory, and inputs to compare the engines on.
    """

    directory: Path
    version_directory: Path
    signature: Signature
    operations: Operations
    settings: Settings


@dataclass(frozen=True)
class Verdict:
    """Whether OpenVINO computes, and why or why not; nothing if nobody asked for it."""

    openvino: bool
    reason: str


def choose(candidate: Candidate, *, wants_gpu: bool) -> Verdict:
    """Return the engine for the parameter `engine`; refuse "openvino" where it cannot be.

    Unsafe operations must have been refused before: both engines run the SavedModel here.
    """
    engine = candidate.settings.engine
    if engine == "tensorflow":
        return Verdict(False, "")
    problem = _obstacle(candidate, wants_gpu=wants_gpu)
    trial: Mapping[str, Any] = {} if problem else _trial(candidate)
    problem = problem or _difference(trial)
    if engine == "openvino" and problem:
        raise SavedModelError(f'the parameter engine is "openvino", but {problem}')
    if problem or engine == "openvino":
        return Verdict(not problem, problem or _found(trial))
    (tensorflow_s, tensorflow_cpu_s), (openvino_s, openvino_cpu_s) = _costs(trial)
    faster = tensorflow_s > FASTER * openvino_s and tensorflow_cpu_s >= openvino_cpu_s
    return Verdict(faster, _found(trial))


def _obstacle(candidate: Candidate, *, wants_gpu: bool) -> str:
    """Return why OpenVINO need not be tried, "" if nothing is against it."""
    signature, settings = candidate.signature, candidate.settings
    tensors = [*signature.inputs.values(), *signature.outputs.values()]
    dropped = sorted(candidate.operations.all & LEFT_OUT)
    obstacles = {
        "OpenVINO computes on CPUs, and this instance has a GPU": wants_gpu,
        "OpenVINO is not installed": find_spec("openvino") is None,
        "OpenVINO computes rows one by one, which rows_at_once must allow": not (
            signature.has_rows and settings.rows_at_once
        ),
        "OpenVINO takes the default signature alone": (
            settings.signature != Settings.signature or settings.tags not in ((), ("serve",))
        ),
        "OpenVINO needs the size of a row and numbers in it": not is_predictable(signature)
        or any(tensor.data_type not in NUMPY_TYPES for tensor in tensors),
        f"OpenVINO leaves out {', '.join(dropped)}": bool(dropped),
    }
    return next((sentence for sentence, holds in obstacles.items() if holds), "")


def _difference(trial: Mapping[str, Any]) -> str:
    if "problem" in trial:
        return str(trial["problem"])
    if trial["difference"] <= TOLERANCE:
        return ""
    return (
        f"OpenVINO's outputs differ from TensorFlow's by {trial['difference']:.1e} of their "
        f"magnitude, and {TOLERANCE:.0e} is allowed"
    )


def _costs(trial: Mapping[str, Any]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return seconds and processor seconds of a batch with TensorFlow, and with OpenVINO."""
    return tuple(trial["tensorflow"]), tuple(trial["openvino"])


def _found(trial: Mapping[str, Any]) -> str:
    (tensorflow_s, tensorflow_cpu_s), (openvino_s, openvino_cpu_s) = _costs(trial)
    return (
        f"a batch takes TensorFlow {tensorflow_s:.4f} s and {tensorflow_cpu_s:.4f} s of the "
        f"processor, OpenVINO {openvino_s:.4f} s and {openvino_cpu_s:.4f} s; their outputs differ "
        f"by {trial['difference']:.0e} of their magnitude on {trial['samples']} inputs"
    )


def _trial(candidate: Candidate) -> Mapping[str, Any]:
    """Return what a trial finds, or has found since Triton was started."""
    question = {
        "directory": str(candidate.directory.absolute()),
        "version_directory": str(candidate.version_directory.absolute()),
        "settings": asdict(candidate.settings),
    }
    folder = os.environ.get(FOLDER)
    if not folder:
        return _run(question)
    file = Path(folder) / f"{_key(candidate)}.json"
    with suppress(OSError, ValueError):
        return dict(json.loads(file.read_text()))
    answer = _run(question)
    with suppress(OSError):
        written = file.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(answer))
        written.replace(file)
    return answer


def _run(question: Mapping[str, Any]) -> Mapping[str, Any]:
    program = Path(__file__).with_name("tf_trial.py")
    try:
        # Its exit code says nothing: Triton may have been told to ignore SIGCHLD.
        done = subprocess.run(
            [_python(), program],
            input=json.dumps(question),
            stdout=subprocess.PIPE,
            text=True,
            timeout=TRIAL_SECONDS,
            check=False,
        )
        return dict(json.loads(done.stdout))
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {"problem": f"the trial of OpenVINO came to nothing: {type(error).__name__}"}


def _python() -> str:
    """Return the interpreter of this environment: that of Triton is a part of its own program."""
    own = Path(sys.prefix) / "bin" / "python3"
    return str(own) if own.is_file() else shutil.which("python3") or sys.executable


def _key(candidate: Candidate) -> str:
    """Return a digest of all that a trial depends on."""
    digest = hashlib.sha256(json.dumps([*_machine(), asdict(candidate.settings)]).encode())
    for file in sorted(candidate.version_directory.rglob("*")):
        if file.is_file():
            with file.open("rb") as opened:
                content = hashlib.file_digest(opened, "sha256").hexdigest()
            digest.update(f"{file.relative_to(candidate.version_directory)} {content}\n".encode())
    return digest.hexdigest()


def _machine() -> Iterator[str]:
    for package in ("tensorflow", "openvino"):
        with suppress(PackageNotFoundError):
            yield version(package)
    with suppress(OSError), Path("/proc/cpuinfo").open() as lines:
        yield next((line for line in lines if line.startswith("model name")), "")
