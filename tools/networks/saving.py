"""Writing a network, whatever it was read from, as the SavedModel that is served."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tools.networks.network import NetworkError

Features = Callable[[tf.Tensor], tf.Tensor]
"""Volumes, float32 [rows, x, y, z, 1], to features, [rows, F]."""

SAME = 1e-4
"""Relative L2 that the order of sums may make, and no dependence on other volumes."""


def write_extractor(
    features: Features,
    *,
    variables: Sequence[tf.Variable],
    input_shape: tuple[int, ...],
    directory: Path,
) -> None:
    """Write a SavedModel with the signature serving_default: volumes to features, float32.

    variables: those that the features are computed from.

    Raises NetworkError if the features of the probes cannot be used. Through tf.Module: Keras' own
    export stores the weights twice.
    """
    count = _checked_count(features, input_shape)

    class Extractor(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = list(variables)

        @tf.function(input_signature=[tf.TensorSpec((None, *input_shape), name="volumes")])
        def features(self, volumes: tf.Tensor) -> dict[str, tf.Tensor]:
            values = tf.cast(features(volumes), tf.float32)
            return {"features": tf.ensure_shape(values, (None, count))}

    extractor = Extractor()
    tf.saved_model.save(
        extractor,
        directory,
        signatures={"serving_default": extractor.features},
        # Nobody trains what is served, and gradients of functions that were read cannot be saved.
        options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
    )


def probes(input_shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return what every network is tried with: nothing, and a body of noise, each [x, y, z, 1]."""
    axes = [np.linspace(-1, 1, length) for length in input_shape[:-1]]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    body = (x**2 + y**2 + 0.5 * z**2 < 0.8)[..., None]
    noise = np.random.default_rng(1).random(input_shape)
    volumes = np.stack([np.zeros(input_shape), np.where(body, 0.3 + 0.7 * noise, 0)])
    return np.asarray(volumes, np.float32)


def relative_l2(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """Return how far values are from what they should be, in parts of the latter's length.

    Both must be finite, or the result is not.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        distance, length = (float(np.linalg.norm(each)) for each in (found - expected, expected))
    return distance / length if length else distance


def _checked_count(features: Features, input_shape: tuple[int, ...]) -> int:
    """Return how many features a row has; refuse what cannot be used as features."""
    volumes = probes(input_shape)
    alone = [computed(features, volume[None]) for volume in volumes]
    shapes = {values.shape for values in alone}
    if len(shapes) > 1 or alone[0].ndim != 2 or alone[0].shape[0] != 1 or not alone[0].size:
        raise NetworkError(
            f"one volume gives features of {' or '.join(map(str, sorted(shapes)))}: [1, F] is "
            "needed, with one F for all volumes"
        )
    for values, volume in zip(alone, ("of zeros", "like a body"), strict=True):
        _refuse_not_finite(values, volume)
    _refuse_mixed_rows(np.concatenate(alone), computed(features, volumes))
    return int(alone[0].shape[1])


def computed(features: Features, volumes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a network makes of volumes, [rows, x, y, z, 1]; refuse one that fails."""
    try:
        return np.asarray(tf.cast(features(tf.constant(volumes, tf.float32)), tf.float32))
    except (tf.errors.OpError, ValueError) as error:
        raise NetworkError(
            f"the network fails over {len(volumes)} × {volumes.shape[1:]} values: {_reason(error)}"
        ) from error


def _reason(error: Exception) -> str:
    """Return the line that says what is wrong: TensorFlow's last but for nodes, Keras' first."""
    lines = [line for line in str(error).splitlines() if line.strip() and "[[" not in line]
    stated = lines or [type(error).__name__]
    return stated[-1] if isinstance(error, tf.errors.OpError) else stated[0]


def _refuse_not_finite(values: NDArray[np.float32], volume: str) -> None:
    wrong = int(np.count_nonzero(~np.isfinite(values)))
    if wrong:
        raise NetworkError(
            f"{wrong} of {values.size} features of a volume {volume} are not finite: the weights "
            "are damaged, or the layer divides by zero, or takes the root of negative values"
        )


def _refuse_mixed_rows(alone: NDArray[np.float32], together: NDArray[np.float32]) -> None:
    """Refuse features that depend on the volumes beside: requests are computed together."""
    if together.shape != alone.shape or not relative_l2(together, alone) <= SAME:
        raise NetworkError(
            "the features of a volume are others when a second one is computed with it: they "
            "depend on the volumes beside, or are random; a network in its state of inference is "
            "needed"
        )
