"""The procedure of a training: inputs, split, fit, metrics, card."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import MofNCompleteColumn
from rich.progress import Progress as Bar

from imaging.recipe import Recipe
from tools.locations import data_folder
from tools.model_parameters import stated_parameters
from tools.training.card import (
    DEMONSTRATION,
    TRAINED,
    data_of,
    trained_recipe,
    training_of,
    write_card,
)
from tools.training.curve import draw_curve, write_history
from tools.training.errors import TrainingError
from tools.training.fitting import Data, Plan, fit, scored
from tools.training.inputs import Inputs, inputs_of, remove_cache
from tools.training.metrics import measured
from tools.training.split import split
from tools.training.state import BEST, Progress, remove_state
from tools.training.studies import LabelledStudy, classes_of, studies_by_folder, studies_by_table

OF_CT3DCNN = data_folder("model_repository") / "ct3dcnn__v1_preprocess" / "config.pbtxt"


def train(arguments: argparse.Namespace, console: Console) -> None:
    """Train as the command line says; what is written is in the folder `out`."""
    parameters = _parameters(arguments.recipe, arguments.antialias)
    recipe = _recipe(parameters)
    out: Path = arguments.out
    studies = _studies(arguments.folder, arguments.labels)
    classes = classes_of(studies, arguments.positive)
    out.mkdir(parents=True, exist_ok=True)
    inputs = _inputs(studies, recipe, arguments, console=console, name="inputs")
    held_out = _held_out(arguments, recipe, classes, console=console)
    positive = _positive(inputs, classes)
    seed = arguments.seed
    sides = split(
        [fact.label for fact in inputs.facts],
        [fact.group for fact in inputs.facts],
        default_rng(seed),
    )
    key = f"{inputs.key} seed {seed}"
    data = Data(inputs.volumes, positive, sides)
    progress = _fitted(
        data, Plan(arguments.epochs, seed, key, arguments.patience), out, console=console
    )
    purpose = DEMONSTRATION if arguments.demonstration else TRAINED
    write_card(
        out,
        about=arguments.about,
        classes=classes,
        data=data_of(inputs.facts, sides, left_out=inputs.left_out),
        training=training_of(progress, seed, arguments.patience),
        metrics=_metrics(data, held_out, classes, out=out),
        recipe=trained_recipe(parameters, inputs.facts, purpose=purpose),
    )
    _finish(progress, arguments, console)


def _parameters(config: Path | None, antialias: str | None) -> dict[str, str]:
    """Return the parameters of the input: of a config.pbtxt, else what suits new networks.

    Samples that stand for many voxels let their noise through, and depend on the kernel, unless
    what is between them is averaged: the project's own model has none of it as the example has not.
    """
    if config is not None:
        stated = stated_parameters(config)
    else:
        stated = stated_parameters(OF_CT3DCNN) | {"antialias": "gaussian"}
    return stated | ({"antialias": antialias} if antialias else {})


def _recipe(parameters: Mapping[str, str]) -> Recipe:
    try:
        return Recipe.from_parameters(parameters)
    except KeyError as error:
        raise TrainingError(f"--recipe does not state {error.args[0]}") from error
    except ValueError as error:
        raise TrainingError(f"inputs cannot be made so: {error}") from error


def _studies(folder: Path, labels: Path | None) -> list[LabelledStudy]:
    return studies_by_table(labels, folder) if labels else studies_by_folder(folder)


def _inputs(
    studies: Sequence[LabelledStudy],
    recipe: Recipe,
    arguments: argparse.Namespace,
    *,
    console: Console,
    name: str,
) -> Inputs:
    return inputs_of(
        studies,
        recipe,
        folder=arguments.out,
        skips_unreadable=arguments.skip_unreadable,
        console=console,
        name=name,
    )


def _held_out(
    arguments: argparse.Namespace, recipe: Recipe, classes: tuple[str, str], *, console: Console
) -> Inputs | None:
    if arguments.held_out is None:
        return None
    studies = studies_by_folder(arguments.held_out)
    if (found := {study.label for study in studies}) != set(classes):
        raise TrainingError(
            f"{arguments.held_out} has the classes {', '.join(sorted(found))}; "
            f"{' and '.join(classes)} are needed"
        )
    return _inputs(studies, recipe, arguments, console=console, name="held-out inputs")


def _fitted(data: Data, plan: Plan, out: Path, *, console: Console) -> Progress:
    """Fit the network; the screen tells each epoch, history.csv has those so far."""
    from tools.ct3dcnn import SHAPE, build

    if data.volumes.shape[1:] != SHAPE[:-1]:
        raise TrainingError(
            f"the recipe's shape is {data.volumes.shape[1:]}; the network takes {SHAPE[:-1]}"
        )
    progress = Progress()
    with Bar(*Bar.get_default_columns(), MofNCompleteColumn(), console=console) as bar:
        task = bar.add_task("epochs", total=plan.epochs)
        for progress in fit(build(plan.seed), data, plan, folder=out):
            write_history(progress, out / "history.csv")
            bar.update(task, completed=len(progress.history))
            entry = progress.history[-1]
            bar.console.print(
                f"epoch {entry['epoch']}: loss {entry['loss']:.4f}, validation loss "
                f"{entry['validation_loss']:.4f}, AUC {entry['validation_auc']:.3f}, "
                f"{entry['seconds']:.0f} s"
            )
    return progress


def _metrics(
    data: Data, held_out: Inputs | None, classes: tuple[str, str], *, out: Path
) -> dict[str, Any]:
    import keras

    network = keras.models.load_model(out / BEST)
    validation = np.array(data.split.validation)
    scores = scored(network, data.volumes, validation)
    metrics = {"validation": measured(scores, data.positive[validation])}
    if held_out is not None:
        scores = scored(network, held_out.volumes, np.arange(len(held_out.facts)))
        metrics["held out"] = measured(scores, _positive(held_out, classes))
    return metrics


def _finish(progress: Progress, arguments: argparse.Namespace, console: Console) -> None:
    out = arguments.out
    if not draw_curve(progress, out / "curve.png"):
        console.print("no curve.png: matplotlib is not installed (pip install matplotlib)")
    remove_state(out)
    if not arguments.keep_cache:
        remove_cache(out)
    console.print(f"network and card written to {out}; best epoch: {progress.best}", markup=False)


def _positive(inputs: Inputs, classes: tuple[str, str]) -> NDArray[np.bool_]:
    return np.array([fact.label == classes[1] for fact in inputs.facts])
