"""The averages that a network normalises by when it is used, measured for its weights as they are.

While a network is trained each batch is normalised by its own mean and variance, and moving
averages of them are kept for later. Those lag behind the weights: with Keras' momentum of 0.99 by
some hundred steps, which is more than an epoch of a few dozen studies has. So they are measured
anew before a network is validated or kept (Wu and Johnson, "Rethinking 'batch' in BatchNorm", 2021,
section 3).
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def measure_normalisation(network: Any, batches: Iterable[NDArray[np.float32]]) -> None:
    """Set each layer's moving mean and variance to their means over the batches.

    batches: what the network is trained on, [rows, a, b, c, 1] each.
    """
    import keras

    layers = [each for each in network.layers if isinstance(each, keras.layers.BatchNormalization)]
    usual = [layer.momentum for layer in layers]
    for number, batch in enumerate(batches):
        for layer in layers:
            layer.momentum = number / (number + 1)  # so the average weighs all batches alike
        network(batch, training=True)
    for layer, momentum in zip(layers, usual, strict=True):
        layer.momentum = momentum
