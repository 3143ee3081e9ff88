"""Frames that are deflated one by one (PS3.5 A.4.13), mostly of segmentations."""

import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from pydicom.uid import UID

from imaging.decoding.layout import Cells, PixelLayout

DeflatedImageFrameCompression = UID("1.2.840.10008.1.2.8.1")
"""Newer than pydicom 3.0, which does not list it."""


class BrokenDeflateError(ValueError):
    """The frame cannot be inflated; the text says why."""


def decode_deflated(frame: bytes, layout: PixelLayout) -> Cells:
    """Return the cells of one frame, [row, column]; refuse what is no deflated frame of that size.

    No more is inflated than the frame needs, whatever it unpacks to.
    """
    kind = layout.dtype.newbyteorder("<")
    needed_bytes = layout.rows * layout.columns * kind.itemsize
    try:
        inflated = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS).decompress(frame, needed_bytes)
    except IsalError as error:  # type: ignore[misc]  # declared as an instance
        raise BrokenDeflateError("it is damaged") from error
    if len(inflated) < needed_bytes:
        raise BrokenDeflateError("it is cut short")
    return np.frombuffer(inflated, kind).reshape(layout.rows, layout.columns)
