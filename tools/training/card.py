"""The card of a trained network: what it was trained on, how, how well, and what not for."""

import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from imaging.rows import SOFTWARE
from tools.training import fitting
from tools.training.inputs import Facts
from tools.training.split import VALIDATION_SHARE, Split
from tools.training.state import BEST, Progress
from tools.weights_digest import file_sha256

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "nibabel", "pydicom")

DEMONSTRATION, TRAINED = "demonstration", "trained"
PURPOSES: Mapping[str, str] = {
    DEMONSTRATION: (
        "Demonstration weights: for checking a pipeline, not for conclusions about patients."
    ),
    TRAINED: "Trained for the two classes below, and for nothing else.",
}

OF_OTHER_WEIGHTS = frozenset(
    {
        "COVERAGE_PARTIAL",
        "DEMONSTRATION_WEIGHTS",
        "SCALE_OUTSIDE_TRAINING",
        "UNTRAINED_WEIGHTS",
    }
)
"""Codes that compare with the network that the recipe was served with before."""

LIMITS = (
    "The best epoch was chosen on the validation studies, so their numbers are optimistic; "
    "held-out numbers, where there are any, are not.",
    "The intervals take studies for independent: with several studies a patient they are too "
    "narrow.",
    "Nothing is known about other scanners, protocols, populations and diseases than those of the "
    "training studies.",
    "The features are those that told these two classes apart; they are no radiomics features that "
    "a standard defines.",
)


def trained_recipe(
    parameters: Mapping[str, str], facts: Sequence[Facts], *, purpose: str
) -> dict[str, str]:
    """Return the recipe's parameters with what was measured of the training studies.

    trained_voxel_mm is rounded outwards to 0.01 mm, least_coverage_mm down to 1 mm. The digest of
    the weights and the prefix of the features are not known before the network is published.
    """
    voxel_mm = np.array([fact.voxel_mm for fact in facts])
    low, high = (
        np.floor(voxel_mm.min(axis=0) * 100) / 100,
        np.ceil(voxel_mm.max(axis=0) * 100) / 100,
    )
    ranges = ",".join(f"{least:.2f}-{most:.2f}" for least, most in zip(low, high, strict=True))
    recipe = {name: parameters[name] for name in sorted(parameters)}
    for name in ("weights_sha256", "feature_prefix"):
        recipe.pop(name, None)
    return recipe | {
        "trained_voxel_mm": ranges,
        "least_coverage_mm": f"{np.floor(min(fact.covered_mm for fact in facts)):.0f}",
        "weights": purpose,
    }


def data_of(facts: Sequence[Facts], split: Split, *, left_out: int) -> dict[str, Any]:
    """Return how many studies of which class are on which side, and what they have in common."""
    covered_mm = [fact.covered_mm for fact in facts]
    codes = Counter(code for fact in facts for code in fact.codes if code not in OF_OTHER_WEIGHTS)
    sides = {"training": split.training, "validation": split.validation}
    return {
        "studies": {
            side: dict(sorted(Counter(facts[index].label for index in indices).items()))
            for side, indices in sides.items()
        },
        "patients": len({fact.group for fact in facts}),
        "left_out": left_out,
        "coverage_mm": [round(min(covered_mm), 1), round(max(covered_mm), 1)],
        "quality_codes": dict(sorted(codes.items())),
    }


def training_of(progress: Progress, seed: int, patience: int) -> dict[str, Any]:
    """Return how a network was trained."""
    return {
        "network": "tools/ct3dcnn.py, the 3D CNN of the Keras example (Zunair, keras.io, 2020)",
        "split": f"{1 - VALIDATION_SHARE:.0%} / {VALIDATION_SHARE:.0%} of each class, by patient",
        "augmentation_degrees": list(fitting.ANGLES_DEGREES),
        "optimiser": "Adam",
        "learning_rate": {
            "initial": fitting.RATE,
            "decay_steps": fitting.DECAY_STEPS,
            "decay_rate": fitting.DECAY,
            "staircase": True,
        },
        "loss": "binary cross-entropy",
        "normalisation": f"measured on {fitting.NORMALISED_BY} training studies after each epoch",
        "batch": fitting.BATCH,
        "seed": seed,
        "patience": patience,
        "chosen_by": "highest validation AUC, of equal ones the lowest validation loss",
        "epochs": len(progress.history),
        "best_epoch": progress.best,
        "seconds": round(sum(entry["seconds"] for entry in progress.history)),
        "peak_memory_bytes": max(entry["peak_memory_bytes"] for entry in progress.history),
    }


