"""Run-length encoded frames (PS3.5 Annex G), which native decoders are known to crash over."""

import struct

import numpy as np

from imaging.decoding.layout import Cells, PixelLayout

HEADER = struct.Struct("<16I")
"""The number of segments and their 15 offsets (PS3.5 G.5)."""


class BrokenRunsError(ValueError):
    """The frame cannot be run-length decoded; the text says why."""


def decode_rle(frame: bytes, layout: PixelLayout) -> Cells:
    """Return the cells of one frame, [row, column]; refuse too few segments or bytes."""
    if len(frame) < HEADER.size:
        raise BrokenRunsError("it is cut short")
    count, *offsets = HEADER.unpack_from(frame)
    if count != layout.dtype.itemsize:
        raise BrokenRunsError(f"it has {count} segments, {layout.dtype.itemsize} are needed")
    pixels = layout.rows * layout.columns
    planes = np.empty((pixels, count), np.uint8)
    for segment, (start, end) in enumerate(
        zip(offsets[:count], [*offsets[1:count], len(frame)], strict=True)
    ):
        planes[:, segment] = np.frombuffer(_unpacked(frame[start:end], pixels), np.uint8)
    # The most significant bytes come first (PS3.5 G.2).
    cells = planes.view(f">{layout.dtype.kind}{count}")[:, 0]
    return cells.reshape(layout.rows, layout.columns)


def _unpacked(segment: bytes, size: int) -> bytes:
    """Return the first `size` bytes of a segment of runs and literals (PS3.5 G.3.2)."""
    unpacked = bytearray()
    at = 0
    while len(unpacked) < size and at + 1 < len(segment):
        head = segment[at]
        if head < 128:
            unpacked += segment[at + 1 : at + 2 + head]
            at += 2 + head
        else:
            # 128 stands for nothing, a larger number for a run of 257 - head.
            unpacked += segment[at + 1 : at + 2] * (257 - head) if head > 128 else b""
            at += 2 if head > 128 else 1
    if len(unpacked) < size:
        raise BrokenRunsError("it is cut short")
    return bytes(unpacked[:size])
