"""Pixels as they are stored, and what a whole volume of quantities is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.decoding.element import pixel_element
from imaging.decoding.encapsulated import CODECS, decoded_frames
from imaging.decoding.layout import PixelLayout
from imaging.decoding.native import native_frames
from imaging.errors import InputError
from imaging.instances import Instance
from imaging.series import UNCOMPRESSED


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
    """Return the pixels of an object of one frame as they are stored, indexed [row, column]."""
    frames = stored_frames(instance)
    if len(frames) != 1:
        raise InputError(
            "unsupported_pixels", f"entry {instance.entry.number} has {len(frames)} frames"
        )
    plane: NDArray[np.generic] = frames[0]
    return plane


def stored_frames(instance: Instance) -> NDArray[np.generic]:
    """Return the pixels of an object as they are stored, indexed [frame, row, column].

    Refuses pixel data that are missing, no whole numbers, shorter than the header says, or that
    cannot be decoded.
    """
    syntax = instance.transfer_syntax
    if syntax not in UNCOMPRESSED and syntax not in CODECS:
        raise InputError(
            "unsupported_transfer_syntax", f"entry {instance.entry.number} is stored as {syntax}"
        )
    layout = PixelLayout.of(instance)
    element = pixel_element(instance, UNCOMPRESSED.get(syntax, "<"))
    if syntax in UNCOMPRESSED:
        return native_frames(element, layout)
    return decoded_frames(element, instance, layout)