def write_card(
    folder: Path,
    *,
    about: str,
    classes: tuple[str, str],
    data: Mapping[str, Any],
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
    recipe: Mapping[str, str],
) -> None:
    """Write card.json and card.md of the network in `folder`/model.keras."""
    card = {
        "format": 1,
        "purpose": recipe["weights"],
        "statement": PURPOSES[recipe["weights"]],
        "about": about,
        "date": datetime.now(UTC).date().isoformat(),
        "software": SOFTWARE,
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in PACKAGES},
        "weights_file": BEST,
        "weights_sha256": file_sha256(folder / BEST),
        "classes": {"negative": classes[0], "positive": classes[1]},
        "data": data,
        "training": training,
        "metrics": metrics,
        "intervals": "95 %: Wilson for proportions, Newcombe (2006, method 5) for the AUC",
        "recipe": recipe,
        "limits": list(LIMITS),
    }
    (folder / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n")
    (folder / "card.md").write_text(as_markdown(card), encoding="utf-8")


def as_markdown(card: Mapping[str, Any]) -> str:
    """Return a card for people: the numbers of card.json, in sentences and tables."""
    data, training, classes = card["data"], card["training"], card["classes"]
    lines = ["# Model card", "", f"**{card['statement']}**", ""]
    if card["about"]:
        lines += [card["about"], ""]
    lines += [
        f"A score near 1 stands for `{classes['positive']}`, near 0 for `{classes['negative']}`.",
        "",
        *_counts(data),
        "",
        *_metrics(card["metrics"], card["intervals"]),
        "",
        f"Trained on {card['date']} with {card['software']}: {training['epochs']} epochs, of which "
        f"epoch {training['best_epoch']} had the highest validation AUC; seed {training['seed']}, "
        f"{training['seconds']} s, at most {training['peak_memory_bytes'] / 1e9:.1f} GB of memory. "
        f"Network: {training['network']}.",
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in card["limits"]),
        "",
        "## Recipe of the input",
        "",
        *(f"- `{name}`: {value}" for name, value in card["recipe"].items()),
        "",
        f"SHA-256 of {card['weights_file']}: `{card['weights_sha256']}`",
        "",
        "Versions: " + ", ".join(f"{name} {text}" for name, text in card["versions"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _counts(data: Mapping[str, Any]) -> list[str]:
    labels = sorted({label for side in data["studies"].values() for label in side})
    low, high = data["coverage_mm"]
    codes = ", ".join(f"{code} ({number})" for code, number in data["quality_codes"].items())
    return [
        "| studies | " + " | ".join(labels) + " |",
        "|---" * (1 + len(labels)) + "|",
        *(
            f"| {side} | " + " | ".join(str(of_side.get(label, 0)) for label in labels) + " |"
            for side, of_side in data["studies"].items()
        ),
        "",
        f"{data['patients']} patients; {data['left_out']} studies could not be read, and were left "
        f"out. They cover {low:g} to {high:g} mm of the body. Quality codes: {codes or 'none'}.",
    ]


def _metrics(metrics: Mapping[str, Any], intervals: str) -> list[str]:
    names = ("auc", "accuracy", "sensitivity", "specificity")
    rows = [
        f"| {side} | {numbers['negatives']} + {numbers['positives']} | "
        + " | ".join(
            f"{numbers[name]['value']:.3f} ({numbers[name]['low']:.3f}–{numbers[name]['high']:.3f})"
            for name in names
        )
        + " |"
        for side, numbers in metrics.items()
    ]
    return [
        "| | studies | AUC | accuracy | sensitivity | specificity |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"Intervals, {intervals}; the last three at a score of 0.5.",
    ]
