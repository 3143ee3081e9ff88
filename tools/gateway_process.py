"""The gateway as a process of its own beside Triton, for the person at this machine."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.engine.process import end_with_parent
from tools.engine.settings import EngineError
from tools.engine.stated import SUFFIX, StatedError, stated

TOKEN = "GATEWAY_TOKEN"  # noqa: S105  (the name of a setting)

START_SECONDS = 30
STOP_SECONDS = 35
"""Longer than the gateway gives to what is under way."""

LOOK_SECONDS = 0.1
AGAIN_SECONDS = 1.0


@dataclass
class GatewayProcess:
    """The gateway in front of a Triton of this machine; started again if it ends by itself.

    Settings that the environment states go before those made here.
    """

    port: int
    triton_url: str
    _token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def token(self) -> str:
        """What opens it in the mode local."""
        return self._environment()[TOKEN]

    @property
    def root(self) -> str:
        """Where its API is for programs of this machine."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What opens the page; in the mode local with the token, as whoever has it may use it."""
        environment = self._environment()
        if environment["GATEWAY_MODE"] != "local":
            return environment.get("GATEWAY_PUBLIC_URL", f"{self.root}/")
        return f"{self.root}/?token={self.token}"

    def start(self) -> None:
        """Start it, and return when it answers; raises EngineError if it does not."""
        self._process = self._started()
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None:
                raise EngineError(f"the gateway ended with exit code {self._process.returncode}")
            if time.monotonic() > deadline:
                self.stop()
                raise EngineError(f"the gateway does not answer after {START_SECONDS} s")
            time.sleep(LOOK_SECONDS)
        threading.Thread(target=self._watch, name="gateway", daemon=True).start()

    def stop(self) -> None:
        """Let it finish what is under way, and end it."""
        self._stopping.set()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        # In a group of its own: a Ctrl-C is for the one that watches, which then ends it in order.
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "gateway"],
            env=self._environment(),
            process_group=0,
            preexec_fn=end_with_parent,
        )

    def _environment(self) -> dict[str, str]:
        try:
            token = stated(os.environ, TOKEN) or self._token
        except StatedError as error:
            raise EngineError(str(error)) from None
        defaults = {
            "GATEWAY_MODE": "local",
            "GATEWAY_LOG_LEVEL": "warning",
            "GATEWAY_TRITON_URLS": self.triton_url,
        }
        own = {"GATEWAY_PORT": str(self.port), TOKEN: token, f"{TOKEN}{SUFFIX}": ""}
        return defaults | os.environ | own

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=1):
                return True
        except urllib.error.HTTPError:
            return True  # another host name is expected: it is there
        except OSError:
            return False

    def _watch(self) -> None:
        while self._process.wait() is not None and not self._stopping.wait(AGAIN_SECONDS):
            self._process = self._started()


@contextmanager
def gateway(port: int, triton_url: str) -> Iterator[GatewayProcess]:
    """Run the gateway for the time of the block; raises EngineError if it does not start."""
    process = GatewayProcess(port, triton_url)
    process.start()
    try:
        yield process
    finally:
        process.stop()
