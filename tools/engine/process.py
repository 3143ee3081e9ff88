"""One tritonserver process: started, tried with a study, stopped without leftovers."""

import ctypes
import itertools
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from imaging.waiting import METRICS
from tools.client import ServiceError, infer
from tools.engine import processes, regions
from tools.engine.access import KEY, LOOPBACK_NAMES, Access, write_access
from tools.engine.command import NVIDIA_DEVICE, Launch, command
from tools.engine.installation import Installation
from tools.engine.repository import PreparedRepository
from tools.engine.settings import LOOPBACK, EngineError, EngineSettings
from tools.engine.stated import stated
from tools.phantom import phantom_zip

START_SECONDS = 120
STOP_SECONDS = 25
LOOK_AGAIN_SECONDS = 0.2
CANARY_MODEL = "ct3dcnn"

COMPLAINTS_WITHOUT_GPU = re.compile(r"CudaDriverHelper|CUDA driver version|pinned_memory|NVML|DCGM")
"""Triton's complaints about a GPU, which are no news where there is none."""

LOAD_FAILURE = re.compile(r"failed to load '(?P<model>[^']+)' version \d+: (?P<reason>[^\"\\]+)")

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1

_serial = itertools.count(1)


class TritonProcess:
    """A tritonserver and what belongs to it: its backends, its regions, its key, its messages."""

    def __init__(self, settings: EngineSettings, installation: Installation) -> None:
        self.settings = settings
        prefix = regions.region_prefix(next(_serial))
        self._folder = tempfile.TemporaryDirectory(prefix=prefix)
        folder = Path(self._folder.name)
        key = stated(os.environ, KEY) or secrets.token_urlsafe(32)
        self.launch = Launch(folder / "models", folder / "backends", key, prefix)
        installation.make_backend_directory(self.launch.backends)
        self.models = PreparedRepository(settings.sources, self.launch.models)
        self.models.prepare()
        self.access_file = write_access(folder, self._access())
        self._messages: deque[str] = deque(maxlen=200)
        self._process = subprocess.Popen(
            command(installation.binary, settings, self.launch, installation.flags),
            env=installation.environment() | {METRICS: settings.metrics_host},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches this process, which stops Triton in order
            preexec_fn=_prepare_child,
        )
        self._reader = threading.Thread(target=self._pass_on_messages, daemon=True)
        self._reader.start()
        self._undertaker = threading.Thread(target=self._end_what_is_left, daemon=True)
        self._undertaker.start()

    def _access(self) -> Access:
        sources = tuple(map(str, self.settings.sources))
        inside = self.settings.address == LOOPBACK
        hosts = LOOPBACK_NAMES if inside else (*LOOPBACK_NAMES, socket.gethostname())
        return Access(
            self.settings.http_url, self.launch.key, str(self.launch.models), sources, hosts
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def stubs(self) -> list[processes.Stub]:
        """Return the living stubs."""
        return processes.stubs(self.pid)

    def wait_for_canary(self) -> None:
        """Return when a small study has been answered; Triton calls itself ready without that."""
        deadline = time.monotonic() + START_SECONDS
        study = phantom_zip()
        while time.monotonic() < deadline:
            if self.exit_code is not None:
                raise EngineError(self._why_it_stopped())
            try:
                infer(self.settings.http_url, CANARY_MODEL, study)
            except ServiceError:
                time.sleep(0.2)
            else:
                regions.make_private(self.launch.region_prefix)
                return
        raise EngineError(f"Triton did not answer a study within {START_SECONDS} s")

    def stop(self) -> None:
        """Let it finish what it works on and exit; remove everything of it."""
        self._process.send_signal(signal.SIGTERM)
        self._process.send_signal(signal.SIGCONT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and its stubs at once; remove everything of it."""
        self._process.kill()
        self._undertaker.join()
        regions.remove(self.launch.region_prefix)
        self._folder.cleanup()

    def _end_what_is_left(self) -> None:
        """When Triton is gone, end its stubs, also one that it had just begun to load.

        They have its connections and its stderr: who waits for an answer would wait on.
        """
        self._process.wait()
        while self._reader.is_alive():
            for stub in processes.stubs_of_regions(self.launch.region_prefix):
                processes.kill_stub(stub)
            self._reader.join(LOOK_AGAIN_SECONDS)

    def _pass_on_messages(self) -> None:
        """Copy its messages to ours, but for complaints about a GPU that is not there."""
        assert self._process.stderr is not None  # noqa: S101  (PIPE was asked for)
        without_gpu = not NVIDIA_DEVICE.exists()
        with self._process.stderr as messages:
            for line in messages:
                self._messages.append(line)
                if not (without_gpu and COMPLAINTS_WITHOUT_GPU.search(line)):
                    sys.stderr.write(line)

    def _why_it_stopped(self) -> str:
        self._reader.join(timeout=5)
        for line in self._messages:
            if failure := LOAD_FAILURE.search(line):
                return f"the model {failure['model']} cannot be loaded: {failure['reason']}"
        errors = [line.removeprefix("error: ") for line in self._messages if "error:" in line]
        reason = errors[-1].strip() if errors else "its messages are above"
        return f"Triton stopped while it was starting (exit code {self.exit_code}): {reason}"


def _prepare_child() -> None:
    # Triton does not wait for stubs that died; with SIGCHLD ignored the kernel does (wait(2)).
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    end_with_parent()


def end_with_parent() -> None:
    """In a child before its program: be told to end in order if the parent is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
