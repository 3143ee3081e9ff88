"""How the stored numbers of an object are laid out in its pixel data (PS3.5 8.1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.instances import Instance

ALLOCATED_BITS = (8, 16, 32)

GREY = ("MONOCHROME1", "MONOCHROME2")
"""Which of them only says whether the lowest numbers are shown white or black (C.7.6.3.1.2)."""

WHOLE_BYTES = 1 << 30
"""The most that the pixels of one object may take, stored or decoded."""

Cells = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class PixelLayout:
    """The extents of the pixel data, and the bits of one number.

    entry_number: for messages. kind: u, i or f, as NumPy has it.
    """

    entry_number: int
    frames: int
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    kind: str

    @classmethod
    def of(cls, instance: Instance, float_bits: int = 0) -> "PixelLayout":
        """Return the layout of an object with one number a pixel; refuse any other by name.

        float_bits: of a floating-point number, 0 for whole numbers.
        """
        allocated = _allocated_bits(instance, float_bits)
        _refuse_colour(instance)
        stored, signed = (allocated, 0) if float_bits else _stored_bits(instance, allocated)
        layout = cls(
            entry_number=instance.entry.number,
            frames=instance.count("NumberOfFrames", 1),
            rows=instance.count("Rows"),
            columns=instance.count("Columns"),
            bits_allocated=allocated,
            bits_stored=stored,
            kind="f" if float_bits else "ui"[signed],
        )
        if layout.size_bytes > WHOLE_BYTES:
            raise InputError(
                "too_large",
                f"entry {layout.entry_number} has {layout.size_bytes} bytes of pixels; at most "
                f"{WHOLE_BYTES} are read",
            )
        return layout

    @property
    def signed(self) -> bool:
        return self.kind == "i"

    @property
    def dtype(self) -> np.dtype[np.number[Any]]:
        """The type of one number, in the byte order of this machine."""
        return np.dtype(f"{self.kind}{self.bits_allocated // 8}")

    @property
    def size_bytes(self) -> int:
        return self.frames * self.rows * self.columns * self.dtype.itemsize

    def extended(self, cells: Cells, bits: int) -> Cells:
        """Return what the lowest `bits` of each cell mean, as signed or unsigned numbers."""
        unused = self.bits_allocated - bits
        cells = cells.astype(self.dtype)
        return (cells << unused) >> unused if unused > 0 else cells

    def numbers(self, cells: Cells) -> Cells:
        """Return cells as numbers: the sign is bit BitsStored - 1 (PS3.5 8.1.1).

        Most writers repeat the sign in the unused bits above, some leave those 0. What needs more
        bits than are stored is kept, since scanners pad with numbers below the range.
        """
        cells = cells.astype(self.dtype, copy=False)
        if not self.signed or self.bits_stored == self.bits_allocated or not cells.size:
            return cells
        if cells.min() >= 0 and cells.max() < 1 << self.bits_stored:
            return self.extended(cells, self.bits_stored)
        return cells

    def refuse_overlays(self, cells: Cells) -> None:
        """Refuse unsigned numbers with bits above those stored: once, overlays were kept there."""
        if self.signed or self.bits_stored == self.bits_allocated or not cells.size:
            return
        if cells.max() >= 1 << self.bits_stored:
            raise InputError(
                "unsupported_pixels",
                f"entry {self.entry_number} has pixels with more than the "
                f"{self.bits_stored} bits that it says are stored",
            )


def _allocated_bits(instance: Instance, float_bits: int) -> int:
    where = f"entry {instance.entry.number}"
    allocated = instance.count("BitsAllocated")
    if float_bits not in (0, allocated):
        raise InputError(
            "unsupported_pixels",
            f"{where} has floating-point pixels of {float_bits} bits, which do not fit its "
            "BitsAllocated",
        )
    if not float_bits and allocated not in ALLOCATED_BITS:
        raise InputError("unsupported_pixels", f"{where} has {allocated} bits a pixel")
    return allocated


def _refuse_colour(instance: Instance) -> None:
    where = f"entry {instance.entry.number}"
    if (samples := instance.count("SamplesPerPixel")) != 1:
        raise InputError("unsupported_pixels", f"{where} has {samples} values a pixel")
    if instance.text("PhotometricInterpretation") not in GREY:
        raise InputError("unsupported_pixels", f"{where} does not say that it is grey")


def _stored_bits(instance: Instance, allocated: int) -> tuple[int, int]:
    """Return how many bits of a whole number are stored, and whether it has a sign: 0 or 1."""
    where = f"entry {instance.entry.number}"
    stored = instance.count("BitsStored")
    if not 0 < stored <= allocated:
        raise InputError(
            "bad_attribute", f"{where} has a BitsStored that does not fit its BitsAllocated"
        )
    if (highest := instance.count("HighBit", stored - 1)) != stored - 1:
        raise InputError(
            "unsupported_pixels",
            f"{where} has its {stored} bits below a HighBit of {highest}, not {stored - 1}",
        )
    if (sign := instance.count("PixelRepresentation")) > 1:
        raise InputError("bad_attribute", f"{where} has a PixelRepresentation of {sign}")
    return stored, sign
