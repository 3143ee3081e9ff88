"""The two folders of a version: its preprocessing, and its network with all that belongs to it."""

import json
import py_compile
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imaging.recipe import Recipe
from tools.engine.sources import CONFIG
from tools.models.configs import TEMPLATE, extractor_configs, preprocess_config, shipped
from tools.models.golden import Array, Golden, golden_of
from tools.models.names import ModelsError, Version
from tools.parity_inputs import parity_inputs
from tools.weights_digest import weights_sha256

SAVED_MODEL = "model.savedmodel"
CARD = "card.json"
PARITY = "parity.npz"

DIGEST = "weights_sha256"


@dataclass(frozen=True)
class Candidate:
    """What is to become a version.

    shape: of the network's input, without rows, its channel last.
    save: writes the network into a folder, as a SavedModel.
    features: what the network gives before it is saved, the judge of what is saved.
    parameters: of the preprocessing, all but the digest of the weights.
    card: where the network comes from, what it is for, and how it was made.
    engine: that computes it: "auto" for the fastest of those that give the same features.
    """

    version: Version
    shape: Sequence[int]
    save: Callable[[Path], None]
    features: Callable[[Array], Array]
    parameters: Mapping[str, str]
    card: Mapping[str, Any]
    engine: str = "auto"


def write_pair(candidate: Candidate, folder: Path) -> None:
    """Write the pair of a version into a folder; refuse parameters that nothing can be read by."""
    version = folder / candidate.version.extractor / "1"
    version.mkdir(parents=True)
    candidate.save(version / SAVED_MODEL)
    digest = weights_sha256(version / SAVED_MODEL)
    parameters = {**candidate.parameters, DIGEST: digest}
    recipe = _recipe(parameters)
    golden = golden_of(recipe, candidate.features)
    golden.write(version)
    _write_preprocess(folder / candidate.version.preprocess, parameters, candidate.shape)
    configs = extractor_configs(candidate.shape, golden.features.shape[1], engine=candidate.engine)
    for file, text in configs.items():
        path = version.parent / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    if (
        candidate.engine == "auto" and "CT" in recipe.windows
    ):  # else an engine other than TensorFlow has nothing to be judged by
        np.savez_compressed(version / PARITY, volumes=parity_inputs(recipe))
    _write_card(candidate, golden, digest, version / CARD)


def _recipe(parameters: Mapping[str, str]) -> Recipe:
    try:
        return Recipe.from_parameters(parameters)
    except KeyError as error:
        raise ModelsError(f"the parameter {error.args[0]} is missing") from error
    except ValueError as error:
        raise ModelsError(f"the parameters do not fit together: {error}") from error


def _write_preprocess(model: Path, parameters: Mapping[str, str], shape: Sequence[int]) -> None:
    (model / "1").mkdir(parents=True)
    adapter = shutil.copy(shipped(TEMPLATE.preprocess, "1/model.py"), model / "1")
    py_compile.compile(str(adapter))  # else Python does so when Triton loads it: a changed model
    (model / CONFIG).write_text(preprocess_config(parameters, shape))


def _write_card(candidate: Candidate, golden: Golden, digest: str, file: Path) -> None:
    card = {
        **candidate.card,
        "name": candidate.version.name,
        "version": candidate.version.number,
        "features": golden.features.shape[1],
        DIGEST: digest,
        "parameters": {**candidate.parameters},
    }
    file.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
