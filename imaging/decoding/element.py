"""The element of an object that holds its pixels, found behind the header (PS3.5 7.1)."""

import struct
from dataclasses import dataclass

import numpy as np
from pydicom.uid import ImplicitVRLittleEndian

from imaging.errors import InputError
from imaging.instances import Instance

PIXEL_DATA = (0x7FE0, 0x0010)
FLOAT_PIXELS = ((0x7FE0, 0x0008), (0x7FE0, 0x0009))

UNDEFINED_LENGTH = 0xFFFFFFFF
"""Encapsulated pixel data end with a delimiter instead (PS3.5 A.4)."""


@dataclass(frozen=True)
class PixelElement:
    """The value of PixelData with its byte order.

    value: as far as it is declared and there.
    vr: OB or OW; empty where it is implicit.
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


def pixel_element(instance: Instance, order: str) -> PixelElement:
    """Return the pixels of an object, still encoded; refuse an object without, or with floats."""
    content = memoryview(instance.entry.read())[instance.pixels_at :]
    # pydicom's own property fails on transfer syntaxes that are newer than pydicom.
    is_implicit = instance.transfer_syntax == ImplicitVRLittleEndian
    header = struct.Struct(f"{order}HHI" if is_implicit else f"{order}HH2s2xI")
    group, element, *vr, length = header.unpack(bytes(content[: header.size]).ljust(header.size))
    if (group, element) in FLOAT_PIXELS:
        raise InputError(
            "unsupported_pixels", f"entry {instance.entry.number} has floating-point pixels"
        )
    if (group, element) != PIXEL_DATA or len(content) < header.size:
        raise InputError("bad_pixels", f"entry {instance.entry.number} has no pixel data")
    value = content[header.size :]
    if length == UNDEFINED_LENGTH:
        return PixelElement(value, _text(vr), order, is_encapsulated=True)
    return PixelElement(value[:length], _text(vr), order, is_encapsulated=False)


def _text(vr: list[bytes]) -> str:
    return vr[0].decode("latin-1") if vr else ""
