"""Program: tries a SavedModel with TensorFlow and with OpenVINO, and says how they compare.

It runs when a model is loaded, in a process of its own: the one that serves then imports only the
engine that it uses, and outlives whatever an engine may do to this one.
"""

import ctypes
import json
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tf_batching import Arrays, Compute
from tf_errors import SavedModelError
from tf_graph_safety import read_operations
from tf_parity import largest_difference, samples
from tf_runtime import start
from tf_settings import Settings
from tf_signature import read_meta_graph, read_signature

PAIRS = 4
SECONDS = 6.0
"""No further pair is timed after that: a large model is to load in some time, too."""

PR_SET_PDEATHSIG = 1


def tried(directory: Path, version_directory: Path, settings: Settings) -> Mapping[str, Any]:
    """Return the largest difference, and the seconds and processor seconds of a batch with each.

    Refuses a SavedModel that either engine cannot load. What it would do to files was looked at
    before; which operations exist, only TensorFlow knows.
    """
    signature = read_signature(directory, settings.signature, settings.tags)
    operations = read_operations(read_meta_graph(directory, settings.tags))
    start(settings, wants_gpu=False, device="")
    import tf_openvino
    import tf_savedmodel  # after start, which sets TensorFlow's threads

    operations.refuse_unknown(tf_savedmodel.is_registered)
    # Before TensorFlow loads the model, since what cannot be converted is known at once.
    other = tf_openvino.OpenVinoModel(directory, signature, threads=settings.threads)
    reference = tf_savedmodel.SavedModel(directory, signature)
    inputs = samples(version_directory, signature)
    difference = largest_difference(reference, other, inputs)
    batch = {name: np.repeat(row, settings.rows_at_once, 0) for name, row in inputs[0].items()}
    tensorflow, openvino = _costs(reference, other, batch)
    return {
        "samples": len(inputs),
        "difference": difference,
        "tensorflow": tensorflow,
        "openvino": openvino,
    }


def _costs(one: Compute, other: Compute, batch: Arrays) -> tuple[list[float], list[float]]:
    """Return the least seconds and the least processor seconds of two functions, taken in turn.

    The least, since whatever else the machine does makes them longer and never shorter.
    """
    pairs = []
    deadline = time.monotonic() + SECONDS
    while len(pairs) < PAIRS and (not pairs or time.monotonic() < deadline):
        pairs.append((_cost(one, batch), _cost(other, batch)))
    first, second = (np.min(costs, axis=0).tolist() for costs in zip(*pairs, strict=True))
    return first, second


def _cost(compute: Compute, batch: Arrays) -> tuple[float, float]:
    started, started_cpu = time.perf_counter(), time.process_time()
    compute(batch)
    return time.perf_counter() - started, time.process_time() - started_cpu


def main() -> None:
    """Read the question from stdin and write the answer to stdout, both JSON."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # ends with who asked
    question = json.load(sys.stdin)
    settings = Settings(**question["settings"] | {"tags": tuple(question["settings"]["tags"])})
    try:
        answer = tried(Path(question["directory"]), Path(question["version_directory"]), settings)
    except SavedModelError as error:
        answer = {"problem": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
