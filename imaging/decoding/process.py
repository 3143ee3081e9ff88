"""The decoder's process, seen from outside: started when needed, kept, replaced when it fails."""

import atexit
import functools
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.decoding import child
from imaging.decoding.codestream import Codestream

INHERITED = ("LD_LIBRARY_PATH", "PATH", "PYTHONPATH")
"""The only variables the child gets: what it decodes is not trusted, and the rest may be secret."""

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Threads would reserve memory that counts, and the frames come one by one."""


class UndecodableError(ValueError):
    """A frame cannot be decoded; the text says why."""


@dataclass(frozen=True)
class DecoderLimits:
    """What one frame may cost.

    memory_bytes: of addresses, of which Python and the decoders take 0.1 GiB. OpenJPEG needs some
        12 bytes a pixel: 2 GiB are enough for 10 000 × 10 000.
    frame_s: a frame of 512 × 512 takes 0.003 s (JPEG) to 0.06 s (JPEG 2000).
    start_s: to import numpy and the decoders on a busy machine.
    """

    memory_bytes: int = 2 << 30
    frame_s: float = 20.0
    start_s: float = 60.0


DEFAULT_LIMITS = DecoderLimits()


class DecoderProcess:
    """A child process that decodes frames with native decoders, one at a time."""

    def __init__(self, limits: DecoderLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    def decode(self, codec: str, frame: bytes, stream: Codestream) -> NDArray[np.integer[Any]]:
        """Return the samples of one frame, [row, column]; refuse what fails, in any way.

        The frame must have one component. After a crash or an overrun, the next call has a new
        process.
        """
        with self._turn:
            if self._process is None or self._process.poll() is not None:
                self._start()
            try:
                return self._ask(codec, frame, stream)
            except TimeoutError as error:
                self._stop()
                raise UndecodableError(
                    f"decoding took more than {self._limits.frame_s:g} s"
                ) from error
            except (OSError, EOFError) as error:
                self._stop()
                raise UndecodableError("the decoder crashed over it") from error

    def close(self) -> None:
        """End the process; a later call starts another."""
        with self._turn:
            self._stop()

    def _start(self) -> None:
        self._stop()
        # A socket and not a pipe: it has timeouts, and a send to a dead process raises no SIGPIPE,
        # which Triton's embedded Python does not ignore.
        self._channel, theirs = socket.socketpair()
        command = [_python(), "-P", child.__file__, str(os.getpid())]
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(self._limits.memory_bytes)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment | ONE_THREAD,
            )
        try:
            self._receive(child.STATUS.size, time.monotonic() + self._limits.start_s)
        except (OSError, EOFError) as error:
            self._stop()
            raise RuntimeError("the decoder's process does not start") from error

    def _stop(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._channel = None

    def _ask(self, codec: str, frame: bytes, stream: Codestream) -> NDArray[np.integer[Any]]:
        deadline = time.monotonic() + self._limits.frame_s
        shape, dtype = (stream.rows, stream.columns), np.dtype(stream.dtype)
        head = child.REQUEST.pack(codec.encode(), stream.dtype.encode(), *shape, len(frame))
        for part in (head, frame):
            self._connected.settimeout(max(deadline - time.monotonic(), 0.001))
            self._connected.sendall(part, socket.MSG_NOSIGNAL)
        (status,) = child.STATUS.unpack(self._receive(child.STATUS.size, deadline))
        if status == child.OUT_OF_MEMORY:
            raise UndecodableError("it is too large for the decoder")
        if status != child.OK:
            # OpenJPEG does not tell damage from a failed allocation.
            raise UndecodableError("it is damaged, or too large for the decoder")
        samples = self._receive(shape[0] * shape[1] * dtype.itemsize, deadline)
        return np.frombuffer(samples, dtype).reshape(shape)

    def _receive(self, size: int, deadline: float) -> bytearray:
        """Return exactly `size` bytes; raises TimeoutError, EOFError or OSError."""
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            self._connected.settimeout(max(deadline - time.monotonic(), 0.001))
            received = self._connected.recv_into(rest)
            if not received:
                raise EOFError
            rest = rest[received:]
        return data

    @property
    def _connected(self) -> socket.socket:
        if self._channel is None:
            raise EOFError
        return self._channel


@functools.cache
def decoder_process() -> DecoderProcess:
    """Return this process's decoder: made by the first compressed frame, ended with the program."""
    decoder = DecoderProcess()
    atexit.register(decoder.close)
    return decoder


def _python() -> str:
    """Return the interpreter of the environment that this code runs in.

    Triton embeds Python: what sys.executable says there need not be an interpreter. The folder of
    the environment is right, and the first python3 on PATH is what that folder was found by.
    """
    own = Path(sys.prefix) / "bin" / "python3"
    found = str(own) if own.is_file() else shutil.which("python3")
    if found is None:
        raise RuntimeError("there is no python3 to start the decoder's process with")
    return found
