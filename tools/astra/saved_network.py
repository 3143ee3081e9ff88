"""The network as a SavedModel, from weights of any checkpoint of its kind."""

from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from tools.astra.architecture import Architecture
from tools.astra.residual_network import Layer, features, stem_kernel
from tools.astra.weights import LayerWeights


def save_network(
    weights: Iterable[tuple[str, LayerWeights]], architecture: Architecture, directory: Path
) -> None:
    """Write a SavedModel: `volumes` float32 [rows, x, y, z, 1] to `features` float32 [rows, n].

    Kernels that were stored as bfloat16 stay so in the file and in memory, which halves both.
    """
    kept = {name: _variables(name, layer) for name, layer in weights}

    class Extractor(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kept = [kept[name] for name in kept]

        @tf.function(
            input_signature=[
                tf.TensorSpec((None, *architecture.shape, 1), tf.float32, name="volumes")
            ]
        )
        def features(self, volumes: tf.Tensor) -> dict[str, tf.Tensor]:
            layers = {name: Layer(*variables) for name, variables in kept.items()}
            return {"features": features(volumes, layers, architecture)}

    extractor = Extractor()
    tf.saved_model.save(extractor, directory, signatures={"serving_default": extractor.features})


def _variables(name: str, layer: LayerWeights) -> list[tf.Variable]:
    """Return kernel, scale and shift; the first kernel is made for cells."""
    kernel = tf.constant(layer.kernel)
    if name == "conv1":
        kernel = stem_kernel(kernel)
    elif layer.is_bfloat16:
        kernel = tf.cast(kernel, tf.bfloat16)
    return [tf.Variable(each, trainable=False) for each in (kernel, layer.scale, layer.shift)]
