"""Features of a study's rows, as they are and perturbed, from the network that the service runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import tritonclient.http as triton
from numpy.typing import NDArray

from imaging.options import Options
from imaging.recipe import Recipe
from tools.client import send_tensor
from tools.stability.perturbations import UNPERTURBED, Image, Perturbation
from tools.stability.subjects import Subject, subjects_in

VOLUMES_AT_ONCE = 8
"""In one request: 32 MiB of the usual shape."""

Volumes = Iterator[NDArray[np.float32]]


@dataclass(frozen=True)
class Network:
    """The network of a model in a running service: volumes in, features out.

    extractor: its name in Triton. recipe: how the model wants its input.
    """

    url: str
    extractor: str
    recipe: Recipe

    def features(self, volumes: Volumes) -> Iterator[NDArray[np.float32]]:
        """Yield the features, float32 [F], of each volume, float32 [a, b, c, 1].

        Raises ServiceError as tools.client.send does.
        """
        while batch := list(islice(volumes, VOLUMES_AT_ONCE)):
            stacked = np.stack(batch)
            tensor = triton.InferInput("volumes", stacked.shape, "FP32")
            tensor.set_data_from_numpy(stacked)
            answer = send_tensor(self.url, self.extractor, tensor, parameters=None)
            yield from answer.as_numpy("features")


@dataclass
class Measured:
    """A subject with its features, float32 [F]: unperturbed, and by the kind of perturbation.

    noise_sd: of the image's noise, in its unit.
    """

    subject: Subject
    noise_sd: float
    unperturbed: NDArray[np.float32]
    perturbed: dict[str, list[NDArray[np.float32]]] = field(default_factory=dict)


def measure(
    study: bytes,
    network: Network,
    plan: Sequence[Perturbation],
    *,
    options: Options,
    seed: Sequence[int],
) -> list[Measured]:
    """Return the rows of a zip, measured unperturbed and once by each perturbation of the plan.

    seed: of what is drawn by chance; the same seed and study give the same perturbations.
    Raises InputError and ServiceError.
    """
    measured = []
    for number, (image, subjects) in enumerate(
        subjects_in(study, recipe=network.recipe, options=options)
    ):
        inputs = _inputs(image, subjects, (UNPERTURBED, *plan), seed=(*seed, number))
        measured += _measured(image, subjects, (UNPERTURBED, *plan), network.features(inputs))
    return measured


def _inputs(
    image: Image, subjects: Sequence[Subject], plan: Sequence[Perturbation], *, seed: Sequence[int]
) -> Volumes:
    """Yield the inputs, perturbation by perturbation, of the subjects that each applies to."""
    as_it_is = image.window.scale(image.values)
    for number, each in enumerate(plan):
        rng = np.random.default_rng([*seed, number])
        affected = [one for one in subjects if each.applies(image, to_region=one.is_region)]
        scaled = as_it_is
        if each.voxels and affected:
            scaled = image.window.scale(each.voxels(image, rng))
        for subject in affected:
            lattice = subject.lattice
            if each.motion:
                lattice = lattice.moved(image.grid, each.motion(image, lattice, rng))
            yield subject.input_of(scaled, lattice, image.grid.shape)


def _measured(
    image: Image,
    subjects: Sequence[Subject],
    plan: Sequence[Perturbation],
    features: Iterator[NDArray[np.float32]],
) -> list[Measured]:
    """Return the features with what they are of, taken in the order of `_inputs`."""
    measured = [Measured(subject, image.noise_sd, next(features)) for subject in subjects]
    for each in plan[1:]:
        for one in measured:
            if each.applies(image, to_region=one.subject.is_region):
                one.perturbed.setdefault(each.kind, []).append(next(features))
    return measured
