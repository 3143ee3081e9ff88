"""The folders that models come from: the project's own, and the store of published ones."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

CONFIG = "config.pbtxt"

STORE = "DEEPFEATURES_MODELS"
"""Of the environment: the store, where it is not the account's."""

STEP = re.compile(r'model_name:\s*"([^"]+)"')
"""In the configuration of an ensemble: a model that it is made of."""


def store_folder() -> Path:
    """Return where published models are kept; it need not be there yet."""
    if stated := os.environ.get(STORE):
        return Path(stated)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data, "triton-deep-features", "models")


def models_in(sources: Sequence[Path]) -> dict[str, Path]:
    """Return the folder of each model, served or not; of two of one name the later source's."""
    return {
        config.parent.name: config.parent
        for source in sources
        for config in sorted(source.glob(f"[!.]*/{CONFIG}"))
    }


def served_models(sources: Sequence[Path]) -> dict[str, Path]:
    """Return the folder of each model that is served: not of pairs that no ensemble is made of."""
    found = models_in(sources)
    steps = {step for folder in found.values() for step in steps_of(folder)}
    return {name: folder for name, folder in found.items() if "__" not in name or name in steps}


def steps_of(model: Path) -> list[str]:
    """Return the models that an ensemble is made of; none of another model."""
    return STEP.findall((model / CONFIG).read_text())
