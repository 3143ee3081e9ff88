"""The network as an ONNX file, from the weights of its SavedModel."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH_NORM_EPSILON = 1e-3
"""Keras' default; the SavedModel keeps it in its graph, not among its weights."""

WEIGHTS_OF_A_LAYER = 6
"""Kernel and bias of the convolution; gamma, beta, mean and variance of the normalisation."""

OPSET, IR_VERSION = 17, 8
"""Of 2022: what any ONNX Runtime of today reads."""

Weights = Sequence[NDArray[np.float32]]


def read_weights(model: Path) -> list[NDArray[np.float32]]:
    """Return the weights of the extractor in the order of its layers."""
    import tensorflow as tf

    variables = tf.train.load_checkpoint(str(model / "variables" / "variables"))
    count = sum(name.startswith("weights/") for name in variables.get_variable_to_shape_map())
    names = (f"weights/{number}/.ATTRIBUTES/VARIABLE_VALUE" for number in range(count))
    return [variables.get_tensor(name) for name in names]


def kernels(model: str) -> Callable[[], list[list[int]]]:
    """Get ready to tell the shapes of the kernels, layer by layer."""
    weights = read_weights(Path(model))
    return lambda: [list(weight.shape) for weight in weights if weight.ndim > 1]


def writer(model: str, file: str, *shape: str) -> Callable[[], None]:
    """Get ready to write the graph; here, since the bench itself does without TensorFlow."""
    import onnx  # noqa: F401  (missing, it is told before anything is written)

    weights = read_weights(Path(model))
    return lambda: write_onnx(weights, Path(file), [int(length) for length in shape])


def write_onnx(weights: Weights, file: Path, shape: Sequence[int]) -> None:
    """Write the graph: blocks of convolution, ReLU, pooling, normalisation; then the mean.

    shape: of one volume, with its channel last as the SavedModel has it; ONNX wants it first.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph()
    values = graph.add("Transpose", ["volumes"], perm=[0, 4, 1, 2, 3])
    for start in range(0, len(weights), WEIGHTS_OF_A_LAYER):
        values = _block(graph, values, weights[start : start + WEIGHTS_OF_A_LAYER])
    values = graph.add("GlobalAveragePool", [values])
    graph.add("Flatten", [values], output="features")
    batch: list[Any] = ["rows"]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "extractor",
            [helper.make_tensor_value_info("volumes", TensorProto.FLOAT, batch + list(shape))],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, [*batch, "features"])],
            graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.checker.check_model(model)
    onnx.save(model, file)


class _Graph:
    """Nodes and weights so far; each node's output is named by its number."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def add(self, kind: str, inputs: Sequence[str], *, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        name = output or f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weight(self, values: NDArray[np.float32]) -> str:
        from onnx import numpy_helper

        name = f"weight{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name


def _block(graph: _Graph, values: str, weights: Weights) -> str:
    kernel, bias, *normalisation = weights
    channels_first = kernel.transpose(4, 3, 0, 1, 2)
    convolved = graph.add(
        "Conv", [values, graph.weight(channels_first), graph.weight(bias)], kernel_shape=[3, 3, 3]
    )
    positive = graph.add("Relu", [convolved])
    pooled = graph.add("MaxPool", [positive], kernel_shape=[2, 2, 2], strides=[2, 2, 2])
    stated = [graph.weight(each) for each in normalisation]
    return graph.add("BatchNormalization", [pooled, *stated], epsilon=BATCH_NORM_EPSILON)
