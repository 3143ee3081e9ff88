"""Golden vectors: a study, and the features that the network gave before it was cut out and saved.

They lie beside the network, so that a version can be asked at any time, by any service, whether it
still computes what it was published for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.linalg import norm
from numpy.typing import NDArray

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.options import Options
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe
from tools.client import ServiceError, infer
from tools.models.names import ModelsError
from tools.phantom import phantom_zip

FILE = "golden.npz"

TOLERANCE = 1e-5
"""Of the relative L2 difference: rounding, on other processors too, stays below."""

OPTIONS = {"allow": "untrained_modality", "preview": "false", "regions": "whole"}

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Golden:
    """A study as a zip, and its features, float32 [rows, F]."""

    study: bytes
    features: Array

    def write(self, folder: Path) -> None:
        """Keep it in a folder."""
        study = np.frombuffer(self.study, np.uint8)
        np.savez_compressed(folder / FILE, study=study, features=self.features)

    @classmethod
    def read(cls, folder: Path) -> "Golden | None":
        """Return what a folder keeps, None if it keeps none."""
        if not (folder / FILE).exists():
            return None
        with np.load(folder / FILE) as stored:
            return cls(stored["study"].tobytes(), stored["features"])

    def check(self, url: str, model: str, weights_sha256: str) -> None:
        """Ask a served model; refuse other features, or rows of other weights."""
        try:
            answer = infer(url, model, self.study, OPTIONS)
        except ServiceError as error:
            raise ModelsError(
                f"{model} does not answer the study it was made for: {error}"
            ) from error
        if found := {row["weights_sha256"] for row in answer.rows} - {weights_sha256}:
            raise ModelsError(f"{model} answers with other weights: {min(found)}")
        if answer.features.shape != self.features.shape:
            raise ModelsError(
                f"{model} gives features of shape {answer.features.shape}, "
                f"{self.features.shape} are needed"
            )
        difference = norm(answer.features - self.features) / norm(self.features)
        if not difference <= TOLERANCE:
            raise ModelsError(
                f"{model} gives other features than its network: relative L2 {difference:.1e}, "
                f"at most {TOLERANCE:.0e} is rounding"
            )


def golden_inputs(recipe: Recipe) -> tuple[bytes, Array]:
    """Return a study for a recipe, and what a network gets of it: float32 [rows, x, y, z, 1]."""
    modality = next(each for each in ("CT", "MR", "PT", "") if each in recipe.windows or not each)
    if not modality:
        raise ModelsError("the recipe has no window for CT, MR or PT: state one with --window")
    study = phantom_zip(modality)
    try:
        rows = feature_inputs(
            memoryview(study),
            recipe=recipe,
            options=Options.from_parameters(OPTIONS),
            limits=Limits(),
        )
    except InputError as error:
        raise ModelsError(f"the recipe cannot make inputs of a phantom: {error}") from error
    return study, np.stack(rows.volumes)


def golden_of(recipe: Recipe, features: Callable[[Array], Array]) -> Golden:
    """Return the golden vectors of a network that is about to be published."""
    study, volumes = golden_inputs(recipe)
    computed = features(volumes)
    if not norm(computed) > 0:
        raise ModelsError(
            "all features of the phantom are 0, or not numbers: the network would tell nothing"
        )
    return Golden(study, computed)
