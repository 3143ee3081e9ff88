"""A picture of all that the network sees: every plane of its input, and where the regions are."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imaging.network_input import NetworkInput
from imaging.preview import png_text, turn, upright

COMPRESS_LEVEL = 6
"""A tenth smaller than at 1, for 50 ms: pictures of this kind are made one at a time."""

BITS = 8

Inside = NDArray[np.bool_]


def stack_png(
    seen: NetworkInput, codes: str, regions: Sequence[tuple[str, Inside]]
) -> tuple[str, dict[str, Any]]:
    """Return a base64 PNG of all planes of a network's input, and how they lie in it.

    codes: how the input's axes run. regions: name and bool [a, b, c] of each that is to be seen.
    The picture is grey: the planes, 0 to 255, and below them a sheet of the same size for every
    eight regions, in which bit n is set where the sheet's region n is.
    """
    volume = upright(seen.voxels[..., 0], codes)
    sheets = [_sheet(np.rint(volume * 255).astype(np.uint8))]
    for first in range(0, len(regions), BITS):
        bits = np.zeros(volume.shape, np.uint8)
        for bit, (_, inside) in enumerate(regions[first : first + BITS]):
            bits[upright(inside, codes)] |= np.uint8(1 << bit)
        sheets.append(_sheet(bits))
    picture = Image.fromarray(np.vstack(sheets))
    return png_text(picture, compress_level=COMPRESS_LEVEL), _layout(seen, codes, regions)


def _across(planes: int) -> int:
    """Return how many planes stand side by side, so that a sheet is about as wide as high."""
    return math.ceil(math.sqrt(planes))


def _sheet(volume: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the axial planes from feet to head, line by line; what is left of the last is 0."""
    rows, columns, planes = volume.shape
    across = _across(planes)
    down = math.ceil(planes / across)
    cells = np.zeros((down * across, rows, columns), np.uint8)
    cells[:planes] = volume.transpose(2, 0, 1)
    lines = cells.reshape(down, across, rows, columns).transpose(0, 2, 1, 3)
    return lines.reshape(down * rows, across * columns)


def _layout(
    seen: NetworkInput, codes: str, regions: Sequence[tuple[str, Inside]]
) -> dict[str, Any]:
    """Return what is needed to take the picture apart: columns, rows, planes, and their mm."""
    back, left, head = turn(codes)[:, 0].argsort()
    lengths = seen.voxels.shape
    return {
        "shape": [lengths[axis] for axis in (left, back, head)],
        "voxel_mm": [round(seen.voxel_mm[axis], 6) for axis in (left, back, head)],
        "across": _across(lengths[head]),
        "regions": [name for name, _ in regions],
    }
