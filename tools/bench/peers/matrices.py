"""The machine's rate of arithmetic: products of float32 matrices by the fastest libraries here."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

SIZES = (1024, 1536, 2048, 3072)
TRIES = 5

TURN_SECONDS = 0.1
"""About what the network takes: a single product of small matrices may be lucky."""


def numpy() -> Callable[[], int]:
    """Get ready to multiply with the BLAS of NumPy."""

    def product(size: int) -> Callable[[], Any]:
        left, right = _matrices(size)
        room = np.empty((size, size), np.float32)
        return lambda: np.matmul(left, right, out=room)

    return _at_best_size(product)


def tensorflow() -> Callable[[], int]:
    """Get ready to multiply with TensorFlow."""
    import tensorflow as tf

    def product(size: int) -> Callable[[], Any]:
        left, right = map(tf.constant, _matrices(size))
        return lambda: tf.linalg.matmul(left, right).numpy()

    return _at_best_size(product)


def _matrices(size: int) -> tuple[Any, Any]:
    random = np.random.default_rng(size)
    left, right = random.random((2, size, size), np.float32)
    return left, right


def _at_best_size(product: Callable[[int], Callable[[], Any]]) -> Callable[[], int]:
    """Return products of the size with the highest rate; they return their operations."""
    seconds = {size: _least_seconds(product(size)) for size in SIZES}
    size = max(SIZES, key=lambda each: each**3 / seconds[each])
    multiply = product(size)
    times = max(1, round(TURN_SECONDS / seconds[size]))

    def run() -> int:
        for _ in range(times):
            multiply()
        return times * 2 * size**3

    return run


def _least_seconds(work: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(TRIES):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
