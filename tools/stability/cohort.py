"""All studies of a call, measured one after the other: lines, and what makes them again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from imaging.errors import InputError
from imaging.options import Options
from imaging.rows import SOFTWARE
from tools.client import ServiceError
from tools.stability.lines import Line, lines_of, retest_lines
from tools.stability.measuring import Measured, Network, measure
from tools.stability.pairs import Pair
from tools.stability.perturbations import (
    JITTER_MM,
    ROTATION_DEGREES,
    SHIFTS_VOXELS,
    THICK,
    Perturbation,
    perturbations,
)
from tools.studies import StudySource

Work = TypeVar("Work")


@dataclass
class Cohort:
    """Studies measured by one network; one that fails does not stop the next one.

    rows: that were measured. failed: how many studies were not.
    """

    network: Network
    options: Options
    seed: int
    repeats: int
    console: Console
    rows: list[Measured] = field(default_factory=list)
    failed: int = 0

    def lines(self, studies: Sequence[StudySource], pairs: Sequence[Pair]) -> list[Line]:
        """Return the lines of studies, perturbed, and then those of pairs, as they are."""
        plan = perturbations(self.repeats)
        for number, study in enumerate(self._tracked(studies, "perturbed studies")):
            self._measure(study, plan, number=number)
        lines = lines_of(self.rows)
        retests = [
            (self._measure(first), self._measure(second))
            for first, second in self._tracked(pairs, "pairs")
        ]
        return lines + retest_lines(retests)

    def conditions(self) -> dict[str, Any]:
        """Return what makes the same numbers again, and which rows were measured."""
        recipe = self.network.recipe
        return {
            "software": SOFTWARE,
            "network": self.network.extractor,
            "weights_sha256": recipe.weights_sha256,
            "preprocessing_id": recipe.preprocessing_id,
            "seed": self.seed,
            "repeats": self.repeats,
            "shifts_voxels": SHIFTS_VOXELS,
            "rotation_degrees": ROTATION_DEGREES,
            "jitter_mm": JITTER_MM,
            "thick_slices": list(THICK),
            "rows": [one.subject.label | {"noise_sd": one.noise_sd} for one in self.rows],
        }

    def _tracked(self, several: Sequence[Work], description: str) -> Iterator[Work]:
        """Yield them one by one, with a bar if there are two or more."""
        columns = (*Progress.get_default_columns(), MofNCompleteColumn())
        with Progress(*columns, console=self.console, disable=len(several) < 2) as progress:
            yield from progress.track(several, description=description)

    def _measure(
        self, study: StudySource, plan: Sequence[Perturbation] = (), *, number: int = 0
    ) -> list[Measured]:
        seed = (self.seed, number)
        try:
            content = study.zip_bytes()
            found = measure(content, self.network, plan, options=self.options, seed=seed)
        except (InputError, ServiceError, OSError) as error:
            self.failed += 1
            self.console.print(f"{study.name}: {error}", style="red", markup=False)
            return []
        self.rows += found
        return found
