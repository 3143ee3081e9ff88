"""Branching tubes in a lattice: vessels and airways."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tools.phantom_chest.scan import Lattice

GENERATIONS = 7
"""Of branches, from the hilum on: the last are about as thick as a voxel."""

THINNING = 2 ** (-1 / 3)
"""Of a branch against its parent: Murray's law for two equal branches, 1926."""

Point = tuple[float, float, float]
"""z, y, x in mm."""


@dataclass(frozen=True)
class Tube:
    """A straight tube with round ends; all in mm."""

    start: Point
    end: Point
    radius_mm: float


def draw(hu: NDArray[np.float32], at: Lattice, tube: Tube, *, value_hu: float) -> None:
    """Set the voxels in a tube to a value; those on its surface take part of it."""
    pixel_mm = float(at.x.ravel()[1] - at.x.ravel()[0])
    box, lines = [], []
    for axis, low, high in zip((at.z, at.y, at.x), tube.start, tube.end, strict=True):
        margin = tube.radius_mm + pixel_mm
        ends = np.searchsorted(axis.ravel(), [min(low, high) - margin, max(low, high) + margin])
        box.append(slice(int(ends[0]), int(ends[1])))
        lines.append(axis.ravel()[box[-1]])
    points = np.stack(np.meshgrid(*lines, indexing="ij"), -1) - np.array(tube.start, np.float32)
    along = np.subtract(tube.end, tube.start).astype(np.float32)
    share = np.clip(points @ along / max(float(along @ along), 1e-6), 0, 1)
    away = np.linalg.norm(points - share[..., None] * along, axis=-1)
    part = np.clip((tube.radius_mm - away) / pixel_mm + 0.5, 0, 1)
    inside = hu[tuple(box)]
    inside += part * (np.float32(value_hu) - inside)


def vessels(lung_at_mm: float, lung_mm: Point, random: Generator) -> Iterator[Tube]:
    """Yield a tree of vessels for each lung, from its hilum outwards.

    lung_mm: semi-axes of a lung, x, y, z.
    """
    across, deep, high = lung_mm
    for side in (-1, 1):
        hilum = np.array([-10.0, 5.0, side * 32.0])
        centre = np.array([-20.0, 0.0, side * lung_at_mm])
        reach = 0.85 * np.array([high * 0.8, deep, across])
        for _ in range(10):
            way = random.normal(size=3) * (1.0, 1.0, 0.6) + (0, 0, side * 0.7)
            root = _Twig(hilum, way / np.linalg.norm(way), float(random.uniform(4.0, 6.0)))
            yield from _branches(root, GENERATIONS, centre, reach=reach, random=random)


@dataclass(frozen=True)
class _Twig:
    start: NDArray[np.float64]
    way: NDArray[np.float64]
    radius_mm: float


def _branches(
    twig: _Twig,
    generations: int,
    centre: NDArray[np.float64],
    *,
    reach: NDArray[np.float64],
    random: Generator,
) -> Iterator[Tube]:
    """Yield a twig and what branches off it, as far as it lies in an ellipsoid."""
    end = twig.start + twig.way * twig.radius_mm * random.uniform(5, 8)
    if not generations or np.linalg.norm((end - centre) / reach) > 1.1:
        return
    yield Tube(_point(twig.start), _point(end), twig.radius_mm)
    for _ in range(2):
        way = twig.way + random.normal(scale=0.4, size=3)
        branch = _Twig(end, way / np.linalg.norm(way), twig.radius_mm * THINNING)
        yield from _branches(branch, generations - 1, centre, reach=reach, random=random)


def airways(lung_at_mm: float, random: Generator) -> Iterator[Tube]:
    """Yield the trachea and the main and lobar bronchi."""
    radius_mm = float(random.uniform(7, 9))
    carina = (float(random.uniform(10, 30)), 10.0, 0.0)
    yield Tube((170.0, 15.0, 0.0), carina, radius_mm)
    for side in (-1, 1):
        hilum = (carina[0] - 30, 8.0, side * 0.45 * lung_at_mm)
        yield Tube(carina, hilum, radius_mm * 0.7)
        for up in (35.0, -40.0):
            end = (hilum[0] + up, 8.0 + float(random.normal(0, 15)), side * 0.9 * lung_at_mm)
            yield Tube(hilum, end, radius_mm * 0.4)


def _point(values: NDArray[np.float64]) -> Point:
    z, y, x = (float(value) for value in values)
    return z, y, x
