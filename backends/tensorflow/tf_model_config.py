"""A SavedModel's signature next to Triton's model configuration: checked, and completed from it.

The configuration is the JSON that Triton hands over, in which what config.pbtxt leaves out is
empty: `dims` [], `data_type` TYPE_INVALID, `max_batch_size` 0.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tf_errors import SavedModelError
from tf_shapes import ONE_VALUE, fits, model_dims
from tf_signature import Signature, TensorSpec

Config = Mapping[str, Any]

MAX_BATCH_SIZE = 256
"""Filled in for a model that can batch. Generous: Triton refuses larger requests, and what bounds
the memory is `rows_at_once`."""

UNSUPPORTED = ("sequence_batching", "batch_input", "batch_output")


@dataclass(frozen=True)
class Completion:
    """What auto-complete adds to a configuration; inputs and outputs as Triton's JSON has them."""

    max_batch_size: int
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]


def complete(config: Config, signature: Signature) -> Completion:
    """Return what config.pbtxt leaves out; what it states stays, and is checked by `check`.

    All inputs are added, for a call needs them all; outputs only if config.pbtxt lists none.
    """
    max_batch_size = config["max_batch_size"]
    if max_batch_size == 0 and signature.has_rows and _states_no_rows(config, signature):
        max_batch_size = MAX_BATCH_SIZE
    _refuse_rows_that_are_not(max_batch_size, signature)
    listed_outputs = {listed["name"] for listed in config["output"]}
    outputs = [
        tensor
        for tensor in signature.outputs.values()
        if tensor.name in listed_outputs or not listed_outputs
    ]
    return Completion(
        max_batch_size,
        _entries(signature.inputs.values(), config["input"], max_batch_size),
        _entries(outputs, config["output"], max_batch_size),
    )


def check(config: Config, signature: Signature, *, limits_rows: bool) -> None:
    """Refuse a configuration that the SavedModel cannot serve, and say everything that differs."""
    for name in UNSUPPORTED:
        if config.get(name):
            raise SavedModelError(f"config.pbtxt has {name}, which this backend does not support")
    if config.get("model_transaction_policy", {}).get("decoupled"):
        raise SavedModelError(
            "config.pbtxt says decoupled: a SavedModel gives one answer a request"
        )
    if config.get("optimization", {}).get("execution_accelerators"):
        raise SavedModelError("config.pbtxt has execution_accelerators: TensorFlow alone is used")
    _refuse_rows_that_are_not(config["max_batch_size"], signature)
    if limits_rows and not signature.has_rows:
        raise SavedModelError(
            "the parameter rows_at_once needs a signature whose tensors all have -1 as their "
            f"first dimension; {signature.name!r} has {_all_shapes(signature)}"
        )
    complaints = [
        *_complaints("input", config, signature),
        *_complaints("output", config, signature),
    ]
    if complaints:
        raise SavedModelError("; ".join(complaints))


def _states_no_rows(config: Config, signature: Signature) -> bool:
    """Whether no tensor is listed with all its dimensions, the rows among them.

    `max_batch_size: 0` does not say it: Triton shows it too if config.pbtxt has no such line.
    """
    pairs = [
        (model_dims(listed), tensor.shape)
        for kind, tensors in (("input", signature.inputs), ("output", signature.outputs))
        for listed in config[kind]
        if (tensor := tensors.get(listed["name"]))
    ]
    return all(not dims or shape is None or len(dims) < len(shape) for dims, shape in pairs)


def _refuse_rows_that_are_not(max_batch_size: int, signature: Signature) -> None:
    if max_batch_size and not signature.has_rows:
        raise SavedModelError(
            f"config.pbtxt says max_batch_size {max_batch_size}, for which the first dimension of "
            f"every tensor must be -1; {signature.name!r} has {_all_shapes(signature)}: "
            "max_batch_size 0 is needed"
        )


def _entries(
    tensors: Iterable[TensorSpec], listed: Sequence[Config], batch: int
) -> list[dict[str, Any]]:
    stated = {each["name"]: each for each in listed}
    return [_entry(tensor, stated.get(tensor.name, {}), batch) for tensor in tensors]


def _entry(tensor: TensorSpec, stated: Config, max_batch_size: int) -> dict[str, Any]:
    data_type = stated.get("data_type", "TYPE_INVALID")
    dims = stated.get("dims") or _dims(tensor, max_batch_size)
    return {
        "name": tensor.name,
        "data_type": tensor.data_type if data_type == "TYPE_INVALID" else data_type,
        "dims": dims,
    }


def _dims(tensor: TensorSpec, max_batch_size: int) -> list[int]:
    if tensor.shape is None:
        raise SavedModelError(
            f"the signature leaves the number of dimensions of {tensor.name!r} open: state its "
            "dims in config.pbtxt"
        )
    without_rows = tensor.shape[1:] if max_batch_size else tensor.shape
    return list(without_rows or ONE_VALUE)


def _complaints(kind: str, config: Config, signature: Signature) -> Iterator[str]:
    tensors = signature.inputs if kind == "input" else signature.outputs
    listed = {each["name"]: each for each in config[kind]}
    for name in [] if kind == "output" else sorted(tensors.keys() - listed.keys()):
        yield f"the signature's input {name!r} is not in config.pbtxt"
    for name, stated in listed.items():
        if name not in tensors:
            yield (
                f"config.pbtxt has an {kind} {name!r}, and the signature {signature.name!r} has "
                f"only: {', '.join(tensors)}"
            )
        elif not _agree(stated, tensors[name], config["max_batch_size"]):
            rows = [-1] if config["max_batch_size"] else []
            yield (
                f"{kind} {name!r}: config.pbtxt says {stated['data_type']} "
                f"{rows + list(model_dims(stated))}{' with the rows' if rows else ''}, the "
                f"signature {signature.name!r} says {_described(tensors[name])}"
            )


def _agree(stated: Config, tensor: TensorSpec, max_batch_size: int) -> bool:
    if stated["data_type"] != tensor.data_type:
        return False
    if tensor.shape is None:
        return True
    rows = (-1,) if max_batch_size else ()
    dims = model_dims(stated)
    if dims == ONE_VALUE and tensor.shape == rows:
        return True
    return fits(rows + dims, tensor.shape)


def _all_shapes(signature: Signature) -> str:
    tensors = [*signature.inputs.values(), *signature.outputs.values()]
    return ", ".join(f"{tensor.name!r} {_described(tensor)}" for tensor in tensors)


def _described(tensor: TensorSpec) -> str:
    shape = "of any shape" if tensor.shape is None else list(tensor.shape)
    return f"{tensor.data_type} {shape}"
