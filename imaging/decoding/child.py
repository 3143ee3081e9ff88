"""The program of the decoder's process: native decoders, where their crash harms nobody.

It is started by path and gets bytes and extents: no attribute of a patient.
A request is REQUEST and the frame; the answer a status and, if it is OK, the samples in C order.
"""

import ctypes
import os
import resource
import signal
import socket
import struct
import sys

REQUEST = struct.Struct("<8s4sIIQ")
"""Codec, type of the samples, rows, columns, bytes of the frame."""

STATUS = struct.Struct("<B")
OK, DAMAGED, OUT_OF_MEMORY = range(3)

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that this process gets when its parent ends."""

DECODER_FAILURES = (IndexError, OverflowError, RuntimeError, TypeError, ValueError)
"""What imagecodecs raises; anything else ends the process, and is taken for a broken frame."""


def main() -> None:
    """Decode frames from standard input, a socket, until it closes."""
    parent, memory_bytes = map(int, sys.argv[1:])
    _restrain(parent, memory_bytes)
    import imagecodecs

    # OpenJPEG reads high-throughput JPEG 2000 too, and unlike OpenJPH it refuses damaged data.
    decoders = {
        b"jpeg": imagecodecs.jpeg8_decode,
        b"jpegls": imagecodecs.jpegls_decode,
        b"jpeg2000": imagecodecs.jpeg2k_decode,
    }
    with socket.socket(fileno=0) as channel, channel.makefile("rb") as requests:
        channel.sendall(STATUS.pack(OK))
        while len(head := requests.read(REQUEST.size)) == REQUEST.size:
            codec, dtype, rows, columns, size = REQUEST.unpack(head)
            decode = decoders[codec.rstrip(b"\0")]
            shape, kind = (rows, columns), dtype.rstrip(b"\0").decode()
            try:
                samples = decode(requests.read(size))
                if samples.shape != shape or samples.dtype != kind:
                    raise ValueError(samples.shape)
                answer = (STATUS.pack(OK), samples.tobytes())
            except MemoryError:
                answer = (STATUS.pack(OUT_OF_MEMORY), b"")
            except DECODER_FAILURES:
                answer = (STATUS.pack(DAMAGED), b"")
            for part in answer:
                channel.sendall(part)


def _restrain(parent: int, memory_bytes: int) -> None:
    """End with the parent, leave no core file with pixels, write no files, take no more memory."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent ended before this process started")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # Triton's processes ignore it, and so would we
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for what, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        resource.setrlimit(what, (limit, limit))


if __name__ == "__main__":
    main()
