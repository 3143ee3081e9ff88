"""What a network learned of synthetic chests, beside what is known without one.

`python -m tools.phantom_chest.evidence DIR/model.keras` makes studies that the network has not
seen, fits logistic regressions to some of them and prints how well the others are told apart: by
the network itself, by the histogram of HU, by the features of the trained weights, and by those of
the seeded initialisation.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress
from rich.table import Table

from imaging.archive import Limits
from imaging.preprocess import feature_inputs
from imaging.recipe import Recipe
from tools.locations import data_folder
from tools.logistic import auc, fit
from tools.model_parameters import stated_parameters
from tools.phantom_chest.density import CLASSES
from tools.phantom_chest.study import phantom_study
from tools.training.inputs import OPTIONS
from tools.training.metrics import auc_interval

FIRST_FITTED, FIRST_HELD_OUT = 20_000, 30_000
"""Seeds of the studies; training should use others."""

BINS = 64
"""Of the histogram, over the window of the network's input."""

PENALTY = 10.0


def main() -> int:
    """Print the evidence, and write it as JSON if that is asked for."""
    arguments = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True)
    fitted = made(arguments.studies, FIRST_FITTED, console)
    held_out = made(arguments.studies, FIRST_HELD_OUT, console)
    found = evidence(arguments.network, fitted, held_out)
    console.print(_table(found))
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def made(studies: int, first: int, console: Console) -> NDArray[np.float16]:
    """Return inputs of so many new studies of each class, the classes in turns.

    float16 [2 * studies, a, b, c], 0 to 1: row n is of the class n modulo 2.
    """
    config = data_folder("model_repository") / "ct3dcnn__v1_preprocess" / "config.pbtxt"
    recipe = Recipe.from_parameters(stated_parameters(config))
    jobs = [(label, first + number) for number in range(studies) for label in CLASSES]
    volumes = np.empty((len(jobs), *recipe.shape), np.float16)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        for row, (label, seed) in enumerate(progress.track(jobs, description="studies")):
            study = memoryview(phantom_study(label, seed))
            seen = feature_inputs(study, recipe=recipe, options=OPTIONS, limits=Limits())
            volumes[row] = seen.volumes[0][..., 0]
    return volumes


def evidence(
    network: Path, fitted: NDArray[np.float16], held_out: NDArray[np.float16]
) -> dict[str, Any]:
    """Return AUCs on the held-out inputs with intervals, and the mean HU of each class."""
    import keras

    from tools.ct3dcnn import SEED, build, without_classifier

    trained = keras.models.load_model(network)
    both = [fitted, held_out]
    areas = {
        "network": _area(_rows(trained, held_out)[:, 0]),
        "HU histogram, logistic regression": _probe(*map(_histograms, both)),
        "mean HU, logistic regression": _probe(*map(_means, both)),
    }
    probed = {"trained": trained, "untrained": build(SEED)}
    for name, whole in probed.items():
        cut = without_classifier(whole)
        areas[f"features of {name} weights, linear probe"] = _probe(
            *(_rows(cut, volumes) for volumes in both)
        )
    mean_hu = {label: _mean_hu(held_out, number) for number, label in enumerate(CLASSES)}
    return {
        "weights_sha256": hashlib.sha256(network.read_bytes()).hexdigest(),
        "studies": {"fitted": len(fitted), "held_out": len(held_out)},
        "auc": areas,
        "mean_hu": mean_hu,
    }


def _rows(network: Any, volumes: NDArray[np.float16]) -> NDArray[np.float64]:
    """Return what a network puts out for each volume, one at a time, as memory is bounded so."""
    rows = [network.predict_on_batch(np.float32(volume[None, ..., None])) for volume in volumes]
    together: NDArray[np.float64] = np.concatenate(rows).astype(np.float64)
    return together


def _histograms(volumes: NDArray[np.float16]) -> NDArray[np.float64]:
    return np.array(
        [np.histogram(volume, BINS, (0, 1))[0] / volume.size for volume in volumes], np.float64
    )


def _means(volumes: NDArray[np.float16]) -> NDArray[np.float64]:
    return np.array([[volume.mean(dtype=np.float64)] for volume in volumes])


def _mean_hu(volumes: NDArray[np.float16], number: int) -> dict[str, float]:
    """Return mean and standard deviation over studies, in HU of the window -1000 to 400."""
    means = _means(volumes)[number :: len(CLASSES), 0] * 1400 - 1000
    return {"mean": round(float(means.mean()), 1), "sd": round(float(means.std(ddof=1)), 1)}


def _labels(count: int) -> NDArray[np.intp]:
    return np.arange(count) % len(CLASSES)


def _probe(fitted: NDArray[np.float64], held_out: NDArray[np.float64]) -> dict[str, float]:
    """Return the AUC on held-out rows of a regression that was fitted to other rows."""
    model = fit(fitted, _labels(len(fitted)), penalty=PENALTY)
    return _area(model.scores(held_out))


def _area(scores: NDArray[np.float64]) -> dict[str, float]:
    labels = _labels(len(scores))
    value = auc(scores, labels)
    low, high = auc_interval(value, int(labels.sum()), int((1 - labels).sum()))
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}


def _table(found: Mapping[str, Any]) -> Table:
    studies = found["studies"]
    table = Table(
        title=f"{studies['held_out']} held-out studies; probes fitted to {studies['fitted']} others"
    )
    table.add_column("told apart by")
    table.add_column("AUC", justify="right")
    table.add_column("95 %")
    for name, area in found["auc"].items():
        table.add_row(name, f"{area['value']:.3f}", f"{area['low']:.3f}–{area['high']:.3f}")
    for label, hu in found["mean_hu"].items():
        table.add_row(f"mean HU of {label}", f"{hu['mean']:.1f}", f"SD {hu['sd']:.1f}")
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tools.phantom_chest.evidence",
        description="What a network learned of synthetic chests, beside simpler ways.",
    )
    parser.add_argument("network", type=Path, metavar="KERAS", help="model.keras of a training")
    parser.add_argument(
        "--studies", type=int, default=50, help="of each class, twice as many in all; default: 50"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
