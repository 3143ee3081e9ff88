"""Fitting a network epoch by epoch, so that a run that was killed goes on where it was.

The recipe of the Keras example "3D image classification from CT scans" (Zunair, keras.io, 2020):
batches of two, Adam with a rate that decays by steps, volumes turned by a random angle. Two things
differ. After each epoch the averages of the normalisation are measured anew (see normalisation.py).
And the best epoch is the one with the highest validation AUC, of equal ones that with the lowest
loss, where the example waits for accuracy, which has few values if there are few studies; 15 epochs
without a better one end the run.
"""

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray
from scipy import ndimage

from tools.logistic import auc
from tools.training.metrics import THRESHOLD, cross_entropy
from tools.training.normalisation import measure_normalisation
from tools.training.split import Split
from tools.training.state import Progress, load_state, save_best, save_state

BATCH = 2
RATE, DECAY_STEPS, DECAY = 1e-4, 100_000, 0.96
ANGLES_DEGREES = (-20, -10, -5, 5, 10, 20)
PATIENCE = 15
NORMALISED_BY = 32
"""Training studies that the normalisation is measured on after an epoch."""

DRAWS_AN_EPOCH = 1 << 20
"""More than dropout draws in an epoch, so that no two epochs draw the same."""


@dataclass(frozen=True)
class Data:
    """What a network is fitted to.

    volumes: float16 or float32 [studies, a, b, c], 0 to 1. positive: bool [studies].
    """

    volumes: NDArray[Any]
    positive: NDArray[np.bool_]
    split: Split


@dataclass(frozen=True)
class Plan:
    """How a network is fitted: at most so many epochs, and the seed of all that is random.

    key: names the data and the settings; only a run of the same key is gone on with.
    """

    epochs: int
    seed: int
    key: str
    patience: int = PATIENCE


def fit(network: Any, data: Data, plan: Plan, *, folder: Path) -> Iterator[Progress]:
    """Fit a Keras network and yield after each epoch; the best is in `folder`/model.keras.

    network: from volumes [rows, a, b, c, 1] to a score, as it was initialised. What a run in the
    folder has done already is taken from there. Given the same seed, a run that was killed and went
    on ends with the same best epoch as one that was not.
    """
    network, progress = load_state(folder, plan.key, lambda: _compiled(network))
    if progress.history:
        yield progress
    while len(progress.history) < plan.epochs and progress.waited < plan.patience:
        start, epoch = monotonic(), len(progress.history) + 1
        loss = _trained(network, data, plan, epoch=epoch)
        validation = np.array(data.split.validation)
        scores = scored(network, data.volumes, validation)
        entry = _entry(scores, data.positive[validation], epoch=epoch, loss=loss)
        progress = progress.after(entry | _cost(start))
        if progress.best == epoch:
            save_best(network, folder)
        save_state(network, progress, folder=folder, key=plan.key)
        yield progress


def scored(network: Any, volumes: NDArray[Any], indices: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the network's scores of some volumes, float64 [indices]."""
    scores = [
        np.asarray(network.predict_on_batch(_batch(volumes, indices[start : start + BATCH])))
        for start in range(0, len(indices), BATCH)
    ]
    together: NDArray[np.float64] = np.concatenate(scores)[:, 0].astype(np.float64)
    return together


def rotated(volume: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Return a volume turned in its first two axes, the axial plane; air where nothing was.

    By cubic splines, as the example does, and clipped to 0 to 1 since they overshoot.
    """
    turned: NDArray[np.float32] = ndimage.rotate(volume, degrees, reshape=False)
    return turned.clip(0, 1)


def _trained(network: Any, data: Data, plan: Plan, *, epoch: int) -> float:
    """Train one epoch and return its mean loss; all that is random depends on seed and epoch."""
    random = default_rng((plan.seed, epoch))
    order = random.permutation(data.split.training)
    angles = random.choice(ANGLES_DEGREES, len(order))
    for layer in network.layers:
        if generator := getattr(layer, "seed_generator", None):
            generator.state.assign([plan.seed, epoch * DRAWS_AN_EPOCH])
    total = 0.0
    for start in range(0, len(order), BATCH):
        indices, turns = order[start : start + BATCH], angles[start : start + BATCH]
        batch = _batch(data.volumes, indices)
        for volume, degrees in zip(batch, turns, strict=True):
            volume[..., 0] = rotated(volume[..., 0], degrees)
        wanted = data.positive[indices].astype(np.float32)[:, None]
        total += len(indices) * float(network.train_on_batch(batch, wanted))  # the batch's mean
    measured = order[:NORMALISED_BY]
    measure_normalisation(
        network,
        (_batch(data.volumes, measured[at : at + BATCH]) for at in range(0, len(measured), BATCH)),
    )
    return total / len(order)


def _compiled(network: Any) -> Any:
    import keras

    rate = keras.optimizers.schedules.ExponentialDecay(RATE, DECAY_STEPS, DECAY, staircase=True)
    network.compile(optimizer=keras.optimizers.Adam(rate), loss="binary_crossentropy")
    return network


def _batch(volumes: NDArray[Any], indices: NDArray[np.intp]) -> NDArray[np.float32]:
    batch: NDArray[np.float32] = np.asarray(volumes[indices], np.float32)[..., None]
    return batch


def _entry(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], *, epoch: int, loss: float
) -> dict[str, float]:
    return {
        "epoch": epoch,
        "loss": round(loss, 6),
        "validation_loss": round(cross_entropy(scores, positive), 6),
        "validation_auc": round(auc(scores, positive.astype(int)), 4),
        "validation_accuracy": round(float(((scores >= THRESHOLD) == positive).mean()), 4),
    }


def _cost(start_s: float) -> dict[str, float]:
    """Return the seconds since then, and the most memory that the process has had so far."""
    return {
        "seconds": round(monotonic() - start_s, 1),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
