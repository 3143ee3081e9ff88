"""The Keras example's layers with the weights of a SavedModel that was written of them.

A SavedModel is computed as it stands; of layers it is known how to compute them faster.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from tools.ct3dcnn import SEED, build, without_classifier
from tools.networks.network import Layer


def example_with(
    variables: Sequence[Any], layers: Sequence[Layer], *, input_shape: tuple[int, ...]
) -> keras.Model | None:
    """Return the Keras example up to its features, with these weights; None if they do not fit.

    variables: of a SavedModel of Keras 2, called `layer/kernel:0` and so on.
    layers: of the kinds that the example has, in its order.

    Whether the network is the same must be tried: activations and paddings are not looked at.
    """
    by_name = {each.name.partition(":")[0]: np.asarray(each) for each in variables}
    kernels = [by_name.get(f"{layer.name}/kernel") for layer in layers if layer.kind == "Conv3D"]
    filters = [kernel.shape[-1] for kernel in kernels if kernel is not None]
    try:
        cut = without_classifier(build(SEED, shape=input_shape, filters=filters))
    except ValueError:  # with another padding, there may be no voxels left
        return None
    ours_with_weights = [layer for layer in cut.layers if layer.weights]
    theirs = [layer for layer in layers if layer.parameters]
    # Theirs are more: those that classify.
    for ours, described in zip(ours_with_weights, theirs, strict=False):
        names = [f"{described.name}/{variable.name}" for variable in ours.weights]
        found = [by_name[name] for name in names if name in by_name]
        if [each.shape for each in found] != [tuple(each.shape) for each in ours.weights]:
            return None
        ours.set_weights(found)
    return cut
