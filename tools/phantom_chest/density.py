"""Density that is added to the lungs: in foci, or the same amount of it in layers.

Both classes draw how much is added, to how many voxels, from the same distributions; the class says
only where it lies. So neither the mean nor the histogram of a volume tells the class: `lesions` has
consolidations and ground-glass opacities in a random number of foci, `diffuse` has it along the
back, the base and the surface of the lungs, as gravity and breathing out leave it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from tools.phantom_chest.anatomy import Thorax
from tools.phantom_chest.scan import Lattice

CLASSES = ("diffuse", "lesions")
"""Names of the classes' folders; the second is the positive one."""

COARSE_MM = 10.0
"""How far the irregularity of borders is correlated."""


@dataclass(frozen=True)
class Added:
    """How much is added to the share of the lungs where anything is.

    share: of the lungs' voxels. dense: the part of it that is consolidated, the rest being ground
    glass. ground_hu, dense_hu: what is added there.
    """

    share: float
    dense: float
    ground_hu: float
    dense_hu: float


def added_density(random: Generator) -> Added:
    """Return a random amount; it knows nothing of the class."""
    return Added(
        share=float(random.uniform(0.03, 0.12)),
        dense=float(random.choice([0.0, random.uniform(0.1, 0.6)])),
        ground_hu=float(random.uniform(180, 380)),
        dense_hu=float(random.uniform(600, 820)),
    )


def add_density(
    hu: NDArray[np.float32],
    lungs: NDArray[np.bool_],
    order: NDArray[np.float32],
    *,
    added: Added,
) -> None:
    """Add density to the voxels of the lungs that come first.

    order: [slice, row, column]; the voxels with the highest values take the densest part.
    """
    inside = np.flatnonzero(lungs)
    count = round(added.share * inside.size)
    values = order.reshape(-1)[inside]
    first = np.argpartition(-values, count)[:count]
    first = first[np.argsort(-values[first])]
    amounts = np.where(np.arange(count) < added.dense * count, added.dense_hu, added.ground_hu)
    hu.reshape(-1)[inside[first]] += amounts.astype(np.float32)


def order_of(
    label: str, body: Thorax, at: Lattice, *, lungs: NDArray[np.bool_], random: Generator
) -> NDArray[np.float32]:
    """Return in which order voxels take density, for one of the CLASSES: float32, as `lungs`."""
    where = _foci(at, lungs, random) if label == CLASSES[1] else _layers(body, at, random)
    return where + _irregular(at, random)


def _foci(at: Lattice, lungs: NDArray[np.bool_], random: Generator) -> NDArray[np.float32]:
    """Return how near the closest focus is, in the foci's radii, negative."""
    z, y, x = (axis.ravel() for axis in (at.z, at.y, at.x))
    candidates = np.argwhere(lungs)
    near = np.full(at.shape, -np.inf, np.float32)
    for centre in random.choice(candidates, int(random.integers(2, 9))):
        radii = random.uniform(0.75, 1.35, 3) * random.uniform(12, 32)
        k, j, i = centre
        away = (
            ((at.z - z[k]) / radii[0]) ** 2
            + ((at.y - y[j]) / radii[1]) ** 2
            + ((at.x - x[i]) / radii[2]) ** 2
        )
        np.maximum(near, -np.sqrt(away).astype(np.float32), out=near)
    return near


def _layers(body: Thorax, at: Lattice, random: Generator) -> NDArray[np.float32]:
    """Return how far a voxel lies to the back, the base and the surface, in random parts."""
    back, base, surface = (float(part) for part in random.dirichlet((1.0, 0.6, 1.0)))
    outward = np.minimum(body.relative(at, side=1), body.relative(at, side=-1))
    layers = back * at.y / 40 - base * at.z / 60 + surface * 4 * np.sqrt(outward)
    return np.asarray(layers, np.float32)


def _irregular(at: Lattice, random: Generator) -> NDArray[np.float32]:
    """Return a smooth random field; borders follow it, so that they are nobody's ellipsoid."""
    steps = [float(axis.ravel()[1] - axis.ravel()[0]) for axis in (at.z, at.y, at.x)]
    coarse = [
        max(2, int(axis.size * step / COARSE_MM))
        for axis, step in zip((at.z, at.y, at.x), steps, strict=True)
    ]
    field = random.normal(0, random.uniform(0.15, 0.35), coarse).astype(np.float32)
    factors = [count / few for count, few in zip(at.shape, coarse, strict=True)]
    fine: NDArray[np.float32] = ndimage.zoom(field, factors, order=1)
    return fine
