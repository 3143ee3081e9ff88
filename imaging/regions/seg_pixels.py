"""Pixels of the frames of a DICOM SEG, one frame at a time: single bits, or 8 or 16 bits."""

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import RLELossless

from imaging.archive import Limits
from imaging.decoding.element import pixel_element
from imaging.errors import InputError
from imaging.instances import PYDICOM_FAILURES, Instance
from imaging.series import UNCOMPRESSED

StoredFrame = NDArray[np.unsignedinteger[Any]]


class FramePixels(Protocol):
    """The pixels of an object of several frames."""

    @property
    def count(self) -> int:
        """How many frames there are."""

    def __call__(self, index: int) -> StoredFrame:
        """Return one frame as stored, indexed [row, column]."""


def frame_pixels(instance: Instance, dataset: Dataset, limits: Limits) -> FramePixels:
    """Return the frames of a SEG; refuse those that are compressed, too large or incomplete."""
    shape = (int(dataset.Rows), int(dataset.Columns))
    frames = int(dataset.get("NumberOfFrames") or 1)
    bits = int(dataset.BitsAllocated)
    if bits not in (1, 8, 16) or min(*shape, frames) < 1:
        raise InputError("bad_pixels", _where(instance, f"{bits} bits a pixel"))
    if shape[0] * shape[1] * 2 > limits.header_bytes:
        raise InputError("too_large", _where(instance, f"{shape[1]} × {shape[0]} pixels a frame"))
    if instance.transfer_syntax == RLELossless:
        return _RunLengthFrames(instance, frames)
    if UNCOMPRESSED.get(instance.transfer_syntax) != "<":
        raise InputError(
            "unsupported_transfer_syntax",
            f"entry {instance.entry.number} holds regions stored as "
            f"{instance.transfer_syntax.name}; uncompressed little endian and RLE are read",
        )
    return _PlainFrames(
        _pixel_bytes(instance, shape[0] * shape[1] * frames * bits), frames, shape, bits
    )


def _where(instance: Instance, what: str) -> str:
    return f"entry {instance.entry.number} holds regions of {what}"


def _pixel_bytes(instance: Instance, needed_bits: int) -> memoryview:
    """Return the value of PixelData; refuse one that is shorter than the frames need."""
    value = pixel_element(instance, "<").value
    needed_bytes = -(-needed_bits // 8)
    if len(value) < needed_bytes:
        raise InputError(
            "bad_pixels",
            f"entry {instance.entry.number} has {len(value)} bytes of pixels; "
            f"its frames need {needed_bytes}",
        )
    return value[:needed_bytes]


@dataclass(frozen=True)
class _PlainFrames:
    """Frames one behind the other; frames of single bits need not begin at a byte (PS3.5 8.1.1)."""

    content: memoryview
    count: int
    shape: tuple[int, int]
    bits: int

    def __call__(self, index: int) -> StoredFrame:
        size = self.shape[0] * self.shape[1]
        if self.bits == 1:
            first = index * size
            packed = np.frombuffer(self.content[first // 8 : -(-(first + size) // 8)], np.uint8)
            bits = np.unpackbits(packed, bitorder="little")  # the first pixel is the lowest bit
            return bits[first % 8 : first % 8 + size].reshape(self.shape)
        kind = np.dtype(f"<u{self.bits // 8}")
        offset = index * size * kind.itemsize
        return np.frombuffer(self.content, kind, size, offset).reshape(self.shape)


class _RunLengthFrames:
    """Frames compressed by run lengths, decoded when they are wanted, the last ones kept."""

    def __init__(self, instance: Instance, count: int) -> None:
        self.count = count
        self._dataset = pydicom.dcmread(io.BytesIO(instance.entry.read()), force=True)
        self._number = instance.entry.number
        self._decoded = lru_cache(maxsize=2)(self._decode)

    def __call__(self, index: int) -> StoredFrame:
        return self._decoded(index)

    def _decode(self, index: int) -> StoredFrame:
        try:
            pixels, _ = get_decoder(RLELossless).as_array(self._dataset, index=index, raw=True)
        except PYDICOM_FAILURES as error:
            raise InputError(
                "bad_pixels", f"frame {index + 1} of entry {self._number} cannot be decoded"
            ) from error
        return pixels
