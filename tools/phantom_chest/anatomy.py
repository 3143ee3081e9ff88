"""A synthetic thorax: body wall, ribs, spine, lungs, heart, liver, airways and vessels.

Shapes are ellipsoids, tubes and layers in mm, each of a random size: enough for a network to have a
thorax to look at, and not a likeness of any person.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tools.phantom_chest.scan import Lattice
from tools.phantom_chest.tubes import Tube, airways, draw, vessels

AIR_HU, FAT_HU, MUSCLE_HU, BLOOD_HU, AIRWAY_HU = -1000.0, -100.0, 50.0, 40.0, -980.0


@dataclass(frozen=True)
class Thorax:
    """Half the width and depth of the body, what its organs measure, and their densities.

    lung_mm: semi-axes of a lung, x, y, z. lung_at_mm: how far from the middle its centre lies.
    dome_mm: height of the diaphragm's top. contrast_hu: what a contrast medium adds to blood.
    """

    body_mm: tuple[float, float]
    fat_mm: float
    lung_mm: tuple[float, float, float]
    lung_at_mm: float
    dome_mm: float
    lung_hu: float
    contrast_hu: float
    bone_hu: float
    rib_mm: float

    def relative(self, at: Lattice, *, side: int) -> NDArray[np.float32]:
        """Return how far a voxel lies from a lung's centre, 1 at the lung's outer surface.

        side: 1 for the left lung, -1 for the right one.
        """
        across, deep, high = self.lung_mm
        x = (at.x - side * self.lung_at_mm) / across
        away: NDArray[np.float32] = x**2 + (at.y / deep) ** 2 + ((at.z + 30) / high) ** 2
        return away


def thorax(random: Generator) -> Thorax:
    """Return a thorax of random size."""
    width, depth = float(random.uniform(148, 168)), float(random.uniform(98, 118))
    return Thorax(
        body_mm=(width, depth),
        fat_mm=float(random.uniform(6, 18)),
        lung_mm=(
            width * float(random.uniform(0.37, 0.41)),
            depth * float(random.uniform(0.70, 0.76)),
            float(random.uniform(135, 160)),
        ),
        lung_at_mm=width * float(random.uniform(0.46, 0.49)),
        dome_mm=float(random.uniform(-85, -60)),
        lung_hu=float(random.uniform(-870, -810)),
        contrast_hu=float(random.choice([0.0, random.uniform(60, 160)])),
        bone_hu=float(random.uniform(350, 700)),
        rib_mm=float(random.uniform(24, 32)),
    )


def lungs_of(body: Thorax, at: Lattice) -> NDArray[np.bool_]:
    """Return which voxels are lung, before anything is drawn into it."""
    away = (at.x / 95) ** 2 + (at.y / 90) ** 2
    above = at.z > body.dome_mm - 55 * away
    sides = (body.relative(at, side=1) < 1) | (body.relative(at, side=-1) < 1)
    return sides & above & ~_heart(at)


def wall_of(body: Thorax, at: Lattice) -> NDArray[np.float32]:
    """Return the body without its lungs, in HU: skin, fat, muscle, ribs, spine, liver and heart."""
    width, depth = body.body_mm
    rim = np.hypot(at.x / width, at.y / depth) + 0.0 * at.z
    fat = body.fat_mm / width
    hu = np.full(at.shape, AIR_HU, np.float32)
    hu[rim < 1] = FAT_HU
    hu[rim < 1 - fat] = MUSCLE_HU
    slanted = np.mod(at.z - 0.35 * at.y + 0.0 * at.x, body.rib_mm)
    cage = (rim > 0.82 - fat) & (rim < 0.88 - fat) & (np.abs(at.x) > 15)
    hu[cage & (slanted < 0.35 * body.rib_mm)] = body.bone_hu
    hu[_heart(at)] = BLOOD_HU + body.contrast_hu
    below = at.z < body.dome_mm - 55 * ((at.x / 95) ** 2 + (at.y / 90) ** 2)
    hu[below & (rim < 0.75) & (at.x < 40)] = 60 + body.contrast_hu / 2
    spine = np.hypot(at.x, at.y - 0.62 * depth) + 0.0 * at.z
    hu[spine < 18] = body.bone_hu / 2
    hu[spine < 7] = MUSCLE_HU
    return hu


def with_tubes(
    hu: NDArray[np.float32], body: Thorax, at: Lattice, *, random: Generator
) -> NDArray[np.float32]:
    """Draw vessels and airways into a body, and return it."""
    blood_hu = BLOOD_HU + body.contrast_hu
    aorta = Tube((-60.0, 40.0, 15.0), (150.0, 30.0, 10.0), 12.0)
    for tube in (aorta, *vessels(body.lung_at_mm, body.lung_mm, random)):
        draw(hu, at, tube, value_hu=blood_hu)
    for tube in airways(body.lung_at_mm, random):
        draw(hu, at, tube, value_hu=AIRWAY_HU)
    return hu


def _heart(at: Lattice) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (
        ((at.x - 25) / 52) ** 2 + ((at.y + 28) / 42) ** 2 + ((at.z + 45) / 58) ** 2
    ) < 1
    return inside
