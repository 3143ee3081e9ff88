"""A TensorFlow SavedModel's signature as a function of NumPy arrays. Knows nothing of Triton."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.generic]]


class SavedModel:
    """One signature of a SavedModel.

    rows_at_once: how many rows of a batch are computed together, which bounds the memory of the
        activations; 0 for all of them.
    """

    def __init__(self, directory: Path, *, signature: str, rows_at_once: int) -> None:
        # TF32 rounds float32 to 10 bits of mantissa in convolutions on Ampere and newer GPUs, by
        # default; features then differ in the fourth digit from those of a CPU.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        self._model = tf.saved_model.load(directory)  # the signature alone would be collected
        self._function = self._model.signatures[signature]
        self._rows_at_once = rows_at_once

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(self._function.structured_input_signature[1])

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        """Return the signature's outputs by name; inputs are split along their first axis."""
        rows = min(len(values) for values in inputs.values()) if self._rows_at_once else 0
        if rows <= self._rows_at_once:
            return self._run(inputs)
        parts = [
            self._run({name: values[start : start + self._rows_at_once] for name, values in inputs.items()})
            for start in range(0, rows, self._rows_at_once)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _run(self, inputs: Arrays) -> dict[str, NDArray[np.generic]]:
        tensors = {name: tf.constant(values) for name, values in inputs.items()}
        return {name: values.numpy() for name, values in self._function(**tensors).items()}
