"""Frames of uncompressed pixel data, which are plain numbers."""

import numpy as np
from numpy.typing import NDArray

from imaging.decoding.element import PixelElement
from imaging.decoding.layout import PixelLayout
from imaging.errors import InputError


def native_frames(element: PixelElement, layout: PixelLayout) -> NDArray[np.generic]:
    """Return uncompressed pixel data as stored numbers, [frame, row, column].

    Refuses fewer bytes than the extents need, more than padding explains (frames that nothing
    declares, numbers of more bytes), and numbers with bits of overlays in them.
    """
    shape = (layout.frames, layout.rows, layout.columns)
    value = element.value
    surplus_bytes = len(value) - layout.size_bytes
    if surplus_bytes < 0 or surplus_bytes >= max(layout.rows * layout.columns, 2):
        extents = " × ".join(map(str, reversed(shape if layout.frames > 1 else shape[1:])))
        raise InputError(
            "bad_pixels",
            f"entry {layout.entry_number} has {len(value)} bytes of pixels; "
            f"{extents} need {layout.size_bytes}",
        )
    if layout.bits_allocated == 8:
        value = element.as_bytes
    count = layout.frames * layout.rows * layout.columns
    kind = f"{element.order}{layout.dtype.str[1:]}"
    cells = np.frombuffer(value, kind, count=count).reshape(shape)
    layout.refuse_overlays(cells)
    return layout.numbers(cells)
