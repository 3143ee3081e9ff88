"""A SavedModel computed by OpenVINO, row by row. Knows OpenVINO, neither TensorFlow nor Triton."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tf_batching import Arrays
from tf_errors import SavedModelError
from tf_signature import Signature
from tf_warm_up import NUMPY_TYPES

# openvino tells its makers over the network that it was imported, unless this module is missing.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
import openvino  # noqa: E402

PRECISION = "f32"
"""Stated, since the default is bfloat16 where the processor has it: two to three digits."""

RELEASE = openvino.__version__.partition("-")[0]

_UNCONVERTED = re.compile(r"No conversion rule found for operations: [^\n]+")


class OpenVinoModel:
    """The default signature of a SavedModel; call it with all its inputs by name.

    Rows are computed one by one: on a CPU that is as fast, and the shapes are fixed, so that
    nothing is planned anew for another size of batch.
    """

    def __init__(self, directory: Path, signature: Signature, *, threads: int) -> None:
        try:
            self._compiled = _compiled(directory, signature, threads)
            self._outputs = {
                name: _one_row(self._compiled.output(name), name) for name in signature.outputs
            }
        except RuntimeError as error:  # which is all that OpenVINO raises
            raise SavedModelError(
                f"OpenVINO {RELEASE} cannot convert it: {_reason(error)}"
            ) from error
        self._refuse_other_types(signature)
        self._request = self._compiled.create_infer_request()

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Return the signature's outputs by name."""
        count = len(next(iter(inputs.values())))
        outputs = {
            name: np.empty((count, *like.shape[1:]), like.dtype)
            for name, like in self._outputs.items()
        }
        for row in range(count):
            self._request.infer({name: values[row : row + 1] for name, values in inputs.items()})
            for name, values in outputs.items():
                values[row] = self._request.get_tensor(name).data[0]
        return outputs

    def _refuse_other_types(self, signature: Signature) -> None:
        ports = {name: self._compiled.input(name) for name in signature.inputs}
        ports |= {name: self._compiled.output(name) for name in signature.outputs}
        for name, port in ports.items():
            described = signature.inputs.get(name) or signature.outputs[name]
            if port.element_type.to_dtype() != NUMPY_TYPES.get(described.data_type):
                raise SavedModelError(
                    f"OpenVINO takes {name!r} for {port.element_type.to_string()}, the signature "
                    f"says {described.data_type}"
                )


def description(threads: int) -> str:
    """Return which OpenVINO computes, and how, for the log."""
    return f"OpenVINO {RELEASE} on the CPU, {PRECISION}, threads: {threads}"


def _compiled(directory: Path, signature: Signature, threads: int) -> openvino.CompiledModel:
    core = openvino.Core()
    model = core.read_model(directory)
    model.reshape(
        {name: [1, *(tensor.shape or ())[1:]] for name, tensor in signature.inputs.items()}
    )
    settings = {
        "INFERENCE_PRECISION_HINT": PRECISION,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        # A thread that is bound to a core waits whenever another process has that core.
        "ENABLE_CPU_PINNING": False,
    }
    return core.compile_model(model, "CPU", settings)


def _one_row(port: Any, name: str) -> NDArray[Any]:
    """Return an array like an output for one row."""
    if not port.partial_shape.is_static or list(port.shape)[:1] != [1]:
        raise SavedModelError(
            f"OpenVINO gives {name!r} the shape {port.partial_shape} for one row of input"
        )
    return np.empty(port.shape, port.element_type.to_dtype())


def _reason(error: RuntimeError) -> str:
    """Return the operations that are not known, if it was them, or the end of a long message."""
    found = _UNCONVERTED.search(str(error))
    return found[0] if found else " ".join(str(error).split())[-200:]
