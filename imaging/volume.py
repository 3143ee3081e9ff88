"""Pixels as they are stored, and what a whole volume of quantities is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.decoding.element import float_bits, pixel_element
from imaging.decoding.encapsulated import CODECS, decoded_frames
from imaging.decoding.floats import padding_as_nan
from imaging.decoding.layout import PixelLayout
from imaging.decoding.native import native_frames
from imaging.errors import InputError, shown_uid
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

    Floating-point padding is NaN. Refuses pixel data that are missing, shorter than the header says
    or no finite numbers, or that cannot be decoded.
    """
    syntax = instance.transfer_syntax
    if syntax not in UNCOMPRESSED and syntax not in CODECS:
        raise InputError(
            "unsupported_transfer_syntax",
            f"entry {instance.entry.number} is stored as {shown_uid(syntax)}",
        )
    order = UNCOMPRESSED.get(syntax, "<")
    bits = float_bits(instance, order)
    if bits and syntax not in UNCOMPRESSED:
        raise InputError(
            "unsupported_pixels",
            f"entry {instance.entry.number} has floating-point pixels in a compressed syntax",
        )
    layout = PixelLayout.of(instance, bits)
    element = pixel_element(instance, order, bits=bits)
    if syntax not in UNCOMPRESSED:
        return decoded_frames(element, instance, layout)
    frames: NDArray[Any] = native_frames(element, layout)
    return padding_as_nan(frames, instance) if bits else frames


def has_float_pixels(instance: Instance) -> bool:
    """Say whether an object's pixels are floating-point numbers."""
    return bool(float_bits(instance, UNCOMPRESSED.get(instance.transfer_syntax, "<")))
