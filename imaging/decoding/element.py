"""The element of an object that holds its pixels, found behind the header (PS3.5 7.1)."""

import struct
from dataclasses import dataclass

import numpy as np

from imaging.elements import UNDEFINED_LENGTH
from imaging.errors import InputError
from imaging.instances import Instance

PIXEL_DATA = (0x7FE0, 0x0010)

FLOAT_BITS = {(0x7FE0, 0x0008): 32, (0x7FE0, 0x0009): 64}
"""FloatPixelData and DoubleFloatPixelData, with the bits of a number (PS3.3 C.7.6.24, C.7.6.25)."""

EXPLICIT = tuple(vr + b"\0\0" for vr in (b"OB", b"OD", b"OF", b"OW", b"UN"))
"""What follows the tag where value representations are explicit (PS3.5 7.1.2). Objects without file
meta information do not say, some say the wrong; as an implicit length each of these would be odd,
which none is."""


@dataclass(frozen=True)
class PixelElement:
    """The value of PixelData, or of its floating-point kin, with its byte order.

    value: as far as it is declared and there.
    vr: OB, OW, OF or OD; empty where it is implicit.
    """

    value: memoryview
    vr: str
    order: str
    is_encapsulated: bool

    @property
    def as_bytes(self) -> memoryview:
        """The value as a stream of bytes: of a big-endian word the second comes first (A.3)."""
        if self.order != ">" or self.vr != "OW":
            return self.value
        words = np.frombuffer(self.value[: len(self.value) // 2 * 2], "u2")
        return memoryview(words.byteswap().tobytes())


def float_bits(instance: Instance, order: str) -> int:
    """Return the bits of an object's floating-point numbers, 0 where its pixels are whole ones.

    Only the header is inflated again, and only where attributes leave the question open.
    """
    if instance.count("BitsAllocated") not in FLOAT_BITS.values() and instance.states("BitsStored"):
        return 0
    tag = struct.Struct(f"{order}HH")
    file = instance.entry.open(instance.pixels_at + tag.size)
    file.seek(instance.pixels_at)
    group, element = tag.unpack(file.read(tag.size).ljust(tag.size, b"\0"))
    return FLOAT_BITS.get((group, element), 0)


def pixel_element(instance: Instance, order: str, *, bits: int = 0) -> PixelElement:
    """Return the pixels of an object, still encoded; refuse an object without.

    bits: of the floating-point numbers that are wanted, 0 for whole numbers.
    """
    content = instance.entry.read()[instance.pixels_at :]
    is_explicit = bytes(content[4:8]) in EXPLICIT
    header = struct.Struct(f"{order}HH2s2xI" if is_explicit else f"{order}HHI")
    group, element, *vr, length = header.unpack(bytes(content[: header.size]).ljust(header.size))
    found = (group, element)
    if FLOAT_BITS.get(found, bits) != bits:
        raise InputError(
            "unsupported_pixels",
            f"entry {instance.entry.number} has floating-point pixels of {FLOAT_BITS[found]} bits, "
            "which do not fit its BitsAllocated",
        )
    if found not in (PIXEL_DATA, *FLOAT_BITS) or len(content) < header.size:
        raise InputError("bad_pixels", f"entry {instance.entry.number} has no pixel data")
    value = content[header.size :]
    if length == UNDEFINED_LENGTH:  # encapsulated pixels end with a delimiter (PS3.5 A.4)
        return PixelElement(value, _text(vr), order, is_encapsulated=True)
    return PixelElement(value[:length], _text(vr), order, is_encapsulated=False)


def _text(vr: list[bytes]) -> str:
    return vr[0].decode("latin-1") if vr else ""
