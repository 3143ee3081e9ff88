"""Real inputs of a network, kept beside its SavedModel: engines are compared on them.

`python -m tools.parity_inputs` writes those of ct3dcnn, from the sample study (sample/, whose
licence is in its ATTRIBUTION.md) and the phantom. Values are rounded to 255 steps, which the
comparison does not mind, and half the size of the file does.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imaging.archive import Limits
from imaging.options import Options
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe
from tools.locations import CHECKOUT, data_folder
from tools.model_parameters import stated_parameters
from tools.phantom import phantom_zip

SAMPLE = "ct-chest-lidc-16.zip"
STEPS = 255


def parity_inputs(preprocess_config: Path) -> NDArray[np.float16]:
    """Return what a network gets of the sample study and of the phantom, a row each.

    preprocess_config: config.pbtxt of the model that makes the network's inputs.
    """
    recipe = Recipe.from_parameters(stated_parameters(preprocess_config))
    studies = (data_folder("sample") / SAMPLE).read_bytes(), phantom_zip()
    volumes = [
        volume
        for study in studies
        for volume in feature_inputs(
            memoryview(study), recipe=recipe, options=Options(preview=False), limits=Limits()
        ).volumes
    ]
    return np.asarray(np.round(np.stack(volumes) * STEPS) / STEPS, np.float16)


def main() -> None:
    """Write the file of the shipped extractor."""
    repository = CHECKOUT / "model_repository"
    volumes = parity_inputs(repository / "ct3dcnn__v1_preprocess" / "config.pbtxt")
    file = repository / "ct3dcnn__v1_extractor" / "1" / "parity.npz"
    np.savez_compressed(file, volumes=volumes)


if __name__ == "__main__":
    main()
