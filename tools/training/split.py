"""Which studies a network is trained on, and which it is validated on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from tools.training.errors import TrainingError

VALIDATION_SHARE = 0.3
"""As in the Keras example: 70 % for training."""


@dataclass(frozen=True)
class Split:
    """Indices of the studies on each side."""

    training: tuple[int, ...]
    validation: tuple[int, ...]


def split(labels: Sequence[str], groups: Sequence[str], random: Generator) -> Split:
    """Return a random split by groups that holds 30 % of each class back, or a bit less.

    All studies of a group (a patient) are on one side. Refuses a split without both classes on both
    sides.
    """
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    wanted = {
        label: max(1, round(VALIDATION_SHARE * number)) for label, number in Counter(labels).items()
    }
    held_back: Counter[str] = Counter()
    validation: list[int] = []
    for position in random.permutation(len(members)):
        of_group = list(members.values())[position]
        more = Counter(labels[index] for index in of_group)
        if all(held_back[label] + number <= wanted[label] for label, number in more.items()):
            held_back += more
            validation += of_group
    training = np.setdiff1d(np.arange(len(labels)), validation)
    found = Split(tuple(int(index) for index in training), tuple(sorted(validation)))
    _refuse_one_class(labels, found, len(members))
    return found


def _refuse_one_class(labels: Sequence[str], found: Split, groups: int) -> None:
    classes = set(labels)
    for side, indices in (("training", found.training), ("validation", found.validation)):
        if {labels[index] for index in indices} != classes:
            raise TrainingError(
                f"{len(labels)} studies of {groups} patients cannot be split so that {side} has "
                "both classes: more patients of each class are needed, or a column group in the "
                "table if different patients have one PatientID"
            )
