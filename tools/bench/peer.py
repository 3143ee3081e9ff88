"""A contender in a process of its own, seen from the bench."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import Any

CHILD = "tools.bench.peers.child"

TUNED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
"""Variables that may hold a library back; a peer and a limit are to be as fast as they can."""


class PeerError(RuntimeError):
    """A contender failed, and the message has the end of what it printed."""


class MissingPeerError(RuntimeError):
    """A contender's package is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"{package} is not installed")
        self.package = package


class Peer:
    """A contender that is ready; call it to have it run once and get the seconds that took."""

    def __init__(self, name: str, words: Sequence[object]) -> None:
        """Raise MissingPeerError if it is not installed, PeerError if it fails otherwise."""
        self.name = name
        self.result: Any = None
        self._messages = TemporaryFile("w+", errors="replace")  # noqa: SIM115  (close)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", CHILD, name, *map(str, words)],
            env={key: value for key, value in os.environ.items() if key not in TUNED},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            text=True,
        )
        missing = self._answer().get("missing")
        if missing:
            self.close()
            raise MissingPeerError(missing)

    def __call__(self) -> float:
        assert self._process.stdin is not None  # noqa: S101  (PIPE was asked for)
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._answer()
        self.result = answer["result"]
        return float(answer["seconds"])

    def close(self) -> None:
        """Let the process end; it has nothing to lose."""
        self._process.kill()
        self._process.communicate()
        self._messages.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101  (PIPE was asked for)
        line = self._process.stdout.readline()
        if not line:
            self._messages.seek(0)
            printed = self._messages.read().strip().splitlines()
            self.close()
            raise PeerError(f"{self.name} failed: {printed[-1] if printed else 'without a word'}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def result_of(name: str, words: Sequence[object]) -> Any:
    """Return what a contender returns that runs once, and that nobody times."""
    peer = Peer(name, words)
    try:
        peer()
        return peer.result
    finally:
        peer.close()


@contextmanager
def peers(wanted: Mapping[str, Sequence[object]], missing: dict[str, str]) -> Iterator[list[Peer]]:
    """Run contenders by their names, each with its arguments, for the time of a block.

    missing: gets those whose package is not installed, with the package.
    """
    with ExitStack() as stack:
        ready = []
        for name, words in wanted.items():
            try:
                peer = Peer(name, words)
            except MissingPeerError as error:
                missing[name] = error.package
                continue
            stack.callback(peer.close)
            ready.append(peer)
        yield ready
