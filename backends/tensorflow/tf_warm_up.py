"""The first computations of each size of batch, which are slow, done ahead of any request."""

import time
from collections.abc import Iterator

import numpy as np
from tf_batching import Arrays, Compute
from tf_signature import Signature

SECONDS = 5.0
"""No further size is tried after that time: a model is to load quickly, too."""

RUNS = 2
"""The second computation is slow, too: 0.35 s, 0.5 s, then 0.19 s for a volume of ct3dcnn."""

NUMPY_TYPES = {
    "TYPE_BOOL": np.bool_,
    "TYPE_UINT8": np.uint8,
    "TYPE_UINT16": np.uint16,
    "TYPE_UINT32": np.uint32,
    "TYPE_UINT64": np.uint64,
    "TYPE_INT8": np.int8,
    "TYPE_INT16": np.int16,
    "TYPE_INT32": np.int32,
    "TYPE_INT64": np.int64,
    "TYPE_FP16": np.float16,
    "TYPE_FP32": np.float32,
    "TYPE_FP64": np.float64,
}
"""Without text, of which nothing is known that a model would accept, and without bfloat16."""


def warm_up(compute: Compute, signature: Signature, *, rows_at_once: int) -> str:
    """Compute zeros in each size of batch that occurs, and return a sentence for the log.

    With rows_at_once these are all sizes up to it: the last part of a request may have any. What
    a model thinks of zeros is no reason not to load it.
    """
    if not is_predictable(signature):
        return "no warm-up: the signature does not say which inputs it takes"
    deadline = time.monotonic() + SECONDS
    done = []
    for rows in _sizes(rows_at_once if signature.has_rows else 0):
        try:
            for _ in range(RUNS):
                compute(_zeros(signature, rows))
        except Exception as error:  # a SavedModel may raise anything
            return f"no warm-up: the model refuses zeros ({type(error).__name__})"
        done.append(rows)
        if time.monotonic() > deadline:
            break
    return f"warmed up with batches of {', '.join(map(str, sorted(done)))}"


def _sizes(rows_at_once: int) -> Iterator[int]:
    """Yield the full size first, then the single row, which is the commonest, then the others."""
    yield rows_at_once or 1
    yield from range(1, rows_at_once)


def is_predictable(signature: Signature) -> bool:
    """Return whether the signature says which inputs it takes: numbers, and the size of a row."""
    return all(
        tensor.data_type in NUMPY_TYPES and tensor.shape is not None and -1 not in tensor.shape[1:]
        for tensor in signature.inputs.values()
    )


def _zeros(signature: Signature, rows: int) -> Arrays:
    return {
        name: np.zeros(
            [rows if size < 0 else size for size in tensor.shape or ()],
            NUMPY_TYPES[tensor.data_type],
        )
        for name, tensor in signature.inputs.items()
    }
