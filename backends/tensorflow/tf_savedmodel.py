"""A SavedModel's signature as a function of NumPy arrays. Knows TensorFlow, not Triton."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework import op_def_registry
from tf_batching import Arrays
from tf_errors import SavedModelError
from tf_signature import TRITON_TYPES, Signature

_NODE = re.compile(r"\{\{node ([\w/.-]+)\}\}")


class SavedModel:
    """One signature of a SavedModel, loaded; call it with all its inputs by name."""

    def __init__(self, directory: Path, signature: Signature) -> None:
        self._model = _load(directory, signature)  # the signature alone would be collected
        self._function = self._model.signatures[signature.name]
        self._refuse_other_inputs(signature)

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Return the signature's outputs by name."""
        tensors = {name: tf.constant(values) for name, values in inputs.items()}
        outputs = self._function(**tensors)
        return {name: _array(values) for name, values in outputs.items()}

    def _refuse_other_inputs(self, signature: Signature) -> None:
        """Refuse a file that describes a signature twice, and not alike.

        Clients see the one in the SignatureDef; TensorFlow calls the one in the object graph.
        """
        called = {
            name: TRITON_TYPES.get(tensor.dtype.as_datatype_enum)
            for name, tensor in self._function.structured_input_signature[1].items()
        }
        described = {name: tensor.data_type for name, tensor in signature.inputs.items()}
        if called != described or set(self._function.structured_outputs) != set(signature.outputs):
            raise SavedModelError(
                f"saved_model.pb contradicts itself: the signature {signature.name!r} is not that "
                "of the function under this name"
            )


def is_registered(operation: str) -> bool:
    """Return whether this TensorFlow has an operation of this name."""
    return op_def_registry.get(operation) is not None  # tf.raw_ops lacks a few hundred


def failed_node(error: Exception) -> str:
    """Return the name of the graph's node that failed; "" if TensorFlow does not say.

    The rest of its text may quote the values of tensors.
    """
    found = _NODE.search(str(error)) if isinstance(error, tf.errors.OpError) else None
    return found[1] if found else ""


def array_of_bfloat16(capsule: object) -> NDArray[Any]:
    """Return a DLPack capsule as an array: how Triton hands over bfloat16, which NumPy lacks."""
    return _array(tf.experimental.dlpack.from_dlpack(capsule))


def capsule_of_bfloat16(values: NDArray[Any]) -> object:
    """Return an array of bfloat16 as a DLPack capsule."""
    with tf.device("CPU"):
        return tf.experimental.dlpack.to_dlpack(tf.constant(values))


def _load(directory: Path, signature: Signature) -> Any:
    try:
        return tf.saved_model.load(directory, tags=list(signature.tags))
    except Exception as error:  # TensorFlow raises whatever its parts raise
        first_line = str(error).strip().partition("\n")[0]
        raise SavedModelError(
            f"TensorFlow {tf.__version__} cannot load {directory}: "
            f"{type(error).__name__}: {first_line}"
        ) from error


def _array(values: tf.Tensor) -> NDArray[Any]:
    return np.asarray(values.numpy(), object if values.dtype == tf.string else None)
