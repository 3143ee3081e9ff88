"""A small picture of a series, by which a person knows it again: its middle plane, upright."""

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imaging.geometry import Grid
from imaging.preview import png_text
from imaging.quantities import Quantity
from imaging.stacks.planes import read_plane

LONGEST = 96
"""Pixels of the longer edge."""

CT_HU = (-1000.0, 400.0)
"""What is black and white of a CT: air, and bone."""

PERCENTILES = (0.5, 99.5)
"""The same of other modalities, of the plane's own values."""

LOOKED_AT = {"S": "LPS", "I": "LPI", "A": "LIA", "P": "LIP", "L": "PIL", "R": "PIR"}
"""Where columns and rows of a plane run, by the direction in which planes follow one another: the
head is above, the front too, the patient's right or the front is on the left."""


def thumbnail_png(grid: Grid, quantity: Quantity) -> str:
    """Return a base64 PNG, grey, of the middle plane as it was acquired, at its true proportions.

    Raises InputError if the plane cannot be read.
    """
    k = grid.shape[2] // 2
    values = read_plane(grid, quantity, k).part(slice(None))
    low, high = CT_HU if quantity.unit == "HU" else np.percentile(values, PERCENTILES)
    grey = np.clip((values - low) / max(high - low, np.finfo(np.float32).tiny), 0, 1)
    plane, (height_mm, width_mm) = _upright(np.rint(grey * 255).astype(np.uint8), grid)
    scale = LONGEST / max(height_mm, width_mm)
    size = (max(round(width_mm * scale), 1), max(round(height_mm * scale), 1))
    return png_text(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))


def _upright(plane: NDArray[np.uint8], grid: Grid) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Return a plane, [row, column], as it is looked at, with its height and width in mm.

    An oblique plane goes by its closest axes.
    """
    own = nib.io_orientation(grid.affine)
    towards = nib.orientations.ornt2axcodes(own)[2]
    turn = nib.orientations.ornt_transform(
        own, nib.orientations.axcodes2ornt(tuple(LOOKED_AT[towards]))
    )
    looked_at = nib.orientations.apply_orientation(plane.T[:, :, np.newaxis], turn)[:, :, 0].T
    of_width, of_height = (int(np.flatnonzero(turn[:, 0] == axis)[0]) for axis in (0, 1))
    lengths_mm = np.array(grid.shape) * grid.spacing_mm
    return np.ascontiguousarray(looked_at), (lengths_mm[of_height], lengths_mm[of_width])
