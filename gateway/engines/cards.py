"""The versions of a model and their cards: where the weights come from, and what they are for.

Triton does not tell of them: they are read from the folders of its models, which can be done for a
Triton of this machine and account alone.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.engine.access import local_access
from tools.engine.sources import models_in, steps_of
from tools.models.names import Version

CARD = "1/card.json"
CARD_BYTES = 1 << 20
"""Of a card that is shown: it is text for people."""


def versions_at(url: str, model: str) -> list[dict[str, Any]]:
    """Return the versions of a model that the Triton at `url` has, the newest first.

    None where its folders cannot be read. Each has its number, whether it is served, and its card.
    """
    access = local_access(url)
    return versions_in([Path(source) for source in access.sources], model) if access else []


def versions_in(sources: Sequence[Path], model: str) -> list[dict[str, Any]]:
    """Return the versions of a model in folders of models; of two of one name the later counts."""
    models = models_in(sources)
    steps = steps_of(models[model]) if model in models else []
    found = {version for name in models if (version := Version.of_part(name))}
    return [
        {
            "version": version.number,
            "is_served": version.preprocess in steps,
            "card": _card(models[version.extractor] / CARD),
        }
        for version in sorted(found, reverse=True)
        if version.name == model and all(part in models for part in version.parts)
    ]


def _card(file: Path) -> Mapping[str, Any]:
    """Return what a card says; nothing where there is none that can be read."""
    try:
        if file.stat().st_size > CARD_BYTES:
            return {}
        card = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}
