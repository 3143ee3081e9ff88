"""The learning curve: a table of all epochs, and a picture of it."""

import csv
from importlib.util import find_spec
from pathlib import Path

from tools.training.state import Progress


def write_history(progress: Progress, file: Path) -> None:
    """Write a line an epoch as CSV."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        table = csv.DictWriter(opened, list(progress.history[0]))
        table.writeheader()
        table.writerows(progress.history)


def draw_curve(progress: Progress, file: Path) -> bool:
    """Write losses and validation AUC over the epochs as PNG; False if matplotlib is missing."""
    if find_spec("matplotlib") is None:
        return False
    from matplotlib.figure import Figure

    epochs = [entry["epoch"] for entry in progress.history]
    figure = Figure(figsize=(9, 3.6), dpi=100, layout="constrained")
    losses, areas = figure.subplots(1, 2)
    for name, label in (("loss", "training"), ("validation_loss", "validation")):
        losses.plot(epochs, [entry[name] for entry in progress.history], label=label)
    areas.plot(epochs, [entry["validation_auc"] for entry in progress.history], color="C1")
    areas.set_ylim(0, 1.02)
    for axes, title in ((losses, "binary cross-entropy"), (areas, "validation AUC")):
        axes.axvline(progress.best, color="0.7", zorder=0)
        axes.set_title(title, loc="left")
        axes.set_xlabel("epoch; the line is the best one")
        axes.spines[["top", "right"]].set_visible(False)
    losses.legend(frameon=False)
    figure.savefig(file)
    return True
