"""Pixels of the frames of a DICOM SEG, one frame at a time: single bits, or 8 or 16 bits."""

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from imaging.archive import Limits
from imaging.decoding.deflated_frame import DeflatedImageFrameCompression
from imaging.decoding.element import pixel_element
from imaging.decoding.encapsulated import decoded_frame, encoded_frames
from imaging.decoding.layout import PixelLayout
from imaging.errors import InputError
from imaging.instances import Instance
from imaging.series import UNCOMPRESSED

StoredFrame = NDArray[np.integer[Any]]

OF_BYTES = frozenset({RLELossless, DeflatedImageFrameCompression})
"""What compresses bytes: of single bits, eight pixels each; a frame begins at a byte of its own."""

OF_SAMPLES = frozenset(
    {
        HTJ2KLossless,
        HTJ2KLosslessRPCL,
        JPEG2000Lossless,
        JPEGLSLossless,
        JPEGLossless,
        JPEGLosslessSV1,
    }
)
"""What compresses numbers. Lossy syntaxes are left out: a blurred label is another label."""

KEPT_BYTES = 1 << 26
"""Of decoded frames of one object: labels of one frame ask for it one after the other."""


class FramePixels(Protocol):
    """The pixels of an object of several frames."""

    @property
    def count(self) -> int:
        """How many frames there are."""

    def __call__(self, index: int) -> StoredFrame:
        """Return one frame as stored, indexed [row, column]."""


def frame_pixels(instance: Instance, dataset: Dataset, limits: Limits) -> FramePixels:
    """Return the frames of a SEG; refuse those that are lossy, too large or incomplete."""
    layout = _layout(instance, dataset, limits)
    syntax = instance.transfer_syntax
    if syntax in UNCOMPRESSED:
        return _PlainFrames.of(instance, layout)
    if syntax in OF_BYTES | OF_SAMPLES:
        return _CompressedFrames(instance, layout)
    raise InputError(
        "unsupported_transfer_syntax",
        f"entry {instance.entry.number} holds regions stored as {syntax.name}; uncompressed, "
        "deflated, RLE, and lossless JPEG, JPEG-LS and JPEG 2000 pixels are read",
    )


def _layout(instance: Instance, dataset: Dataset, limits: Limits) -> PixelLayout:
    bits = int(dataset.BitsAllocated)
    layout = PixelLayout(
        entry_number=instance.entry.number,
        frames=int(dataset.get("NumberOfFrames") or 1),
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        bits_allocated=bits,
        bits_stored=bits,
        kind="u",
    )
    where = f"entry {layout.entry_number} holds regions of"
    if bits not in (1, 8, 16):
        raise InputError("bad_pixels", f"{where} {bits} bits a pixel")
    if min(layout.rows, layout.columns, layout.frames) < 1:
        raise InputError("bad_pixels", f"{where} no pixels")
    if layout.rows * layout.columns * 2 > limits.header_bytes:
        raise InputError("too_large", f"{where} {layout.columns} × {layout.rows} pixels a frame")
    return layout


@dataclass(frozen=True)
class _PlainFrames:
    """Frames one behind the other; frames of single bits need not begin at a byte (PS3.5 8.1.1)."""

    content: memoryview
    order: str
    layout: PixelLayout

    @classmethod
    def of(cls, instance: Instance, layout: PixelLayout) -> "_PlainFrames":
        """Return the frames in PixelData; refuse a value that is shorter than they need."""
        element = pixel_element(instance, UNCOMPRESSED[instance.transfer_syntax])
        value = element.value if layout.bits_allocated == 16 else element.as_bytes
        bits = layout.rows * layout.columns * layout.frames * layout.bits_allocated
        if len(value) < -(-bits // 8):
            raise InputError(
                "bad_pixels",
                f"entry {layout.entry_number} has {len(value)} bytes of pixels; "
                f"its frames need {-(-bits // 8)}",
            )
        return cls(value, element.order, layout)

    @property
    def count(self) -> int:
        return self.layout.frames

    def __call__(self, index: int) -> StoredFrame:
        size = self.layout.rows * self.layout.columns
        if self.layout.bits_allocated == 1:
            first = index * size
            packed = np.frombuffer(self.content[first // 8 : -(-(first + size) // 8)], np.uint8)
            return _unpacked(packed, self.layout, skipped=first % 8)
        kind = np.dtype(f"{self.order}{self.layout.dtype.str[1:]}")
        cells = np.frombuffer(self.content, kind, size, index * size * kind.itemsize)
        return cells.reshape(self.layout.rows, self.layout.columns)


class _CompressedFrames:
    """Frames that are decoded when they are wanted, the last ones kept."""

    def __init__(self, instance: Instance, layout: PixelLayout) -> None:
        self.count = layout.frames
        stored = tuple(encoded_frames(pixel_element(instance, "<"), instance, layout))
        kept = KEPT_BYTES // (layout.rows * layout.columns * -(-layout.bits_allocated // 8))
        decode = partial(_decoded, stored, syntax=instance.transfer_syntax, layout=layout)
        # Not of a method: a cache that holds its owner is freed late.
        self._decoded = lru_cache(maxsize=max(kept, 1))(decode)

    def __call__(self, index: int) -> StoredFrame:
        return self._decoded(index)


def _decoded(
    stored: tuple[bytes, ...], index: int, *, syntax: UID, layout: PixelLayout
) -> StoredFrame:
    frame = stored[index]
    if layout.bits_allocated > 1:
        return decoded_frame(frame, index, syntax=syntax, layout=layout)
    samples = replace(layout, bits_allocated=8)
    if syntax in OF_SAMPLES:
        return decoded_frame(frame, index, syntax=syntax, layout=samples)
    packed = replace(samples, rows=1, columns=-(-layout.rows * layout.columns // 8))
    cells = decoded_frame(frame, index, syntax=syntax, layout=packed)
    return _unpacked(cells[0], layout, skipped=0)


def _unpacked(packed: NDArray[Any], layout: PixelLayout, *, skipped: int) -> StoredFrame:
    """Return single bits as a frame; the first pixel is the lowest bit of a byte (PS3.5 8.1.1)."""
    size = layout.rows * layout.columns
    bits = np.unpackbits(packed, count=skipped + size, bitorder="little")
    return bits[skipped:].reshape(layout.rows, layout.columns)
