"""Pixels of slices, as stored and as physical quantities, and whole volumes of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.geometry import Grid
from imaging.instances import Instance
from imaging.quantities import Quantity
from imaging.series import UNCOMPRESSED

PIXEL_DATA_TAG = 0x7FE00010
SHORT_ELEMENT_BYTES = 8
LONG_ELEMENT_BYTES = 12
"""Header of PixelData with implicit VR, and with the explicit VRs OB and OW (PS3.5 7.1)."""

EXACT_TYPES = (np.int16, np.uint16, np.int32)
"""Types for volumes of whole numbers, the first that holds all of them is taken."""


@dataclass(frozen=True)
class Volume:
    """Voxels with the affine that places them.

    voxels: the quantity in `unit`, indexed [i, j, k] = [column, row, slice]; a type of whole
        numbers where all values are whole, else float32.
    affine: 4x4 float64, (i, j, k, 1) to (x, y, z, 1) in mm, RAS+ as NIfTI has it.
    """

    voxels: NDArray[np.generic]
    affine: NDArray[np.float64]
    unit: str


def stored_plane(instance: Instance) -> NDArray[np.generic]:
    """Return the pixels of one slice as they are stored, indexed [row, column].

    Refuses pixel data that are missing or shorter than the header says.
    """
    content = memoryview(instance.entry.read())[instance.pixels_at :]
    order = UNCOMPRESSED[instance.transfer_syntax]
    header_bytes = SHORT_ELEMENT_BYTES
    if not instance.transfer_syntax.is_implicit_VR:
        header_bytes = LONG_ELEMENT_BYTES
    tag = np.frombuffer(content[:4], f"{order}u2") if len(content) >= header_bytes else ()
    if tuple(tag) != (PIXEL_DATA_TAG >> 16, PIXEL_DATA_TAG & 0xFFFF):
        raise InputError("bad_pixels", f"entry {instance.entry.number} has no pixel data")
    rows, columns = instance.count("Rows"), instance.count("Columns")
    kind = "i" if instance.count("PixelRepresentation", 0) else "u"
    pixel = np.dtype(f"{order}{kind}{instance.count('BitsAllocated') // 8}")
    needed = rows * columns * pixel.itemsize
    available = min(
        int(np.frombuffer(content[header_bytes - 4 : header_bytes], f"{order}u4")[0]),
        len(content) - header_bytes,
    )
    if available < needed:
        raise InputError(
            "bad_pixels",
            f"entry {instance.entry.number} has {available} bytes of pixels; "
            f"{columns} × {rows} need {needed}",
        )
    pixels = np.frombuffer(content, pixel, count=rows * columns, offset=header_bytes)
    return pixels.reshape(rows, columns)


def read_plane(grid: Grid, quantity: Quantity, k: int) -> NDArray[np.float32]:
    """Return slice k of the grid in the quantity's unit, indexed [row, column]."""
    return quantity.of(stored_plane(grid.slices[k]), k)


def read_volume(grid: Grid, quantity: Quantity) -> Volume:
    """Return all voxels of a series."""
    columns, rows, slices = grid.shape
    voxels = np.empty((slices, rows, columns), np.float32)
    for k in range(slices):
        voxels[k] = read_plane(grid, quantity, k)
    return Volume(_exact(voxels.transpose(2, 1, 0), quantity), grid.affine, quantity.unit)


def _exact(voxels: NDArray[np.float32], quantity: Quantity) -> NDArray[np.generic]:
    """Return voxels of whole numbers in a type of whole numbers that holds them all."""
    if quantity.is_whole:
        lowest, highest = voxels.min(), voxels.max()
        for kind in EXACT_TYPES:
            if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max:
                return voxels.astype(kind)
    return voxels
