"""The weights of the network out of a checkpoint, checked against what the network is made of."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.astra.architecture import Architecture, Convolution
from tools.astra.checkpoint import Checkpoint
from tools.astra.checkpoint_error import CheckpointError

EPSILON = 1e-5
"""What PyTorch's normalisations add to variances unless told otherwise; these were not."""

INNER = "layer1.0.conv1.weight"
"""A tensor that no other network in a checkpoint has: what is before it is the prefix."""


class LayerWeights(NamedTuple):
    """A convolution, and what its normalisation multiplies channels by and then adds.

    kernel: float32 [z, x, y, in, out]. scale, shift: float32 [out].
    is_bfloat16: whether bfloat16 holds the kernel exactly, since it was stored so.
    """

    kernel: NDArray[np.float32]
    scale: NDArray[np.float32]
    shift: NDArray[np.float32]
    is_bfloat16: bool


def layer_weights(
    checkpoint: Checkpoint, architecture: Architecture
) -> Iterator[tuple[str, LayerWeights]]:
    """Yield the name and the weights of each convolution.

    The network may be all of the checkpoint or, under one prefix, a part of it. Refuses a
    checkpoint without it, with tensors of other shapes, or with numbers that are not finite.
    """
    prefix = _prefix(checkpoint)
    for convolution in architecture.convolutions():
        yield convolution.name, _layer(checkpoint, prefix, convolution)


def _prefix(checkpoint: Checkpoint) -> str:
    """Return what all names of the network begin with: nothing, or for instance "i3_resnet."."""
    prefixes = [name.removesuffix(INNER) for name in checkpoint.names if name.endswith(INNER)]
    if len(prefixes) != 1:
        raise CheckpointError(
            f"the checkpoint has {len(prefixes)} tensors called {INNER}, or so at their end; one "
            "network of this kind is needed"
        )
    return prefixes[0]


def _layer(checkpoint: Checkpoint, prefix: str, convolution: Convolution) -> LayerWeights:
    name = f"{prefix}{convolution.name}.weight"
    channels = convolution.shape[:1]
    gamma, beta, mean, variance = (
        _floats(checkpoint, f"{prefix}{convolution.normalisation}.{which}", channels)
        for which in ("weight", "bias", "running_mean", "running_var")
    )
    if (variance < 0).any():
        raise CheckpointError(f"{prefix}{convolution.normalisation} has variances below 0")
    kernel = _floats(checkpoint, name, convolution.shape)
    scale = gamma / np.sqrt(variance.astype(np.float64) + EPSILON)
    shift = beta - mean * scale
    return LayerWeights(
        np.ascontiguousarray(kernel.transpose(2, 3, 4, 1, 0)),
        scale.astype(np.float32),
        shift.astype(np.float32),
        checkpoint.is_bfloat16(name),
    )


def _floats(checkpoint: Checkpoint, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if checkpoint.shape(name) != shape:
        raise CheckpointError(f"{name} has the shape {checkpoint.shape(name)}; {shape} is needed")
    values = checkpoint.floats(name)
    if not np.isfinite(values).all():
        raise CheckpointError(f"{name} has numbers that are not finite")
    return values
