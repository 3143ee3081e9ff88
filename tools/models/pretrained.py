"""Pretrained networks that are known by name: where their weights come from, and their inputs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tools.astra.card import card
from tools.astra.checkpoint_error import CheckpointError
from tools.astra.download import ASTRA, cache_folder, fetched_checkpoint
from tools.astra.extractor import save_astra
from tools.astra.parameters import astra_parameters
from tools.models.golden import Array
from tools.models.names import ModelsError, Version
from tools.models.pair import Candidate

CHAINS = {"astra": "chest", "merlin": "merlin"}
"""How each network wants its input, by the name that it is published under."""


def pretrained_candidate(network: str, weights: Path | None) -> Callable[[Version], Candidate]:
    """Return what makes a version of a network out of a checkpoint.

    weights: the checkpoint; None for the one that is published, which is downloaded.
    """
    chain = CHAINS[network]
    if weights is None and network != "astra":
        raise ModelsError(
            f"the weights of {network} cannot be downloaded: name them with --weights"
        )
    try:
        checkpoint = weights or fetched_checkpoint(ASTRA, cache_folder())
        stated = card(checkpoint, chain)
    except (CheckpointError, OSError) as error:
        raise ModelsError(str(error)) from error
    parameters = astra_parameters(chain)
    shape = (*map(int, parameters["shape"].split(",")), 1)

    def candidate(version: Version) -> Candidate:
        saved = _Saved(checkpoint)
        return Candidate(
            version=version,
            shape=shape,
            save=saved.save,
            features=saved.features,
            parameters={**parameters, "feature_prefix": f"{version.name}{version.number}"},
            card=stated,
            engine="tensorflow",
        )

    return candidate


class _Saved:
    """A checkpoint's network: it exists as a SavedModel only, which is its own judge.

    That it gives what PyTorch gives is held by the tests of tools/astra.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint
        self._folder = Path()

    def save(self, folder: Path) -> None:
        try:
            save_astra(self._checkpoint, folder)
        except CheckpointError as error:
            raise ModelsError(str(error)) from error
        self._folder = folder

    def features(self, volumes: Array) -> Array:
        import tensorflow as tf

        loaded = tf.saved_model.load(self._folder)
        infer = loaded.signatures["serving_default"]
        rows = [infer(volumes=tf.constant(row[np.newaxis]))["features"] for row in volumes]
        features: Array = np.concatenate(rows)
        return features
