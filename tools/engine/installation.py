"""The Triton that is there: the one of the PyPI wheel, or that of a container."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from tools.engine import scanner_key, trials
from tools.engine.settings import EngineError
from tools.locations import data_folder
from tools.platform_check import libpython_folder

SYSTEM = Path("/opt/tritonserver")

ONE_THREAD = MappingProxyType({"OPENBLAS_NUM_THREADS": "1"})
"""For numpy, unless the environment says otherwise: it would start a thread a core in each process
of a model, and nothing here multiplies matrices but the network, which has threads of its own."""


KEPT_MEMORY = MappingProxyType(
    {
        "MALLOC_ARENA_MAX": "1",
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TOP_PAD_": str(64 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
    }
)
"""For the server alone: it takes the body of an HTTP request into memory that it frees afterwards,
and would otherwise meet a page fault every 4 KiB of every study. See mallopt(3)."""

STUB = "triton_python_backend_stub"


@dataclass(frozen=True)
class Installation:
    """A tritonserver, its Python backend, and the stub for the running Python.

    hardened: whether it may listen on more than loopback.
    """

    binary: Path
    python_backend: Path
    stub: Path
    libraries: tuple[str, ...]
    hardened: bool

    def make_backend_directory(self, directory: Path) -> None:
        """Make a folder with the backends: Triton's Python backend, and our TensorFlow one.

        Copies, since Triton refuses libraries behind links, and the Python backend looks for its
        stub beside itself, where the wheel has none.
        """
        python = directory / "python"
        python.mkdir(parents=True)
        for file in self.python_backend.glob("*.*"):
            shutil.copy2(file, python)
        _make_stub(python, self.stub)
        (directory / "tensorflow").symlink_to(data_folder("backends") / "tensorflow")

    def environment(self) -> dict[str, str]:
        """Return the environment of the server: its libraries, and our Python for its models.

        The stubs start Python in isolated mode: PYTHONPATH and its like are not read. Python then
        takes its packages from the environment of the first `python3` on PATH.
        """
        libraries = [*self.libraries, os.environ.get("LD_LIBRARY_PATH", "")]
        return (
            dict(ONE_THREAD)
            | KEPT_MEMORY
            | os.environ
            | {
                "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
                "LD_LIBRARY_PATH": ":".join(filter(None, libraries)),
                scanner_key.VARIABLE: scanner_key.scanner_key(),
                trials.VARIABLE: trials.trials_folder(),
            }
        )

    @cached_property
    def flags(self) -> frozenset[str]:
        """Return the names of the flags that this version knows; they differ between versions."""
        listed = subprocess.run(
            [self.binary, "--help"],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        words = (listed.stdout + listed.stderr).split()
        return frozenset(word for word in words if word.startswith("--"))


def find_installation() -> Installation:
    """Return the container's Triton if there is one, else that of the wheel nvidia-pytriton."""
    if (SYSTEM / "bin" / "tritonserver").exists():
        return _system()
    spec = find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise EngineError(
            "no Triton is here: install nvidia-pytriton (make run does), or use the container"
        )
    root = Path(spec.origin).parent / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    libraries = f"{sysconfig.get_path('platlib')}/nvidia_pytriton.libs"
    return Installation(
        binary=root / "bin" / "tritonserver",
        python_backend=root / "backends" / "python",
        stub=root / "python_backend_stubs" / version / STUB,
        libraries=(libpython_folder(), libraries),
        hardened=False,
    )


def _system() -> Installation:
    backend = SYSTEM / "backends" / "python"
    return Installation(
        binary=SYSTEM / "bin" / "tritonserver",
        python_backend=backend,
        stub=backend / STUB,
        libraries=(),
        hardened=True,
    )


def _make_stub(directory: Path, stub: Path) -> None:
    """Make what Triton starts as a model's process: the stub, without KEPT_MEMORY.

    Triton 2.51 leaves its owner no right but to execute it, since it asks for the exit code of a
    child, which is lost where SIGCHLD is ignored. So its first line, which the kernel reads, is all
    of it, and leads to a file that can be read.
    """
    program, start = directory / "stub" / STUB, directory / "stub" / "start"
    program.parent.mkdir()
    shutil.copy2(stub, program)
    start.write_text(f'unset {" ".join(KEPT_MEMORY)}\nexec "{program}" "$@"\n')
    script = directory / STUB
    script.write_text("""#!/usr/bin/env -S sh -c '. "${0%/*}/stub/start"'\n""")
    script.chmod(0o755)
