"""Puts a trained network into the model repository, as the one that comes with the project.

`python -m tools.shipping DIR/model.keras`: `deepfeatures train` has written DIR; evidence.json of
tools.phantom_chest.evidence and stability.json of `deepfeatures stability`, if they are there too,
become part of the card. The stability is measured of the network that is served: so ship once, have
it measured, and ship again.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from tools.ct3dcnn import save_extractor
from tools.locations import CHECKOUT
from tools.model_parameters import state_parameters
from tools.training.card import as_markdown
from tools.weights_digest import weights_sha256, write_digest

STATED_BY_CARD = ("least_coverage_mm", "trained_voxel_mm", "weights")

FOUND = {
    "evidence": ("studies", "auc", "mean_hu"),
    "stability": ("weights_sha256", "seed", "repeats", "summary"),
}
"""What becomes part of the card, of what is measured afterwards."""


def ship(network: Path) -> None:
    """Write the extractor of a trained network and its card into the model repository.

    What the card says of the weights and of what they were trained on goes into the parameters of
    the rows.
    """
    repository = CHECKOUT / "model_repository"
    version = repository / "ct3dcnn__v1_extractor" / "1"
    config = repository / "ct3dcnn__v1_preprocess" / "config.pbtxt"
    card = json.loads(network.with_name("card.json").read_text())
    shipped = json.loads((version / "card.json").read_text())
    if card["weights_sha256"] != shipped["weights_sha256"]:  # to save anew changes the digest
        save_extractor(keras.models.load_model(network), version / "model.savedmodel")
        write_digest(version / "model.savedmodel", config)
    state_parameters(config, {name: card["recipe"][name] for name in STATED_BY_CARD})
    card["served_sha256"] = weights_sha256(version / "model.savedmodel")
    for name, parts in FOUND.items():
        if (file := network.with_name(f"{name}.json")).exists():
            found = json.loads(file.read_text())
            card[name] = {part: found[part] for part in parts}
    (version / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n")
    (version / "card.md").write_text(card_text(card), encoding="utf-8")


def card_text(card: Mapping[str, Any]) -> str:
    """Return the card of the shipped network for people: that of the training, and what followed.

    Raises ValueError if the stability is that of other weights.
    """
    lines = [as_markdown(card)]
    lines += [f"SHA-256 that rows carry: `{card['served_sha256']}`\n"]
    if "evidence" in card:
        lines += _evidence(card["evidence"])
    if "stability" in card:
        if card["stability"]["weights_sha256"] != card["served_sha256"]:
            raise ValueError("stability.json is of other weights: measure it of those served now")
        lines += _stability(card["stability"])
    return "\n".join(lines)


def _evidence(evidence: Mapping[str, Any]) -> list[str]:
    studies = evidence["studies"]
    return [
        "## What tells the classes apart\n",
        f"In {studies['held_out']} synthetic studies that nothing was fitted to; regressions were "
        f"fitted to {studies['fitted']} others.\n",
        "| told apart by | AUC | 95 % |\n|---|---|---|",
        *(
            f"| {name} | {area['value']:.3f} | {area['low']:.3f}–{area['high']:.3f} |"
            for name, area in evidence["auc"].items()
        ),
        "",
        "Mean HU: "
        + ", ".join(
            f"{hu['mean']:.0f} (SD {hu['sd']:.0f}) in `{label}`"
            for label, hu in evidence["mean_hu"].items()
        )
        + ".\n",
    ]


def _stability(stability: Mapping[str, Any]) -> list[str]:
    return [
        "## Stability\n",
        "How far features move when nothing about the patient has changed, by `deepfeatures "
        f"stability` with the seed {stability['seed']}; docs/results.md says what the numbers are. "
        "Medians over the features.\n",
        "| | perturbation | studies | moved by | ICC(1,1) | above 0.75 | CCC | SD ratio |",
        "|---" * 8 + "|",
        *(
            f"| {line['group']} | {line['perturbation']} | {line['studies']} | "
            f"{line['median_relative_l2']:.2g} | {line['median_icc']:.3f} | "
            f"{line['share_icc_lower_above_0.75']:.0%} | {line['median_ccc']:.3f} | "
            f"{line['median_sd_ratio']:.2g} |"
            for line in stability["summary"]
        ),
        "",
    ]


def main() -> None:
    """Ship the network that the command line names."""
    parser = argparse.ArgumentParser("python -m tools.shipping", description=ship.__doc__)
    parser.add_argument("network", type=Path, metavar="KERAS")
    ship(parser.parse_args().network)


if __name__ == "__main__":
    main()
