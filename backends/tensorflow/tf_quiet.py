"""TensorFlow's start-up chatter kept off stderr, line by line; whatever else is said, is said."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

CHATTER = (
    r"^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR",
    r"port\.cc:[0-9]+\] oneDNN custom operations are on",
    r"cudart_stub\.cc:[0-9]+\] Could not find cuda drivers",
    r"cpu_feature_guard\.cc:[0-9]+\] This TensorFlow binary is optimized",
    r"^To enable the following instructions: ",
    r"Unable to register cu[A-Z]+ factory",
    r"single_machine\.cc:[0-9]+\] Starting new session",
)
"""Printed before any setting of TensorFlow's log level is read; none of it is about the model."""

NO_GPU = (
    r"cuda_platform\.cc:[0-9]+\] failed call to cuInit",
    r"cuda_diagnostics\.cc:[0-9]+\]",
    r"gpu_device\.cc:[0-9]+\] Cannot dlopen some GPU libraries",
    r"^Skipping registering GPU devices",
    r"devices\.cc:[0-9]+\] Number of eligible GPUs",
)
"""Why there is no GPU: chatter where none is wanted."""

STDERR = 2


@contextmanager
def stderr_without(patterns: Sequence[str]) -> Iterator[None]:
    """Leave out the lines that match; native code writes them, so the descriptor is redirected.

    A process of its own filters: the last words of a crash, such as that the processor lacks AVX,
    come through, which they would not from a thread or a file. Without grep nothing is left out.
    """
    grep = shutil.which("grep")
    if grep is None:
        yield
        return
    original = os.dup(STDERR)
    reader, writer = os.pipe()
    filter_process = subprocess.Popen(
        [grep, "--line-buffered", "-vE", "|".join(patterns)], stdin=reader, stdout=original
    )
    os.close(reader)
    os.dup2(writer, STDERR)
    os.close(writer)
    try:
        yield
    finally:
        os.dup2(original, STDERR)
        os.close(original)
        filter_process.wait()
