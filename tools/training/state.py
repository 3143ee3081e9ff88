"""What a run has done so far, kept after each epoch: weights, optimiser, history."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.training.errors import TrainingError

STATE = "state.json"
BEST = "model.keras"


@dataclass(frozen=True)
class Progress:
    """The epochs so far, each with its losses: the first is epoch 1."""

    history: tuple[dict[str, float], ...] = ()

    @property
    def best(self) -> int:
        """The epoch with the highest validation AUC, of equal ones that with the lowest loss.

        0 before any.
        """
        ranks = [(-each["validation_auc"], each["validation_loss"]) for each in self.history]
        return 1 + ranks.index(min(ranks)) if ranks else 0

    @property
    def waited(self) -> int:
        """How many epochs have passed since the best one."""
        return len(self.history) - self.best

    def after(self, entry: dict[str, float]) -> "Progress":
        """Return the progress with one more epoch."""
        return Progress((*self.history, entry))


def save_best(network: Any, folder: Path) -> None:
    """Write the network, without its optimiser, as model.keras; all of it or nothing."""
    import keras

    part = folder / "model.part.keras"
    keras.Model(network.inputs, network.outputs, name=network.name).save(part)
    part.replace(folder / BEST)


def save_state(network: Any, progress: Progress, *, folder: Path, key: str) -> None:
    """Write the network with its optimiser, and the history; a kill leaves the epoch before.

    The history names the file of weights that it belongs to, and is put in place last.
    """
    name = f"state-{len(progress.history):04}.keras"
    network.save(folder / name)
    part = folder / "state.part.json"
    part.write_text(json.dumps({"key": key, "weights": name, "history": progress.history}))
    part.replace(folder / STATE)
    for older in folder.glob("state-*.keras"):
        if older.name != name:
            older.unlink()


def load_state(folder: Path, key: str, fresh: Callable[[], Any]) -> tuple[Any, Progress]:
    """Return the network and the progress of the run in a folder; if there is none, a fresh one.

    Refuses a run with another key: its data or settings were not the same.
    """
    file = folder / STATE
    if not file.is_file():
        return fresh(), Progress()
    import keras

    stored = json.loads(file.read_text())
    if stored["key"] != key:
        raise TrainingError(
            f"{folder} holds a run with other studies or settings: go on with those, or name "
            "another folder by --out"
        )
    return keras.models.load_model(folder / stored["weights"]), Progress(tuple(stored["history"]))


def remove_state(folder: Path) -> None:
    """Remove what a finished run needs no more."""
    (folder / STATE).unlink(missing_ok=True)
    for file in folder.glob("state-*.keras"):
        file.unlink()
