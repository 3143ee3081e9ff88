"""The shapes that clients see, and those of the signature: they differ for one value a row.

Triton has no tensors without dimensions, and its `reshape`, which is meant for that, has a fault:
tritonserver 24.10 dies of SIGSEGV over a request with zero rows for a model with
`reshape { shape: [] }`. So `dims: [ 1 ]` without a reshape means the same here.
"""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from tf_errors import AnswerError, InputError
from tf_signature import Shape, TensorSpec

ONE_VALUE = (1,)


def as_signature(values: NDArray[Any], tensor: TensorSpec, *, batches: bool) -> NDArray[Any]:
    """Return an input in the signature's shape; refuse one that has another."""
    if tensor.shape is None:
        return values
    rows = values.shape[:1] if batches else ()
    if len(tensor.shape) == len(rows) and values.shape == rows + ONE_VALUE:
        return values.reshape(rows)
    if not fits(values.shape, tensor.shape):
        raise InputError(
            f"input {tensor.name!r} has shape {list(values.shape)}; {list(tensor.shape)} is needed"
        )
    return values


def as_client(values: NDArray[Any], listed: Mapping[str, Any], *, batches: bool) -> NDArray[Any]:
    """Return an output in the shape that config.pbtxt promises; refuse one that cannot have it."""
    rows = values.shape[:1] if batches else ()
    dims = model_dims(listed)
    if dims == ONE_VALUE and values.shape == rows:
        return values.reshape(rows + ONE_VALUE)
    if not fits(values.shape, rows + dims):
        raise AnswerError(
            f"output {listed['name']!r} has shape {list(values.shape)}; config.pbtxt promises "
            f"{list(rows + dims)}"
        )
    return values


def model_dims(listed: Mapping[str, Any]) -> Shape:
    """Return the dimensions of a tensor in config.pbtxt as models see them, without the rows.

    Triton itself turns `dims` into `reshape`, and back.
    """
    seen = listed["reshape"]["shape"] if "reshape" in listed else listed["dims"]
    return tuple(int(size) for size in seen)


def fits(shape: Shape, pattern: Shape) -> bool:
    """Return whether a shape is one of those that a pattern with -1 allows."""
    return len(shape) == len(pattern) and all(
        wanted in (-1, size) for size, wanted in zip(shape, pattern, strict=True)
    )
