"""Whether two engines compute the same: on which inputs they are compared, and how closely."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tf_batching import Arrays, Compute
from tf_errors import SavedModelError
from tf_shapes import fits
from tf_signature import Signature, TensorSpec
from tf_warm_up import NUMPY_TYPES

FILE = "parity.npz"
"""Beside the SavedModel: real inputs, an array by the name of each, as numpy.savez writes them."""

TOLERANCE = 1e-5
"""Of a row's largest value. Rounding in float32 gives 1e-7 to 5e-7, bfloat16 2e-3 and more."""


def samples(version_directory: Path, signature: Signature) -> list[Arrays]:
    """Return inputs of one row each: those of the file, if there is one, and a random one.

    A random one alone would not do: noise everywhere hides what goes wrong at an edge or in air.
    Refuses a file with other inputs than the signature has.
    """
    random = np.random.default_rng(0)
    made = {name: _random(random, tensor) for name, tensor in signature.inputs.items()}
    file = version_directory / FILE
    return [*(_real(file, signature) if file.exists() else ()), made]


def largest_difference(reference: Compute, other: Compute, inputs: Iterable[Arrays]) -> float:
    """Return the largest difference of two engines over some inputs, relative to a row's values."""
    return max(_difference(reference(each), other(each)) for each in inputs)


def _difference(expected: Arrays, found: Arrays) -> float:
    return max(_relative(expected[name], found[name]) for name in expected)


def _relative(expected: NDArray[Any], found: NDArray[Any]) -> float:
    """Return the largest difference relative to the largest value: 0 for the same, else inf.

    Whole numbers, text and truth values, and what is not finite, are the same or they are not.
    """
    if expected.shape != found.shape or expected.dtype != found.dtype:
        return np.inf
    if expected.dtype.kind != "f":
        return 0.0 if np.array_equal(expected, found) else np.inf
    if np.array_equal(expected, found, equal_nan=True):
        return 0.0
    expected, found = expected.astype(np.float64), found.astype(np.float64)
    largest = float(np.max(np.abs(expected)))
    difference = float(np.max(np.abs(expected - found)))
    return difference / largest if largest and np.isfinite(difference) else np.inf


def _random(random: np.random.Generator, tensor: TensorSpec) -> NDArray[Any]:
    """Return 0 to 1, or 0 and 1: what networks are usually fed, and any index allows."""
    dtype = np.dtype(NUMPY_TYPES[tensor.data_type])
    shape = (1, *(tensor.shape or ())[1:])
    values = random.random(shape) if dtype.kind == "f" else random.integers(2, size=shape)
    return values.astype(dtype)


def _real(file: Path, signature: Signature) -> Iterator[Arrays]:
    arrays = _arrays(file, signature)
    for name, tensor in signature.inputs.items():
        if name not in arrays or not fits(arrays[name].shape, tensor.shape or ()):
            raise SavedModelError(f"{FILE} has no {name!r} of shape {list(tensor.shape or ())}")
    rows = {len(values) for values in arrays.values()}
    if len(rows) != 1 or rows == {0}:
        raise SavedModelError(f"{FILE} has {sorted(rows)} rows: as many of each input are needed")
    for row in range(rows.pop()):
        yield {name: values[row : row + 1] for name, values in arrays.items()}


def _arrays(file: Path, signature: Signature) -> Mapping[str, NDArray[Any]]:
    """Return the inputs in the file, in the types of the signature: float16 takes less room."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            return {
                name: stored[name].astype(NUMPY_TYPES[tensor.data_type])
                for name, tensor in signature.inputs.items()
                if name in stored
            }
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise SavedModelError(f"{FILE} cannot be read: {type(error).__name__}") from error
