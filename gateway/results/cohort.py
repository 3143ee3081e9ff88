"""The rows of many studies that were extracted with one version of one model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.results.labels import Label
from gateway.results.table import VERSION_LABELS, MixedVersionsError, feature_names
from imaging.recipe import DEFAULTS, LATER_DEFAULTS, SHAPING, preprocessing_id
from imaging.window_parameters import WINDOW_PREFIX

SHOWN_CHARACTERS = 12
"""Of a digest, in a sentence."""


class Excluded(NamedTuple):
    """A row that somebody left out: the quality code that it was left out for, and its label."""

    code: str
    label: Label


@dataclass(frozen=True, eq=False)
class Study:
    """What one study gave: a label and float32 features a row, the engine's report.

    name: what whoever sent it calls it. code: why it has no rows, "" if it has.
    excluded: rows that it had, and that are in no file.
    """

    name: str
    labels: Sequence[Label] = ()
    features: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    report: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    excluded: Sequence[Excluded] = ()


@dataclass(frozen=True, eq=False)
class Cohort:
    """Studies in the order in which they are exported.

    parameters: of the model's config.pbtxt, as far as they are known; they are believed only if
        the rows were made with them.
    Raises MixedVersionsError for rows of different weights or preprocessing, and ValueError for
    rows of different lengths.
    """

    model: str
    studies: Sequence[Study]
    title: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if mixed := [text for name in VERSION_LABELS if (text := self._mixture(name))]:
            raise MixedVersionsError(
                f"{'; '.join(mixed)}: features of different versions are different quantities, "
                "export those of one version, or extract all studies again"
            )
        if len({study.features.shape[1] for study in self.studies if len(study.labels)}) > 1:
            raise ValueError("rows have different numbers of features")

    @cached_property
    def labels(self) -> list[Label]:
        """The labels of all rows."""
        return [label for study in self.studies for label in study.labels]

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """The features of all rows, float32 [rows, F]; F is 0 without rows."""
        found = [study.features for study in self.studies if len(study.labels)]
        return np.concatenate(found) if found else np.zeros((0, 0), np.float32)

    @cached_property
    def feature_names(self) -> list[str]:
        """The names of the columns of features; none without rows."""
        if not self.labels:
            return []
        return feature_names(str(self.version["feature_prefix"]), self.features.shape[1])

    @property
    def version(self) -> Label:
        """What all rows share: VERSION_LABELS, and `weights`; empty without rows."""
        first = self.labels[0] if self.labels else {}
        return {name: first[name] for name in (*VERSION_LABELS, "weights") if name in first}

    @property
    def without_rows(self) -> list[Study]:
        """The studies that gave no rows; those whose rows were all left out gave some."""
        return [study for study in self.studies if not len(study.labels) and not study.excluded]

    @property
    def excluded(self) -> list[Excluded]:
        """The rows that somebody left out, of all studies."""
        return [each for study in self.studies for each in study.excluded]

    @cached_property
    def made_with(self) -> Mapping[str, str]:
        """What shaped the rows' inputs, of the parameters; empty unless the rows are of these."""
        parameters = {**DEFAULTS, **LATER_DEFAULTS, **self.parameters}
        stated = self.version.get("preprocessing_id")
        if not self.parameters or preprocessing_id(parameters) != stated:
            return {}
        return {
            name: text
            for name, text in parameters.items()
            if name in SHAPING or name.startswith(WINDOW_PREFIX)
        }

    def _mixture(self, name: str) -> str:
        """Return which values a label has in how many rows, "" if it is one."""
        counted = Counter(label[name] for label in self.labels)
        if len(counted) < 2:
            return ""
        shown = [f"{value[:SHOWN_CHARACTERS]} in {n}" for value, n in counted.most_common(3)]
        return f"rows differ in {name} ({', '.join(shown)})"
